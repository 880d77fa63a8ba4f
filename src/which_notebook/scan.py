"""One log file's wanted calls.

CloudTrail writes `{"Records":[{"eventVersion":…},{"eventVersion":…}]}`. Of such a file only the records that mention what
is wanted are cut out, from one record's start to the next one's, and each must be a whole JSON object by itself. Where
one isn't, or the file is damaged or has another form, all of it is parsed.

What the fast way can't tell, since it doesn't look at each byte:
- an object that begins with `{"eventVersion":`, holds all that a record must, and stands in the midst of a list within
  another principal's record (neither first nor last in it) counts as a record. CloudTrail's own fields hold no such list.
  A record that was cut off within a list, whose brackets what follows it then closes, makes one of all: there the fast way
  gives more calls, and both name the file;
- damage in a record that mentions nothing that is wanted goes unnamed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import stringzilla
from msgspec import Raw, Struct

from .decompress import DamagedFileError, careful_pieces, pieces
from .json_values import LONGEST_VALUE, RECORD_START, ValueReader
from .record import Call, RecordError, call_of
from .wanted import Wanted

_START = RECORD_START.encode()
# What stands before the first record, and behind the last.
_FORMS = {b'{"Records":[': b"]}", b"[": b"]", b"": b""}
_SEPARATORS = b", \r\n\t"
_SPACE = b" \r\n\t"
_ESCAPE = b"\\u00"
# Of what names are made of; "=" and "+", "<", ">", "&" and "'" are escaped for HTML's sake.
_ESCAPED_ASCII = re.compile(rb"\\u00(?:2[c-eC-E]|3[0-9]|4[0-9a-fA-F]|5[0-9afAF]|6[1-9a-fA-F]|7[0-9aA])")
_CALLS_AT_ONCE = 5_000
_PARSED_AT_ONCE = 4 * 1024 * 1024
_PROBLEMS_AT_MOST = 10
_PROBLEMS_BORNE = 20_000


class Found(Struct, array_like=True, gc=False):
    """What a part of a file gave: its size when decompressed, in bytes, the wanted calls, and what was wrong with it."""

    size: int
    calls: list[Call]
    problems: list[str]


def scan(file: BinaryIO, wanted: Wanted, *, cut: bool = True) -> Iterator[Found]:
    """Yield what one file gives, in parts of bounded size; with `cut=False` all of it is parsed in any case.

    A file whose records can't be cut out is read once more, from where it stands now; what its first parts gave then comes
    again. Raises OSError where the file can't be read.
    """
    if cut:
        start = file.tell()
        content = _Content(pieces(file))
        try:
            yield from _parts(_cut_calls(content, wanted), content, _Problems())
        except _NotCuttableError:
            file.seek(start)
        else:
            return
    content, problems = _Content(careful_pieces(file)), _Problems()
    yield from _parts(_parsed_calls(content, wanted, problems), content, problems)


def _parts(found: Iterator[list[Call]], content: _Content, problems: _Problems) -> Iterator[Found]:
    calls: list[Call] = []
    try:
        for some in found:
            calls += some
            if len(calls) >= _CALLS_AT_ONCE:
                yield Found(0, calls, [])
                calls = []
    except _TooManyProblemsError:
        problems.close()
    yield Found(content.size, calls, ([content.damage] if content.damage else []) + problems.told())


class _TooManyProblemsError(Exception):
    """The file is no log, or was made to take up time: the rest of it stays unread."""


class _Problems:
    """What is wrong with a file, told in a bounded number of lines."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._number = 0
        self._closed = False

    def add(self, problem: str) -> None:
        if self._closed:
            return
        self._number += 1
        if self._number <= _PROBLEMS_AT_MOST:
            self._first.append(problem)
        if self._number == _PROBLEMS_BORNE:
            raise _TooManyProblemsError

    def close(self) -> None:
        self._closed = True

    def told(self) -> list[str]:
        more = self._number - len(self._first)
        rest = "; the rest is left unread" if self._number == _PROBLEMS_BORNE else ""
        return [*self._first, f"and {more:,} more problems{rest}"] if more else self._first


class _Content:
    """The pieces of a file's content, and what is known of it once they have come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.size = 0
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
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


def _cut_calls(content: _Content, wanted: Wanted) -> Iterator[list[Call]]:
    records: list[bytes] = []
    size = 0
    for record in _cut_records(content, wanted.needles):
        records.append(record)
        size += len(record)
        if size > _PARSED_AT_ONCE:
            yield _calls_of(records, wanted)
            records, size = [], 0
    yield _calls_of(records, wanted)


def _calls_of(records: list[bytes], wanted: Wanted) -> list[Call]:
    """Return the wanted calls of some records: of many at a time, for the processor's cache."""
    keep_record, wants = wanted.keeps_record, wanted.wants
    try:
        calls = [call_of(record, keep_record=keep_record) for record in records]
    except RecordError:
        raise _NotCuttableError from None
    return [call for call in calls if wants(call)]


