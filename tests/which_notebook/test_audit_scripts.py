"""Which on-start scripts set attribution up: the module's by their hash, the recipe's by what it does."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable

import pytest
from document_table import WRITE
from emulator.server import Emulator
from rendered_scripts import RECIPE, rendered
from workspace import CHECKOUT

from which_notebook.audit.script.known_scripts import FILE, KNOWN_SCRIPTS, KnownScript
from which_notebook.audit.script.recognise import Script, body_hash, recognise, setting_names

ROLE_ARN = "arn:aws:iam::111122223333:role/team-execution"
CONFIG = "/home/ec2-user/.aws/config"
PROFILES = {
    "east": {},
    "reader": {
        "duration_seconds": "900",
        "external_id": "a:b/c",
        "max_attempts": "3",
        "output": "json",
        "region": "eu-west-1",
        "retry_mode": "standard",
        "role_arn": "arn:aws:iam::444455556666:role/team/reader",
        "use_dualstack_endpoint": "true",
        "use_fips_endpoint": "false",
    },
}


# The module's own


@pytest.fixture(scope="module")
def scripts(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return rendered(
        emulator,
        tmp_path_factory.mktemp("scripts"),
        {
            "profile": {"notebook_instances": {"alpha": {}}},
            "imds": {"notebook_instances": {"alpha": {}}, "attribution_mode": "imds"},
            "harmless": {"extra_on_start": "echo 'it''s'\ndf -h\n"},
            "undoing": {"extra_on_start": f"chattr -i {CONFIG}"},
            "lenient": {"allow_start_without_attribution": True},
            "profiles": {"profiles": PROFILES},
            "imds-profiles": {"profiles": PROFILES, "attribution_mode": "imds"},
        },
    )


@pytest.mark.parametrize("mode", ["profile", "imds"])
def test_the_scripts_of_this_checkout_are_known(scripts: dict[str, str], mode: str) -> None:
    if WRITE:
        write_known(scripts[{"profile": "profiles", "imds": "imds-profiles"}[mode]], mode)  # with every setting
        return
    found = recognise(scripts[mode])
    assert (found.kind, found.mode, found.role_arn) == ("module", mode, ROLE_ARN), (
        "the module renders another script than the audit knows; WRITE_TABLES=1 .venv/bin/pytest -n 0 "
        "tests/which_notebook/test_audit_scripts.py -k of_this_checkout writes it to known_scripts.json"
    )
    assert not found.starts_without
    assert found.is_locked


def write_known(script: str, mode: str) -> None:
    """Let the audit know a script that isn't released yet, instead of the one before."""
    known = json.loads(FILE.read_text())
    released = {key: each for key, each in known.items() if (each["version"], each["mode"]) != ("unreleased", mode)}
    new = {"version": "unreleased", "mode": mode, "settings": setting_names(script)}
    lines = [f'  "{key}": {json.dumps(each)}' for key, each in {body_hash(script): new, **released}.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def test_no_entry_is_left_of_a_script_that_was_never_released() -> None:
    unreleased = [each.mode for each in KNOWN_SCRIPTS.values() if each.version == "unreleased"]
    assert len(unreleased) == len(set(unreleased))


def test_its_inputs_do_not_matter(scripts: dict[str, str]) -> None:
    assert recognise(scripts["harmless"]) == recognise(scripts["profile"])
    assert recognise(scripts["lenient"]).starts_without
    assert recognise(scripts["profiles"]) == recognise(scripts["profile"])
    assert recognise(scripts["imds-profiles"]) == recognise(scripts["imds"])


def test_the_file_by_hand_asks_for_the_role_itself() -> None:
    found = recognise((CHECKOUT / "scripts/on-start.sh").read_text())
    assert (found.kind, found.mode, found.role_arn) == ("module", "profile", None)


def test_an_extra_script_that_may_undo_it_is_undecided(scripts: dict[str, str]) -> None:
    found = recognise(scripts["undoing"])
    assert (found.kind, found.problem) == (
        "undecided",
        f"extra_on_start, which runs as root afterwards, may undo it: it isn't known whether this is harmless: chattr -i {CONFIG}",
    )


@pytest.mark.parametrize(
    "profiles",
    [
        "[default]\nrole_session_name = colleague\n",
        "[profile default]\nrole_session_name = @name@\n",
        "[profile east]\nrole_session_name = colleague\n",
        "[profile east]\ncredential_process = /bin/id\n",
        "[profile east]\nsource_profile = other\n",
        "region = eu-west-1\n",
        "[profile east]\nregion = eu-west-1\n\n[default]\nregion = eu-west-1\n",
    ],
)
def test_profiles_that_the_module_does_not_write_are_undecided(scripts: dict[str, str], profiles: str) -> None:
    changed = re.sub(r"(?s)AWS_PROFILES='[^']*'", lambda _: f"AWS_PROFILES='{profiles}'", scripts["profiles"])
    assert changed != scripts["profiles"]
    found = recognise(changed)
    assert (found.kind, found.problem) == ("undecided", "its AWS_PROFILES holds what the module doesn't write there")


CHANGED: dict[str, Callable[[str], str]] = {
    "a line more": lambda script: f"{script}\nrm -f {CONFIG}\n",
    "a line less": lambda script: script.replace("  must 'lock ~/.aws' chattr +i config credentials .\n", ""),
    "a line before the settings": lambda script: script.replace("\n", "\nexit 0\n", 1),
    "a command in a setting": lambda script: script.replace("='true'", "=").replace("\nROLE_ARN='", "\nROLE_ARN=$(id)'", 1),
    "a setting that isn't the module's": lambda script: script.replace("\nROLE_ARN=", "\nPATH='/tmp'\nROLE_ARN=", 1),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_the_modules_script_with_a_change_is_not_taken_for_it(scripts: dict[str, str], change: str) -> None:
    assert recognise(CHANGED[change](scripts["profile"])).kind == "undecided"


def repacked(script: str, change: Callable[[bytes], bytes]) -> str:
    packed = re.search(r"(?<=<<<')[^']+", script)
    assert packed
    content = change(gzip.decompress(base64.b64decode(packed[0])))
    return script.replace(packed[0], base64.b64encode(gzip.compress(content)).decode())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content + b"\nundo_imds_mode\n",
        lambda content: content.replace(b"--uid-owner 0", b"--uid-owner 1000"),
        lambda content: content.replace(b"169.254.169.254", b"169.254.169.253", 1),
        lambda content: content.replace(b"IMDS_PROXY='", b"IMDS_PROXY='import sys; sys.exit()\n", 1),
        lambda content: b"",
        lambda content: b"#" * (1 << 24),
    ],
)
def test_what_is_packed_is_looked_into(scripts: dict[str, str], change: Callable[[bytes], bytes]) -> None:
    assert recognise(repacked(scripts["imds"], lambda content: content)).kind == "module"
    assert recognise(repacked(scripts["imds"], change)).kind == "undecided"


