"""Recognises on-start scripts that set attribution up: the module's own, and the published recipe's by what it does.

The recipe: https://repost.aws/knowledge-center/sagemaker-instance-api-iam
"""

from __future__ import annotations

import base64
import binascii
import configparser
import hashlib
import re
import zlib
from typing import Literal

from msgspec import Struct

from ...errors import MissingPackageError
from .known_scripts import KNOWN_SCRIPTS, Mode
from .shell import CONFIG, HOME, NAME, ROLE, Exposure, Instance, follow

Kind = Literal["module", "recipe", "none", "undecided"]

_LONGEST_SCRIPT = 1 << 20
# By their form: which of them a script may have is known with its hash.
_SETTING = re.compile(r"([A-Z][A-Z_]*)='((?:[^']|'\\'')*)'\n")
# Profiles as the module writes them: none is the default one, and each calls from the notebook session.
_PROFILES = re.compile(
    r"(\[profile (?!default\])[\w.@-]+\]\n"
    r"((credential_source = Ec2InstanceMetadata|source_profile = default|role_session_name = @name@|sts_regional_endpoints = regional"
    r"|(duration_seconds|external_id|max_attempts|output|region|retry_mode|role_arn|use_dualstack_endpoint|use_fips_endpoint)"
    r" = [!-~]+)\n)+)*"
)
# The lines of comment that say where the script is from.
_HEAD = re.compile(r"\A(# .*\n)+(?=[A-Z][A-Z_]*=')")
_PACKED = re.compile(r"(?<=base64 -d <<<')[A-Za-z0-9+/=]+(?=')")
_SIGNS_OF_MODULE = ("notebook-attribution:", "Makes the AWS calls of this notebook instance attributable")
_OF_SHELL = re.compile(r"#! *(/usr)?/bin/(env +)?(bash|sh)( -[eux]+)* *")
# Beside which clients follow the role.
_KEYS = frozenset(
    ("role_arn", "credential_source", "role_session_name", "region", "output", "sts_regional_endpoints", "duration_seconds",
     "cli_pager", "max_attempts", "retry_mode")
)  # fmt: skip
# [profile default], with quotes or without, takes the place of [default]; [plugins] names programs.
_PLAIN_SECTION = re.compile(r"default|profile (?!default$)[A-Za-z0-9_.@-]+")
# What AWS allows a role that a role opens: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
_LONGEST_SESSION = 3600
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]+")


class Script(Struct, frozen=True):
    """What an on-start script does for attribution.

    `role_arn` and `session_name` are what it sets, None where it takes the instance's own. `problem` says why it doesn't set
    attribution up, or what can't be told. `is_locked`: ec2-user can't change what it wrote. Without a
    `role_arn` it asks DescribeNotebookInstance for it. `exposures`: what it exposes to ec2-user besides. `is_of_module`: it says
    that it is the module's.
    """

    kind: Kind
    version: str | None = None
    mode: Mode | None = None
    role_arn: str | None = None
    session_name: str | None = None
    starts_without: bool = False
    is_locked: bool = True
    problem: str | None = None
    exposures: tuple[Exposure, ...] = ()
    is_of_module: bool = False


def recognise(script: str) -> Script:
    """Say what an on-start script does for attribution."""
    try:
        return _recognised(script)
    except MissingPackageError:
        raise
    except Exception as error:  # one script must not keep the others from being judged
        problem = f"its on-start script can't be judged, by a fault of the audit's own ({type(error).__name__})"
        return Script("undecided", problem=problem)


def _recognised(script: str) -> Script:
    recognised = _module_script(script)
    if recognised:
        return recognised
    if any(sign in script for sign in _SIGNS_OF_MODULE):
        return Script(
            "undecided",
            problem="its script is the module's, but changed or of a version that isn't known here",
            is_of_module=True,
        )
    return _recipe_script(script)


def body_hash(script: str) -> str:
    """Return the hash by which `KNOWN_SCRIPTS` has one of the module's scripts, whatever the values of its settings."""
    return hashlib.sha256(_taken_apart(script)[1].encode()).hexdigest()


def setting_names(script: str) -> list[str]:
    """Return the names of the settings that stand before the script."""
    return sorted(_taken_apart(script)[0])


def _module_script(script: str) -> Script | None:
    settings, body = _taken_apart(script)
    known = KNOWN_SCRIPTS.get(hashlib.sha256(body.encode()).hexdigest())
    if not known or not settings.keys() <= set(known.settings):
        return None
    version, mode = known.version, known.mode
    if not _PROFILES.fullmatch(settings.get("AWS_PROFILES", "")):
        return Script("undecided", version, mode, problem="its AWS_PROFILES holds what the module doesn't write there")
    if settings.get("ATTRIBUTION_MODE", mode) != mode:
        return Script("none", version, problem=f"its script has no mode {settings['ATTRIBUTION_MODE']}")
    extra = settings.get("EXTRA_ON_START", "")
    followed = _followed_extra(extra, mode) if extra else None
    return Script(
        "undecided" if followed and followed.doubts else "module",
        version,
        mode,
        settings.get("ROLE_ARN") or None,
        starts_without=settings.get("ALLOW_START_WITHOUT_ATTRIBUTION") == "true",
        problem=f"extra_on_start, which runs as root afterwards, may undo it: {followed.doubts[0]}"
        if followed and followed.doubts
        else None,
        exposures=tuple(followed.exposures) if followed else (),
    )


