"""A row for each notebook: how many calls, which, from where, when."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

from ..calls.call import BASE_SESSION
from ..calls.table import CallTable
from ..judging.statuses import HANDSHAKES, UNATTRIBUTED, lane_of, name_shown


class Row(Struct):
    """The calls of one notebook, or of those that have none. Times are as in the records."""

    role_arn: str | None = None
    notebook: str | None = None
    session_name: str | None = None
    user_profile: str | None = None
    calls: int = 0
    chained: int = 0
    errors: int = 0
    first_seen: str | None = None
    last_seen: str | None = None
    source_ip_addresses: set[str] = field(default_factory=set)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def key(self) -> tuple[str, str]:
        """The role's ARN and the name shown, by which warnings are kept."""
        return self.role_arn or "", name_shown(self.notebook, self.user_profile, self.session_name) or ""

    def event_names(self) -> dict[str, int]:
        """Return the counts by `service:Event`, the most frequent first."""
        ordered = sorted(self.events.items(), key=lambda each: (-each[1], each[0]))
        return {f"{source.removesuffix('.amazonaws.com')}:{name}": count for (source, name), count in ordered}

    def plain(self) -> dict[str, Any]:
        """Return the row as it is put out."""
        return {
            "notebook": self.notebook,
            "calls": self.calls,
            "errors": self.errors,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "source_ip_addresses": sorted(self.source_ip_addresses),
            "event_names": self.event_names(),
        }


class Summary:
    """Adds up judged calls."""

    def __init__(self) -> None:
        self.unattributed = Row(session_name=BASE_SESSION)
        self.handshake_row = Row()
        self._rows: dict[tuple[str | None, str | None, str | None, str | None], Row] = {}

    def add(self, table: CallTable) -> None:
        """Count calls that are not older than those before; each has been judged, and is asked for."""
        of_caller = ("status", "notebook", "role_arn", "notebook_role_arn", "session_name", "user_profile")
        numbers = {caller: number for number, caller in enumerate(dict.fromkeys(table.rows(of_caller)))}
        rows = [self._row(*caller) for caller in numbers]
        by = list(map(numbers.__getitem__, table.rows(of_caller)))
        times = table["event_time"]
        first = dict(zip(reversed(by), reversed(times), strict=True))
        last = dict(zip(by, times, strict=True))
        for caller, number in numbers.items():
            row = rows[number]
            row.first_seen = min(row.first_seen or first[number], first[number])
            row.last_seen = max(row.last_seen or "", last[number])
            row.chained += by.count(number) if caller[0] == "chained" else 0
        of_call = ("event_source", "event_name", "error_code", "source_ip_address")
        counts = Counter(zip(by, *(table[name] for name in of_call), strict=True))
        for (number, source, name, code, address), count in counts.items():
            row = rows[number]
            row.calls += count
            row.errors += count if code is not None else 0
            row.events[source, name] += count
            if address is not None:
                row.source_ip_addresses.add(address)

    def _row(
        self,
        status: str,
        notebook: str | None,
        role_arn: str | None,
        notebook_role_arn: str | None,
        session_name: str | None,
        user_profile: str | None,
    ) -> Row:
        lane = lane_of(status, user_profile)
        if lane is HANDSHAKES:
            return self.handshake_row
        if lane is UNATTRIBUTED:
            return self.unattributed
        name = session_name if lane.by_session_name else None
        key = (notebook_role_arn or role_arn, notebook, name, user_profile)
        return self._rows.setdefault(key, Row(*key))

    @property
    def notebooks(self) -> list[Row]:
        """The rows of the notebooks, by name."""
        return sorted(
            (row for row in self._rows.values() if row.notebook), key=lambda row: (row.notebook, row.role_arn)
        )

    @property
    def user_profiles(self) -> list[Row]:
        """The rows of Studio's user profiles, by name."""
        rows = (row for row in self._rows.values() if row.user_profile)
        return sorted(rows, key=lambda row: (row.user_profile, row.role_arn))

    @property
    def unknown_names(self) -> list[Row]:
        """The rows of sessions under names that are no known notebook's."""
        rows = (row for row in self._rows.values() if not row.notebook and not row.user_profile)
        return sorted(rows, key=lambda row: (row.session_name or "", row.role_arn or ""))

    @property
    def handshakes(self) -> int:
        """The number of AssumeRole calls by which the base session opened notebook sessions."""
        return self.handshake_row.calls

    @property
    def calls(self) -> int:
        """The number of calls, handshakes aside."""
        return self.unattributed.calls + sum(row.calls for row in self._rows.values())
