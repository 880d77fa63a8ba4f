"""Tells whether a record stands at the top level of its file, or within another record.

The text of a record is its caller's: a policy, say, may hold an object that looks like a record, or a thousand of them.
What tells them apart is what stands between a record and a place before it that is known to be at the top level: whole
values, and nothing that is left open. Within a record, at least the list is that the other one stands in. Where a count of
brackets shows that no list is, that will do; else all is parsed. That goes back no further than a record can be long: the
record that holds the other one would have to begin within that.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import msgspec
import stringzilla
from msgspec import Raw

from .json_values import RECORD_START

# 256 KB, and 1 MB where an account chose large events:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html and
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventConfiguration.html
LARGEST_EVENT = 1024 * 1024

_START = RECORD_START.encode()
_decode = msgspec.json.Decoder(list[Raw]).decode
# All that can't stand next to a string, outside of it, becomes an "a".
_FOLDED = bytes(byte if byte in b'"\\[]{},: \t\r\n' else 0x61 for byte in range(256))
# Brackets that a string holds: its quotation mark, or an escaped one, stands before them.
_IN_STRINGS = (b':"[', b'a\\":[')
# Closing brackets, one a pattern, outside of strings: the quotation mark behind them begins one.
_CLOSING = (
    b'],"a', b']},"a', b']}},"a', b']}]},"a', b']}}]}},"a', b']}],"a', b']}}]},"a', b']}}},"a', b']}},{"a', b']},{"a', b']}]}},"a',
)  # fmt: skip
_PATTERNS = (*_CLOSING[:1], *_IN_STRINGS, *_CLOSING[1:])


class TopLevel:
    """Follows a file from one place where a record may start to the next."""

    # Those that were found before come first.
    _patterns: ClassVar[tuple[bytes, ...]] = _PATTERNS

    def __init__(self) -> None:
        self._passed: deque[memoryview] = deque()
        self._size = 0
        # What was passed begins at a place that is known to be at the top level.
        self._is_from_top = True
        self._is_plain = True

    def go_on(self, text: memoryview) -> None:
        """Pass over some text, unread; it begins and ends where a record may start."""
        self._passed.append(text)
        self._size += len(text)
        while self._size - len(self._passed[0]) >= LARGEST_EVENT:
            self._size -= len(self._passed.popleft())
            self._is_from_top = False

    def is_here(self, text: memoryview) -> bool:
        """Return whether the place behind this text is at the top level, where a record begins with which the text ends."""
        if not self._passed and len(text) == len(_START):
            return True  # nothing lies between
        parts, is_from_top = [*self._passed, text], self._is_from_top
        self._passed.clear()
        self._size = 0
        self._is_from_top = True
        return (is_from_top and self._closes_its_lists(parts)) or _are_whole_values(parts)

    def _closes_its_lists(self, parts: list[memoryview]) -> bool:
        """Return whether it is plain, without a parse, that no list is left open in a text that begins at the top level.

        A record within another stands in a list there, if something like a record precedes it. Each opening bracket is
        counted, and each of some patterns, in which a bracket either closes a list or stands in a string. No string can be
        made to hold these: a quotation mark behind a comma begins a string, where what follows can't follow a string's end.
        """
        if not self._is_plain:
            return False
        folded = stringzilla.translate(parts[0] if len(parts) == 1 else b"".join(parts), _FOLDED)
        left: int = stringzilla.count(folded, b"[")
        found: list[bytes] = []
        for pattern in TopLevel._patterns:
            if left <= 0:
                break
            if number := stringzilla.count(folded, pattern):
                left -= number
                found.append(pattern)
        # The records of a file are much alike, and so are those of several.
        self._is_plain = left <= 0
        if self._is_plain:
            TopLevel._patterns = (*found, *(pattern for pattern in TopLevel._patterns if pattern not in found))
        return self._is_plain


def _are_whole_values(parts: list[memoryview]) -> bool:
    text = bytearray().join((b"[", *parts))
    start = max(1, text.rfind(_START, 0, max(0, len(text) - len(_START) - LARGEST_EVENT)))
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