def test_what_surrounds_the_packed_script_is_looked_at(scripts: dict[str, str]) -> None:
    assert recognise(scripts["imds"].replace('eval "$script"', 'echo "$script"')).kind == "undecided"
    assert recognise(scripts["imds"] + "iptables -F\n").kind == "undecided"


def test_every_known_script_has_a_version_and_settings() -> None:
    assert all(
        re.fullmatch(r"[0-9a-f]{64}", key) and each.version and each.settings for key, each in KNOWN_SCRIPTS.items()
    )


def test_a_new_setting_needs_no_change_but_of_what_is_known(
    scripts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = scripts["profile"].replace("\nROLE_ARN=", "\nA_NEW_ONE='it'\\''s'\nROLE_ARN=", 1)
    assert recognise(script).kind == "undecided"
    key = body_hash(script)
    known = KNOWN_SCRIPTS[key]
    monkeypatch.setitem(KNOWN_SCRIPTS, key, KnownScript(known.version, known.mode, (*known.settings, "A_NEW_ONE")))
    assert recognise(script).kind == "module"


# The recipe's


def test_the_published_recipe_is_recognised() -> None:
    assert recognise(RECIPE) == Script("recipe", mode="profile", is_locked=False)


IN_OTHER_WORDS = {
    "variables in braces": RECIPE.replace("$instance", "${instance}"),
    "a quoted path": RECIPE.replace(f"> {CONFIG} <<", f'> "{CONFIG}" <<'),
    "through tee": RECIPE.replace(f"cat > {CONFIG} <<", f"sudo tee {CONFIG} <<"),
    "the other way round": RECIPE.replace(f"cat > {CONFIG} <<CONFIG", f"cat <<CONFIG > {CONFIG}"),
    "tabs before it": RECIPE.replace("<<CONFIG", "<<-CONFIG").replace("\nrole_", "\n\trole_").replace("\nCONFIG", "\n\tCONFIG"),
    "the name from two commands": RECIPE.replace(
        "instance=$(jq --raw-output '.ResourceName' /opt/ml/metadata/resource-metadata.json)",
        "metadata=$(cat /opt/ml/metadata/resource-metadata.json)\ninstance=$(echo $metadata | jq -r .ResourceName)",
    ),
    "quotes taken off": RECIPE.replace("jq --raw-output", "jq").replace("resource-metadata.json)", "resource-metadata.json | tr -d '\"')"),
    "the role written out": RECIPE.replace("role_arn = $role", f"role_arn = {ROLE_ARN}"),
    "as ec2-user": re.sub(
        r"cat > .*?\nCONFIG\n", "sudo -u ec2-user -i <<OUTER\ncat > ~/.aws/config <<CONFIG\n[default]\nrole_arn=$role\n"
        "credential_source=Ec2InstanceMetadata\nrole_session_name=$instance\nCONFIG\nOUTER\n", RECIPE, flags=re.DOTALL,
    ),
    "looked at": RECIPE.replace("\ncat >", '\nif [ -z "$instance" ] || [[ $role != arn:* ]]; then\n  echo "no name" >&2\n  exit 1\nfi\ncat >'),
    "line by line": re.sub(
        r"cat > .*?\nCONFIG\n",
        f'echo "[default]" > {CONFIG}\necho "role_arn = $role" >> {CONFIG}\n'
        f"echo 'credential_source = Ec2InstanceMetadata' >> {CONFIG}\necho role_session_name = $instance >> {CONFIG}\n",
        RECIPE, flags=re.DOTALL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", IN_OTHER_WORDS)
def test_it_is_recognised_by_what_it_does(words: str) -> None:
    assert IN_OTHER_WORDS[words] != RECIPE
    found = recognise(IN_OTHER_WORDS[words])
    assert (found.kind, found.session_name, found.problem) == ("recipe", None, None)


def test_a_lock_of_all_three_counts_as_one() -> None:
    locked = RECIPE.replace(
        f"chattr +i {CONFIG}",
        f"touch {CONFIG[:-6]}credentials\nchattr +i {CONFIG} {CONFIG[:-6]}credentials {CONFIG[:-7]}",
    )
    assert recognise(locked).is_locked
    assert not recognise(f"{locked}chattr -i {CONFIG[:-7]}\n").is_locked


LOOKS_ALIKE = {
    "a variable that isn't one": (
        RECIPE.replace("= $instance", "= \\$instance"),
        "role_session_name is $instance as it stands, since the shell doesn't fill it in there",
    ),
    "in a comment": (
        "".join(f"# {line}\n" for line in RECIPE.splitlines()),
        f"it doesn't write {CONFIG}",
    ),
    "only printed": (RECIPE.replace(f"cat > {CONFIG} <<", "cat <<"), f"it doesn't write {CONFIG}"),
    "into root's config": (RECIPE.replace(f"> {CONFIG}", "> ~/.aws/config"), f"it doesn't write {CONFIG}"),
    "behind an exit": (RECIPE.replace("cat >", "exit 0\ncat >"), f"it doesn't write {CONFIG}"),
    "in a named profile": (
        RECIPE.replace("[default]", "[profile notebook]"),
        "it writes no [default] profile, which clients use unless told otherwise",
    ),
    "overwritten": (
        RECIPE.replace("\nchattr", f"\necho '[default]' > {CONFIG}\nchattr"),
        "the config that it writes has no role_arn",
    ),
    "without a session name": (
        RECIPE.replace("role_session_name = $instance\n", ""),
        "the config that it writes has no role_session_name",
    ),
    "from another source": (
        RECIPE.replace("= Ec2InstanceMetadata", "= Environment"),
        "credential_source is Environment, not Ec2InstanceMetadata",
    ),
    "variables as they stand": (
        RECIPE.replace("<<CONFIG", "<<'CONFIG'"),
        "role_arn is $role as it stands, since the shell doesn't fill it in there",
    ),
    "no config at all": (RECIPE.replace("[default]\n", ""), f"what it writes to {CONFIG} is no AWS config"),
    "another role's name": (
        RECIPE.replace("role_arn = $role", "role_arn = team"),
        "role_arn is no role's ARN: team",
    ),
}


@pytest.mark.parametrize("alike", LOOKS_ALIKE)
def test_a_script_that_only_looks_alike_is_not_enough(alike: str) -> None:
    script, reason = LOOKS_ALIKE[alike]
    assert script != RECIPE
    found = recognise(script)
    assert (found.kind, found.problem) == ("none", f"its on-start script looks like the recipe's, but {reason}")


UNDECIDED = {
    "into another file": RECIPE.replace(f"> {CONFIG}", f"> {CONFIG}.example"),
    "written again behind its lock": f"{RECIPE}echo '[default]' > {CONFIG}\n",
    "what SageMaker says, as it is": RECIPE.replace("region = $here", "region = $(cat /opt/ml/metadata/resource-metadata.json)"),
    "another source of credentials": RECIPE.replace("region = $here", "web_identity_token_file = /tmp/x"),
    "a region from elsewhere": RECIPE.replace("$(aws configure get region)", "$(cat /etc/region)"),
    "a name that a condition changes": RECIPE.replace("\nrole=", '\nif true; then instance=shared; fi\nrole='),
    "a name that a loop changes": RECIPE.replace("\nrole=", "\nfor instance in shared; do :; done\nrole="),
    "a name that a function changes": RECIPE.replace("\ninstance=", "\nname() { instance=shared; }\ninstance=").replace("\nrole=", "\nname\nrole="),
    "a name with something behind it": RECIPE.replace("\nrole=", "\ninstance+=x\nrole="),
    "two variables in a line": RECIPE.replace("\nrole=", "\ninstance=x other=y\nrole="),
    "a name that is read": RECIPE.replace("\nrole=", "\nread instance < /etc/name\nrole="),
    "a name that another file may set": RECIPE.replace("\nrole=", "\nsource /etc/names\nrole="),
    "a name put together": RECIPE.replace("= $instance", "= $(echo $(hostname))"),
    "a command put together": RECIPE.replace("\nrole=", '\neval "$x"\nrole='),
    "written in a condition through a variable": f"target={CONFIG}x\n{RECIPE}if true; then echo > $other; fi\n",
    "removed with its directory": f"{RECIPE}rm -rf /home/ec2-user\n",
    "removed through a variable": f"{RECIPE}rm -rf $somewhere\n",
    "removed from within": f"{RECIPE}cd /home/ec2-user/.aws\nrm config\n",
    "in a condition": RECIPE.replace("cat >", "if [ -f /etc/x ]; then\ncat >").replace("\nchattr", "\nfi\nchattr"),
    "in a function": RECIPE.replace("cat >", "write() {\ncat >").replace("\nchattr", "\n}\nchattr"),
    "on another's success": RECIPE.replace("cat >", "test -f /etc/x && cat >"),
    "an exit in a condition": RECIPE.replace("cat >", "if [ -f /etc/x ]; then exit 0; fi\ncat >"),
    "a name from elsewhere": RECIPE.replace("instance=$(jq", "instance=$(hostname; jq"),
    "a name with its quotes": RECIPE.replace("jq --raw-output", "jq"),
    "a role from elsewhere": RECIPE.replace("--query 'RoleArn'", "--query 'Url'"),
    "a path from elsewhere": RECIPE.replace(f"> {CONFIG}", "> $TARGET"),
    "moved afterwards": f"{RECIPE}mv {CONFIG} /home/ec2-user/.aws/old\n",
    "removed afterwards": f"{RECIPE}rm -f {CONFIG}\n",
    "changed afterwards": f"{RECIPE}sed -i s/default/other/ {CONFIG}\n",
    "another config for clients": f"{RECIPE}export AWS_CONFIG_FILE=/dev/null\n",
    "another config for kernels": f"{RECIPE}echo 'export AWS_CONFIG_FILE=/dev/null' >> /etc/profile.d/jupyter-env.sh\n",
    "by another program": RECIPE.replace(f"cat > {CONFIG} <<CONFIG", "python3 - <<CONFIG"),
    "quotes without an end": RECIPE.replace('whatever made them', '\necho "'),
    "a here-document without an end": RECIPE.replace("\nCONFIG\n", "\n"),
}  # fmt: skip


@pytest.mark.parametrize("doubt", UNDECIDED)
def test_what_can_not_be_followed_is_undecided(doubt: str) -> None:
    assert UNDECIDED[doubt] != RECIPE
    assert recognise(UNDECIDED[doubt]).kind == "undecided"


def test_a_script_cut_off_anywhere_is_no_recipe_before_its_config_is_whole() -> None:
    whole = RECIPE.index("\nCONFIG\n") + len("\nCONFIG")
    kinds = [recognise(RECIPE[:length]).kind for length in range(len(RECIPE))]
    assert set(kinds[:whole]) == {"none", "undecided"}
    assert "recipe" in kinds[whole:]


ESSENTIAL = ("instance=", "role=", "cat >", "[default]", "role_arn", "credential_source", "role_session_name", "CONFIG")


def test_without_any_line_that_matters_it_is_no_recipe() -> None:
    lines = RECIPE.splitlines(keepends=True)
    for number, line in enumerate(lines):
        kind = recognise("".join(lines[:number] + lines[number + 1 :])).kind
        assert (kind == "recipe") is not line.startswith((*ESSENTIAL, "here=")), line


def test_windows_line_ends_break_it() -> None:
    found = recognise(RECIPE.replace("\n", "\r\n"))
    assert (found.kind, found.problem) == ("none", "its on-start script has Windows line ends, which bash doesn't take")


def test_another_name_or_role_is_read_from_the_script() -> None:
    found = recognise(RECIPE.replace("= $instance", "= analytics").replace("= $role", f"= {ROLE_ARN}"))
    assert (found.kind, found.session_name, found.role_arn) == ("recipe", "analytics", ROLE_ARN)


@pytest.mark.parametrize("script", ["", "#!/bin/bash\n", "pip install pandas\n", "\0\n<<\n'", "[default]\nrole_arn=x"])
def test_any_other_script_does_not_set_attribution_up(script: str) -> None:
    assert recognise(script) == Script("none", problem="its on-start script doesn't set attribution up")