def _followed_extra(script: str, mode: Mode) -> Instance:
    first = script.partition("\n")[0]
    if first.startswith("#!") and not _OF_SHELL.fullmatch(first):
        return Instance(doubts=[f"it is no shell script: {first[:80]}"])
    return follow(script, mode=mode)


def _taken_apart(script: str) -> tuple[dict[str, str], str]:
    """Return the settings that Terraform puts before the script, and the rest, with what it has packed."""
    shebang, _, rest = script.partition("\n")
    packed = _PACKED.search(rest)
    inner = _unpacked(packed[0]) if packed else None
    if packed and inner is not None:
        settings, body = _settings(inner)
        wrapper = rest[: packed.start()] + rest[packed.end() :]
        return settings, "\0".join((shebang, wrapper.strip(), settings.get("IMDS_PROXY", ""), body.strip()))
    settings, body = _settings(_HEAD.sub("", rest, count=1))
    # By hand, the file is pasted as it is, or with ROLE_ARN set in its first lines.
    body = body.strip()
    return settings, body if body.startswith("#!") else f"{shebang}\n{body}"


def _settings(text: str) -> tuple[dict[str, str], str]:
    settings, end = {}, 0
    while setting := _SETTING.match(text, end):
        settings[setting[1]] = setting[2].replace("'\\''", "'")
        end = setting.end()
    return settings, text[end:]


def _unpacked(packed: str) -> str | None:
    try:
        reader = zlib.decompressobj(wbits=31)
        content = reader.decompress(base64.b64decode(packed, validate=True), _LONGEST_SCRIPT)
        return content.decode() if reader.eof and not reader.unused_data else None
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return None


def _recipe_script(script: str) -> Script:
    if not re.search(r"role_session_name|credential_source", script):
        return Script("none", problem="its on-start script doesn't set attribution up")
    if "\r\n" in script:
        return Script("none", problem="its on-start script has Windows line ends, which bash doesn't take")
    state = follow(script)
    exposures = tuple(state.exposures)
    if state.doubts:
        problem = f"whether its on-start script sets attribution up can't be told: {state.doubts[0]}"
        return Script("undecided", problem=problem, exposures=exposures)
    config = state.files.get(CONFIG)
    if odd := sorted(each for each in _sections(config or "") if not _PLAIN_SECTION.fullmatch(each)):
        problem = (
            f"which profile clients use can't be told: the AWS config that its on-start script writes has [{odd[0]}]"
        )
        return Script("undecided", problem=problem, exposures=exposures)
    reason, values = _default_profile(config)
    if not reason:
        reason = _wrong_values(values)
    if reason:
        return Script("none", problem=f"its on-start script looks like the recipe's, but {reason}")
    if others := values.keys() - _KEYS:
        problem = (
            f"what {', '.join(sorted(others))} in the AWS config that its on-start script writes leads to can't be told"
        )
        return Script("undecided", problem=problem, exposures=exposures)
    role, session = values["role_arn"], values["role_session_name"]
    return Script(
        "recipe",
        mode="profile",
        role_arn=None if role == ROLE else role,
        session_name=None if session == NAME else session,
        is_locked={CONFIG, f"{HOME}/.aws", f"{HOME}/.aws/credentials"} <= state.locked,
        exposures=exposures,
    )


def _sections(config: str) -> list[str]:
    parser = _config_parser()
    try:
        parser.read_string(config)
    except configparser.Error:
        return []
    return parser.sections()


def _config_parser() -> configparser.RawConfigParser:
    # As botocore reads it.
    return configparser.RawConfigParser(default_section="")


def _default_profile(config: str | None) -> tuple[str | None, dict[str, str]]:
    if config is None:
        return f"it doesn't write {CONFIG}", {}
    parser = _config_parser()
    try:
        parser.read_string(config)
    except configparser.Error:
        return f"what it writes to {CONFIG} is no AWS config", {}
    if not parser.has_section("default"):
        return "it writes no [default] profile, which clients use unless told otherwise", {}
    return None, dict(parser.items("default"))


def _wrong_values(values: dict[str, str]) -> str | None:
    for key in ("role_arn", "credential_source", "role_session_name"):
        if not values.get(key):
            return f"the config that it writes has no {key}"
    if values["credential_source"] != "Ec2InstanceMetadata":
        return f"credential_source is {values['credential_source']}, not Ec2InstanceMetadata"
    for key in ("role_arn", "role_session_name"):
        if "$" in values[key] or "`" in values[key]:
            return f"{key} is {values[key]} as it stands, since the shell doesn't fill it in there"
    if not _ROLE_ARN.fullmatch(values["role_arn"]) and values["role_arn"] != ROLE:
        return f"role_arn is no role's ARN: {values['role_arn']}"
    duration = values.get("duration_seconds", "900")
    if not re.fullmatch("[0-9]{3,4}", duration) or int(duration) > _LONGEST_SESSION:
        return (
            f"duration_seconds is {duration}, and a role that opens a session on a role gets {_LONGEST_SESSION} at most"
        )
    return None
