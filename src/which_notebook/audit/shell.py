"""Follows a shell script as far as needed to say what it leaves in ec2-user's AWS config. It runs nothing.

It understands the commands that such scripts are made of, one after the other. What it doesn't understand matters only
where it has to do with that file: then it says that it can't tell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec import Struct, field

USER = "ec2-user"
HOME = f"/home/{USER}"
CONFIG = f"{HOME}/.aws/config"

# What a variable's value stands for, where it isn't known as text. No script holds these characters.
NAME, ROLE, UNKNOWN = "\x01name\x01", "\x01role\x01", "\x01unknown\x01"
_METADATA = "\x01metadata\x01"
_METADATA_FILE = "/opt/ml/metadata/resource-metadata.json"

_HEREDOC = re.compile(r"<<(-?)\s*(?:'(\w+)'|\"(\w+)\"|\\?(\w+))")
_ASSIGNMENT = re.compile(r"(?:export\s+|readonly\s+|local\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"(?<!\\)\$(?:\{(\w+)\}|(\w+))")
_OPENS = re.compile(r"(if|for|while|until|case|select)\b|\{(\s|$)|\((?!\()|(function\s+)?[\w-]+\s*\(\)")
_CLOSES = re.compile(r"(fi|done|esac)\b|[})]")
_RUNS_AS_USER = re.compile(
    rf"(sudo\s+(-\S+\s+)*(-u\s*|--user[= ]){USER}\b|su\s+(-\S*\s+)*{USER}\b|runuser\s+(-\S+\s+)*{USER}\b)"
)
_READS_ONLY = frozenset(
    ("mkdir", "touch", "chown", "chmod", "chattr", "ls", "lsattr", "stat", "test", "[", "[[", "grep", "id", "set", "cd", "true")
)  # fmt: skip


_SETTINGS = r"role_session_name|credential_source"
_ELSEWHERE = r"AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|AWS_PROFILE"


_SET_INSIDE = r"\b([A-Za-z_]\w*)\+?=|\b(?:for|select|read|mapfile|declare|unset)\s+(?:-\S+\s+)*([A-Za-z_]\w*)"
_REMOVES = frozenset(("rm", "mv", "cp", "ln", "sed", "install", "dd", "truncate", "rsync", "tee", "find", "unlink"))


class CantTellError(Exception):
    """The script does something with the config that can't be followed; the message says what."""


class Followed(Struct):
    """What is known of the instance after some lines of a script: files, locks, variables."""

    files: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    variables: dict[str, str] = field(default_factory=dict)
    # What is also set where it isn't followed: in a condition, a loop, a function.
    unsettled: set[str] = field(default_factory=set)
    ended: bool = False


def follow(script: str) -> Followed:
    """Follow a script that root runs; raises CantTellError."""
    state = Followed()
    _follow(script, state, home="/root")
    return state


def _follow(script: str, state: Followed, home: str) -> None:
    depth = 0
    for line, heredoc, raw in _commands(script):
        word = line.split(None, 1)[0] if line.strip() else ""
        if _OPENS.match(line):
            # One that ends on its own line leaves the depth as it is, and what it does is conditional all the same.
            inside, depth = True, depth + (not re.search(r"\b(fi|done|esac)\s*$|[})]\s*$", line))
        elif _CLOSES.match(line):
            inside, depth = True, max(0, depth - 1)
        else:
            inside = depth > 0
        if state.ended:
            return
        if inside or re.search(r"\|\||&&", _unquoted(line)):
            _beware(f"{line}\n{heredoc or ''}", state, home)
            state.unsettled |= _set_names(line)
            state.variables |= dict.fromkeys(_set_names(line), UNKNOWN)
            if (into := _redirection(line)) and UNKNOWN in _path(into[3], state, home):
                raise CantTellError(f"it may write to a file whose name can't be told: {line[:80]}")
            if re.search(r"\b(exit|return)\b(?!\s+[1-9])|\bexec\b", _unquoted(line)):
                raise CantTellError("it may end early, without an error")
        elif word in ("exit", "return", "exec") and not re.match(r"exec\s*[0-9]*[<>]", line):
            state.ended = True
        else:
            _command(line, heredoc, raw, state, home)


