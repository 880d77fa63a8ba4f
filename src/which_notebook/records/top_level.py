"""Tells whether a record stands at the top level of its file, or within another record.

The text of a record is its caller's: a policy, say, may hold an object that looks like a record, or a thousand of them.
What tells them apart is what stands between a record and a place before it that is known to be at the top level: whole
values, and nothing that is left open. Inside a record, at least one list is still open: the one that the other
record stands in. If a count of brackets shows no open list, the record is at the top level; else the text is parsed. That goes back no further than a record can be long: the
record that holds the other one would have to begin within that.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import msgspec
from msgspec import Raw

from .open_lists import OpenLists
from .record_text import RECORD_START

# The limit of a record's length came with event version 1.05.
_OF_ANY_SIZE = tuple(f'{RECORD_START}"1.0{minor}"'.encode() for minor in range(5))

_START = RECORD_START.encode()
_decode = msgspec.json.Decoder(Raw).decode


class TopLevel:
    """Follows a file from one place where a record may start to the next; a record of it is `largest` bytes long at most."""

    _open_lists: ClassVar = OpenLists()

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._passed: deque[memoryview] = deque()
        self._size = 0
        # What was passed begins at a place that is known to be at the top level.
        self._is_from_top = True
        self._is_plain = True
        self._are_bounded = True

    def see(self, window: bytes, start: int) -> None:
        """Look at the version of one of the file's records: that it starts here need not be certain."""
        self._are_bounded = self._are_bounded and not window.startswith(_OF_ANY_SIZE, start)

    def go_on(self, text: memoryview) -> None:
        """Pass over some text, unread; it begins and ends where a record may start."""
        self._passed.append(text)
        self._size += len(text)
        while self._size - len(self._passed[0]) >= self._largest:
            self._size -= len(self._passed.popleft())
            self._is_from_top = False

    def is_here(self, text: memoryview) -> bool:
        """Return whether the place behind this text is at the top level, where a record begins with which the text ends.

        False may also mean that this can't be told, since records may be larger than what was looked at.
        """
        if not self._passed and len(text) == len(_START):
            return True  # nothing lies between
        parts, is_from_top = [*self._passed, text], self._is_from_top
        self._passed.clear()
        self._size = 0
        self._is_from_top = True
        if not is_from_top and not self._are_bounded:
            return False
        if is_from_top and self._is_plain:
            # A record within another stands in a list there, if something like a record precedes it.
            self._is_plain = all(map(self._open_lists.are_none, parts))
            if self._is_plain:
                return True
        return _are_whole_values(parts, self._largest if self._are_bounded else None)


def _are_whole_values(parts: list[memoryview], largest: int | None) -> bool:
    text = bytearray().join((b"[", *parts))
    start = max(1, text.rfind(_START, 0, max(0, len(text) - len(_START) - largest))) if largest else 1
    end = len(text) - len(_START)
    while end > start and text[end - 1] in b", \r\n\t":
        end -= 1
    # In place, since it is long.
    text[start - 1], text[end] = b"[]"
    values = memoryview(text)[start - 1 : end + 1]
    if _is_list(values):
        return True
    plain = bytes(values)
    if b"}," + _START in plain:
        return False
    # Values that follow each other without a comma, such as lines, stand in no list.
    for between in (b"}\n", b"}\r\n", b"}"):
        plain = plain.replace(between + _START, b"}," + _START)
    return _is_list(plain)


def _is_list(text: bytes | memoryview) -> bool:
    try:
        _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
