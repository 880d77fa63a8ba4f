"""Tells whether a record stands at the top level of its file, or within another record.

The text of a record is its caller's: a policy, say, may hold an object that looks like a record, or a thousand of them.
What tells them apart is that all between a record and one before it are whole values, and nothing is left open: within a
record, at least its own bracket is. So that is parsed, back to a place that is known to be at the top level, or
further back than any record is long: from there on the record that is looked at would have to begin, too.
"""

from __future__ import annotations

from collections import deque

import msgspec
from msgspec import Raw

from .json_values import RECORD_START

# 256 KB, and 1 MB where an account chose large events:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html and
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventConfiguration.html
LARGEST_EVENT = 1024 * 1024

_START = RECORD_START.encode()
_decode = msgspec.json.Decoder(list[Raw]).decode


class TopLevel:
    """Follows a file from one place where a record may start to the next."""

    def __init__(self) -> None:
        self._passed: deque[memoryview] = deque()
        self._size = 0

    def go_on(self, text: memoryview) -> None:
        """Pass over some text, unread; it ends where a record may start."""
        self._passed.append(text)
        self._size += len(text)
        while self._size - len(self._passed[0]) >= LARGEST_EVENT:
            self._size -= len(self._passed.popleft())

    def is_here(self) -> bool:
        """Return whether the place that is reached is at the top level, if what was known to be there before was."""
        if not self._passed:
            return True
        text = b"".join(self._passed)
        self._passed.clear()
        self._size = 0
        if len(text) > LARGEST_EVENT:
            text = text[max(0, text.rfind(_START, 0, len(text) - LARGEST_EVENT)) :]
        return _are_whole_values(text)


def _are_whole_values(text: bytes) -> bool:
    text = text.rstrip(b", \r\n\t")
    if b"}," + _START not in text:
        # Values that follow each other without a comma, such as lines, stand in no list.
        for between in (b"}\n", b"}\r\n", b"}"):
            text = text.replace(between + _START, b"}," + _START)
    try:
        _decode(b"[" + text + b"]")
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
