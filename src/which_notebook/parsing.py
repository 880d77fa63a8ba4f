"""The thorough way: parses every value of a file, and finds the wanted calls in whatever form its records have."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from .content import Content, Problems
from .json_values import ESCAPED_ASCII, ValueReader
from .record import Call, RecordError, call_of
from .wanted import Wanted


def parsed_calls(content: Content, wanted: Wanted, problems: Problems) -> Iterator[Call]:
    """Yield the wanted calls of all of the content; raises TooManyProblemsError as `problems` does."""
    parser = _Parser(wanted, problems)
    for piece in content:
        yield from parser.calls(piece)
    if content.damage:
        problems.close()  # the half record at the end is of that damage
    yield from parser.calls(b"", last=True)
    parser.check_end()


class _Parser:
    """Finds the wanted calls in content of any form that records are kept in, and what is wrong with it."""

    def __init__(self, wanted: Wanted, problems: Problems) -> None:
        self._wanted = wanted
        self._needles = wanted.needles
        self._problems = problems
        self._values = ValueReader(problems.add)
        # What isn't UTF-8 passes, and is refused with the record that it stands in.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._is_start = True

    def calls(self, content: bytes, *, last: bool = False) -> Iterator[Call]:
        text = self._decoder.decode(content, last)
        if self._is_start and text:
            text, self._is_start = text.removeprefix("\ufeff"), False
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
        if not ESCAPED_ASCII.search(record):
            return False
        plain = msgspec.json.encode(msgspec.json.decode(record))
        return any(needle in plain for needle in self._needles)


def _text(value: Raw | None) -> str:
    try:
        return msgspec.json.decode(value, type=str) if value else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
