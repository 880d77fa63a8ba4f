"""What log files there are, as their paths tell, and which files of a folder are none."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct, field

from ..calls.filter import Question
from .log_paths import place_of

_DAYS_LOOKED_AT = 400
_DAYS_NAMED = 5


class Coverage(Struct):
    """`days` of delivery by region, of files in CloudTrail's layout; what was `left_out` by its ending, and why."""

    days: dict[str, set[str]] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def see(self, path: str) -> None:
        """Take in the path of a log file, or of a folder with some, whether it is read or not."""
        if place := place_of(path):
            account, region, day = place
            self.accounts.add(account)
            self.days.setdefault(region, set()).add(day)

    def leave_out(self, path: str, reason: str) -> None:
        """Take in that a file of a source isn't read."""
        name = os.path.basename(path)
        ending = os.path.splitext(name)[1].lower()
        self.left_out[ending or "no ending", reason] += 1

    def gaps(self, question: Question) -> Iterator[str]:
        """Yield a sentence for each region, and for the days, that are asked for and have no log file."""
        if not self.days:
            return
        for region in question.regions:
            if region not in self.days:
                yield f"There is no log file of the region {region}"
        first, last = (time and time[:10] for time in (question.since, question.until))
        there = set().union(*self.days.values())
        first, last = first or min(there), last or max(there)
        missing = [day for day in _days(first, last) if day not in there]
        if missing:
            named = ", ".join(missing[:_DAYS_NAMED]) + (", …" if len(missing) > _DAYS_NAMED else "")
            yield f"There is no log file of {len(missing):,} of the days from {first} to {last} ({named})"

    def left_out_plain(self) -> list[dict[str, str | int]]:
        """Return what was left out as it is put out in JSON."""
        return [
            {"ending": ending, "reason": reason, "files": files}
            for (ending, reason), files in sorted(self.left_out.items())
        ]


def _days(first: str, last: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    for number in range(min((end - day).days + 1, _DAYS_LOOKED_AT)):
        yield str(day + timedelta(days=number))
