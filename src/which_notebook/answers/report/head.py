"""What the page says of all calls together; the counts by notebook are the summary's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ... import __version__
from ...calls.filter import Question
from ...judging.warnings import Signs
from ...reading.reader import Reading
from ...records.cloudtrail import Call
from ..safe_text import printable
from ..summary import Row, Summary

# Names of sessions may be made up by the thousand; what the screen can't show shares one lane.
_LANES_AT_MOST = 1_000
_SKIPPED_SHOWN = 100
_ADDRESSES_SHOWN = 100
_EVENTS_SHOWN = 100

_Key = tuple[str | None, str | None, str | None]


class Head:
    """Adds calls up (in `summary`), and tells each one's lane: a notebook's, a name's that is none's, the base session's, a handshake's."""

    def __init__(self) -> None:
        self.summary = Summary()
        self._lanes: dict[tuple[str, _Key], int] = {}

    def lane(self, call: Call) -> int:
        """Return the number of a call's lane; `summary` counts it."""
        lane = _lane(call)
        number = self._lanes.get(lane)
        if number is None:
            if len(self._lanes) >= _LANES_AT_MOST and lane[0] in ("notebook", "unknown-name"):
                lane = ("more-names", (None, None, None))
            number = self._lanes.setdefault(lane, len(self._lanes))
        return number

    def plain(self, role: str, reading: Reading, signs: Signs, question: Question) -> dict[str, Any]:
        """Return everything as it is embedded. `signs` and `reading` must be complete."""
        summary = self.summary
        named = {
            (row.role_arn, row.notebook, row.session_name): row for row in summary.notebooks + summary.unknown_names
        }
        rows = [*named.values(), summary.unattributed]
        warnings = {key: sum(kinds.values()) for key, kinds in signs.by_name().items()}
        return {
            "version": __version__,
            "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "role": printable(role),
            "asked": [[name, printable(text)] for name, text in _asked(question)],
            "since": question.since,
            "until": question.until,
            "first_seen": min(
                (row.first_seen for row in [*rows, summary.handshake_row] if row.first_seen), default=None
            ),
            "last_seen": max((row.last_seen for row in [*rows, summary.handshake_row] if row.last_seen), default=None),
            "files": reading.files,
            "bytes": reading.size,
            "calls": summary.calls,
            "handshakes": summary.handshakes,
            "unattributed": summary.unattributed.calls,
            "unknown_names": sum(row.calls for row in summary.unknown_names),
            "errors": sum(row.errors for row in rows),
            "notebooks": len({row.notebook for row in summary.notebooks}),
            "several_roles": len({key[0] for key in named}) > 1,
            "lanes": [self._plain_lane(kind, key, named, warnings) for kind, key in self._lanes],
            "warnings": sum(signs.counts.values()),
            "signs": [
                {
                    "kind": sign.kind,
                    "role_arn": printable(sign.role_arn),
                    "notebook": printable(sign.notebook),
                    "event_time": sign.event_time,
                    "event_id": printable(sign.event_id),
                    "text": printable(sign.text),
                }
                for sign in signs.found
            ],
            "skipped": [
                [printable(file), printable(reason)] for file, reason in islice(reading.skipped, _SKIPPED_SHOWN)
            ],
            "skipped_count": len(reading.skipped),
            "notes": [printable(note) for note in reading.notes],
        }

    def _plain_lane(
        self, kind: str, key: _Key, named: dict[_Key, Row], warnings: dict[tuple[str, str], int]
    ) -> dict[str, Any]:
        if kind == "more-names":
            row = _together(row for each, row in named.items() if self._lanes.keys().isdisjoint(_lanes_of(each)))
        else:
            row = {"unattributed": self.summary.unattributed, "handshake": self.summary.handshake_row}.get(
                kind
            ) or named[key]
        name = key[1] or key[2]
        addresses = sorted(row.source_ip_addresses)
        return {
            "kind": kind,
            "name": None if name is None else printable(name),
            "role_arn": None if key[0] is None else printable(key[0]),
            "calls": row.calls,
            "errors": row.errors,
            "chained": row.chained,
            "warnings": warnings.get(row.key, 0),
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "addresses": [printable(address) for address in addresses[:_ADDRESSES_SHOWN]],
            "addresses_count": len(addresses),
            "events": [[printable(event), count] for event, count in islice(row.event_names().items(), _EVENTS_SHOWN)],
        }


def _lane(call: Call) -> tuple[str, _Key]:
    """Return the call's kind of lane and, as `Summary` tells its rows apart, whose."""
    if call.status in ("handshake", "unattributed"):
        return call.status, (None, None, None)
    role_arn = call.notebook_role_arn or call.role_arn
    if call.status == "unknown-name":
        return "unknown-name", (role_arn, call.notebook, call.session_name)
    return "notebook", (role_arn, call.notebook, None)


def _lanes_of(key: _Key) -> list[tuple[str, _Key]]:
    return [("notebook", key), ("unknown-name", key)]


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


def _asked(question: Question) -> list[tuple[str, str]]:
    """Return what was asked besides the time range, in the words of the command's options."""
    asked = [
        (name, ", ".join(values))
        for name, values in (
            ("notebook", question.notebooks),
            ("event name", question.event_names),
            ("event source", question.event_sources),
            ("region", question.regions),
            ("account", question.accounts),
            ("status", question.statuses),
        )
        if values
    ]
    return [*asked, ("errors only", "")] if question.errors_only else asked
