"""Says on a terminal how far the reading is: files, bytes, rate, time left. Elsewhere nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

_SECONDS_BETWEEN_VIEWS = 0.1


class Progress:
    """What is read so far; `_Bar` shows it, and this one keeps silent."""

    def add(self, files: int, size: int) -> None:
        """Count files that were read, and their size in bytes as they lie there."""

    def expect(self, files: int, size: int, *, final: bool) -> None:
        """Say how much there is to be read in all, as far as that is known; `final`: there is no more."""


class _Bar(Progress):
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("reading {task.fields[files]}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            # By itself it would start a thread, and worker processes are forked.
            auto_refresh=False,
        )
        self._task = self.bar.add_task("reading", total=None, files="0 files")
        self._files = 0
        self._expected = ""
        self._shown = 0.0

    def add(self, files: int, size: int) -> None:
        self._files += files
        self.bar.update(self._task, advance=size, files=f"{self._files:,}{self._expected} files")
        if monotonic() - self._shown > _SECONDS_BETWEEN_VIEWS:
            self.bar.refresh()
            self._shown = monotonic()

    def expect(self, files: int, size: int, *, final: bool) -> None:
        self._expected = f" of {files:,}" if final else ""
        self.bar.update(self._task, total=size if final else None)


@contextmanager
def shown_progress(shown: bool) -> Iterator[Progress]:
    """Show the progress while the block runs, if that is wanted."""
    if not shown:
        yield Progress()
        return
    bar = _Bar()
    with bar.bar:
        yield bar
