"""The one list of what is known to be harmless beside the lines that set attribution up. All else is a doubt.

Harmless: it changes neither under which name the notebook's user calls, nor what that user may do on the instance. A
command is looked up by its first words; its options and operands have to be among those listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .places import (
    VOLUME,
    is_child_of_volume,
    is_device,
    is_directory_to_make,
    is_file_of_clients,
    is_free,
    is_of_clients,
    is_open_in_home,
)
from .state import UNKNOWN, USER, Shell
from .words import Word

Check = Callable[[Word, Shell], bool]


def _any(_word: Word, _shell: Shell) -> bool:
    return True


def _none(_word: Word, _shell: Shell) -> bool:
    return False


def _text(pattern: str) -> Check:
    def matches(word: Word, _shell: Shell) -> bool:
        return not word.is_pattern and bool(re.fullmatch(pattern, word.text))

    return matches


def _either(*checks: Check) -> Check:
    return lambda word, shell: any(check(word, shell) for check in checks)


def _as_user(check: Check) -> Check:
    """Return the check, for commands of the notebook's user only: what root does with that user's files is the user's doing."""
    return lambda word, shell: shell.user == USER and check(word, shell)


def _url_on_volume(word: Word, shell: Shell) -> bool:
    return shell.user == USER and shell.directory == VOLUME and _URL(word, shell)


# No file or folder that happens to lie there.
_PACKAGE = _text(
    r"(?!.*\.(?:zip|whl|tar|gz|bz2|xz|tgz|rpm|deb|conda|egg)$)[A-Za-z0-9][\w.+-]*(\[[\w,-]+\])?([=<>~!]=?[\w.*]+)?"
)
_OWNER = _text(r"(ec2-user|root)?(:(ec2-user|root|users)?)?")
_MODE = _text(r"0?[0-7]{3}|[ugoa]*[+-][rwx]+")
_NUMBER = _text(r"[0-9]+")
_NAME = _text(r"[\w.-]+")
# A name, since a number can be written in ways that aren't seen through here.
_HOST = r"(?:[\w-]+\.)*[a-zA-Z-]+(?::[0-9]+)?"
_URL = _text(rf"https?://{_HOST}(?:[/?#]\S*)?")
# To curl, braces and brackets stand for several names, and #1 in the file's name for one of them.
_ONE_URL = _text(rf"(?!.*[{{}}\[\]])(?:https?://)?{_HOST}(?:[/?#].*)?")
_JUPYTER = _text(r"jupyter-server(\.service)?")
# AWS's sample that stops an idle notebook instance, at a commit: what lies there can't change.
_AUTO_STOP = _text(
    r"https://raw\.githubusercontent\.com/aws-samples/amazon-sagemaker-notebook-instance-lifecycle-config-samples/"
    r"8531309b69e0c993ba8d1d70597ea84188afc572/scripts/auto-stop-idle/autostop\.py"
)
_AUTO_STOP_FILE = "/usr/local/sbin/autostop.py"