def _commands(script: str) -> Iterator[tuple[str, str | None, bool]]:
    """Yield each command line, with the text of its here-document, and whether that is taken as it stands."""
    lines = iter(script.replace("\\\n", " ").split("\n"))
    for line in lines:
        text = _without_comment(line.strip())
        if not text or text.startswith("#"):
            continue
        while not _is_complete(text):
            try:
                text += "\n" + next(lines)
            except StopIteration:
                raise CantTellError("its quotes can't be followed") from None
        start = re.search(r"(?<!<)<<(?!<)", _unquoted(text))
        found = _HEREDOC.match(text, start.start()) if start else None
        if not found:
            for part in _parts(text):
                yield part, None, False
            continue
        end = found[2] or found[3] or found[4]
        body = []
        for inner in lines:
            stripped = inner.lstrip("\t") if found[1] else inner
            if stripped == end:
                break
            body.append(stripped)
        else:
            raise CantTellError(f"its here-document has no end {end}")
        yield text.replace(found[0], ""), "\n".join(body) + "\n", not found[4] or "\\" in found[0]


def _parts(line: str) -> list[str]:
    """Return the commands of a line with ; between them, as long as they are no compound."""
    if _OPENS.match(line) or ";" not in _unquoted(line):
        return [_without_comment(line)]
    parts, start = [], 0
    bare = _unquoted(line)
    for number, char in enumerate(bare):
        if char == ";":
            parts.append(line[start:number].strip())
            start = number + 1
    return [part for part in (*parts, _without_comment(line[start:]).strip()) if part and not part.startswith("#")]


def _command(line: str, heredoc: str | None, raw: bool, state: Followed, home: str) -> None:
    if heredoc is not None and not raw:
        heredoc = _filled(heredoc, state)
    if as_user := _RUNS_AS_USER.match(line):
        rest = line[as_user.end() :].strip()
        if heredoc is not None and re.fullmatch(r"((-\S+|bash|sh|--)\s*)*", rest):
            # A new shell, which knows none of this one's variables.
            inner = Followed(state.files, state.locked)
            _follow(heredoc, inner, HOME)
            return
        if quoted := re.fullmatch(r"(?:-\S+\s+|--\s+)*(?:(?:ba)?sh\s+(?:-l\s+)?)?-l?c\s+(.*)", rest, re.DOTALL):
            inner = Followed(state.files, state.locked)
            _follow(_argument(quoted[1], state), inner, HOME)
            return
        _simple(re.sub(r"^((-\S+|--)\s+)*", "", rest), heredoc, state, HOME)
        return
    line = re.sub(r"^sudo\s+(-[EHn]\s+)*(?!-)", "", line)
    assigned = _ASSIGNMENT.fullmatch(line)
    if assigned and not re.match(r"\S*\s+\S", _unquoted(re.sub(r"\$\([^)]*\)", "x", line.removeprefix("export ")))):
        unsettled = assigned[1] in state.unsettled
        state.variables[assigned[1]] = UNKNOWN if unsettled else _value(assigned[2].strip(), state)
        if assigned[1] in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "HOME"):
            _beware(line, state, home, always=True)
        return
    # Several in one line, or += : what they are then isn't followed.
    state.variables |= dict.fromkeys(_set_names(line), UNKNOWN)
    word = line.split(None, 1)[0]
    if word == "eval":
        raise CantTellError("it runs a command that it puts together")
    if word in ("source", ".", "read", "mapfile", "declare", "typeset", "unset", "printf"):
        # They may set any variable, or those that they name.
        named = set(line.split()) if word not in ("source", ".") else set(state.variables)
        state.variables |= {name: UNKNOWN for name in named if word != "printf" or " -v " in line}
    _simple(line, heredoc, state, home)


