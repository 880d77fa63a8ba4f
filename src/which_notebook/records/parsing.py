"""The thorough way: parses every value of a file, and finds the wanted calls in whatever form its records have."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw

from ..calls.search import Wanted
from .cloudtrail import Call, RecordError, call_of
from .content import Content, Problems
from .json_values import ESCAPED_ASCII, ValueReader


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
            members = msgspec.json.decode(value, type=dict[str, Raw])
            if not _is_record(members) and ("Records" in members or "Events" in members):
                each: Iterable[Raw] = msgspec.json.decode(members.get("Records") or members["Events"], type=list[Raw])
            else:
                each = [Raw(value)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._problems.add(_reason(error))
            return
        for one in each:
            try:
                if (call := self._call_in(bytes(one))) and self._wanted.wants(call):
                    yield call
            except (RecordError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._problems.add(_reason(error))

    def _call_in(self, value: bytes) -> Call | None:
        """Return the call of a record that stands by itself, or is the one thing that its wrapper holds."""
        members = msgspec.json.decode(value, type=dict[str, Raw])
        if "CloudTrailEvent" in members and not _is_record(members):  # as LookupEvents wraps it
            value = msgspec.json.decode(members["CloudTrailEvent"], type=str).encode()
            members = msgspec.json.decode(value, type=dict[str, Raw])
        elif "detail" in members and not _is_record(members):  # as EventBridge wraps it
            if not _is_from_aws(members.get("source")):
                return None
            value = bytes(members["detail"])
            members = msgspec.json.decode(value, type=dict[str, Raw])
        if _is_record(members):
            return self._call_of(value, members)
        if "digestStartTime" not in members:
            keys = ", ".join(sorted(members)[:5])
            self._problems.add(f"no CloudTrail record, but an object with {keys or 'nothing in it'}")
        return None

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


def _is_record(members: dict[str, Raw]) -> bool:
    return "userIdentity" in members or "eventVersion" in members or "eventName" in members


def _is_from_aws(source: Raw | None) -> bool:
    """Return whether AWS itself put an event on the bus; who else does must name another source, or is a partner."""
    return source is None or (_text(source).startswith("aws.") and not _text(source).startswith("aws.partner/"))


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a record with invalid UTF-8"
    return "a record that is nested too deep" if isinstance(error, RecursionError) else str(error)


def _text(value: Raw | None) -> str:
    try:
        return msgspec.json.decode(value, type=str) if value else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
