"""Puts the audit's rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from ..answers.safe_text import printable
from ..answers.text_table import row_text, widths_of
from .account import Unread
from .changes import is_command
from .verdicts import VERDICTS, Row

_TABLE = ("notebook", "region", "verdict", "script", "mode", "root access", "role")
_FLAT = tuple(name for name in Row.__struct_fields__ if name != "findings")


class AuditAnswer:
    """What `audit` answers: a row for each notebook instance with its findings, and what couldn't be read."""

    def __init__(self, instances: list[Row], unread: Iterable[Unread], addresses: dict[str, Any] | None = None) -> None:
        self._instances, self._unread = instances, unread
        self._addresses = addresses or {}

    def write_text(self, file: BinaryIO) -> None:
        """Write a table, with the findings below each row."""
        file.write("".join(f"{line}\n" for line in _table_lines(self._instances)).encode())

    def plain(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "instances": msgspec.to_builtins(self._instances),
            "unread": msgspec.to_builtins(list(self._unread)),
            **self._addresses,
        }

    def rows(self) -> tuple[tuple[str, ...], Iterator[list[Any]]]:
        """Return a row for each notebook instance, with the findings in two columns."""
        rows = (
            [
                *(getattr(row, name) for name in _FLAT),
                " | ".join(each.problem for each in row.findings),
                " | ".join(" ; ".join(each.change) for each in row.findings),
            ]
            for row in self._instances
        )
        return (*_FLAT, "problems", "changes"), rows


def _table_lines(rows: list[Row]) -> Iterable[str]:
    if not rows:
        yield "no notebook instances"
        return
    cells = [[printable(cell) for cell in _cells(row)] for row in rows]
    widths = widths_of([_TABLE, *cells])
    for number, row in enumerate([list(_TABLE), *cells]):
        yield row_text(row, widths).rstrip()
        for finding in rows[number - 1].findings if number else ():
            yield f"    {printable(finding.problem)}"
            if is_command(finding.change[0]):
                yield "      → Run:"
            for step in finding.change:
                yield f"{'        ' if is_command(step) else '      → '}{printable(step)}"
    counts = Counter(row.verdict for row in rows)
    yield ""
    yield ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])


def _cells(row: Row) -> list[str]:
    script = f"{row.script} {row.script_version}" if row.script_version else row.script
    return [
        row.notebook, row.region, row.verdict, script, row.attribution_mode or "-", row.root_access,
        row.role_arn.rsplit("/", 1)[-1] or "-",
    ]  # fmt: skip
