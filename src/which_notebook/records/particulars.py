"""Reads what differs from service to service, and may have any shape."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from .shapes.members import UNREADABLE, mended

_TEXTS_WITHIN_TEXTS = 3


def decoded(value: bytes | msgspec.Raw) -> object:
    """Return a JSON value; None where it is none, no UTF-8, or nested too deep."""
    try:
        return msgspec.json.decode(value)
    except UNREADABLE:
        with suppress(*UNREADABLE):
            return msgspec.json.decode(mended(value))
    return None


def object_of(value: object) -> object:
    """Return what a field holds, also where it was stored as a JSON text, as Athena's and other tables do, once or twice."""
    for _ in range(_TEXTS_WITHIN_TEXTS):
        if not isinstance(value, str):
            return value
        value = decoded(value.encode("utf-8", "surrogatepass"))
    return value


def member_of(value: object, name: str) -> object:
    """Return an object's member; None where it has none, or isn't one."""
    return value.get(name) if isinstance(value, dict) else None


def text_or_none(value: object) -> str | None:
    """Return what is a text."""
    return value if isinstance(value, str) else None
