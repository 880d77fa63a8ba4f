"""One log file's wanted calls.

CloudTrail writes `{"Records":[{"eventVersion":…},{"eventVersion":…}]}`. Of such a file only the records that mention what
is wanted are cut out, from one record's start to the next one's, and each must be a whole JSON object by itself. Where
one isn't, or the file has another form, all of it is parsed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import stringzilla
from msgspec import Raw, Struct

from .decompress import DamagedFileError, pieces
from .json_values import RECORD_START, ValueReader
from .record import Call, RecordError, call_of
from .wanted import Wanted

Bytes = bytes | bytearray

_START = RECORD_START.encode()
# What stands before the first record, and behind the last.
_FORMS = {b'{"Records":[': b"]}", b"[": b"]", b"": b""}
_SEPARATORS = b", \r\n\t"
_SPACE = b" \r\n\t"
_ESCAPE = b"\\u00"
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_LOOKED_AT_FOR_ESCAPES = 64 * 1024
_CALLS_AT_ONCE = 5_000
_PROBLEMS_AT_MOST = 10


class Found(Struct, array_like=True, gc=False):
    """What a part of a file gave: its size when decompressed, in bytes, the wanted calls, and what was wrong with it."""

    size: int
    calls: list[Call]
    problems: list[str]


def scan(file: BinaryIO, wanted: Wanted, *, size: int | None = None, cut: bool = True) -> Iterator[Found]:
    """Yield what one file gives, in parts of bounded size; with `cut=False` all of it is parsed in any case.

    `size` is the file's, in bytes, where it is known. Raises OSError where the file can't be read.
    """
    content = _Content(file, size)
    first = next(content, b"")
    problems: list[str] = []
    form = _form(first) if cut else None
    if form is None:
        found = _parse_all(first, content, wanted, problems)
    else:
        found = _cut_all(first, content, form, wanted, problems)
    calls: list[Call] = []
    for call in found:
        calls.append(call)
        if len(calls) == _CALLS_AT_ONCE:
            yield Found(0, calls, [])
            calls = []
    if content.damage:
        problems.insert(0, content.damage)
    if len(problems) > _PROBLEMS_AT_MOST:
        problems[_PROBLEMS_AT_MOST:] = [f"and {len(problems) - _PROBLEMS_AT_MOST:,} more problems"]
    yield Found(content.size, calls, problems)


class _Content:
    """The pieces of a file's content, and what is known of it once they have come."""

    def __init__(self, file: BinaryIO, size: int | None) -> None:
        self._pieces = pieces(file, size)
        self.size = 0
        self.damage: str | None = None

    def __iter__(self) -> Iterator[Bytes]:
        return self

    def __next__(self) -> Bytes:
        try:
            piece = next(self._pieces)
        except DamagedFileError as error:
            self.damage = str(error)
            raise StopIteration from None
        self.size += len(piece)
        return piece


# The fast way: only what mentions what is wanted.


class _NotCuttableError(Exception):
    """The records can't be told apart by their starts alone."""


def _form(piece: Bytes) -> bytes | None:
    """Return what stands before the first record, where the file is one whose records can be cut out."""
    # A writer that escapes letters would hide what is searched for; CloudTrail's doesn't, and a writer does as it does.
    if stringzilla.find(piece, _ESCAPE, 0, _LOOKED_AT_FOR_ESCAPES) >= 0 and _ESCAPED_ASCII.search(piece):
        return None
    return next((head for head in _FORMS if piece.startswith(head + _START)), None)


def _cut_all(first: Bytes, content: _Content, form: bytes, wanted: Wanted, problems: list[str]) -> Iterator[Call]:
    held, depth = first, 0
    for piece in content:
        # The last record may go on in this piece.
        end = held.rfind(_START)
        if end > len(form):
            yield from _cut_or_parse(held[:end], end, wanted, problems, depth)
            held, depth = held[end:], len(_FORMS[form])
        held = bytearray(held) + piece
    if content.damage is None and (end := _end_of_records(held, _FORMS[form])):
        yield from _cut_or_parse(held, end, wanted, problems, depth)
    else:
        parser = _Parser(wanted, problems, depth)
        yield from parser.calls(held, last=content.damage is None)
        if content.damage is None:
            parser.check_end()


