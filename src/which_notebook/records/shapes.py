"""The shapes in which people keep records: what a record is wrapped in. Each is recognised by a member, and is a row here.

An object that is a record itself is never unwrapped, whatever its members: their text is its caller's.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from .particulars import mended

Members = dict[str, Raw]

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised where a value isn't what its shape says."""


class Shape(Struct, frozen=True):
    """One shape: the member that tells it, and how to get from there to what is wrapped; None where that isn't AWS's."""

    member: str
    unwrap: Callable[[Members], bytes | None]


def values_in(value: bytes) -> list[bytes]:
    """Return the values of a list in an object, or else the value itself. Raises what is UNREADABLE."""
    members = members_of(value)
    if is_record(members):
        return [value]
    for name in _LISTS:
        if name in members:
            return list(map(bytes, msgspec.json.decode(members[name], type=list[Raw])))
    return [value]


def unwrapped(value: bytes) -> bytes | None:
    """Return what a value wraps, or else the value itself; None where it can't hold a record. Raises what is UNREADABLE."""
    members = members_of(value)
    if is_record(members):
        return value
    shape = next((shape for shape in _SHAPES if shape.member in members), None)
    return shape.unwrap(members) if shape else value


def members_of(value: bytes) -> Members:
    """Return an object's members. Raises what is UNREADABLE."""
    try:
        return msgspec.json.decode(value, type=Members)
    except msgspec.DecodeError:
        return msgspec.json.decode(mended(value), type=Members)


def is_record(members: Members) -> bool:
    """Return whether an object is a record, or was to be one."""
    return "userIdentity" in members or "eventVersion" in members or "eventName" in members


def text_of(value: Raw | None) -> str:
    """Return a member's text, or an empty one where it has none."""
    try:
        return msgspec.json.decode(value, type=str) if value else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _of_lookup(members: Members) -> bytes:
    return msgspec.json.decode(members["CloudTrailEvent"], type=str).encode()


def _of_event_bus(members: Members) -> bytes | None:
    """Return the detail if AWS itself put the event on the bus; who else does must name another source, or is a partner."""
    source = text_of(members.get("source"))
    is_from_aws = "source" not in members or (source.startswith("aws.") and not source.startswith("aws.partner/"))
    return bytes(members["detail"]) if is_from_aws else None


# CloudTrail's own files, and LookupEvents' answer.
_LISTS = ("Records", "Events")
_SHAPES = (Shape("CloudTrailEvent", _of_lookup), Shape("detail", _of_event_bus))
