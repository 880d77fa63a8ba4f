"""The report: one HTML file that works by itself, made of the page beside this module and of what the calls tell.

Whatever grows with the number of calls is spooled, so that memory doesn't grow with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from operator import attrgetter
from typing import BinaryIO

from ...calls.filter import Question
from ...calls.table import CallTable
from ...judging.warnings import Signs
from ...reading.reader import Reading
from ...records.cloudtrail import CALL_FIELDS
from .columns import EventIds, Numbers, Texts, Times
from .head import Head
from .page import write_page

CALLS_AT_MOST = 1_000_000
"""How many calls the page holds; its counts by notebook are of all."""

_OTHERS = ("event_id", "event_time")
_TEXT_FIELDS = (*(name for name in CALL_FIELDS if name not in _OTHERS), "via")


def write_report(
    tables: Iterable[CallTable],
    signs: Signs,
    role: str,
    reading: Reading,
    file: BinaryIO,
    question: Question | None = None,
    *,
    at_most: int = CALLS_AT_MOST,
) -> None:
    """Write the page. `signs` and `reading` need be complete only once `tables`, of judged calls, the oldest first, are at their end.

    `question` is what was asked, for the page to say. Of more than `at_most` calls the page holds the oldest, and says so.
    """
    head, lanes, ids, times = Head(), Numbers(), EventIds(), Times()
    texts = {name: Texts() for name in _TEXT_FIELDS}
    columns = {"lane": lanes, "event_id": ids, "event_time": times, **texts}
    held = 0
    with ExitStack() as stack:
        for column in columns.values():
            stack.enter_context(closing(column))
        values, adders = attrgetter(*_TEXT_FIELDS), [column.add for column in texts.values()]
        for table in tables:
            head.summary.add(table)
            for call in table.calls():
                lane = head.lane(call)
                if held < at_most:
                    held += 1
                    lanes.add(lane)
                    ids.add(call.event_id)
                    times.add(call.event_time)
                    for add, value in zip(adders, values(call), strict=True):
                        add(value)
        plain = head.plain(role, reading, signs, question or Question())
        write_page({**plain, "held": held}, {name: column.json() for name, column in columns.items()}, file)
