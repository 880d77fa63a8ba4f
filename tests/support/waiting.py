"""Waits for what is to come, no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def until(find: Callable[[], _Found | None], *, seconds: float, every: float = 0.1) -> _Found:
    """Return what is found once there is something; it has to come within so many seconds."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, f"it did not come within {seconds} seconds"
        time.sleep(every)
    return found
