"""The thorough way: parses every value of a file, in whatever shape its records are."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import msgspec

from ..calls.call import Call
from ..calls.search import Search
from .cloudtrail import RecordError, call_of
from .content import Content, Problems
from .json_values import ESCAPED_ASCII, ValueReader
from .shapes import UNREADABLE, is_record, members_of, text_of, unwrapped, values_in


def parsed_calls(content: Content, search: Search, problems: Problems) -> Iterator[Call]:
    """Yield the wanted calls of all of the content; raises TooManyProblemsError as `problems` does."""
    parser = _Parser(search, problems)
    for piece in content:
        yield from parser.calls(piece)
    if content.damage:
        problems.close()  # the half record at the end is of that damage
    yield from parser.calls(b"", last=True)
    parser.check_end()


class _Parser:
    """Finds the wanted calls in content of any form that records are kept in, and what is wrong with it."""

    def __init__(self, search: Search, problems: Problems) -> None:
        self._search = search
        self._needles = search.needles
        self._problems = problems
        self._values = ValueReader(problems.add)
        # What isn't UTF-8 passes, and is refused with the record that it stands in.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._is_start = True

    def calls(self, content: bytes, *, last: bool = False) -> Iterator[Call]:
        text = self._decoder.decode(content, last)
        if self._is_start and text:
            text, self._is_start = text.removeprefix("\ufeff"), False
        self._problems.has_read(len(text))
        for value in self._values.feed(text, last=last):
            yield from self._calls_in(value.encode("utf-8", "surrogateescape"))

    def check_end(self) -> None:
        if self._values.is_blank:
            self._problems.add("empty file, but for white space")
        if self._values.depth > 0:
            self._problems.add("the JSON ends too early")
        elif self._values.depth < 0:
            self._problems.add("the JSON has more closing brackets than opening ones")

    def _calls_in(self, value: bytes) -> Iterator[Call]:
        """Yield the wanted calls of a record, or of what wraps some; what is wrong with one costs only that one."""
        try:
            values = values_in(value)
        except UNREADABLE as error:
            self._problems.add(_reason(error))
            return
        for each in values:
            try:
                if (call := self._call_in(each)) and self._search.matches(call):
                    yield call
            except (RecordError, *UNREADABLE) as error:
                self._problems.add(_reason(error))

    def _call_in(self, value: bytes) -> Call | None:
        """Return the call of a record that stands by itself, or is the one thing that its wrapper holds."""
        record = unwrapped(value)
        if record is None:
            return None
        members = members_of(record)
        if is_record(members):
            # An insight tells of many calls, and of no caller.
            if "userIdentity" not in members and "AwsCloudTrailInsight" in text_of(members.get("eventType")):
                return None
            if not self._mentions(record):
                return None
            search = self._search
            return call_of(record, keep_record=search.keeps_record, with_resources=search.with_resources)
        if "digestStartTime" not in members:
            keys = ", ".join(sorted(members)[:5])
            self._problems.add(f"no CloudTrail record, but an object with {keys or 'nothing in it'}")
        return None

    def _mentions(self, record: bytes) -> bool:
        if any(needle in record for needle in self._needles):
            return True
        if not ESCAPED_ASCII.search(record):
            return False
        plain = msgspec.json.encode(msgspec.json.decode(record))
        return any(needle in plain for needle in self._needles)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a record with invalid UTF-8"
    return "a record that is nested too deep" if isinstance(error, RecursionError) else str(error)
