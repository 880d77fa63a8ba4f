"""A row for each notebook: how many calls, which, from where, when."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count
from typing import Any, NamedTuple

from ..calls.call import BASE_SESSION
from ..calls.clues import Likely
from ..calls.table import CallTable
from ..judging.statuses import HANDSHAKES, UNATTRIBUTED, Lane, lane_of
from .likely_rows import LikelyRows
from .summary_row import Row

Key = tuple[str | None, str | None, str | None, str | None]
"""By what rows are told apart: role ARN, notebook, session name, user profile."""


class Caller(NamedTuple):
    """Who is said to have made a call: what these columns of it hold."""

    status: str
    notebook: str | None
    role_arn: str | None
    notebook_role_arn: str | None
    session_name: str | None
    user_profile: str | None
    likely: Likely | None

    @property
    def lane(self) -> Lane:
        """The lane in which the call stands."""
        return lane_of(self.status, self.user_profile)

    @property
    def key(self) -> Key:
        """The row in which the call counts, if its lane is of a name."""
        name = self.session_name if self.lane.by_session_name else None
        return self.notebook_role_arn or self.role_arn, self.notebook, name, self.user_profile


class Summary:
    """Adds up judged calls; `likely`: the unattributed ones also by what evidence says of them."""

    def __init__(self, *, likely: bool = False) -> None:
        self.likely = LikelyRows() if likely else None
        self.unattributed = Row(session_name=BASE_SESSION)
        self.handshake_row = Row()
        self._rows: dict[Key, Row] = {}

    def add(self, table: CallTable) -> None:
        """Count calls that are not older than those before; each has been judged, and is asked for."""
        numbers: defaultdict[tuple[Any, ...], int] = defaultdict(count().__next__)
        by = list(map(numbers.__getitem__, table.rows(Caller._fields)))
        rows_of = [self._rows_of(Caller(*caller)) for caller in numbers]
        times = table["event_time"]
        first = dict(zip(reversed(by), reversed(times), strict=True))
        last = dict(zip(by, times, strict=True))
        for caller, number in numbers.items():
            for row in rows_of[number]:
                row.first_seen = min(row.first_seen or first[number], first[number])
                row.last_seen = max(row.last_seen or "", last[number])
                row.chained += by.count(number) if caller[0] == "chained" else 0
        of_call = ("event_source", "event_name", "error_code", "source_ip_address")
        counts = Counter(zip(by, *(table[name] for name in of_call), strict=True))
        for (number, source, name, code, address), calls in counts.items():
            for row in rows_of[number]:
                row.calls += calls
                row.errors += calls if code is not None else 0
                row.events[source, name] += calls
                if address is not None:
                    row.source_ip_addresses.add(address)

    def _rows_of(self, caller: Caller) -> list[Row]:
        if caller.lane is HANDSHAKES:
            return [self.handshake_row]
        if caller.lane is UNATTRIBUTED:
            return [
                self.unattributed,
                *([self.likely.row(caller.role_arn, caller.likely)] if self.likely else []),
            ]
        return [self._rows.setdefault(caller.key, Row(*caller.key))]

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
