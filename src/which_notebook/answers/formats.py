"""Puts calls out in the formats that people and programs read."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, Literal

from ..records.cloudtrail import CALL_FIELDS, Call
from .safe_text import csv_cell, printable

Format = Literal["table", "json", "jsonl", "csv", "parquet"]
FORMATS: tuple[Format, ...] = ("table", "json", "jsonl", "csv", "parquet")

_TABLE_FIELDS = (
    "event_time",
    "notebook",
    "status",
    "event",
    "aws_region",
    "source_ip_address",
    "error_code",
    "event_id",
)
_ROWS_MEASURED = 500
_ROWS_AT_ONCE = 10_000


class OutputError(Exception):
    """The answer can't be put out as it was asked for; the message says why and what to do."""


class FormatError(Exception):
    """It isn't said in which format to put the answer out; the message says what to write."""


@contextmanager
def output_file(path: str | None) -> Iterator[BinaryIO]:
    """Open the output: standard output, or a file, which is there whole in the end or not at all.

    Raises OutputError where the file can't be written.
    """
    if path is None or path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except OSError as error:
            # What is still held back would fail once more at Python's end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(f"can't write standard output: {error.strerror or error}") from None
        return
    import tempfile

    target = os.path.realpath(path)
    temporary: str | None = None
    try:
        # What it holds is as confidential as the logs: readable by its owner, as mkstemp makes it.
        if os.path.exists(path) and not os.path.isfile(target) and not os.path.isdir(target):
            with open(path, "wb") as device:  # such as /dev/null, which must not be replaced
                yield device
            return
        folder, name = os.path.split(target)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        with open(descriptor, "wb") as file:
            yield file
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror or error}") from None
    finally:
        if temporary:
            os.unlink(temporary)


def format_of(asked: str | None, path: str | None, otherwise: Format) -> Format:
    """Return the format: as asked for, by the file's ending, a table on a terminal, or what programs read.

    Raises FormatError where a new file's ending is another one.
    """
    if asked:
        return asked  # type: ignore[return-value]
    ending = os.path.splitext(path or "")[1].removeprefix(".").lower()
    if ending in FORMATS:
        return ending
    if ending and not os.path.exists(path or ""):
        raise FormatError(f"{path} has an ending that is no format: give --format too, one of {', '.join(FORMATS)}")
    return "table" if path is None and sys.stdout.isatty() else otherwise


def write_calls(calls: Iterable[Call], file: BinaryIO, form: Format, *, via: bool = False) -> None:
    """Write calls, all their fields in their fixed order (in a table the most telling ones); `via` adds that one."""
    fields = (*CALL_FIELDS, "via") if via else CALL_FIELDS
    rows = ({name: getattr(call, name) for name in fields} for call in calls)
    if form == "table":
        _write_table(calls, file)
    elif form == "jsonl":
        for row in rows:
            file.write(_json(row) + b"\n")
    elif form == "json":
        file.write(b"[")
        for number, row in enumerate(rows):
            file.write((b",\n" if number else b"\n") + _json(row))
        file.write(b"\n]\n")
    elif form == "csv":
        write_csv(fields, ([row[name] for name in fields] for row in rows), file)
    else:
        _write_parquet(fields, rows, file)


def write_csv(header: Iterable[str], rows: Iterable[Iterable[Any]], file: BinaryIO) -> None:
    """Write rows as CSV, in which no cell is a formula; what is None is empty."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow("" if cell is None else csv_cell(str(cell)) for cell in row)
    text.detach()


def write_json(value: Any, file: BinaryIO) -> None:
    """Write one JSON value, indented; in ASCII, so that a terminal shows it as it is."""
    file.write(json.dumps(value, indent=2).encode() + b"\n")


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode()


def _write_table(calls: Iterable[Call], file: BinaryIO) -> None:
    rows = map(_table_row, calls)
    first = list(islice(rows, _ROWS_MEASURED))
    widths = [max(map(len, column)) for column in zip(_TABLE_FIELDS, *first, strict=True)]
    for row in chain([_TABLE_FIELDS], first, rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        file.write(line.rstrip().encode() + b"\n")


def _table_row(call: Call) -> tuple[str, ...]:
    event = f"{call.event_source.removesuffix('.amazonaws.com')}:{call.event_name}"
    notebook = call.notebook or (f"({call.session_name})" if call.status == "unknown-name" else "-")
    cells = (
        call.event_time, notebook, call.status, event, call.aws_region, call.source_ip_address, call.error_code, call.event_id,
    )  # fmt: skip
    return tuple(printable(cell or "-") for cell in cells)


def _write_parquet(fields: tuple[str, ...], rows: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OutputError("the format parquet needs pyarrow: pip install pyarrow, or choose another --format") from None
    if file.isatty():
        raise OutputError("parquet is binary: give --output FILE")
    types = {"event_time": pyarrow.timestamp("us", tz="UTC")}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in fields])
    text = pyarrow.schema([(name, pyarrow.string()) for name in fields])
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=text).cast(schema))
