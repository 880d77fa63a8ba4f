"""Puts the audit's rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, TypeVar

import msgspec

from ..answers.safe_text import printable
from ..answers.text_table import row_text, widths_of
from .account import Unread
from .changes import is_command
from .domain_verdicts import DomainRow
from .verdicts import VERDICTS, Row

_TABLE = ("notebook", "region", "verdict", "script", "mode", "root access", "role")
_DOMAINS = ("studio domain", "region", "verdict", "source identity", "role")
_FLAT = tuple(name for name in Row.__struct_fields__ if name != "findings")

_FLAT_OF_DOMAINS = tuple(name for name in DomainRow.__struct_fields__ if name != "findings" and name not in _FLAT)

_AnyRow = TypeVar("_AnyRow", Row, DomainRow)


class AuditAnswer:
    """What `audit` answers: a row for each notebook instance and Studio domain with its findings, and what couldn't be read."""

    def __init__(
        self,
        instances: list[Row],
        unread: Collection[Unread],
        domains: Sequence[DomainRow] = (),
        addresses: dict[str, Any] | None = None,
    ) -> None:
        self._instances, self._unread, self._domains = instances, unread, domains
        self._addresses = addresses or {}

    def write_text(self, file: BinaryIO) -> None:
        """Write a table, with the findings below each row, and one of the domains where there are any."""
        nothing = "no notebook instances in what could be read" if self._unread else "no notebook instances"
        lines = list(_lines_of(_TABLE, self._instances, _cells)) if self._instances else [nothing]
        if self._domains:
            lines += ["", *_lines_of(_DOMAINS, self._domains, _domain_cells)]
        file.write("".join(f"{line}\n" for line in lines).encode())

    def plain(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "instances": msgspec.to_builtins(self._instances),
            "studio_domains": msgspec.to_builtins(self._domains),
            "unread": msgspec.to_builtins(list(self._unread)),
            **self._addresses,
        }

    def rows(self) -> tuple[tuple[str, ...], Iterator[list[Any]]]:
        """Return a row for each notebook instance and Studio domain, with the findings in two columns."""
        every_row: list[Row | DomainRow] = [*self._instances, *self._domains]
        rows = (
            [
                *(getattr(row, name, None) for name in _FLAT),
                " | ".join(each.problem for each in row.findings),
                " | ".join(" ; ".join(each.change) for each in row.findings),
                *(getattr(row, name, None) for name in _FLAT_OF_DOMAINS),
            ]
            for row in every_row
        )
        return (*_FLAT, "problems", "changes", *_FLAT_OF_DOMAINS), rows


def _lines_of(
    header: tuple[str, ...], rows: Sequence[_AnyRow], cells_of: Callable[[_AnyRow], list[str]]
) -> Iterable[str]:
    cells = [list(header), *([printable(cell) for cell in cells_of(row)] for row in rows)]
    widths = widths_of(cells)
    for number, row in enumerate(cells):
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


def _domain_cells(row: DomainRow) -> list[str]:
    return [
        f"{row.studio_domain} {row.name}", row.region, row.verdict, row.execution_role_identity_config or "-",
        row.role_arn.rsplit("/", 1)[-1] or "-",
    ]  # fmt: skip
