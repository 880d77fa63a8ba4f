"""Reads times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from .errors import CommandError

FORMS = "an ISO time (2026-03-01T09:30:00Z; without a zone UTC), a date, now, today, yesterday, or how long ago (30m, 24h, 7d, 2w)"
"""The forms of a time, in words."""

_AGO = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage-assume.html
_LONGEST_SESSION = timedelta(hours=12)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class TimeError(CommandError):
    """A text is no time; the message says what to write."""


def parse_time(text: str, *, end_of_day: bool = False, now: datetime | None = None) -> str:
    """Return a time as CloudTrail's records write it, in UTC: `2026-03-01T09:30:00Z`.

    `text` is an ISO 8601 time (without a zone: UTC), a date, `now`, `today`, `yesterday`, or how long ago: `30m`, `24h`,
    `7d`, `2w`. A date stands for its first second, with `end_of_day` for its last. Raises TimeError for anything else.
    """
    now = now or datetime.now(UTC)
    stated = text.strip()
    words = {"now": now.isoformat(), "today": f"{now:%Y-%m-%d}", "yesterday": f"{now - timedelta(days=1):%Y-%m-%d}"}
    stated = words.get(stated.lower(), stated)
    try:
        if ago := _AGO.fullmatch(stated):
            moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(stated)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise TimeError(f"invalid time {text!r}: write {FORMS}") from None
    if end_of_day and _is_date(stated):
        moment += timedelta(hours=23, minutes=59, seconds=59)
    return _as_records_write_it(moment)


def earlier(time: str) -> str:
    """Return the time by which a session that is in use at this one was opened, at the earliest."""
    return shifted(time, -_LONGEST_SESSION)


def later(time: str) -> str:
    """Return the time by which a session that is in use at this one has ended, at the latest."""
    return shifted(time, _LONGEST_SESSION)


def shifted(time: str, by: timedelta) -> str:
    """Return a record's time, moved: to the first or last that there is, where it would go beyond. What is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):
        return time
    return _as_records_write_it(moment + max(_FIRST - moment, min(_LAST - moment, by)))


def _as_records_write_it(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
