"""What the command line's options take. Each raises ArgumentTypeError, which says what is wrong with the text."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from collections.abc import Collection

from ..judging.statuses import STATUS_NAMES


def text(value: str) -> str:
    """Return a text that isn't empty."""
    if not value.strip():
        raise ArgumentTypeError(f"{value!r} is empty: give a value, or leave the option out")
    return value


def listed(value: str) -> list[str]:
    """Return what commas part."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts:
        raise ArgumentTypeError(f"{value!r} is empty: name at least one, or leave the option out")
    return parts


def names(value: str) -> list[str]:
    """Return names that are no patterns."""
    for name in (parts := listed(value)):
        if {"*", "?"} & set(name):
            raise ArgumentTypeError(
                f"invalid name {name!r}: wildcards aren't taken here; write it out, or several with commas"
            )
    return parts


def regions(value: str) -> list[str]:
    """Return regions."""
    for region in (parts := listed(value)):
        if not re.fullmatch("[a-z]+(-[a-z]+)+-[0-9]+", region):
            raise ArgumentTypeError(f"invalid region {region!r}: write it as us-east-1; for all, leave the option out")
    return parts


def accounts(value: str) -> list[str]:
    """Return account ids."""
    for account in (parts := listed(value)):
        if not re.fullmatch("[0-9]{12}", account):
            raise ArgumentTypeError(f"invalid account id {account!r}: it must have 12 digits")
    return parts


def statuses(value: str) -> list[str]:
    """Return statuses of calls."""
    for status in (parts := listed(value)):
        if status not in STATUS_NAMES:
            raise ArgumentTypeError(f"invalid status {status!r}: choose from {', '.join(STATUS_NAMES)}")
    return parts


def jobs(value: str) -> int:
    """Return a number of processes."""
    if not value.isdecimal() or not 1 <= int(value) <= 256:
        raise ArgumentTypeError(f"must be a number from 1 to 256, not {value!r}")
    return int(value)


def limit(value: str) -> int:
    """Return a number of rows."""
    if not value.isdecimal() or not 1 <= int(value) <= 1_000_000:
        raise ArgumentTypeError(f"must be a number from 1 to 1000000, not {value!r}")
    return int(value)


def days(value: str) -> int:
    """Return a number of days."""
    if not value.isdecimal() or not 0 <= int(value) <= 3650:
        raise ArgumentTypeError(f"must be a number of days from 0 to 3650, not {value!r}")
    return int(value)


def processors() -> Collection[int]:
    """Return the processors that this process may use."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
