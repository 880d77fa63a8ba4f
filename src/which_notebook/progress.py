"""How far a reading is, and what is to be said while it runs."""

from __future__ import annotations


class Progress:
    """Takes in how far a reading is; this one shows nothing."""

    def add(self, files: int, size: int) -> None:
        """Count files that were read, and their size in bytes as they lie there."""

    def expect(self, files: int, size: int, *, final: bool) -> None:
        """Say how much there is to be read in all, as far as that is known; `final`: there is no more."""

    def state(self, text: str) -> None:
        """Say what is waited for."""

    def warn(self, text: str) -> None:
        """Say what people should know before more is done, since it may cost them something."""
