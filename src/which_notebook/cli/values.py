"""What the command line's options take. Each raises ArgumentTypeError, which says what is wrong with the text."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from collections.abc import Collection

from ..judging.statuses import STATUS_NAMES


def text(given: str) -> str:
    """Return a text that isn't empty."""
    if not given.strip():
        raise ArgumentTypeError(f"{given!r} is empty: give a value, or leave the option out")
    return given


def listed(given: str) -> list[str]:
    """Return what commas part."""
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if not parts:
        raise ArgumentTypeError(f"{given!r} is empty: name at least one, or leave the option out")
    return parts


def accounts(given: str) -> list[str]:
    """Return account ids."""
    for account in (parts := listed(given)):
        if not re.fullmatch("[0-9]{12}", account):
            raise ArgumentTypeError(f"invalid account id {account!r}: it must have 12 digits")
    return parts


def statuses(given: str) -> list[str]:
    """Return statuses of calls."""
    for status in (parts := listed(given)):
        if status not in STATUS_NAMES:
            raise ArgumentTypeError(f"invalid status {status!r}: choose from {', '.join(STATUS_NAMES)}")
    return parts


def jobs(given: str) -> int:
    """Return a number of processes."""
    if not given.isdecimal() or not 1 <= int(given) <= 256:
        raise ArgumentTypeError(f"must be a number from 1 to 256, not {given!r}")
    return int(given)


def limit(given: str) -> int:
    """Return a number of rows."""
    if not given.isdecimal() or not 1 <= int(given) <= 1_000_000:
        raise ArgumentTypeError(f"must be a number from 1 to 1000000, not {given!r}")
    return int(given)


def days(given: str) -> int:
    """Return a number of days."""
    if not given.isdecimal() or not 0 <= int(given) <= 3650:
        raise ArgumentTypeError(f"must be a number of days from 0 to 3650, not {given!r}")
    return int(given)


def processors() -> Collection[int]:
    """Return the processors that this process may use."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
