"""What the summary says of one notebook's calls."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

from ..calls.call import shown_event
from ..judging.statuses import name_shown


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
        return {shown_event(source, name): count for (source, name), count in ordered}

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
