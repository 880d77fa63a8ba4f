"""Which of the calls are asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property

from .record import Call


@dataclass(frozen=True)
class Question:
    """What a call must fit; what is empty fits all.

    `since` and `until` are times as records write them, both included. `event_names` take `*` and `?`, in any case;
    `event_sources` are a service's name (`s3`) or its whole source (`s3.amazonaws.com`).
    """

    since: str | None = None
    until: str | None = None
    notebooks: tuple[str, ...] = ()
    event_names: tuple[str, ...] = ()
    event_sources: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    errors_only: bool = False

    def fits(self, call: Call) -> bool:
        """Return whether a judged call is asked for."""
        return (
            (self.since is None or call.event_time >= self.since)
            and (self.until is None or call.event_time <= self.until)
            and (not self.notebooks or call.notebook in self.notebooks)
            and (not self._event_names or self._event_names.fullmatch(call.event_name) is not None)
            and (not self._event_sources or call.event_source in self._event_sources)
            and (not self.regions or call.aws_region in self.regions)
            and (not self.accounts or call.account_id in self.accounts)
            and (not self.statuses or call.status in self.statuses)
            and (not self.errors_only or call.error_code is not None)
        )

    @cached_property
    def _event_names(self) -> re.Pattern[str] | None:
        joined = "|".join(translate(pattern) for pattern in self.event_names)
        return re.compile(joined, re.IGNORECASE) if joined else None

    @cached_property
    def _event_sources(self) -> frozenset[str]:
        named = map(str.lower, self.event_sources)
        return frozenset(source if "." in source else f"{source}.amazonaws.com" for source in named)