def _simple(line: str, heredoc: str | None, state: Followed, home: str) -> None:
    """Take in one simple command, where it writes a file or locks one."""
    command, target, append = line, None, False
    if into := _redirection(line):
        start, end, append, path = into
        target, command = _path(path, state, home), line[:start] + line[end:]
    command = re.sub(r"[12]>(&[12]|\s*/dev/null)", "", command).strip()
    word = command.split(None, 1)[0] if command else ""
    rest = command[len(word) :].strip()
    content: str | None = None
    if "|" in _unquoted(command):
        _beware(line + (heredoc or ""), state, home)
        return
    if word == "tee" and heredoc is not None:
        options = shlex.split(rest)
        paths = [each for each in options if not each.startswith("-")]
        target, append = (_path(paths[0], state, home) if len(paths) == 1 else UNKNOWN), "-a" in options
        content = heredoc
    elif word == "cat" and heredoc is not None and not rest.strip("- "):
        content = heredoc
    elif word in ("echo", "printf") and target:
        content = _printed(word, rest, state)
    elif word == "chattr":
        _lock(rest, state, home)
        return
    elif word == "aws" and re.match(r"configure\s+set\b", rest):
        _configure(rest, state, home)
        return
    if target is None:
        if (word not in _READS_ONLY or word == "cd") and not (word in ("echo", "printf", "cat") and not heredoc):
            _beware(line + (heredoc or ""), state, home)
            if content is None and re.search(_SETTINGS, heredoc or ""):
                raise CantTellError(f"it gives an AWS config to {word}")
        return
    if target == UNKNOWN and re.search(_SETTINGS, content or line):
        raise CantTellError("it writes to a file whose name can't be told")
    if target != CONFIG and re.search(_ELSEWHERE, content or line):
        raise CantTellError(f"it tells clients in {target} where their AWS config is")
    if content is None or (target == f"{HOME}/.aws/credentials" and content.strip()):
        if target.startswith(f"{HOME}/.aws/"):
            raise CantTellError(f"it writes {target} in a way that can't be followed")
        return
    state.files[target] = (state.files.get(target, "") if append else "") + content


def _redirection(line: str) -> tuple[int, int, bool, str] | None:
    """Return where a command's standard output goes to a file: from, to, whether it is appended, and the file."""
    for found in re.finditer(r"(?<![0-9&<>])1?(>>?)(?![>&])", _unquoted(line)):
        path = re.match(r"\s*(?:\"[^\"]*\"|'[^']*'|[^\s;&|<>]+)", line[found.end() :])
        if path:
            return found.start(), found.end() + path.end(), found[1] == ">>", path[0].strip()
    return None


def _beware(text: str, state: Followed, home: str, *, always: bool = False) -> None:
    """Raise CantTellError where a command that isn't followed has to do with the config."""
    shown = _filled(text, state)
    if always or re.search(r"\.aws\b|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|aws\s+configure\s+set", shown):
        first = text.strip().split("\n")[0][:80]
        word = first.split()[0]
        if not always and word in _READS_ONLY and word != "cd" and ">" not in first:
            return
        # Reading a region or the identity changes nothing.
        if not always and re.fullmatch(r"aws\s+(configure\s+(get|list)|sts)\b[^>;|&]*", first):
            return
        raise CantTellError(f"it does something with the AWS config that can't be followed: {first}")
    words = shown.split()
    if _REMOVES & set(words) and (UNKNOWN in shown or re.search(rf"(/home|{HOME}|~)/?\*?([\s\"']|$)", shown)):
        raise CantTellError(f"it may change the AWS config: {text.strip()[:80]}")


def _printed(word: str, rest: str, state: Followed) -> str | None:
    options = re.match(r"(-[neE]+\s+)*", rest)
    flags = options[0] if options else ""
    text = _argument(rest[len(flags) :], state)
    if word == "printf" or "e" in flags.replace("E", ""):
        if word == "printf" and "%" in text:
            return None
        text = text.replace("\\n", "\n")
    return text if word == "printf" or "n" in flags else text + "\n"


def _configure(rest: str, state: Followed, home: str) -> None:
    words = [_argument(each, state) for each in shlex.split(rest, posix=False)[2:]]
    if "--profile" in words or len(words) != 2:
        raise CantTellError("it sets the AWS config with aws configure set, in a way that can't be followed")
    path = f"{home}/.aws/config"
    before = state.files.get(path, "[default]\n")
    state.files[path] = f"{before}{words[0]} = {words[1]}\n"


def _lock(rest: str, state: Followed, home: str) -> None:
    options, *paths = shlex.split(rest) or [""]
    for path in paths:
        full = _path(path, state, home)
        if "i" in options and options.startswith("+"):
            state.locked.add(full)
        elif options.startswith("-"):
            state.locked.discard(full)


