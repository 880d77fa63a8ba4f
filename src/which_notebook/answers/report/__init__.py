"""The report: one HTML file that works by itself, made of the page beside this module and of what the calls tell.

Whatever grows with the number of calls is spooled, so that memory doesn't grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from typing import BinaryIO

from ...calls.call import CALL_FIELDS, LIKELY_FIELDS
from ...calls.filter import Filter
from ...calls.table import CallTable
from ...judging.warnings import Warnings
from ...limits import Limits
from ...sources.coverage import Coverage
from .columns import Column, EventIds, Numbers, Texts, Times
from .head import Head
from .page import write_page

_OTHERS = ("event_id", "event_time")
_TEXT_FIELDS = (*(name for name in CALL_FIELDS if name not in _OTHERS), "via")


def write_report(
    tables: Iterable[CallTable],
    warnings: Warnings,
    role: str,
    coverage: Coverage,
    file: BinaryIO,
    limits: Limits,
    *,
    filter: Filter | None = None,
    notes: Callable[[], Iterable[str]] = tuple,
    likely: bool = False,
) -> None:
    """Write the page of some judged calls, the oldest first. `warnings` and `coverage` are complete once `tables` are at their end.

    The page says what `filter` the calls fit. `notes` is called once all was read, and gives sentences for the page's reader.
    With `likely` the lane of the unattributed calls has parts. Of more calls than `limits` allow the page holds the oldest
    only, and says so; its counts by notebook are of all.
    """
    head = Head(limits.lanes, likely=likely)
    fields = (*_TEXT_FIELDS, *(LIKELY_FIELDS if likely else ()))
    lanes = Numbers(limits)
    of_calls: dict[str, Column] = {"event_id": EventIds(limits), "event_time": Times(limits)}
    of_calls |= {name: Texts(limits) for name in fields}
    columns = {"lane": lanes, **of_calls}
    held = 0
    with ExitStack() as stack:
        for column in columns.values():
            stack.enter_context(closing(column))
        for table in tables:
            head.summary.add(table)
            shown = min(len(table), limits.report_calls - held)
            held += shown
            lanes.add(head.lanes(table)[:shown])
            for name, column in of_calls.items():
                column.add(table[name][:shown])
        plain = head.plain(role, coverage, warnings, filter or Filter(), notes())
        write_page({**plain, "held": held}, {name: column.json() for name, column in columns.items()}, file)
