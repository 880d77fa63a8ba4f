"""A row for each notebook: how many calls, which, from where, when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .reading import Reading
from .record import Call
from .signs import Signs


@dataclass
class Row:
    """The calls of one notebook, or of those that have none. Times are as in the records."""

    role_arn: str | None = None
    notebook: str | None = None
    session_name: str | None = None
    calls: int = 0
    chained: int = 0
    errors: int = 0
    first_seen: str | None = None
    last_seen: str | None = None
    source_ip_addresses: set[str] = field(default_factory=set)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, call: Call) -> None:
        """Count a call that is not older than those before."""
        self.calls += 1
        self.events[call.event_source, call.event_name] += 1
        self.last_seen = call.event_time
        if self.first_seen is None:
            self.first_seen = call.event_time
        if call.error_code is not None:
            self.errors += 1
        if call.source_ip_address is not None:
            self.source_ip_addresses.add(call.source_ip_address)
        if call.status == "chained":
            self.chained += 1

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
        self.handshakes = 0
        self.unattributed = Row()
        self._rows: dict[tuple[str | None, str | None, str | None], Row] = {}

    def add(self, call: Call) -> None:
        """Count a call that was judged."""
        if call.status == "handshake":
            self.handshakes += 1
        elif call.status == "unattributed":
            self.unattributed.add(call)
        else:
            name = call.session_name if call.status == "unknown-name" else None
            key = (call.notebook_role_arn or call.role_arn, call.notebook, name)
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = Row(*key)
            row.add(call)

    @property
    def notebooks(self) -> list[Row]:
        """The rows of the notebooks, by name."""
        return sorted(
            (row for row in self._rows.values() if row.notebook), key=lambda row: (row.notebook, row.role_arn)
        )

    @property
    def unknown_names(self) -> list[Row]:
        """The rows of sessions under names that are no known notebook's."""
        rows = (row for row in self._rows.values() if not row.notebook)
        return sorted(rows, key=lambda row: (row.session_name or "", row.role_arn or ""))

    @property
    def calls(self) -> int:
        """The number of calls, handshakes aside."""
        return self.unattributed.calls + sum(row.calls for row in self._rows.values())

    def plain(self, role: str, reading: Reading, signs: Signs) -> dict[str, Any]:
        """Return the summary as it is put out as JSON."""
        warnings: dict[str, dict[str, int]] = {}
        for (name, kind), count in sorted(signs.counts.items()):
            warnings.setdefault(name, {})[kind] = count
        return {
            "role": role,
            "files": reading.files,
            "bytes": reading.size,
            "calls": self.calls,
            "handshakes": self.handshakes,
            "notebooks": [
                {
                    **row.plain(),
                    "role_arn": row.role_arn,
                    "chained": row.chained,
                    "warnings": warnings.get(row.notebook or "", {}),
                }
                for row in self.notebooks
            ],
            "unattributed": self.unattributed.plain(),
            "unknown_names": [
                {**row.plain(), "session_name": row.session_name, "role_arn": row.role_arn}
                for row in self.unknown_names
            ],
            "skipped": [{"file": file, "reason": reason} for file, reason in reading.skipped],
        }
