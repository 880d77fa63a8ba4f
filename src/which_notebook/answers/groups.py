"""`summary --by`: how many calls each notebook made to a resource, of an event, on a day or in a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from msgspec import Struct

from ..calls.call import shown_event
from ..judging.statuses import HANDSHAKES, UNATTRIBUTED, USER_PROFILE, lane_of, name_shown
from .safe_text import printable
from .text_table import cut, row_text, widths_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..calls.table import CallTable
    from ..judging.judged_calls import JudgedCalls

_OTHERS = "(others)"
_NUMBERS = (2, 3)


def _resources(table: CallTable) -> Iterable[tuple[str, ...]]:
    return (arns or ("-",) for arns in table["resources"])


def _events(table: CallTable) -> Iterable[tuple[str, ...]]:
    events = table.rows(("event_source", "event_name"))
    return ((shown_event(source, name),) for source, name in events)


def _days(table: CallTable) -> Iterable[tuple[str, ...]]:
    return ((time[:10],) for time in table["event_time"])


def _sessions(table: CallTable) -> Iterable[tuple[str, ...]]:
    return ((key or "-",) for key in table["access_key_id"])


GROUPINGS: dict[str, Callable[[CallTable], Iterable[tuple[str, ...]]]] = {
    "resource": _resources,
    "event": _events,
    "day": _days,
    "session": _sessions,
}
"""What `--by` takes, and the texts under which a call counts: each of its resources, its event, its day, its access key id."""


_OF_A_CALL = (
    "status", "notebook", "user_profile", "session_name", "role_arn", "notebook_role_arn", "error_code", "event_time",
    "likely",
)  # fmt: skip
_Key = tuple[str, str, str | None, str | None, str, str | None, str | None]


class Group(Struct):
    """The calls of one notebook, or of those that have none, under one text.

    `role_arn`: the notebook's role, whose account tells notebooks of one name apart.
    """

    name: str
    status: str
    role_arn: str | None
    session_name: str | None
    text: str
    user_profile: str | None
    likely_notebook: str | None
    first_seen: str
    last_seen: str
    calls: int = 0
    errors: int = 0


class Groups:
    """Adds judged calls up, handshakes aside. What is beyond `at_most` groups counts together, by notebook."""

    def __init__(self, by: str, at_most: int) -> None:
        self.by = by
        self._texts_of = GROUPINGS[by]
        self._at_most = at_most
        self._groups: dict[_Key, Group] = {}

    def add(self, table: CallTable) -> None:
        """Count calls that are not older than those before."""
        rows = zip(
            table.rows(_OF_A_CALL),
            self._texts_of(table),
            strict=True,
        )
        for (
            status,
            notebook,
            profile,
            session_name,
            role_arn,
            notebook_role_arn,
            error_code,
            time,
            likely,
        ), texts in rows:
            lane = lane_of(status, profile)
            if lane is HANDSHAKES:
                continue
            of_evidence = likely.notebook if likely else None
            if lane is UNATTRIBUTED:
                name = f"(unattributed, likely {of_evidence})" if of_evidence else "(unattributed)"
            elif lane is USER_PROFILE:
                name = f"({name_shown(None, profile, None)})"
            else:
                name = notebook or f"(unknown name) {session_name}"
            for text in texts:
                session = None if notebook or profile else session_name
                key = (name, status, notebook_role_arn or role_arn, session, text, profile, of_evidence)
                group = self._group(key, time)
                group.calls += 1
                group.errors += error_code is not None
                group.last_seen = time

    def _group(self, key: _Key, time: str) -> Group:
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._at_most:
                # Names of sessions may be made up by the thousand, too.
                key = (_OTHERS, key[1], None, None, _OTHERS, None, None)
            group = self._groups.setdefault(key, Group(*key, time, time))
        return group

    def ordered(self) -> list[Group]:
        """Return the groups, those with the most calls first."""
        return sorted(
            self._groups.values(), key=lambda group: (-group.calls, group.text, group.name, group.role_arn or "")
        )


class GroupsAnswer:
    """The groups of calls that were all taken, `limit` at most; `likely` adds what evidence says of unattributed ones."""

    def __init__(self, groups: Groups, limit: int | None, calls: JudgedCalls, *, likely: bool = False) -> None:
        ordered = groups.ordered()
        self._by, self._calls, self._likely = groups.by, calls, likely
        self._shown = ordered[:limit]
        self._more = len(ordered) - len(self._shown)

    def plain(self) -> dict[str, Any]:
        """Return the groups as they are put out as JSON."""
        coverage = self._calls.coverage
        header, rows = self.rows()
        return {
            "role": self._calls.judge.role,
            "files": coverage.files,
            "bytes": coverage.size,
            "by": self._by,
            "groups": [dict(zip(header, row, strict=True)) for row in rows],
            "more": self._more,
            "skipped": [{"file": file, "reason": reason} for file, reason in coverage.skipped],
            "missing": list(self._calls.missing()),
            "why_empty": self._calls.why_empty,
        }

    def rows(self) -> tuple[tuple[str, ...], Iterator[list[Any]]]:
        """Return a row for each group."""
        header = (
            "notebook",
            "status",
            "role_arn",
            "session_name",
            self._by,
            "calls",
            "errors",
            "first_seen",
            "last_seen",
            "user_profile",
            *(("likely_notebook",) if self._likely else ()),
        )
        rows = (
            [
                group.name if _is_a_notebooks(group) else None,
                *_values(group),
                *((group.likely_notebook,) if self._likely else ()),
            ]
            for group in self._shown
        )
        return header, rows

    def write_text(self, file: BinaryIO) -> None:
        """Write a line for each group, with its role where there are several."""
        several = len({group.role_arn for group in self._shown if group.role_arn}) > 1
        header = ("notebook", self._by, "calls", "errors", "first seen", "last seen", *(["role"] if several else []))
        rows = [
            tuple(
                cut(printable(cell))
                for cell in (
                    group.name, group.text, f"{group.calls:,}", f"{group.errors:,}", group.first_seen, group.last_seen,
                    *([group.role_arn or "-"] if several else []),
                )
            )
            for group in self._shown
        ]  # fmt: skip
        widths = widths_of([header, *rows])
        lines = [row_text(row, widths, numbers=_NUMBERS).rstrip() for row in (header, *rows)]
        if self._more:
            lines.append(f"and {self._more:,} more (--limit)")
        if not rows:
            lines = ["No call to show."]
        lines += [f"{printable(text)}." for text in self._calls.missing()]
        file.write("\n".join(lines).encode() + b"\n")


def _is_a_notebooks(group: Group) -> bool:
    return lane_of(group.status, group.user_profile).by_notebook


def _values(group: Group) -> list[Any]:
    return [
        group.status,
        group.role_arn,
        group.session_name,
        group.text,
        group.calls,
        group.errors,
        group.first_seen,
        group.last_seen,
        group.user_profile,
    ]
