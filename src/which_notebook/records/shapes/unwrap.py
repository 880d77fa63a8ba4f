"""Finds the records in a value, whatever it is wrapped in."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from . import columns, ocsf
from .members import UNREADABLE, Members, is_record, members_of, text_of, values_of
from .wrappers import IN_A_TEXT, NOTHING_ELSE, OCSF, Held, wrapper_named, wrapper_of

_DEEPEST = 10
_TEXT_BYTES = 16 * 1024 * 1024
# What base64 makes of gzip's mark.
_GZIP_IN_BASE64 = "H4sI"
_NEITHER = "neither a record nor a list of records"
# Members that hold the record as it was, whatever stands beside them.
_ORIGINALS = ("CloudTrailEvent", "@message", "_raw", "event.original", "eventJson", "eventjson")
_Found = tuple[bytes, Held, bool]
"""What is found: a value, what it may be, and whether it is a record."""
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Unwrapper:
    """Finds the records of one file's values; `report` is told what is wrong with one, and it costs only that one."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._header: list[str] | None = None

    def records(self, value: bytes, depth: int = 0, held: Held = None) -> Iterator[bytes]:
        """Yield the records in a value: objects as CloudTrail writes them, or as it would have; `held` says what it may be else."""
        if depth > _DEEPEST:
            self._report(f"records in more than {_DEEPEST} wrappers")
            return
        try:
            inner = list(self._inner(value, held))
        except UNREADABLE as error:
            self._report(reason_of(error))
            return
        for each, may_be, is_found in inner:
            if is_found:
                yield each
            else:
                yield from self.records(each, depth + 1, may_be)

    def row(self, row: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the records of a row of columns."""
        try:
            value = _encode(row)
        except (TypeError, ValueError, RecursionError) as error:  # of a type that JSON hasn't
            self._report(str(error))
            return
        yield from self.records(value)

    def _inner(self, value: bytes, held: Held) -> Iterator[_Found]:
        """Yield the record that a value is, or else what it wraps."""
        first = value.lstrip()[:1]
        if first == b'"':
            text, may_be = _text(_decode(value, type=str)), IN_A_TEXT if held is None else held
            if text[:1] not in (b"{", b"["):
                self._report(_NEITHER)
            else:
                yield text, may_be, False
        elif first == b"[" and held is None:
            elements = values_of(value)
            if (row := _row_of(elements)) is not None:
                yield row, None, False
            else:
                yield from ((each, None, False) for each in elements)
        elif first != b"{":
            self._report(_NEITHER)
        else:
            yield from self._of_object(value, members_of(value), held)

    def _of_object(self, value: bytes, members: Members, held: Held) -> Iterator[_Found]:
        original = next((name for name in _ORIGINALS if name in members), None)
        if original and held is None and "userIdentity" not in members:  # beside what was made of it
            around = wrapper_named(original)
            yield from ((each, around.holds, False) for each in around.wrapped(members))
        elif is_record(members):
            if (whole := _as_record(value, members, self._report)) is not None:
                yield whole, NOTHING_ELSE, True
        elif "Data" in members and len(members) == 1 and held is None:
            if (row := self._athena_row(members)) is not None:
                yield row, None, False
        elif ocsf.is_event(members) and (held is None or OCSF in held):
            if (record := ocsf.record_of(_decode(value))) is not None:
                yield _without_nulls(record), NOTHING_ELSE, True
        elif held is None and columns.is_row(members):
            yield _encode(columns.record_of(_decode(value), self._report)), NOTHING_ELSE, True
        elif wrapper := wrapper_of(members, held):
            inner = wrapper.wrapped(members)
            if not inner and "event" in wrapper.members:
                inner = _elastic(value, self._report)
            yield from ((each, wrapper.holds, False) for each in inner)
        elif "digestStartTime" not in members:
            self._report(f"no CloudTrail record, but {_described(members)}")

    def _athena_row(self, members: Members) -> bytes | None:
        """Return a row of Athena's results by the names of its columns, which the first row has."""
        cells = [text_of(members_of(cell).get("VarCharValue")) for cell in values_of(members["Data"])]
        if self._header is None:
            self._header = cells
        if cells == self._header:  # also of another page
            return None
        return _encode(dict(zip(self._header, cells, strict=False)))


def reason_of(error: Exception) -> str:
    """Return why a value can't be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return "a record with invalid UTF-8"
    return "a record that is nested too deep" if isinstance(error, RecursionError) else str(error)


def _as_record(value: bytes, members: Members, report: Callable[[str], None]) -> bytes | None:
    """Return a record as CloudTrail writes it; None for an insight, which tells of many calls, and of no caller."""
    identity = members.get("userIdentity")
    if identity is None:
        if "AwsCloudTrailInsight" in text_of(members.get("eventType")):
            return None
        # Some fields of a record, selected: their names tell what they were.
        if columns.is_row(members) and any("." in name for name in members):
            return _encode(columns.record_of(_decode(value), report))
    elif bytes(identity).lstrip()[:1] == b'"' and columns.known(members) >= 3:
        rewritten = columns.record_of(_decode(value), report)
        return _encode(rewritten) if isinstance(rewritten.get("userIdentity"), dict) else value
    if "eventTime" not in members and "@timestamp" in members:
        # Logstash takes the time away, and keeps it so: https://www.elastic.co/guide/en/logstash/current/plugins-codecs-cloudtrail.html
        return _encode({**_decode(value, type=Members), "eventTime": members["@timestamp"]})
    return value


def _row_of(elements: list[bytes]) -> bytes | None:
    """Return a row as an object: Insights' fields with values, or CloudTrail Lake's objects of one member each."""
    if not elements or not all(each.startswith(b"{") for each in elements):
        return None
    objects = [members_of(each) for each in elements]
    if all(each.keys() == {"field", "value"} for each in objects):
        return _encode({text_of(each["field"]): each["value"] for each in objects})
    names = [name for each in objects for name in each]
    if all(len(each) == 1 for each in objects) and (
        columns.known(names) >= 2 or not {"eventJson", "eventjson"}.isdisjoint(names)
    ):
        return _encode({name: value for each in objects for name, value in each.items()})
    return None


def _text(text: str) -> bytes:
    """Return a text, unpacked where it is gzip in base64, which Lambda and Kinesis get."""
    if text.startswith(_GZIP_IN_BASE64):
        try:
            return zlib.decompressobj(wbits=31).decompress(base64.b64decode(text), _TEXT_BYTES).lstrip()
        except (ValueError, zlib.error):
            return b""
    return text.strip().encode("utf-8", "surrogatepass")


def _elastic(value: bytes, report: Callable[[str], None]) -> list[bytes]:
    """Return an event of Elastic's that kept no original, as a record."""
    event = _decode(value)
    flat = dict(_dotted(event))
    return [_encode(columns.record_of(flat, report))] if columns.is_row(flat) else []


def _dotted(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict) and depth < _DEEPEST:
            yield from _dotted(inner, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, inner


def _without_nulls(record: dict[str, Any]) -> bytes:
    return _encode({name: value for name, value in record.items() if value is not None})


def _described(members: Members) -> str:
    names = {name[:1].lower() + name[1:] for name in members}
    is_finding = "accountId" in names and not names.isdisjoint(("resource", "service", "schemaVersion"))
    if is_finding or "findings" in names or {"awsAccountId", "resources"} <= names:  # of GuardDuty, or Security Hub's
        return "a GuardDuty finding: give it to `which-notebook finding`"
    return f"an object with {', '.join(sorted(members)[:5]) or 'nothing in it'}"