def _cut_records(content: _Content, needles: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield what begins like a record, up to the next such, where it holds one of the needles."""
    window = next(content, b"")
    form = next((form for form in _FORMS if window.startswith(form + _START)), None)
    if form is None:
        raise _NotCuttableError
    head = len(form)
    for piece in content:
        end = _last_start(window, head)
        if end > head:
            yield from _cut(window, head, end, needles)
        # The last record goes on in this piece.
        start = _first_start(piece)
        if start > 0:
            seam = window[end:] + piece[:start]
            yield from _cut(seam, 0, len(seam), needles)
            window, head = piece, start
        elif len(window) - end > LONGEST_VALUE:
            raise _NotCuttableError
        else:
            window, head = window[end:] + piece, 0
    if content.damage:
        raise _NotCuttableError
    yield from _cut(window, head, _end_of_records(window, _FORMS[form]), needles)


def _last_start(window: bytes, head: int) -> int:
    """Return where the last record starts that follows another one, or `head`."""
    start = window.rfind(_START, head)
    while start > head and not _follows_record(window, start):
        start = window.rfind(_START, head, start)
    return max(start, head)


def _first_start(window: bytes) -> int:
    """Return where the first record starts that follows another one, or -1."""
    start = window.find(_START)
    while start >= 0 and not _follows_record(window, start):
        start = window.find(_START, start + 1)
    return start


def _follows_record(window: bytes, start: int) -> bool:
    """Return whether what starts here follows another object; a member's value and a list's first element don't."""
    if window[start - 2 : start] == b"},":  # as CloudTrail has it
        return True
    while start and window[start - 1] in _SEPARATORS:
        start -= 1
    return window.endswith(b"}", 0, start)


def _end_of_records(window: bytes, closing: bytes) -> int:
    """Return where the last record ends, or 0 where the file doesn't close as it opened."""
    end = len(window)
    while end and window[end - 1] in _SPACE:
        end -= 1
    return end - len(closing) if window.endswith(b"}" + closing, 0, end) else 0


def _cut(window: bytes, head: int, end: int, needles: tuple[bytes, ...]) -> list[bytes]:
    """Return the records with a needle of a window whose first record starts at `head`, and whose last one ends at `end`."""
    if end <= head:
        raise _NotCuttableError
    # A writer that escapes letters would hide what is searched for; CloudTrail's doesn't.
    if stringzilla.find(window, _ESCAPE, head, end) >= 0 and _ESCAPED_ASCII.search(window, head, end):
        raise _NotCuttableError
    stops: dict[int, int] = {}
    for needle in needles:
        at = stringzilla.find(window, needle, head)
        while 0 <= at < end:
            start = window.rfind(_START, head, at + len(_START))
            if start != head and (start < head or not _follows_record(window, start)):
                raise _NotCuttableError
            following = stringzilla.find(window, _START, start + 1)
            stops[start] = stop = following if 0 <= following < end else end
            at = stringzilla.find(window, needle, stop)
    return [window[start : stops[start]].rstrip(_SEPARATORS) for start in sorted(stops)]


# The thorough way: every value of the file.


def _parsed_calls(content: _Content, wanted: Wanted, problems: _Problems) -> Iterator[list[Call]]:
    parser = _Parser(wanted, problems)
    for piece in content:
        yield from parser.calls(piece)
    if content.damage:
        problems.close()  # the half record at the end is of that damage
    yield from parser.calls(b"", last=True)
    parser.check_end()


class _Parser:
    """Finds the wanted calls in content of any form that records are kept in, and what is wrong with it."""

    def __init__(self, wanted: Wanted, problems: _Problems) -> None:
        self._wanted = wanted
        self._needles = wanted.needles
        self._problems = problems
        self._values = ValueReader(problems.add)
        # What isn't UTF-8 passes, and is refused with the record that it stands in.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._is_start = True

    def calls(self, content: bytes, *, last: bool = False) -> Iterator[list[Call]]:
        text = self._decoder.decode(content, last)
        if self._is_start and text:
            text, self._is_start = text.removeprefix("\ufeff"), False
        for value in self._values.feed(text, last=last):
            for call in self._calls_in(value.encode("utf-8", "surrogateescape")):
                yield [call]

    def check_end(self) -> None:
        if self._values.is_blank:
            self._problems.add("empty file, but for white space")
        if self._values.depth > 0:
            self._problems.add("the JSON ends too early")
        elif self._values.depth < 0:
            self._problems.add("the JSON has more closing brackets than opening ones")

    def _calls_in(self, value: bytes) -> Iterator[Call]:
        """Yield the wanted calls of a value; what is wrong with one of several records costs only that one."""
        try:
            members = msgspec.json.decode(value, type=dict[str, Raw])
            if "userIdentity" in members or "eventVersion" in members or "eventName" in members:
                if (call := self._call_of(value, members)) and self._wanted.wants(call):
                    yield call
                inner: list[Raw] = []
            elif "CloudTrailEvent" in members:  # as LookupEvents wraps it
                inner = [Raw(msgspec.json.decode(members["CloudTrailEvent"], type=str).encode())]
            elif "detail" in members:  # as EventBridge wraps it
                inner = [members["detail"]]
            elif "Records" in members or "Events" in members:
                inner = msgspec.json.decode(members.get("Records") or members["Events"], type=list[Raw])
            else:
                inner = []
                if "digestStartTime" not in members:
                    keys = ", ".join(sorted(members)[:5])
                    self._problems.add(f"no CloudTrail record, but an object with {keys or 'nothing in it'}")
            for each in inner:
                yield from self._calls_in(bytes(each))
        except (RecordError, msgspec.DecodeError) as error:
            self._problems.add(str(error))
        except UnicodeDecodeError:
            self._problems.add("a record with invalid UTF-8")
        except RecursionError:
            self._problems.add("a record that is nested too deep")

    def _call_of(self, record: bytes, members: dict[str, Raw]) -> Call | None:
        # An insight tells of many calls, and of no caller.
        if "userIdentity" not in members and "AwsCloudTrailInsight" in _text(members.get("eventType")):
            return None
        return call_of(record, keep_record=self._wanted.keeps_record) if self._mentions(record) else None

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