# They print, or end with a status.
_PRINT = """
    : true false ls stat lsattr pwd whoami id groups uname uptime df du free ps pgrep lscpu lsblk nproc which type
    basename dirname readlink realpath cat head tail wc cut tr grep egrep fgrep md5sum sha256sum cmp diff jq shift
    break continue seq expr getent
"""
# First words; options, those of `name=check` with a value, of `name!check` with one that has to be there; what the first
# operand and the others have to be.
_Known = tuple[str, str, Check, Check]
_KNOWN: tuple[_Known, ...] = (
    *((name, "*", _any, _any) for name in _PRINT.split()),
    ("echo", "*", _any, _any),
    # A start has five minutes in all.
    ("sleep", "", _text(r"(?:[0-9]{1,2}|1[0-9]{2}|2[0-3][0-9]|240)(?:\.[0-9]+)?s?"), _none),
    ("printf", "", _any, _any),
    ("env", "", _none, _none),
    ("date", "-u -d=any -I", _text(r"\+.*"), _none),
    ("hostname", "-f -i -I -s", _none, _none),
    ("sort", "-u -n -r -k=any -t=any", _any, _any),
    ("uniq", "-c -d -u", _none, _none),
    ("sed", "-n -e=_print -E -r", _text(r"s/[^/;{}\\]*/[^/;{}\\]*/[gp]?|[0-9,$]+p|/[^/;{}\\]*/[dp]"), _any),
    ("awk", "-F=any", _text(r"\{ *print( *\$[0-9]+,?)* *\}"), _any),
    ("command -v", "", _any, _any),
    ("wait", "", _NUMBER, _NUMBER),
    ("umask", "", _text("0?0?[02]2"), _none),
    ("iptables", "-S -L -n -v -t=name", _NAME, _none),
    ("ip", "-4 -6 -o", _text("a|addr|address|r|route|link"), _text("show|list")),
    ("systemctl status", "--no-pager -l", _NAME, _NAME),
    ("systemctl is-active", "-q --quiet", _NAME, _NAME),
    # A server that is up takes its environment, and the config, anew.
    ("systemctl restart", "--no-block", _JUPYTER, _none),
    ("systemctl try-restart", "--no-block", _JUPYTER, _none),
    ("service jupyter-server restart", "", _none, _none),
    ("initctl restart", "--no-wait", _JUPYTER, _none),
    # Files where none of this lies.
    ("mkdir", "-p -v", is_directory_to_make, is_directory_to_make),
    ("touch", "", _either(is_free, is_file_of_clients), _either(is_free, is_file_of_clients)),
    ("tee", "-a", _any, _any),
    ("rm", "-r -f -v", _either(is_free, is_child_of_volume), _either(is_free, is_child_of_volume)),
    ("rmdir", "", is_free, is_free),
    ("mv", "-f -n -v", is_free, is_free),
    ("cp", "-f -n -v", _any, is_free),
    ("truncate", "-s=number", is_free, is_free),
    ("chown -R", "-v -f -h", _OWNER, is_open_in_home),
    ("chown -h", "", _OWNER, _either(is_of_clients, is_child_of_volume)),
    ("chown", "", _OWNER, is_of_clients),
    ("chmod", "", _text(r"0?755|a\+rX?|go\+rX?"), is_of_clients),
    ("chmod", "", _text(r"0?[67][0-7][4-7]"), is_file_of_clients),
    ("chmod", "-v", _MODE, is_free),
    # From the network, into such files.
    ("curl", "-s -S -f -L -v -k -X=any -H=any -d=any -m=number -o=saved --silent --show-error --fail --location --retry=number "
     "--connect-timeout=number --max-time=number", _ONE_URL, _ONE_URL),
    ("wget", "-q -nv --quiet -O!free -T=number", _URL, _none),
    ("curl", "-s -S -f -o!auto_stop", _AUTO_STOP, _none),
    ("wget", "-q -nv --quiet -O!auto_stop -T=number", _AUTO_STOP, _none),
    ("git clone", "-q --quiet --depth=number -b=name --branch=name", _url_on_volume, is_free),
    # The packages of the package managers' own indexes.
    *((f"{name} {verb}", "-y -q --assumeyes --quiet", _PACKAGE, _PACKAGE)
      for name in ("yum", "dnf", "apt-get", "apt") for verb in ("install", "update", "makecache", "upgrade")),
    *((f"{name} install", "-q -U --quiet --upgrade --user --no-cache-dir --no-input --pre --ignore-installed "
       "--disable-pip-version-check --no-warn-script-location -r=own_file", _PACKAGE, _PACKAGE)
      for name in ("pip", "pip3", "python -m pip", "python3 -m pip")),
    *((f"{name} {verb}", "-y -q -n=name -c=name --yes --quiet --name=name --channel=name --no-deps", _PACKAGE, _PACKAGE)
      for name in ("conda", "mamba") for verb in ("install", "update", "create", "activate", "deactivate")),
    ("conda clean", "-y -a --all", _none, _none),
    ("npm install -g", "", _PACKAGE, _PACKAGE),
    ("jupyter", "--user --sys-prefix --py", _text("(lab|nb|server)extension"), _text(r"@?[\w.-]+(/[\w.-]+)?")),
    # They ask AWS, or copy to and from S3.
    ("aws sts get-caller-identity", "*", _any, _any),
    ("aws configure get", "", _NAME, _NAME),
    ("aws configure list", "", _NAME, _NAME),
    ("aws s3 ls", "*", _any, _any),
    ("aws s3 cp", "--quiet --region=any --only-show-errors", _either(_text("s3://.*"), is_free), _either(_text("s3://.*"), is_free)),
    ("aws s3 sync", "--quiet --region=any --only-show-errors", _as_user(_any), _either(_text("s3://.*"), is_free)),
    ("aws logs put-log-events", "*", _any, _any),
)  # fmt: skip
_AWS_READS = re.compile(r"(describe|list)-[a-z-]+")

