"""Looks into JSON values without decoding what isn't asked for."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

Members = dict[str, Raw]


class LeftOutError(Exception):
    """What could be a record isn't taken for one; the message says why."""


UNREADABLE = (LeftOutError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised where a value isn't what its shape says."""


_SURROGATE = re.compile(rb"\\u[dD][89abABcdefCDEF][0-9a-fA-F]{2}")


def mended(value: bytes | Raw) -> bytes:
    """Return JSON in which half a surrogate pair, which no decoder takes, stands for no letter: a caller's text hides no call."""
    return _SURROGATE.sub(rb"\\ufffd", bytes(value))


def members_of(value: bytes | Raw) -> Members:
    """Return an object's members. Raises what is UNREADABLE."""
    try:
        return msgspec.json.decode(value, type=Members)
    except msgspec.DecodeError:
        return msgspec.json.decode(mended(value), type=Members)


def values_of(value: bytes | Raw) -> list[bytes]:
    """Return a list's values. Raises what is UNREADABLE."""
    return list(map(bytes, msgspec.json.decode(value, type=list[Raw])))


def text_of(value: Raw | None) -> str:
    """Return a member's text, or an empty one where it has none."""
    try:
        return msgspec.json.decode(value, type=str) if value else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def is_record(members: Members) -> bool:
    """Return whether an object is a record, or was to be one."""
    return "userIdentity" in members or "eventVersion" in members or "eventName" in members
