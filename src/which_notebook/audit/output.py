"""Puts the audit's rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from ..answers.formats import Format, write_csv, write_json
from ..answers.safe_text import printable
from .account import Unread
from .verdicts import VERDICTS, Row

_TABLE = ("notebook", "region", "verdict", "script", "mode", "root access", "role")
_FLAT = tuple(name for name in Row.__struct_fields__ if name != "findings")


def write_audit(rows: list[Row], unread: Iterable[Unread], file: BinaryIO, form: Format) -> None:
    """Write the rows as a table with the findings below each, as JSON, or as CSV with the findings in two columns."""
    if form == "json":
        write_json({"instances": msgspec.to_builtins(rows), "unread": msgspec.to_builtins(list(unread))}, file)
    elif form == "csv":
        flat = (
            [
                *(getattr(row, name) for name in _FLAT),
                " | ".join(each.problem for each in row.findings),
                " | ".join(each.change for each in row.findings),
            ]
            for row in rows
        )
        write_csv((*_FLAT, "problems", "changes"), flat, file)
    else:
        file.write("".join(f"{line}\n" for line in _table_lines(rows)).encode())


def _table_lines(rows: list[Row]) -> Iterable[str]:
    if not rows:
        yield "no notebook instances"
        return
    cells = [[printable(cell) for cell in _cells(row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(_TABLE, *cells, strict=True)]
    for number, row in enumerate([list(_TABLE), *cells]):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for finding in rows[number - 1].findings if number else ():
            yield f"    {printable(finding.problem)}"
            yield f"      → {printable(finding.change)}"
    counts = Counter(row.verdict for row in rows)
    yield ""
    yield ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])


def _cells(row: Row) -> list[str]:
    script = f"{row.script} {row.script_version}" if row.script_version else row.script
    return [
        row.notebook, row.region, row.verdict, script, row.attribution_mode or "-", row.root_access,
        row.role_arn.rsplit("/", 1)[-1] or "-",
    ]  # fmt: skip
