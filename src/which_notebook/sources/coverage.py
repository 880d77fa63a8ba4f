"""What a reading covered: how much was read, what couldn't be read, what was left out, and which days have files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from operator import itemgetter

from msgspec import Struct, field

from ..calls.scope import Scope
from .log_paths import place_of

_DAYS_LOOKED_AT = 400
_DAYS_NAMED = 5


class Coverage(Struct):
    """What one reading covered, or several for one answer; complete once they have ended.

    `files` were read, of `size` bytes when decompressed. `skipped`: what couldn't be read, and why. `notes`: what the reader
    of the answer should know. `left_out`: files that are no logs, by ending and reason. `days` of delivery by region, and
    `accounts`, of files in CloudTrail's layout.
    """

    files: int = 0
    size: int = 0
    skipped: dict[tuple[str, str], None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    days: dict[str, set[str]] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    def skip(self, name: str, reason: str) -> None:
        """Note that a source, or a part of it, couldn't be read; each problem once."""
        self.skipped[name, reason] = None

    def note(self, text: str) -> None:
        """Note something that people should know about the answer; each note once."""
        self.notes[text] = None

    def see(self, path: str) -> None:
        """Note that there is a log file, or a folder with some, whether it is read or not."""
        if place := place_of(path):
            account, region, day = place
            if account and region:
                self.accounts.add(account)
                self.days.setdefault(region, set()).add(day)

    def leave_out(self, path: str, reason: str) -> None:
        """Note that a file is no log, and so isn't read."""
        name = os.path.basename(path)
        ending = os.path.splitext(name)[1].lower()
        self.left_out[ending or "no ending", reason] += 1

    def add(self, reading: Coverage, *, aside: bool = False) -> None:
        """Add what another reading covered; of one that was made `aside`, to learn how to read or judge, what went wrong."""
        # By file: which process read it, and when, makes no difference. Of one file they are in its own order.
        self.skipped = dict.fromkeys(sorted([*self.skipped, *reading.skipped], key=itemgetter(0)))
        self.notes |= reading.notes
        if aside:
            return
        self.files += reading.files
        self.size += reading.size
        # What several readings leave out is, for the most part, the same.
        self.left_out |= reading.left_out
        self.accounts |= reading.accounts
        for region, days in reading.days.items():
            self.days.setdefault(region, set()).update(days)

    def gaps(self, scope: Scope) -> Iterator[str]:
        """Yield a sentence for each region, and for the days, that are asked for and have no log file."""
        if not self.days:
            return
        for region in scope.regions:
            if region not in self.days:
                yield f"There is no log file of the region {region}"
        first, last = (time and time[:10] for time in (scope.since, scope.until))
        there = set().union(*self.days.values())
        first, last = first or min(there), last or max(there)
        missing = [day for day in _days(first, last) if day not in there]
        if missing:
            named = ", ".join(missing[:_DAYS_NAMED]) + (", …" if len(missing) > _DAYS_NAMED else "")
            yield f"There is no log file of {len(missing):,} of the days from {first} to {last} ({named})"

    def left_out_plain(self) -> list[dict[str, str | int]]:
        """Return what was left out, as JSON has it."""
        return [
            {"ending": ending, "reason": reason, "files": files}
            for (ending, reason), files in sorted(self.left_out.items())
        ]


def _days(first: str, last: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    for number in range(min((end - day).days + 1, _DAYS_LOOKED_AT)):
        yield str(day + timedelta(days=number))