_VALUES: dict[str, Check] = {
    "any": _any,
    "free": _either(is_free, is_device),
    "saved": lambda word, shell: "#" not in word.text and _VALUES["free"](word, shell),
    "auto_stop": _text(re.escape(_AUTO_STOP_FILE)),
    "name": _NAME,
    "number": _NUMBER,
    "own_file": _as_user(_any),
    "_print": _text(r"s/[^/;{}\\]*/[^/;{}\\]*/[gp]?"),
}

_EXPORTED = re.compile(
    "LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|DEBIAN_FRONTEND|AWS_REGION|AWS_DEFAULT_REGION|AWS_DEFAULT_OUTPUT|PIP_NO_INPUT"
)
# https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html, and what a script finds exported.
_OF_BASH = re.compile(
    "PATH|HOME|IFS|CDPATH|ENV|MAIL.*|PS[0-9]|PROMPT.*|BASH.*|COMP.*|DIRSTACK|E?UID|EPOCH.*|EXECIGNORE|FCEDIT|FIGNORE|FUNC.*"
    "|GLOB.*|GROUPS|HIST.*|HOST.*|IGNOREEOF|INPUTRC|INSIDE_.*|LANG.*|LC_.*|LINE.*|MACHTYPE|OLDPWD|OPT.*|OSTYPE|PIPESTATUS"
    "|POSIXLY_CORRECT|PPID|PWD|RANDOM|READLINE.*|REPLY|SECONDS|SHELL.*|SHLVL|SRANDOM|TIMEFORMAT|TMOUT|TMPDIR|_"
    "|auto_resume|histchars|.*_proxy|.*_PROXY|AWS_.*|BOTO.*|LD_.*|PYTHON.*|NODE_.*|SSL_.*|REQUESTS_.*|CURL_.*|USER|LOGNAME"
    "|LESS.*|SUDO_.*|XDG_.*|JAVA_.*|GIT_.*|PIP_.*|CONDA_.*|GLIBC.*|MALLOC_.*|TZ|TERM.*"
)
# The settings by which root's own calls are the notebook's, as docs/operations.md has them. In imds mode the config is
# the user's own, and may name a program, which root would run.
_AS_THE_NOTEBOOK = {
    "profile": "AWS_CONFIG_FILE=/home/ec2-user/.aws/config",
    "imds": "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.255.254:254",
}
# Only root writes there.
_DIRECTORY = r"(?:/usr(?:/local)?)?/s?bin"
_PATH = re.compile(rf"(\"?)(?:{_DIRECTORY}|\$PATH|\$\{{PATH\}})(?::(?:{_DIRECTORY}|\$PATH|\$\{{PATH\}}))*\1")
# Without these, commands that set attribution up may be missing.
_OF_PATH = frozenset(("/usr/local/bin", "/usr/sbin", "/usr/bin"))
_JOB = (
    r"(?:[0-9*/,-]+[ \t]+){{5}}root[ \t]+(?:{setting} )?(?:AWS_DEFAULT_REGION=[a-z0-9-]+ )?"
    rf"/usr/bin/python3 (?:-I )?{_AUTO_STOP_FILE} --time [0-9]+(?: --ignore-connections)?"
    r"(?: >> /var/log/[\w.-]+(?: 2>&1)?)?"
)
# Nothing that would count, were the line before it still open.
_COMMENT = r"#[\w .,:/+-]*"
_LINE_OF_ENVIRONMENT = re.compile(
    rf"[ \t]*({_COMMENT}|(export[ \t]+)?({_EXPORTED.pattern})=([\w./:@-]*|\"[\w./:@-]*\"|'[\w./:@-]*')|"
    r"(export[ \t]+)?(AWS_SDK_LOAD_CONFIG=1|USE_SHORT_LIVED_CREDENTIALS=1))?[ \t]*"
)


def may_assign(name: str) -> bool:
    """Return whether a variable of this name is the script's alone."""
    return not _OF_BASH.fullmatch(name)


