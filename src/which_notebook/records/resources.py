"""Which resources a call was about: those that its record names, and those that its parameters mean.

Parameters are their caller's text. So each part of an ARN takes only what can stand there, and an ARN in a parameter counts
only where it is one of the service that the parameter is about: no parameter can make another service's resource appear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import product

import msgspec
from msgspec import Raw, Struct

from .particulars import decoded, member_of, object_of, text_or_none
from .resource_arns import ARNS

# Where no ARN tells it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):[a-z0-9-]*:(?:[0-9]{12}|aws)?:.+", re.DOTALL)
_FIELD = re.compile(r"\{((?:[^{}|]|\{\})+)(?:\|([a-z0-9_]+))?\}")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html; at its start, where no text of the
# caller's can stand but the session's name, which has no spaces.
_REFUSED = re.compile(
    r"User: \S+ is not authorized to perform: \S+ on resource: \"?(.+?)\"?(?: (?:because|with an explicit deny)\b.*)?",
    re.DOTALL,
)


class _Resource(Struct, gc=False):
    """As CloudTrail writes it, and as Athena's tables do."""

    upper: str | None = msgspec.field(name="ARN", default=None)
    lower: str | None = msgspec.field(name="arn", default=None)


_RESOURCES = msgspec.json.Decoder(list[_Resource])


class Around:
    """What the ARNs of a call begin with."""

    def __init__(self, partition: str, region: str, account: str) -> None:
        self._named = {"partition": partition, "region": region, "account": account}
        self._filled: dict[str, str] = {}

    def fill_in(self, begin: str) -> str:
        """Return how an ARN of the call begins; each is made once, since calls are many."""
        filled = self._filled.get(begin)
        if filled is None:
            filled = self._filled[begin] = begin.format_map(self._named)
        return filled


@lru_cache(maxsize=4096)
def around_of(role_arn: str | None, region: str | None, account_id: str | None) -> Around:
    """Return what the ARNs of a call in such a session, region and account begin with."""
    by_region = next((name for begin, name in _PARTITIONS.items() if region and region.startswith(begin)), "aws")
    return Around(role_arn.split(":")[1] if role_arn else by_region, region or "", account_id or "")


def resources_of(
    source: str, event: str, around: Around, parameters: Raw, named: Raw, error_message: str | None
) -> tuple[str, ...]:
    """Return the ARNs of a call's resources, each once: the record's own first."""
    arns = _named(named)
    service = source.removesuffix(".amazonaws.com")
    templates = _templates(service, event)
    if templates:
        request = object_of(decoded(parameters))
        if isinstance(request, dict):
            for template in templates:
                if template.needs <= request.keys():
                    for arn in template.arns(request, around):
                        arns[arn] = None
    if error_message and (refused := _REFUSED.fullmatch(error_message)):
        text = refused[1]
        if _ARN.fullmatch(text):
            arns[text] = None
        elif text != "*" and templates and (whole := templates[0].of_text(text, around)):
            arns[whole] = None  # some services name a resource as the caller did
    return tuple(arns)


def _named(resources: Raw) -> dict[str, None]:
    try:
        names = [each.upper or each.lower for each in _RESOURCES.decode(resources)]
    except msgspec.DecodeError:
        several = object_of(decoded(resources))
        names = [
            text_or_none(member_of(each, "ARN")) or text_or_none(member_of(each, "arn"))
            for each in (several if isinstance(several, list) else [])
        ]
    return {name: None for name in names if name}


_PLAIN = re.compile(r"[\w+=,.@$-]{1,256}", re.ASCII)
_PATH = re.compile(r"[\w+=,.@/#-]{1,2048}", re.ASCII)
_KMS_KEY = re.compile(r"(?!alias/)[\w-]{1,256}", re.ASCII)
_ALIAS = re.compile(r"alias/([\w/-]{1,256})", re.ASCII)
_FUNCTION = re.compile(r"(?:[0-9]{12}:(?:function:)?)?([\w-]{1,140})(?::[\w$-]{1,128})?", re.ASCII)
_MODEL = re.compile(r"[\w.:-]{1,256}", re.ASCII)
_QUEUE = re.compile(r"https?://[^/]+/([0-9]{12})/([\w.-]{1,80})", re.ASCII)
_S3_URL = re.compile(r"s3://([\w.-]{3,255}(?:/.*)?)", re.ASCII | re.DOTALL)
_COPIED = re.compile(r"/?([\w.-]{3,255}/.+?)(?:\?versionId=.*)?", re.ASCII | re.DOTALL)


