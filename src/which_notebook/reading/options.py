"""How to read."""

from __future__ import annotations

from msgspec import Struct, field

from ..limits import LIMITS, Limits
from .progress import Progress


class Options(Struct, frozen=True, kw_only=True):
    """`jobs`: processes that read; `cut`: see `scan`; `cache`: where the cache stands, or None; `progress` is told how far it is."""

    jobs: int = 1
    cut: bool = True
    cache: str | None = None
    progress: Progress = field(default_factory=Progress)
    limits: Limits = LIMITS
