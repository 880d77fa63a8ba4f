"""What a command does whose effect counts: it prints what ends up in the AWS config, locks it, or runs other commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from . import printing
from .exposures import exposed_by_command, names_credentials
from .harmless import is_harmless, is_harmless_setting, is_listed, may_assign, may_export
from .places import absolute, is_of_clients
from .state import ANY, CONFIG, CREDENTIALS, FOLLOWED, HOME, UNKNOWN, USER, CantTellError, Shell
from .words import Word

_DIRECTORIES = re.compile(
    r"(/usr(/local)?)?/s?bin/|/home/ec2-user/anaconda3/(envs/[\w.-]+/)?bin/|/opt/conda/bin/", re.ASCII
)
_EXISTING = ("/", "/tmp", "/root", HOME, f"{HOME}/SageMaker", f"{HOME}/.aws", "/opt/ml", "/var/log", "/var/tmp")  # noqa: S108
_BEHIND_VALUE = re.compile(r"[!=]?=|[<>]|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef|a|o)|\]")
Command = Callable[[list[Word], "str | None", Shell, str], str]
"""Takes the words behind the command's own, what it reads, the shell, and its text; returns what it prints."""


def evaluate(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    """Follow a simple command; return what it prints. Raises CantTellError where it isn't known to be harmless."""
    first = words[0]
    name = _DIRECTORIES.sub("", first.text, count=1) if _DIRECTORIES.match(first.text) else first.text
    if first.is_pattern or UNKNOWN in name:
        raise CantTellError(f"it runs a command that it puts together: {shown}")
    line = " ".join([name, *(each.text for each in words[1:])])
    if shell.instance.mode == "imds" and names_credentials(line):
        if exposure := exposed_by_command([Word(name), *words[1:]]):
            shell.instance.exposes(*exposure)
            return UNKNOWN
        raise CantTellError(f"it may expose the base session's credentials: {shown}")
    if name in shell.functions:
        if shell.kind != "script":
            shell.may_have_ended = True
        return UNKNOWN
    if name in _COMMANDS:
        return _COMMANDS[name](words[1:], stdin, shell, shown)
    words = [Word(name), *words[1:]]
    if is_harmless(words, shell):
        return "" if name in ("true", ":", "touch", "mkdir", "sleep", "wait") else UNKNOWN
    if exposure := exposed_by_command(words):
        shell.instance.exposes(*exposure)
        return UNKNOWN
    raise CantTellError(f"it isn't known whether this is harmless: {shown}")


def is_known(name: str) -> bool:
    """Return whether a command of this name is followed, or on the list."""
    return name in _COMMANDS or is_listed(name)


# The shell, its state, and locks


def _chattr(words: list[Word], _given: str | None, shell: Shell, shown: str) -> str:
    options = [each.text for each in words if re.match("[-+=]", each.text)]
    paths = [each for each in words if each.text not in options]
    if (
        not paths
        or not all(is_of_clients(each, shell) for each in paths)
        or shell.instance.is_set_up
        or shell.user != "root"
    ):
        raise CantTellError(f"it isn't known whether this is harmless: {shown}")
    if not shell.is_sure or shell.may_have_ended:
        raise CantTellError(f"it may lock or unlock the AWS config, or not: {shown}")
    named = {absolute(each, shell) for each in paths}
    if "-R" in options and f"{HOME}/.aws" in named:
        named |= {CONFIG, CREDENTIALS} & {*shell.instance.files, *shell.instance.locked}
    if "+i" in options and set(options) <= {"+i", "-R", "-V", "-f"}:
        shell.instance.locked |= named
    elif "-i" in options and set(options) <= {"-i", "-R", "-V", "-f"}:
        shell.instance.locked -= FOLLOWED if "-R" in options else named
    else:
        raise CantTellError(f"it can't be followed: {shown}")
    return ""


def _cd(words: list[Word], _given: str | None, shell: Shell, _shown: str) -> str:
    path = absolute(words[0], shell) if len(words) == 1 and not words[0].is_pattern else UNKNOWN
    # Where it may fail, it isn't known where this is.
    shell.directory = path if path in _EXISTING and shell.is_sure else UNKNOWN
    return ""


def _set(words: list[Word], _given: str | None, _shell: Shell, shown: str) -> str:
    line = " ".join(each.text for each in words)
    if not re.fullmatch(
        r"([-+][eux]+|[-+][eux]*o (pipefail|errexit|nounset|xtrace))( ([-+][eux]+|[-+]o (pipefail|errexit|nounset|xtrace)))*",
        line,
    ):
        raise CantTellError(f"it can't be followed: {shown}")
    return ""


def _read(words: list[Word], _given: str | None, shell: Shell, shown: str) -> str:
    names = {each.text for each in words if not each.text.startswith("-")}
    # A value behind an option's letter may be a name, as in -aPATH. What stands by itself counts as one.
    are_plain = all(re.fullmatch("-[res]*[adinNptu]?", each.text) for each in words if each.text.startswith("-"))
    if not are_plain or not all(re.fullmatch(r"[A-Za-z_]\w*", name) and may_assign(name) for name in names):
        raise CantTellError(f"it can't be followed: {shown}")
    shell.unsettled |= names
    shell.texts |= names
    return ""


def _test(words: list[Word], _given: str | None, _shell: Shell, shown: str) -> str:
    # -v runs the commands in an index; what isn't known may be one, unless it stands where only a value does.
    texts = [each.text for each in words]
    may_be_v = any(one.startswith(UNKNOWN) and not _BEHIND_VALUE.fullmatch(two) for one, two in pairwise(texts))
    if {"-v", "-R"} & {*texts} or may_be_v or any(each.is_pattern and UNKNOWN in each.text for each in words):
        raise CantTellError(f"it can't be followed: {shown}")
    return ""


def _exit(words: list[Word], _given: str | None, shell: Shell, _shown: str) -> str:
    fails = len(words) == 1 and bool(re.fullmatch("[1-9][0-9]?", words[0].text))
    if shell.is_sure and shell.kind != "function":
        shell.has_ended = True
    elif shell.kind == "subshell" or (shell.kind == "script" and not fails):
        shell.may_have_ended = True
    elif not fails and not shell.instance.is_set_up:
        raise CantTellError("it may end early, without an error")
    return ""


def _return(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    return "" if shell.kind == "function" else _exit(words, stdin, shell, shown)


def _source(words: list[Word], _given: str | None, shell: Shell, shown: str) -> str:
    # It may set any variable.
    shell.unsettled |= set(shell.variables)
    shell.texts.add(ANY)
    shell.variables.clear()
    if not words or not re.fullmatch(rf"({HOME}/anaconda3/(envs/[\w.-]+/)?bin/)?(de)?activate", words[0].text):
        raise CantTellError(f"it runs commands that it doesn't hold: {shown}")
    return ""


def _eval(words: list[Word], _given: str | None, shell: Shell, shown: str) -> str:
    _run_text(" ".join(UNKNOWN if each.is_pattern else each.text for each in words), shell, shown)
    return UNKNOWN


def _run_text(text: str, shell: Shell, shown: str) -> None:
    if re.search("\x01(unknown|metadata|description)\x01", text):
        raise CantTellError(f"it runs a command that it puts together: {shown}")
    shell.instance.run(text, shell)


def _shell(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    """Bash or sh, which runs a text, or what it reads; it knows none of this shell's variables."""
    words = list(words)
    while words and re.fullmatch("-[lexius]+|--login", words[0].text):
        words.pop(0)
    if words and re.fullmatch("-[lexi]*c", words[0].text) and len(words) > 1:
        text = UNKNOWN if words[1].is_pattern else words[1].text
    elif not words and stdin is not None:
        text = stdin
    else:
        raise CantTellError(f"it runs commands that it doesn't hold: {shown}")
    _run_text(text, _new_shell(shell, shell.user), shown)
    return UNKNOWN


def _new_shell(shell: Shell, user: str, *, logs_in: bool = False) -> Shell:
    new = Shell(
        shell.instance,
        user,
        shell.directory,
        is_sure=shell.is_sure,
        kind="subshell",
        may_have_ended=shell.may_have_ended,
    )
    if logs_in:
        new.directory = new.home
    return new


def _as(user: str, words: list[Word], stdin: str | None, shell: Shell, shown: str, *, logs_in: bool) -> str:
    if user not in ("root", USER) or (user == "root" and shell.user != "root"):
        raise CantTellError(f"it runs a command as {user}: {shown}")
    new = _new_shell(shell, user, logs_in=logs_in)
    return evaluate(words, stdin, new, shown) if words else _shell([], stdin, new, shown)


def _sudo(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    words, user, logs_in = list(words), "root", False
    while words and words[0].text.startswith("-"):
        option = words.pop(0).text
        if option in ("-u", "--user") and words:
            user = words.pop(0).text
        elif match := re.fullmatch(r"-(?:[EHn]*)u(\S+)|--user=(\S+)", option):
            user = match[1] or match[2]
        elif option in ("-i", "--login"):
            logs_in = True
        elif option == "--":
            break
        elif not re.fullmatch("-[EHns]+|--preserve-env", option):
            raise CantTellError(f"it can't be followed: {shown}")
    return _as(user, words, stdin, shell, shown, logs_in=logs_in)


def _su(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    """`su` and `runuser`, whose command is one text or, behind --, words."""
    words, user, logs_in, command = list(words), "", False, None
    while words:
        text = words.pop(0).text
        if text in ("-", "-l", "--login"):
            logs_in = True
        elif text in ("-c", "--command", "-lc") and words:
            operand = words.pop(0)
            command, logs_in = (UNKNOWN if operand.is_pattern else operand.text), logs_in or text == "-lc"
        elif text in ("-u", "--user") and words:
            user = words.pop(0).text
        elif text in ("-s", "--shell") and words and words[0].text in ("/bin/bash", "/bin/sh"):
            words.pop(0)
        elif text == "--":
            break
        elif text.startswith("-") or user:
            raise CantTellError(f"it can't be followed: {shown}")
        else:
            user = text
    user = user or "root"
    if command is not None:
        return _as(user, [Word("bash"), Word("-c"), Word(command)], stdin, shell, shown, logs_in=logs_in)
    return _as(user, words, stdin, shell, shown, logs_in=logs_in)


def _wrapper(options: str) -> Command:
    """Return one that runs the command behind its options, of which these take a value."""

    def wrapper(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
        words = list(words)
        while words and re.match("-", words[0].text):
            option = words.pop(0).text
            if option in options.split() and words:
                words.pop(0)
            elif option != "--":
                raise CantTellError(f"it can't be followed: {shown}")
        if "DURATION" in options and words:
            words.pop(0)
        return evaluate(words, stdin, shell, shown) if words else ""

    return wrapper


def _env(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    words = list(words)
    while words and (match := re.match(r"([A-Za-z_]\w*)=", words[0].text)):
        known = is_harmless_setting(match[1], words[0].text[match.end() :], shell.instance.mode)
        if not (known or may_export(match[1])):
            raise CantTellError(f"it sets {match[1]}: {shown}")
        words.pop(0)
    return evaluate(words, stdin, shell, shown) if words else UNKNOWN


def _exec(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    if words:
        evaluate(words, stdin, shell, shown)
        _exit([], None, shell, shown)
    return ""


def _command(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    return UNKNOWN if words and words[0].text == "-v" else _wrapper("")(words, stdin, shell, shown)


_COMMANDS: dict[str, Command] = {
    "echo": printing.echo, "printf": printing.printf, "cat": printing.cat, "tee": printing.tee, "jq": printing.jq, "tr": printing.tr, "cut": printing.cut, "aws": printing.aws,
    "chattr": _chattr, "cd": _cd, "set": _set, "read": _read, "test": _test, "[": _test, "exit": _exit, "return": _return, "source": _source,
    ".": _source, "eval": _eval, "bash": _shell, "sh": _shell, "sudo": _sudo, "su": _su, "runuser": _su, "env": _env,
    "exec": _exec, "command": _command, "builtin": _wrapper(""), "nohup": _wrapper(""), "time": _wrapper(""),
    "setsid": _wrapper(""), "nice": _wrapper("-n"), "timeout": _wrapper("DURATION -s -k"),
}  # fmt: skip