def _matched(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    """Return what reads a text that fits a pattern: the pattern's groups, or all of it."""

    def read(text: str) -> str | None:
        match = pattern.fullmatch(text)
        return (":".join(match.groups()) or match[0]) if match else None

    return read


def _copied(text: str) -> str | None:
    from urllib.parse import unquote

    return _matched(_COPIED)(unquote(text))


def _below(text: str) -> str | None:
    return _READ_AS["path"](text.removeprefix("/"))


_READ_AS: dict[str | None, Callable[[str], str | None]] = {
    None: _matched(_PLAIN),
    "alias": _matched(_ALIAS),
    "any": lambda text: text or None,
    "arn": lambda text: None,  # only an ARN counts
    "below": _below,
    "copied": _copied,
    "function": _matched(_FUNCTION),
    "key_id": _matched(_KMS_KEY),
    "model": _matched(_MODEL),
    "path": _matched(_PATH),
    "queue": _matched(_QUEUE),
    "s3_url": _matched(_S3_URL),
}  # fmt: skip


_AROUND = ("partition", "region", "account")


class _Template:
    """One row of the table, ready to be filled in."""

    def __init__(self, row: str) -> None:
        service, is_short, rest = row.partition(" ")
        arn = f"arn:{{partition}}:{service}:{{region}}:{{account}}:{rest}" if is_short else row
        self._service = arn.split(":")[2]
        self._paths: list[tuple[list[str], Callable[[str], str | None]]] = []
        self._parts: list[str] = []  # the text before each field, and behind the last
        at = 0
        for field in _FIELD.finditer(arn):
            if field[1] not in _AROUND:
                self._parts.append(arn[at : field.start()])
                self._paths.append((field[1].split("."), _READ_AS[field[2]]))
                at = field.end()
        self._parts.append(arn[at:])
        self._is_of_bucket_and_key = [path for path, _ in self._paths] == [["bucketName"], ["key"]]
        self.needs = frozenset(path[0].rstrip("[]{}") for path, _ in self._paths)

    def arns(self, parameters: dict[str, object], around: Around) -> Iterator[str]:
        """Yield what the row makes of some parameters."""
        if self._is_of_bucket_and_key:
            bucket, key = parameters["bucketName"], parameters["key"]
            if isinstance(bucket, str) and isinstance(key, str) and key and _PLAIN.fullmatch(bucket):
                yield f"{around.fill_in(self._parts[0])}{bucket}/{key}"  # what most data events are
        elif len(self._paths) == 1:
            (path, read), *_ = self._paths
            for text in _texts(parameters, path):
                if arn := self._arn(text, read, around):
                    yield arn
        else:
            texts = [[each for text in _texts(parameters, path) if (each := read(text))] for path, read in self._paths]
            for values in product(*texts):
                yield self._filled(values, around)

    def of_text(self, text: str, around: Around) -> str | None:
        """Return what the row makes of a text in the place of its only field."""
        return self._arn(text, self._paths[0][1], around) if len(self._paths) == 1 else None

    def _arn(self, text: str, read: Callable[[str], str | None], around: Around) -> str | None:
        if text.startswith("arn:"):
            match = _ARN.fullmatch(text)
            return text if match and match[2] == self._service else None
        value = read(text)
        return self._filled((value,), around) if value else None

    def _filled(self, values: tuple[str, ...], around: Around) -> str:
        ends = [value + part for value, part in zip(values, self._parts[1:], strict=True)]
        return around.fill_in(self._parts[0]) + "".join(ends)


@cache
def _of_service(service: str) -> tuple[_Template, ...]:
    return tuple(map(_Template, ARNS.get(service, ())))


def _templates(service: str, event: str) -> tuple[_Template, ...]:
    """Return the rows of a call. Services and events are few; other texts of the log aren't kept."""
    of_event = f"{service}:{event}"
    return (_of_service(of_event) if of_event in ARNS else ()) + (_of_service(service) if service in ARNS else ())


def _texts(value: object, path: list[str]) -> Iterator[str]:
    """Yield the texts at a path."""
    if len(path) == 1 and isinstance(text := member_of(value, path[0]), str):
        yield text  # as most are
        return
    if not path:
        if isinstance(value, str):
            yield value
        return
    name, rest = path[0], path[1:]
    inner = member_of(value, name.rstrip("[]{}"))
    if rest or name[-1] in "]}":
        inner = object_of(inner)
    if name.endswith("[]"):
        for each in inner if isinstance(inner, list) else ():
            yield from _texts(each, rest)
    elif name.endswith("{}"):
        yield from inner if isinstance(inner, dict) else ()
    else:
        yield from _texts(inner, rest)