def may_export(name: str) -> bool:
    """Return whether any program may find a variable of this name set."""
    return bool(_EXPORTED.fullmatch(name))


def is_harmless_setting(name: str, value: str, mode: str | None) -> bool:
    """Return whether a variable that others use may be set to this, as it stands in a script; `mode` as in `Instance`."""
    if name == "PATH" and _PATH.fullmatch(value):
        directories = {*value.strip('"').split(":")}
        return bool(directories & {"$PATH", "${PATH}"}) or directories >= _OF_PATH
    return mode is not None and f"{name}={value.strip(chr(34))}" == _AS_THE_NOTEBOOK[mode]


def are_harmless_jobs(text: str, mode: str | None) -> bool:
    """Return whether a file of cron's may hold these lines: they stop an idle notebook instance."""
    setting = re.escape(_AS_THE_NOTEBOOK[mode]) if mode else "(?!)"
    job = re.compile(rf"\s*(?:{_COMMENT}|{_JOB.format(setting=setting)})?\s*")
    return UNKNOWN not in text and _is_closed(text) and all(job.fullmatch(line) for line in text.split("\n"))


def are_harmless_settings(text: str) -> bool:
    """Return whether a startup file of shells may hold these lines."""
    return (
        UNKNOWN not in text
        and _is_closed(text)
        and all(_LINE_OF_ENVIRONMENT.fullmatch(line) for line in text.split("\n"))
    )


def _is_closed(text: str) -> bool:
    """Return whether what comes next begins a line."""
    return text == "" or text.endswith("\n")


def is_listed(name: str) -> bool:
    """Return whether a command begins with this word."""
    return any(known[0].split()[0] == name for known in _KNOWN)


def is_harmless(words: list[Word], shell: Shell) -> bool:
    """Return whether a command is on the list."""
    texts = [word.text for word in words]
    if texts[0] == "tail" and any(re.match(r"-\w*[fF]|--f|--retry", text) for text in texts):
        return False  # it never ends
    if texts[0] == "aws" and len(texts) > 2 and _AWS_READS.fullmatch(texts[2]):
        return True
    for first, options, check_first, check in _KNOWN:
        beginning = first.split()
        if texts[: len(beginning)] != beginning:
            continue
        if options == "*":
            return True
        operands = _operands(words[len(beginning) :], options.split(), shell)
        if operands is not None and all(
            (check if number else check_first)(word, shell) for number, word in enumerate(operands)
        ):
            return True
    return False


def _operands(words: list[Word], options: list[str], shell: Shell) -> list[Word] | None:
    """Return what isn't an option, None where an option isn't among the known ones."""
    flags = {each for each in options if not re.search("[=!]", each)}
    values = dict(re.split("[=!]", each) for each in options if each not in flags)
    missing = {each.split("!")[0] for each in options if "!" in each}
    operands: list[Word] = []
    waiting: Iterator[Word] = iter(words)
    for word in waiting:
        text = word.text
        if word.is_pattern and UNKNOWN in text:
            # Split into words, it may bring options.
            return None
        if text == "--":
            operands += waiting
            break
        if text in ("", "-") or text[0] not in "-\x01":
            operands.append(word)
        elif text.startswith(UNKNOWN):
            # It may be an option.
            return None
        elif text[0] == "\x01":
            operands.append(word)
        elif text in flags or (re.fullmatch("-[a-zA-Z]{2,}", text) and all(f"-{each}" in flags for each in text[1:])):
            continue
        elif text.startswith("--") and "=" in text and (name := text.split("=")[0]) in values:
            if not _VALUES[values[name]](Word(text.split("=", 1)[1], word.is_pattern), shell):
                return None
            missing.discard(name)
        elif (name := _last_letter(text, flags)) in values:
            value = next(waiting, None)
            if value is None or not _VALUES[values[name]](value, shell):
                return None
            missing.discard(name)
        else:
            return None
    return None if missing else operands


def _last_letter(text: str, flags: set[str]) -> str:
    """Return the option that takes a value: itself, or the last of several letters, as in -sSo FILE."""
    if re.fullmatch("-[a-zA-Z]{2,}", text) and all(f"-{each}" in flags for each in text[1:-1]):
        return f"-{text[-1]}"
    return text
