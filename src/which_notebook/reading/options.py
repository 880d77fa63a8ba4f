"""How to read."""

from __future__ import annotations

from msgspec import Struct, field

from ..limits import Limits
from ..progress import Progress


class Options(Struct, frozen=True, kw_only=True):
    """`jobs` processes read; `cut`: see `scan`; `cache` is the cache's path, or None; `progress` shows how far it is."""

    limits: Limits
    jobs: int = 1
    cut: bool = True
    cache: str | None = None
    progress: Progress = field(default_factory=Progress)