def _end_of_records(window: Bytes, closing: bytes) -> int:
    """Return where the last record ends, or 0 where the file doesn't close as it opened."""
    end = len(window)
    while end and window[end - 1] in _SPACE:
        end -= 1
    return end - len(closing) if window.endswith(b"}" + closing, 0, end) else 0


def _cut_or_parse(window: Bytes, end: int, wanted: Wanted, problems: list[str], depth: int) -> Iterator[Call]:
    """Yield the wanted calls of a window that begins with a record, or the file, and whose last record ends at `end`."""
    try:
        yield from _cut(window, end, wanted)
    except _NotCuttableError:
        yield from _Parser(wanted, problems, depth).calls(window[:end], last=True)


def _cut(window: Bytes, end: int, wanted: Wanted) -> list[Call]:
    starts: dict[int, int] = {}
    for needle in wanted.needles:
        at = stringzilla.find(window, needle)
        while 0 <= at < end:
            start = window.rfind(_START, 0, at + len(_START))
            if start < 0:
                raise _NotCuttableError
            following = stringzilla.find(window, _START, start + 1)
            starts[start] = stop = following if 0 <= following < end else end
            at = stringzilla.find(window, needle, stop)
    calls = []
    keep_record, wants = wanted.keeps_record, wanted.wants
    with memoryview(window) as view:
        for start, stop in sorted(starts.items()):
            while window[stop - 1] in _SEPARATORS:
                stop -= 1
            try:
                call = call_of(view[start:stop], keep_record=keep_record)
            except RecordError:
                raise _NotCuttableError from None
            if wants(call):
                calls.append(call)
    return calls


# The thorough way: every value of the file.


def _parse_all(first: Bytes, content: _Content, wanted: Wanted, problems: list[str]) -> Iterator[Call]:
    parser = _Parser(wanted, problems)
    yield from parser.calls(first)
    for piece in content:
        yield from parser.calls(piece)
    if content.damage is None:
        yield from parser.calls(b"", last=True)
        parser.check_end()


class _Parser:
    """Finds the wanted calls in content of any form that records are kept in, and what is wrong with it."""

    def __init__(self, wanted: Wanted, problems: list[str], depth: int = 0) -> None:
        self._wanted = wanted
        self._needles = wanted.needles
        self._problems = problems
        self._values = ValueReader(depth)
        self._values.damage = problems
        # What isn't UTF-8 passes, and is refused with the record that it stands in.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._is_start = True

    def calls(self, content: Bytes, *, last: bool = False) -> Iterator[Call]:
        text = self._decoder.decode(content, last)
        if self._is_start and text:
            text, self._is_start = text.removeprefix("\ufeff"), False
        for value in self._values.feed(text, last=last):
            try:
                yield from self._calls_in(value.encode("utf-8", "surrogateescape"))
            except (RecordError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._problems.append(str(error))

    def check_end(self) -> None:
        if self._values.depth > 0:
            self._problems.append("the JSON ends too early")
        elif self._values.depth < 0:
            self._problems.append("the JSON has more closing brackets than opening ones")

    def _calls_in(self, value: bytes) -> Iterator[Call]:
        members = msgspec.json.decode(value, type=dict[str, Raw])
        if "userIdentity" in members or "eventVersion" in members or "eventName" in members:
            if self._mentions(value) and "AwsCloudTrailInsight" not in _text(members.get("eventType")):
                call = call_of(value, keep_record=self._wanted.keeps_record)
                if self._wanted.wants(call):
                    yield call
        elif "CloudTrailEvent" in members:  # as LookupEvents wraps it
            yield from self._calls_in(_text(members["CloudTrailEvent"]).encode())
        elif "detail" in members:  # as EventBridge wraps it
            yield from self._calls_in(bytes(members["detail"]))
        elif "Records" in members or "Events" in members:
            for each in msgspec.json.decode(members.get("Records") or members["Events"], type=list[Raw]):
                yield from self._calls_in(bytes(each))
        elif "digestStartTime" not in members:
            keys = ", ".join(sorted(members)[:5])
            raise RecordError(f"no CloudTrail record, but an object with {keys or 'nothing in it'}")

    def _mentions(self, record: bytes) -> bool:
        if any(needle in record for needle in self._needles):
            return True
        if not _ESCAPED_ASCII.search(record):
            return False
        plain = msgspec.json.encode(msgspec.json.decode(record))
        return any(needle in plain for needle in self._needles)


def _text(value: Raw | None) -> str:
    try:
        return msgspec.json.decode(value, type=str) if value else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