def _path(text: str, state: Followed, home: str) -> str:
    path = _argument(text, state)
    if path.startswith("~/"):
        path = home + path[1:]
    path = path.replace(f"~{USER}/", f"{HOME}/").replace("$HOME/", f"{home}/")
    if UNKNOWN in path or not path.startswith("/"):
        return UNKNOWN
    return re.sub(r"/+", "/", path).rstrip("/")


def _argument(text: str, state: Followed) -> str:
    """Return what the shell makes of quoted or bare words."""
    made = []
    for part in re.findall(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^'\"]+", text.strip(), re.DOTALL):
        if part[0] == "'":
            made.append(part[1:-1].replace("$", "\x02"))
        elif part[0] == '"':
            made.append(_filled(part[1:-1], state).replace('\\"', '"'))
        else:
            made.append(_filled(part, state))
    return "".join(made).replace("\x02", "$")


def _filled(text: str, state: Followed) -> str:
    before = ""
    while before != text:
        # The innermost first.
        before, text = text, re.sub(r"\$\([^()]*\)|`[^`]*`", lambda found: _substituted(found[0], state), text)
    return _VARIABLE.sub(
        lambda found: (
            found[0] if (found[1] or found[2]) == "HOME" else state.variables.get(found[1] or found[2], UNKNOWN)
        ),
        re.sub(r"(?<!\\)\$\{[^}]*[^\w}][^}]*\}", UNKNOWN, text),
    ).replace("\\$", "$")


def _value(text: str, state: Followed) -> str:
    bare = text.strip('"') if text.startswith('"') and text.endswith('"') else text
    if re.fullmatch(r"\$\(.*\)|`.*`", bare, re.DOTALL):
        return _substituted(bare, state)
    if "$(" in bare or "`" in bare:
        return UNKNOWN
    return _argument(text, state)


def _substituted(text: str, state: Followed) -> str:
    """Return what a command substitution stands for."""
    command = text[1:-1] if text[0] == "`" else text[2:-1]
    inner = _VARIABLE.sub(lambda found: state.variables.get(found[1] or found[2], UNKNOWN), command)
    if re.fullmatch(rf"\s*cat\s+[\"']?{re.escape(_METADATA_FILE)}[\"']?\s*", inner):
        return _METADATA
    plain = re.search(r"\bjq\b[^|]*\s(-\w*[rj]\w*|--raw-output|--join-output)\b|tr\s+-d\s+[\"']\\?\"[\"']", inner)
    of_metadata = _METADATA_FILE in inner or _METADATA in inner
    if of_metadata and "jq" in inner and re.search(r"\.ResourceName\b", inner) and plain and _is_short(inner):
        return NAME
    if re.match(r"\s*aws\b", inner) and "describe-notebook-instance" in inner and "RoleArn" in inner and NAME in inner:
        text_output = re.search(r"--output[ =]text", inner) and re.search(r"--query[ =][\"']?RoleArn\b", inner)
        return ROLE if text_output or (plain and _is_short(inner)) else UNKNOWN
    return UNKNOWN


def _is_short(command: str) -> bool:
    """Whether nothing in a pipe changes the text but what takes quotes away."""
    return all(
        re.match(r"\s*(jq|cat|echo|aws|<|tr\s+-d\s+[\"']\\?\"[\"']\s*$)", part) for part in _unquoted_split(command)
    )


def _unquoted_split(command: str) -> list[str]:
    bare, parts, start = _unquoted(command), [], 0
    for number, char in enumerate(bare):
        if char == "|":
            parts.append(command[start:number])
            start = number + 1
    return [*parts, command[start:]]


def _set_names(line: str) -> set[str]:
    return {name for found in re.findall(_SET_INSIDE, _unquoted(line)) for name in found if name}


def _without_comment(line: str) -> str:
    found = re.search(r"\s#", _unquoted(line))
    return line[: found.start()].rstrip() if found else line


def _is_complete(text: str) -> bool:
    return not re.search(r"['\"]", _unquoted(text)) and _unquoted(text).count("$(") <= _unquoted(text).count(")")


def _unquoted(text: str) -> str:
    """Return the text with what is quoted blanked, in the same length."""
    return re.sub(
        r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL
    )
