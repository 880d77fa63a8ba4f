"""Reads maps and structs as Athena, CloudTrail Lake and Elastic print them: `{bucketName=b, key=k}`, `[{arn=…, type=…}]`.

No letter is escaped in them, so a caller's text may look like another field. What has two readings that matter here is not
read at all: a name that is there twice, a name that S3 has no parameter of, resources of more than one bucket.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

_DEEPEST = 6
_NAME = re.compile(r"([A-Za-z_][\w.-]*)=")
_FIELD_BEHIND = r", [A-Za-z_][\w.-]*="
# Up to the next field or the end: of the whole text, or of a struct within.
_LAST_VALUE = re.compile(rf".*?(?={_FIELD_BEHIND}|\}}\Z)", re.DOTALL)
_INNER_VALUE = re.compile(rf"[^{{}}]*?(?={_FIELD_BEHIND}|\}})", re.DOTALL)
_ELEMENT = re.compile(r"[^{}\[\],]*")
_BUCKET = re.compile(r"arn:[^:]*:s3:::([^/]+)(?:/.*)?", re.DOTALL)
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html, as parameters.
_OF_S3 = frozenset(
    "bucketName key Host prefix delimiter marker max-keys list-type encoding-type continuation-token start-after fetch-owner "
    "versionId versions version-id-marker key-marker partNumber part-number-marker max-parts uploadId uploads acl tagging "
    "location policy policyStatus versioning encryption lifecycle cors website logging notification publicAccessBlock "
    "object-lock retention legal-hold torrent restore select select-type delete attributes accelerate analytics inventory "
    "metrics replication requestPayment ownershipControls id CreateBucketConfiguration".lower().split()
)
_decode = JSONDecoder().raw_decode


class AmbiguousError(ValueError):
    """A text can be read in two ways, or in none."""


def struct(text: str) -> dict[str, Any]:
    """Return a struct's fields, their names in small letters; raises AmbiguousError."""
    fields, end = _struct(text, 0, 0)
    if end != len(text):
        raise AmbiguousError("a printed struct that can be read in two ways")
    return fields


def parameters(text: str) -> dict[str, Any]:
    """Return a map of parameters; raises AmbiguousError."""
    fields, end = _struct(text, 0, 0, in_small_letters=False)
    names = [name.lower() for name in fields]
    is_of_s3 = "bucketname" in names and all(
        name in _OF_S3 or name.startswith(("x-amz-", "response-")) for name in names
    )
    if end != len(text) or ("bucketname" in names and not is_of_s3):
        raise AmbiguousError("printed parameters that can be read in two ways")
    return fields


def resources(text: str) -> list[dict[str, Any]]:
    """Return a list of resources; raises AmbiguousError. The name of an object may hold what looks like another resource."""
    listed, end = _list(text, 0, 0)
    arns = [each.get("arn") for each in listed if isinstance(each, dict)]
    of_s3 = [_BUCKET.fullmatch(arn) for arn in arns if arn]
    buckets = {each and each[1] for each in of_s3}
    if end != len(text) or len(arns) < len(listed) or (any(of_s3) and len(buckets) > 1):
        raise AmbiguousError("printed resources that can be read in two ways")
    return listed


def _struct(text: str, at: int, depth: int, *, in_small_letters: bool = True) -> tuple[dict[str, Any], int]:
    """Return what stands in braces, and where it ends."""
    fields: dict[str, Any] = {}
    at += 1
    if depth > _DEEPEST:
        raise AmbiguousError("a printed struct that is nested too deep")
    while name := _NAME.match(text, at):
        key = name[1].lower() if in_small_letters else name[1]
        if key in fields:
            raise AmbiguousError(f"a printed struct that has {key[:40]} twice")
        fields[key], at = _value(text, name.end(), depth, in_small_letters=in_small_letters)
        if not text.startswith(", ", at):
            break
        at += 2
    if not text.startswith("}", at):
        raise AmbiguousError("a printed struct that can be read in two ways")
    return fields, at + 1


def _value(text: str, at: int, depth: int, *, in_small_letters: bool) -> tuple[Any, int]:
    if text.startswith(("{", "["), at):
        try:
            value, end = _decode(text, at)
        except (JSONDecodeError, RecursionError):
            value, end = None, -1
        if end < 0:
            try:
                value, end = (
                    _struct(text, at, depth + 1, in_small_letters=in_small_letters)
                    if text[at] == "{"
                    else _list(text, at, depth + 1)
                )
            except AmbiguousError:
                if depth:
                    raise
                end = -1  # then it is a text that begins so
        if end > 0 and text.startswith((", ", "}"), end):
            return value, end
    value = (_INNER_VALUE if depth else _LAST_VALUE).match(text, at)
    if value is None:
        raise AmbiguousError("a printed struct that can be read in two ways")
    return (None if value[0] == "null" else value[0]), value.end()


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    """Return what stands in brackets, and where it ends."""
    elements: list[Any] = []
    at += 1
    while not text.startswith("]", at):
        if text.startswith("{", at):
            fields, at = _struct(text, at, depth + 1)
            elements.append(fields)
        elif element := _ELEMENT.match(text, at):
            elements.append(element[0])
            at = element.end()
        if text.startswith(", ", at):
            at += 2
        elif not text.startswith("]", at):
            raise AmbiguousError("a printed list that can be read in two ways")
    return elements, at + 1
