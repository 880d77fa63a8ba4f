"""The report's figures and lanes; the counts by notebook are the summary's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ... import __version__
from ...calls.filter import Filter
from ...calls.table import CallTable
from ...judging.statuses import HANDSHAKES, LANES, MORE_NAMES, UNATTRIBUTED
from ...judging.warnings import Warnings
from ...sources.coverage import Coverage
from ..likely_rows import LikelyRow
from ..safe_text import printable
from ..summary import Caller, Key, Summary
from ..summary_row import Row

_SKIPPED_SHOWN = 100
_ADDRESSES_SHOWN = 100
_EVENTS_SHOWN = 100

# Of these there may be any number.
_OF_A_NAME = tuple(lane.kind for lane in LANES if lane.is_of_a_name)

_NOBODY: Key = (None, None, None, None)


class Head:
    """Adds up calls, and chooses each call's lane: of a notebook, a user profile, an unknown name, the base session or the handshakes.

    Names of sessions may be made up by the thousand; what is beyond `lanes_at_most` shares one lane. `likely`: of the base
    session's lane there are parts, by what evidence says.
    """

    def __init__(self, lanes_at_most: int, *, likely: bool = False) -> None:
        self.summary = Summary(likely=likely)
        self._lanes_at_most = lanes_at_most
        self._lanes: dict[tuple[str, Key], int] = {}
        self._parts: dict[int, LikelyRow] = {}

    def lanes(self, table: CallTable) -> list[int]:
        """Return the number of each call's lane; `summary` counts it."""
        numbers = {caller: self._lane(Caller(*caller)) for caller in dict.fromkeys(table.rows(Caller._fields))}
        return list(map(numbers.__getitem__, table.rows(Caller._fields)))

    def _lane(self, caller: Caller) -> int:
        lane = caller.lane
        if lane.is_of_a_name:
            return self._number((lane.kind, caller.key))
        number = self._number((lane.kind, _NOBODY))
        if self.summary.likely and lane is UNATTRIBUTED:
            return self._part(number, self.summary.likely.row(caller.role_arn, caller.likely))
        return number

    def _part(self, whole: int, row: LikelyRow) -> int:
        """Return the number of a part of the base session's lane; where there are too many, of the whole."""
        lane = (row.lane.kind, (row.role_arn, repr((row.notebooks, row.others)), None, None))
        if lane not in self._lanes and len(self._lanes) >= self._lanes_at_most:
            return whole
        number = self._number(lane)
        self._parts[number] = row
        return number

    def _number(self, lane: tuple[str, Key]) -> int:
        number = self._lanes.get(lane)
        if number is None:
            if len(self._lanes) >= self._lanes_at_most and lane[0] in _OF_A_NAME:
                lane = (MORE_NAMES.kind, _NOBODY)
            number = self._lanes.setdefault(lane, len(self._lanes))
        return number

    def plain(
        self, role: str, coverage: Coverage, warnings: Warnings, filter: Filter, notes: Iterable[str]
    ) -> dict[str, Any]:
        """Return everything as it is embedded. `warnings` and `coverage` must be complete; `notes` is what the reader should know."""
        summary = self.summary
        named = {
            (row.role_arn, row.notebook, row.session_name, row.user_profile): row
            for row in summary.notebooks + summary.user_profiles + summary.unknown_names
        }
        rows = [*named.values(), summary.unattributed]
        counts = warnings.by_key()
        return {
            "version": __version__,
            "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "role": printable(role),
            "asked": [[name, printable(text)] for name, text in _options(filter)],
            "since": filter.scope.since,
            "until": filter.scope.until,
            "first_seen": min(
                (row.first_seen for row in [*rows, summary.handshake_row] if row.first_seen), default=None
            ),
            "last_seen": max((row.last_seen for row in [*rows, summary.handshake_row] if row.last_seen), default=None),
            "files": coverage.files,
            "bytes": coverage.size,
            "calls": summary.calls,
            "handshakes": summary.handshakes,
            "unattributed": summary.unattributed.calls,
            "unknown_names": sum(row.calls for row in summary.unknown_names),
            "errors": sum(row.errors for row in rows),
            "notebooks": len({row.notebook for row in summary.notebooks}),
            "user_profiles": len({row.user_profile for row in summary.user_profiles}),
            "several_roles": len({key[0] for key in named}) > 1,
            "lanes": [
                self._plain_lane(number, kind, key, named, counts) for (kind, key), number in self._lanes.items()
            ],
            "warnings": sum(warnings.counts.values()),
            "warning_list": [
                {
                    "kind": each.kind,
                    "role_arn": printable(each.role_arn),
                    "notebook": printable(each.notebook),
                    "event_time": each.event_time,
                    "event_id": printable(each.event_id),
                    "text": printable(each.text),
                }
                for each in warnings.warnings
            ],
            "skipped": [
                [printable(file), printable(reason)] for file, reason in islice(coverage.skipped, _SKIPPED_SHOWN)
            ],
            "skipped_count": len(coverage.skipped),
            "notes": [printable(text) for text in notes],
        }

    def _plain_lane(
        self, number: int, kind: str, key: Key, named: dict[Key, Row], counts: dict[tuple[str, str], int]
    ) -> dict[str, Any]:
        if kind == MORE_NAMES.kind:
            together = [row for each, row in named.items() if self._lanes.keys().isdisjoint(_lanes_of(each))]
            row, warnings = _together(together), sum(counts.get(each.key, 0) for each in together)
        else:
            row = (
                self._parts.get(number)
                or {UNATTRIBUTED.kind: self.summary.unattributed, HANDSHAKES.kind: self.summary.handshake_row}.get(kind)
                or named[key]
            )
            warnings = counts.get(row.key, 0)
        name = self._parts[number].title if number in self._parts else next(filter(None, key[1:]), None)
        addresses = sorted(row.source_ip_addresses)
        whole = self._lanes[UNATTRIBUTED.kind, _NOBODY] if number in self._parts else None
        return {
            "kind": kind,
            "part_of": whole,
            "name": None if name is None else printable(name),
            "role_arn": None if key[0] is None else printable(key[0]),
            "calls": row.calls,
            "errors": row.errors,
            "chained": row.chained,
            "warnings": warnings,
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "addresses": [printable(address) for address in addresses[:_ADDRESSES_SHOWN]],
            "addresses_count": len(addresses),
            "events": [[printable(event), count] for event, count in islice(row.event_names().items(), _EVENTS_SHOWN)],
        }


def _lanes_of(key: Key) -> list[tuple[str, Key]]:
    return [(kind, key) for kind in _OF_A_NAME]


def _together(rows: Iterable[Row]) -> Row:
    """Return several notebooks' rows as one."""
    whole = Row()
    for row in rows:
        whole.calls += row.calls
        whole.errors += row.errors
        whole.chained += row.chained
        whole.first_seen = min(filter(None, (whole.first_seen, row.first_seen)), default=None)
        whole.last_seen = max(filter(None, (whole.last_seen, row.last_seen)), default=None)
        whole.source_ip_addresses |= row.source_ip_addresses
        whole.events.update(row.events)
    return whole


def _options(filter: Filter) -> list[tuple[str, str]]:
    """Return what was asked besides the time range, in the words of the command's options."""
    options = [
        (name, ", ".join(values))
        for name, values in (
            ("notebook", filter.notebooks),
            ("event name", filter.event_names),
            ("event source", filter.event_sources),
            ("region", filter.scope.regions),
            ("account", filter.scope.accounts),
            ("status", filter.statuses),
            ("resource", filter.resources),
            ("access key", filter.access_keys),
        )
        if values
    ]
    return [*options, ("errors only", "")] if filter.errors_only else options
