"""How far a reading is."""

from __future__ import annotations


class Progress:
    """Takes in how far a reading is; this one shows nothing."""

    def add(self, files: int, size: int) -> None:
        """Count files that were read, and their size in bytes as they lie there."""

    def expect(self, files: int, size: int, *, final: bool) -> None:
        """Say how much there is to be read in all, as far as that is known; `final`: there is no more."""
