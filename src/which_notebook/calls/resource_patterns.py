"""Which resources a person means: by a bucket's or another resource's name, an ARN, an s3:// address or a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Secrets Manager adds six characters to a secret's name, which a call may leave out.
_SECRET = re.compile(r"(arn:[^:]*:secretsmanager:.*:secret:.+)-[A-Za-z0-9]{6}", re.DOTALL)
_ANY_SECRET = re.compile("arn:[^:]*:secretsmanager:.*:secret:")
# CloudWatch Logs' own ARN of a log group ends so, for its streams.
_OF_A_LOG_GROUP = re.compile(r"(?<=.):\*\Z")
_WILDCARDS = re.compile(r"[*?]")
_OF_A_BUCKET = "[^/]*"
_LITERAL = re.compile(r"[A-Za-z0-9_.-]+")
_TYPE = re.compile(r"[A-Za-z-]+[/:]")
_WITHOUT_TYPE = ("s3", "sns", "sqs", "codecommit")


class ResourcePatterns:
    """Matches ARNs. What lies in a resource is meant with it: the objects of a bucket, the tables of a database."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._pattern = re.compile("|".join(f"(?:{_pattern(text)})" for text in texts), re.DOTALL)

    def fit(self, arns: Iterable[str]) -> bool:
        """Return whether one of these is meant."""
        return any(self._pattern.fullmatch(arn) for arn in arns)


def literal_parts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return a text for each pattern that stands in each record about what is meant; none where one pattern has none.

    What an ARN begins with, and the resource's type in it, isn't the record's but the service's. Of the rest the longest
    text that no JSON writer needs to escape is in the record: in a parameter, in an ARN or in an error message.
    """
    parts = [max(_LITERAL.findall(_of_record(text)), key=len, default="") for text in texts]
    return tuple(parts) if all(parts) else ()


def _of_record(text: str) -> str:
    """Return what of a pattern can come from a record only."""
    if text.startswith("s3://"):
        return text.removeprefix("s3://")
    if not text.startswith("arn:"):
        # What may be a type of resource, as in `log-group:/aws/x`, isn't the record's.
        typed = _TYPE.match(text)
        return text[typed.end() :] if typed and _LITERAL.search(text, typed.end()) else text
    secret = _SECRET.fullmatch(text)
    *begin, rest = (secret[1] if secret else text).split(":", 5)
    if len(begin) < 5 or _WILDCARDS.search(":".join(begin)):
        return ""
    if begin[2] in _WITHOUT_TYPE:
        return rest
    typed = _TYPE.match(rest)
    return rest[typed.end() :] if typed else ""


def _pattern(text: str) -> str:
    text = _OF_A_LOG_GROUP.sub("", text)
    if text.startswith("arn:"):
        # The ARN of a secret is also meant where the call, or who asks, has only the name.
        secret = _SECRET.fullmatch(text)
        added = "-[A-Za-z0-9]{6}" if _ANY_SECRET.match(text) and not _WILDCARDS.search(text) else None
        return "|".join(
            [_inside(text), *([_inside(secret[1])] if secret else []), *([_part(text) + added] if added else [])]
        )
    if text.startswith("s3://"):
        bucket, _, key = text.removeprefix("s3://").partition("/")
        name = _part(bucket, any_text=_OF_A_BUCKET)
        begin = f"arn:[^:]*:(?:s3:::|s3express:[^:]*:[^:]*:bucket/){name}"
        if not key:
            return f"{begin}(?:/.*)?"
        return f"{begin}/{_part(key)}" + (".*" if key.endswith("/") else "")
    # A name: a bucket's, or what stands behind the resource's type, as in `table/NAME`. Keys have slashes, too, so of S3
    # only the bucket's name is one.
    ends = ".*" if text.endswith("/") else "(?:[/:].*)?"
    name = _part(text.removeprefix("/"))
    bucket, slash, key = text.partition("/")
    of_s3 = f"arn:[^:]*:s3:::{_part(bucket, any_text=_OF_A_BUCKET)}{slash}{_part(key)}{'.*' if ends == '.*' else '(?:/.*)?'}"
    typed = f"arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:[a-zA-Z-]+[/:]/?{name}{ends}"
    of_access_points = f"arn:[^:]*:s3:[^:]+:[^:]*:accesspoint/{name}{ends}"
    of_secrets = f"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:{name}-[A-Za-z0-9]{{6}}"
    untyped = f"arn:[^:]*:(?:{'|'.join(_WITHOUT_TYPE[1:])}):[^:]*:[^:]*:{name}{ends}"
    patterns = [of_s3, typed, of_access_points, of_secrets, untyped]
    if _TYPE.match(text):  # with its type: `alias/prod`, `log-group:/aws/x`
        patterns.append(f"arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:{_part(text)}{ends}")
        patterns.append(f"arn:[^:]*:secretsmanager:[^:]*:[^:]*:{_part(text)}-[A-Za-z0-9]{{6}}")
    return "|".join(patterns)


def _inside(arn: str) -> str:
    if _WILDCARDS.search(arn):
        return _part(arn)
    return _part(arn) + (".*" if arn.endswith("/") else "(?:[/:].*)?")


def _part(text: str, *, any_text: str = ".*") -> str:
    """Return the pattern of a text in which only `*` and `?` are wildcards."""
    return "".join({"*": any_text, "?": "."}.get(char, re.escape(char)) for char in text)
