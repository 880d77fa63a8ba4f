"""What commands print that may end up in the AWS config."""

from __future__ import annotations

import re

from .files import write
from .harmless import is_harmless
from .places import absolute
from .state import ARN, CONFIG, DESCRIPTION, METADATA, NAME, REGION, ROLE, UNKNOWN, USER, CantTellError, Shell
from .words import Word

_METADATA_FILE = "/opt/ml/metadata/resource-metadata.json"
_MEMBERS = {
    (METADATA, ".ResourceName"): NAME,
    (METADATA, ".ResourceArn"): ARN,
    (DESCRIPTION, ".RoleArn"): ROLE,
}


def content_of(word: Word, shell: Shell) -> str:
    """Return what a file holds."""
    path = absolute(word, shell)
    if path == _METADATA_FILE and not word.is_pattern:
        return METADATA + "\n"
    if path == "/dev/null":
        return ""
    return shell.instance.files.get(path, UNKNOWN)


def echo(words: list[Word], _given: str | None, _shell: Shell, _shown: str) -> str:
    """Text, and a newline."""
    flags = ""
    while words and re.fullmatch("-[neE]+", words[0].text):
        flags += words.pop(0).text
    text = " ".join(UNKNOWN if each.is_pattern else each.text for each in words)
    if "e" in flags and "\\" in text:
        text = _unescaped(text)
    return text if "n" in flags else text + "\n"


def printf(words: list[Word], _given: str | None, _shell: Shell, shown: str) -> str:
    """Text, with `%s` filled in."""
    if not words or words[0].text.startswith(("-", UNKNOWN)):
        raise CantTellError(f"it can't be followed: {shown}")
    form, *values = ("\x01" if each.is_pattern else each.text for each in words)
    parts = re.split("%s", form)
    if "%" in "".join(parts) or any(each == "\x01" for each in values) or len(values) != len(parts) - 1:
        return UNKNOWN
    texts = [_unescaped(part) for part in parts]
    return texts[0] + "".join(value + text for value, text in zip(values, texts[1:], strict=True))


def _unescaped(text: str) -> str:
    if re.search(r"\\[^n\\t]", text):
        return UNKNOWN
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


def cat(words: list[Word], stdin: str | None, shell: Shell, _shown: str) -> str:
    """What files hold, or what it reads."""
    return _contents([each for each in words if not each.text.startswith("-")], stdin, shell)


def _contents(files: list[Word], stdin: str | None, shell: Shell) -> str:
    if not files:
        return UNKNOWN if stdin is None else stdin
    return "".join(content_of(each, shell) for each in files)


def tee(words: list[Word], stdin: str | None, shell: Shell, shown: str) -> str:
    """What it reads, which goes to files too."""
    appends = [each for each in words if each.text in ("-a", "--append")]
    files = [each for each in words if each not in appends]
    content = UNKNOWN if stdin is None else stdin
    for each in files:
        if each.text.startswith("-"):
            raise CantTellError(f"it can't be followed: {shown}")
        write(each, content, shell, appends=bool(appends))
    return content


def jq(words: list[Word], stdin: str | None, shell: Shell, _shown: str) -> str:
    """A member of what SageMaker says of the notebook instance."""
    options = [each.text for each in words if each.text.startswith("-")]
    operands = [each for each in words if not each.text.startswith("-")]
    if not operands or not all(re.fullmatch("-[rjMc]+|--raw-output|--join-output", each) for each in options):
        return UNKNOWN
    source = _contents(operands[1:], stdin, shell).strip()
    value = _MEMBERS.get((source, operands[0].text), UNKNOWN)
    if source == UNKNOWN or value == UNKNOWN:
        return UNKNOWN
    is_raw = any("r" in each or "j" in each for each in options)
    is_joined = any(re.fullmatch("-[a-z]*j[a-z]*|--join-output", each) for each in options)
    return (value if is_raw else f'"{value}"') + ("" if is_joined else "\n")


def tr(words: list[Word], stdin: str | None, _shell: Shell, _shown: str) -> str:
    """What it reads, without quotes or newlines."""
    texts = [each.text for each in words]
    if stdin is None or len(texts) != 2 or texts[0] != "-d" or texts[1] not in ('"', '\\"', "\\n", "\n"):
        return UNKNOWN
    return stdin.replace("\n" if "n" in texts[1] or texts[1] == "\n" else '"', "")


def cut(words: list[Word], stdin: str | None, _shell: Shell, _shown: str) -> str:
    """The region, from an ARN."""
    texts = "".join(each.text for each in words)
    return (
        f"{REGION}\n"
        if (stdin or "").strip() == ARN and sorted(re.findall(r"-[df][^-]+", texts)) == ["-d:", "-f4"]
        else UNKNOWN
    )


# The AWS CLI


def aws(words: list[Word], _given: str | None, shell: Shell, shown: str) -> str:
    """What AWS answers, as far as it matters; `aws configure set` changes the config."""
    texts = [each.text for each in words]
    if texts[:2] == ["configure", "set"]:
        return _configure(words[2:], shell, shown)
    if not is_harmless([Word("aws"), *words], shell):
        raise CantTellError(f"it isn't known whether this is harmless: {shown}")
    if texts[:3] == ["configure", "get", "region"]:
        return f"{REGION}\n"
    if texts[:2] == ["sagemaker", "describe-notebook-instance"]:
        return _described(texts[2:])
    return UNKNOWN


def _described(texts: list[str]) -> str:
    options: dict[str, str] = {}
    while texts:
        name, equals, value = texts.pop(0).partition("=")
        options[name] = value if equals else texts.pop(0) if texts else UNKNOWN
    if options.pop("--notebook-instance-name", None) != NAME or not options.keys() <= {
        "--query",
        "--output",
        "--region",
    }:
        return UNKNOWN
    match options.get("--query"), options.get("--output"):
        case "RoleArn", "text":
            return f"{ROLE}\n"
        case "RoleArn", "json":
            return f'"{ROLE}"\n'
        case None, None | "json":
            return f"{DESCRIPTION}\n"
    return UNKNOWN


def _configure(words: list[Word], shell: Shell, shown: str) -> str:
    """`aws configure set`, which changes the config of whoever runs it."""
    if shell.user != USER:
        return ""
    if len(words) != 2 or any(each.text.startswith("-") or each.is_pattern or UNKNOWN in each.text for each in words):
        raise CantTellError(f"it sets the AWS config in a way that can't be followed: {shown}")
    before = shell.instance.files.get(CONFIG, "[default]\n")
    write(Word(CONFIG), f"{before}{words[0].text} = {words[1].text}\n", shell, appends=False)
    return ""
