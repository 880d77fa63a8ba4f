"""The formats of answers: one row for each, with the commands that have it. Help, errors and writing read it here."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from ..errors import UsageError
from .output_file import OutputError, output_file
from .safe_text import csv_cell, joined

_ROWS_AT_ONCE = 10_000
_CELLS_AT_MOST = 1_000

Header = tuple[str, ...]


class Answer(Protocol):
    """What a command answers with; it has what the formats of its command need."""

    def write_text(self, file: BinaryIO) -> None:
        """Write it as a person reads it."""

    def plain(self) -> Any:
        """Return it as JSON has it; an iterator of objects where there may be any number of them."""

    def rows(self) -> tuple[Header, Iterable[Iterable[Any]]]:
        """Return it as a table: the header, and the rows' values."""


class Format(Struct, frozen=True):
    """One format: its name, which is also a file's ending; the commands that have it; what writes it."""

    name: str
    commands: tuple[str, ...]
    write: Callable[[Answer, BinaryIO], None]


def write_answer(answer: Answer, form: Format, path: str | None) -> None:
    """Write an answer to a file, or to standard output. Raises OutputError where that can't be done."""
    with output_file(path) as file:
        form.write(answer, file)


def formats_of(command: str) -> tuple[str, ...]:
    """Return the names of the formats that a command has."""
    return tuple(form.name for form in FORMATS if command in form.commands)


def default_format(command: str) -> str:
    """Return the name of the format for programs: what is written unless something else is asked for."""
    return "jsonl" if "jsonl" in formats_of(command) else "json"


def format_of(command: str, name: str | None, path: str | None) -> Format:
    """Return the format: as asked for, by the file's ending, a table on a terminal, or what programs read.

    Raises UsageError where a new file's ending is none of the command's formats.
    """
    ending = os.path.splitext(path or "")[1].removeprefix(".").lower()
    if name is None and ending in _BY_NAME and command not in _BY_NAME[ending].commands:
        raise UsageError(f"{command} has no format {ending}: choose {_either(formats_of(command))}")
    if name is None and ending and ending not in _BY_NAME and not os.path.exists(path or ""):
        names = ", ".join(formats_of(command))
        raise UsageError(f"{path} has an ending that is no format: give --format too, one of {names}")
    by_ending = ending if ending in _BY_NAME else None
    to_terminal = "table" if path is None and sys.stdout.isatty() else None
    return _BY_NAME[name or by_ending or to_terminal or default_format(command)]


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def write_json(value: Any, file: BinaryIO) -> None:
    """Write one JSON value, indented; in ASCII, so that a terminal shows it as it is."""
    import json

    file.write(json.dumps(value, indent=2).encode() + b"\n")


def _write_table(answer: Answer, file: BinaryIO) -> None:
    answer.write_text(file)


def _write_json(answer: Answer, file: BinaryIO) -> None:
    value = answer.plain()
    if not isinstance(value, Iterator):
        write_json(value, file)
        return
    file.write(b"[")
    for number, line in enumerate(_lines(value)):
        file.write((b",\n" if number else b"\n") + line)
    file.write(b"\n]\n")


def _write_jsonl(answer: Answer, file: BinaryIO) -> None:
    for line in _lines(answer.plain()):
        file.write(line + b"\n")


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    import json

    encode = json.JSONEncoder(separators=(",", ":")).encode
    return (encode(row).encode() for row in rows)


def _write_csv(answer: Answer, file: BinaryIO) -> None:
    """Write rows in which no cell is a formula; what is None is empty."""
    import csv

    header, rows = answer.rows()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(header)
    # Most texts come again and again.
    shown = lru_cache(_CELLS_AT_MOST, typed=True)(_csv_cell)
    for row in rows:
        writer.writerow(map(shown, row))
    text.detach()


def _csv_cell(cell: object) -> str:
    return "" if cell is None else csv_cell(joined(cell))


def _write_parquet(answer: Answer, file: BinaryIO) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OutputError("the format parquet needs pyarrow: pip install pyarrow, or choose another --format") from None
    if file.isatty():
        raise OutputError("parquet is binary: give --output FILE")
    header, rows = answer.rows()
    lists = {"resources": pyarrow.list_(pyarrow.string())}
    types = {"event_time": pyarrow.timestamp("us", tz="UTC")} | lists
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in header])
    text = pyarrow.schema([(name, lists.get(name, pyarrow.string())) for name in header])
    plain = (dict(zip(header, row, strict=True)) for row in rows)
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(plain, _ROWS_AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=text).cast(schema))


FORMATS = (
    Format("table", ("summary", "calls", "event", "roles", "finding", "audit"), _write_table),
    Format("json", ("summary", "calls", "event", "roles", "finding", "audit"), _write_json),
    Format("jsonl", ("calls",), _write_jsonl),
    Format("csv", ("summary", "calls", "roles", "audit"), _write_csv),
    Format("parquet", ("calls",), _write_parquet),
)
_BY_NAME = {form.name: form for form in FORMATS}
