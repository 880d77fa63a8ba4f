"""Records that lie in rows of columns: CSV, as Athena, Sentinel and others export it, and Parquet, as Security Lake keeps it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from ..errors import uncapitalized
from .content import Content, Problems
from .decompress import DamagedFileError
from .record_text import LONGEST_VALUE
from .shapes import columns
from .shapes.wrappers import WRAPPERS
from .whole_lines import in_whole_lines

Row = dict[str, Any]
"""A row's values by the names of their columns."""

_DELIMITERS = ",;\t|"
_ROWS_AT_ONCE = 500
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# What Excel takes from the first line of a CSV file.
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=.\r?\n", re.IGNORECASE)
# CloudWatch Logs' console exports a log's events so.
_LOG_EVENTS = {"timestamp", "message"}
# What the console's download of the event history has of a caller is no ARN.
_WITHOUT_CALLER = {"Event name", "Event time", "User name"}
# Columns that hold a record as it was.
_ORIGINALS = frozenset(wrapper.members[0] for wrapper in WRAPPERS if len(wrapper.members) == 1)
_KNOWN_AT_LEAST = 3
_NAME = re.compile(r"[@\w][\w.@ \[\]-]{0,99}")
_LONGEST_HEADER = 16 * 1024


def delimiter_of(head: bytes) -> str | None:
    """Return what separates the columns of a file that begins so; None where no columns of records stand in its first line."""
    text = head[:_LONGEST_HEADER].decode("utf-8", "replace").lstrip("\r\n")
    separator = _SEPARATOR_LINE.match(text)
    first = re.split(r"[\r\n]", text[separator.end() :].lstrip("\r\n") if separator else text, maxsplit=1)[0]
    if first.startswith(("{", "[")):
        return None
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):
            if has_records(next(csv.reader([first], delimiter=delimiter), [])):
                return delimiter
    return None


def has_records(names: list[str]) -> bool:
    """Return whether columns of these names hold records; what isn't a name, such as a record's text, makes it none."""
    if not all(map(_NAME.fullmatch, names)) or set(names) >= _WITHOUT_CALLER:
        return False
    return (
        columns.known(names) >= _KNOWN_AT_LEAST
        or not _ORIGINALS.isdisjoint(names)
        or set(names) == _LOG_EVENTS
        or {"class_uid", "actor", "api"} <= set(names)
    )


def of_csv(content: Content, delimiter: str, problems: Problems) -> Iterator[Row]:
    """Yield the rows by the names of their columns."""
    csv.field_size_limit(LONGEST_VALUE)
    reader = csv.reader(_lines(content, problems), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            problems.add(f"damaged CSV in line {reader.line_num:,} ({error})", LONGEST_VALUE)
            continue
        if row is None:
            return
        if header is None and row and not _SEPARATOR_LINE.match(f"{delimiter.join(row)}\n"):
            header = ["@message" if name == "message" else name for name in row] if set(row) == _LOG_EVENTS else row
        elif row and row != header and header:
            if len(row) != len(header):
                problems.add(f"damaged CSV in line {reader.line_num:,} ({len(row)} columns of {len(header)})")
            else:
                yield {name: value for name, value in zip(header, row, strict=True) if value}


def of_parquet(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """Yield the rows of a Parquet file by the names of their columns; `file` can be read from its end."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise DamagedFileError("a Parquet file: install which-notebook[parquet]") from None
    try:
        table = parquet.ParquetFile(file)
        if not has_records(table.schema_arrow.names):
            raise DamagedFileError("a Parquet file without the columns of CloudTrail's records")
        for batch in table.iter_batches(_ROWS_AT_ONCE):
            problems.has_read(batch.nbytes)
            for row in batch.to_pylist():
                yield {name: value for name, value in row.items() if value is not None}
    except (ArrowException, OSError) as error:
        reason = uncapitalized(str(error).split("\n", 1)[0].rstrip("."))
        raise DamagedFileError(f"damaged Parquet file ({reason})") from None


def _lines(content: Content, problems: Problems) -> Iterator[str]:
    """Yield the lines; a field may hold letters that Python takes for an end of line."""
    for _, lines in in_whole_lines(content, problems):
        yield from _LINE.findall(lines.decode("utf-8", "replace"))
