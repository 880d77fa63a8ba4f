"""The summary as a person reads it on a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from ..judging.warnings import DETAILS_AT_MOST, Warnings
from ..sources.coverage import Coverage
from ..words import counted
from .safe_text import printable
from .summary import Summary
from .summary_row import Row
from .text_table import row_text, widths_of

_EVENTS_SHOWN = 4
_NARROWEST = 24
_NUMBERS = (1, 2, 3)
_HEADER = ("notebook", "calls", "errors", "warnings", "first seen", "last seen", "from", "most frequent")


def write_summary_table(
    summary: Summary, warnings: Warnings, role: str, coverage: Coverage, file: BinaryIO, missing: Iterable[str] = ()
) -> None:
    """Write a line for each notebook, one for what isn't attributed, and what the numbers rest on; and what is `missing`.

    On a terminal nothing is wider than it: the last column is folded, or each row stands below its notebook's name.
    """
    line_width = _terminal_width() if file.isatty() else sys.maxsize
    named = [*summary.notebooks, *summary.user_profiles, *summary.unknown_names]
    several_roles = len({row.role_arn for row in named}) > 1
    counts = warnings.by_key()
    rows = [_cells(row, row.notebook or "", counts, several_roles) for row in summary.notebooks]
    rows += [_cells(row, f"({row.key[1]})", counts, several_roles) for row in summary.user_profiles]
    rows += [_cells(row, f"(unknown name) {row.session_name}", counts, several_roles) for row in summary.unknown_names]
    if summary.unattributed.calls:
        rows.append(_cells(summary.unattributed, "(unattributed)", counts, False))
        rows += (
            [_cells(row, f"  {row.title}", counts, several_roles) for row in summary.likely.rows]
            if summary.likely
            else []
        )
    lines = [
        f"Role {printable(role)}: {counted(summary.calls, 'call')} in {counted(coverage.files, 'file')} ({_size(coverage.size)})",
        "",
    ]
    if rows:
        lines += _laid_out(rows, line_width)
    else:
        lines.append("  No call to show.")
    lines += ["", *_remarks(summary, warnings), *(f"  {printable(text)}." for text in missing)]
    file.write("\n".join(lines).rstrip().encode() + b"\n")


def _terminal_width() -> int:
    import shutil  # most summaries are piped, and it takes 2 ms

    return shutil.get_terminal_size().columns


def _laid_out(rows: list[tuple[str, ...]], line_width: int) -> Iterable[str]:
    widths = widths_of([_HEADER, *rows])
    before = " " * (2 + sum(width + 2 for width in widths[:-1]))
    if len(before) + min(widths[-1], _NARROWEST) > line_width:
        for name, *cells in rows:
            values = "; ".join(f"{title} {cell}" for title, cell in zip(_HEADER[1:], cells, strict=True))
            yield from textwrap.wrap(name, line_width, initial_indent="  ", subsequent_indent="  ")
            yield from textwrap.wrap(values, line_width, initial_indent=" " * 4, subsequent_indent=" " * 4)
        return
    for row in (_HEADER, *rows):
        start = f"  {row_text(row[:-1], widths[:-1], numbers=_NUMBERS)}  "
        yield from textwrap.wrap(row[-1], line_width, initial_indent=start, subsequent_indent=before)


def _cells(row: Row, name: str, counts: Mapping[tuple[str, str], int], with_role: bool) -> tuple[str, ...]:
    events = list(row.event_names().items())
    shown = ", ".join(f"{count:,} {event}" for event, count in events[:_EVENTS_SHOWN])
    more = f", and {len(events) - _EVENTS_SHOWN} more" if len(events) > _EVENTS_SHOWN else ""
    addresses = sorted(row.source_ip_addresses)
    where = addresses[0] if len(addresses) == 1 else f"{len(addresses)} addresses" if addresses else "-"
    if with_role and row.role_arn:
        name = f"{name} ({row.role_arn})"
    warned = counts.get(row.key, 0)
    cells = (
        name, f"{row.calls:,}", f"{row.errors:,}", f"{warned:,}" if warned else "-", _minute(row.first_seen), _minute(row.last_seen), where, shown + more,
    )  # fmt: skip
    return tuple(printable(cell) for cell in cells)


def _remarks(summary: Summary, warnings: Warnings) -> Iterable[str]:
    if summary.handshakes:
        yield f"  Not counted: {counted(summary.handshakes, 'AssumeRole call')} that opened notebook sessions (handshakes)."
    if summary.user_profiles:
        yield "  A user profile's name is the source identity of a base session: Studio's, or a job's that took it over."
    if chained := sum(row.chained for row in [*summary.notebooks, *summary.user_profiles]):
        openers = "notebooks and user profiles" if summary.user_profiles else "notebooks"
        yield f"  {chained:,} of the calls were made in other sessions that {openers} opened (chained)."
    if summary.likely and summary.unattributed.calls:
        yield (
            "  Likely is what evidence in the logs says, and no proof: these calls stay unattributed. "
            "`which-notebook event EVENT_ID SOURCE --likely` says why, and what speaks against it."
        )
    for each in warnings.warnings[:10]:
        yield printable(f"  warning: {each.notebook}, {each.event_time}, event {each.event_id}: {each.text}.")
    if len(warnings.warnings) > 10:
        only = ", which lists the earliest alone" if len(warnings.warnings) == DETAILS_AT_MOST else ""
        yield f"  and {counted(len(warnings.warnings) - 10, 'more warning')} in the report{only}."


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else "-"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
