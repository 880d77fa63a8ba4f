"""What `calls` answers: a row for each call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from ..calls.call import CALL_FIELDS, LIKELY_FIELDS, Call, shown_event
from ..calls.table import CallTable
from ..judging.statuses import lane_of, name_shown
from .safe_text import printable
from .text_table import row_text, widths_of

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


class CallsAnswer:
    """Judged calls with all their fields, in their fixed order; the text has the most important ones. It can be written once.

    `via` adds that field, and `likely` what evidence says of unattributed calls.
    """

    def __init__(self, tables: Iterable[CallTable], *, via: bool = False, likely: bool = False) -> None:
        self._tables = tables
        self._fields = (*CALL_FIELDS, *(("via",) if via else ()), *(LIKELY_FIELDS if likely else ()))
        self._likely = likely

    def plain(self) -> Iterator[dict[str, Any]]:
        """Yield an object for each call."""
        names, rows = self.rows()
        for row in rows:
            yield dict(zip(names, row, strict=True))

    def rows(self) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
        """Return the fields' names, and their values of each call."""
        return self._fields, (row for table in self._tables for row in table.rows(self._fields))

    def write_text(self, file: BinaryIO) -> None:
        """Write a line for each call; the first ones say how wide the columns are."""
        header = (*_TABLE_FIELDS, *LIKELY_FIELDS) if self._likely else _TABLE_FIELDS
        rows = (_cells(call, likely=self._likely) for table in self._tables for call in table.calls())
        first = list(islice(rows, _ROWS_MEASURED))
        widths = widths_of([header, *first])
        for row in chain([header], first, rows):
            file.write(row_text(row, widths).rstrip().encode() + b"\n")


def _cells(call: Call, *, likely: bool) -> tuple[str, ...]:
    event = shown_event(call.event_source, call.event_name)
    shown = name_shown(call.notebook, call.user_profile, call.session_name)
    is_of_a_name = lane_of(call.status, call.user_profile).is_of_a_name
    notebook = call.notebook or (f"({shown})" if is_of_a_name else "-")
    cells = (
        call.event_time, notebook, call.status, event, call.aws_region, call.source_ip_address, call.error_code, call.event_id,
        *((call.likely_notebook, call.likely_evidence) if likely else ()),
    )  # fmt: skip
    return tuple(printable(cell or "-") for cell in cells)
