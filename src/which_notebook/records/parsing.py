"""The thorough way: parses every value of a file, in whatever shape its records are."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from ..calls.call import Call
from ..calls.search import Search
from . import access_log, rows
from .cloudtrail import RecordError, call_of
from .content import Content, Problems
from .decompress import DamagedFileError
from .forms import HEAD_BYTES, begins_as_json, other_form, unread_text
from .json_values import ValueReader
from .particulars import decoded
from .record_text import ESCAPED_ASCII
from .shapes.unwrap import Unwrapper
from .shapes.wrappers import LOGGED


def parsed_calls(content: Content, search: Search, problems: Problems) -> Iterator[Call]:
    """Yield the matching calls of all of the content; raises TooManyProblemsError as `problems` does."""
    head = b""
    for piece in content:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    content.put_back(head)
    if access_log.begins_as_access_log(head):
        yield from access_log.calls_in(content, search, problems)
    elif delimiter := rows.delimiter_of(head):
        parser = _Parser(search, problems)
        for row in rows.of_csv(content, delimiter, problems):
            yield from parser.calls_of_row(row)
    elif form := unread_text(head):
        problems.add(f"not a log in a supported form: {form}")
    else:
        yield from _calls_of_json(content, head, search, problems)


def parquet_calls(file: BinaryIO, search: Search, problems: Problems) -> Iterator[Call]:
    """Yield the matching calls of a Parquet file."""
    parser = _Parser(search, problems)
    try:
        for row in rows.of_parquet(file, problems):
            yield from parser.calls_of_row(row)
    except DamagedFileError as error:
        problems.add(str(error))


def _calls_of_json(content: Content, head: bytes, search: Search, problems: Problems) -> Iterator[Call]:
    parser = _Parser(search, problems, None if begins_as_json(head) else other_form(head))
    for piece in content:
        yield from parser.calls(piece)
    if content.damage:
        problems.close()  # the half record at the end is of that damage
    yield from parser.calls(b"", last=True)
    parser.check_end()


class _Parser:
    """Finds the matching calls in content of any form that records are kept in, and what is wrong with it.

    `form`: what the content seems to be, where it isn't JSON from its start.
    """

    def __init__(self, search: Search, problems: Problems, form: str | None = None) -> None:
        self._search = search
        self._needles = search.needles
        self._problems = problems
        self._form = form
        self._values = ValueReader(self._report)
        self._unwrapper = Unwrapper(problems.add)
        # What isn't UTF-8 passes, and is refused with the record that it stands in.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def calls(self, content: bytes, *, last: bool = False) -> Iterator[Call]:
        text = self._decoder.decode(content, last)
        self._problems.has_read(len(text))
        for value in self._values.feed(text, last=last):
            held = LOGGED if self._values.is_logged else None
            yield from self._calls_in(self._unwrapper.records(value.encode("utf-8", "surrogateescape"), held=held))

    def calls_of_row(self, row: rows.Row) -> Iterator[Call]:
        yield from self._calls_in(self._unwrapper.row(row))

    def check_end(self) -> None:
        if self._values.is_blank:
            self._problems.add("empty file, but for white space")
        if self._values.depth > 0:
            self._problems.add("the JSON ends too early")
        elif self._values.depth < 0:
            self._problems.add("the JSON has more closing brackets than opening ones")

    def _report(self, problem: str, wasted: int) -> None:
        if self._form:  # and so is all of it, but for records that stand in it
            problem = f"not a log in a supported form: {self._form}"
        self._problems.add(problem, wasted)

    def _calls_in(self, records: Iterator[bytes]) -> Iterator[Call]:
        """Yield the matching calls of some records; what is wrong with one costs only that one."""
        search = self._search
        for record in records:
            if not self._mentions(record):
                continue
            try:
                call = call_of(
                    record,
                    keep_record=search.keeps_record,
                    with_resources=search.with_resources,
                    with_clues=search.with_clues,
                )
            except RecordError as error:
                self._problems.add(str(error))
            else:
                if search.matches(call):
                    yield call

    def _mentions(self, record: bytes) -> bool:
        if any(needle in record for needle in self._needles):
            return True
        if not _is_utf_8(record):
            return True  # whom it mentions can't be told: it is read, and named as damaged
        if not ESCAPED_ASCII.search(record):
            return False
        plain = msgspec.json.encode(decoded(record))
        return any(needle in plain for needle in self._needles)


def _is_utf_8(text: bytes) -> bool:
    try:
        str(text, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
