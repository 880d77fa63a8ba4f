"""The progress bar: files, bytes, rate, time left, and what an engine does; on terminals only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from ..progress import Progress
from .messages import say

_SECONDS_BETWEEN_VIEWS = 0.1
_NARROWEST = 72


class _Quiet(Progress):
    """Shows no bar."""

    def warn(self, text: str) -> None:
        say(text)


class _Bar(_Quiet):
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("{task.fields[what]}"),
            console=Console(stderr=True),
            transient=True,
            # By itself it would start a thread, and worker processes are forked.
            auto_refresh=False,
        )
        known = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._known = known if self.bar.console.width >= _NARROWEST else ()
        self._task = self.bar.add_task("reading", total=None, what="looking for log files")
        self._files = 0
        self._expected = ""
        self._shown = 0.0

    def add(self, files: int, size: int) -> None:
        self._files += files
        self.bar.update(self._task, advance=size, what=f"reading {self._files:,}{self._expected} files")
        if monotonic() - self._shown > _SECONDS_BETWEEN_VIEWS:
            self.bar.refresh()
            self._shown = monotonic()

    def expect(self, files: int, size: int, *, final: bool) -> None:
        self._expected = f" of {files:,}" if final else ""
        # How much that is isn't known of standard input, or while files are still being listed.
        self.bar.columns = (self.bar.columns[0], *(self._known if final and size else ()))
        self.bar.update(self._task, total=size if final else None)

    def state(self, text: str) -> None:
        if monotonic() - self._shown > _SECONDS_BETWEEN_VIEWS:
            self.bar.update(self._task, what=text)
            self.bar.refresh()
            self._shown = monotonic()


@contextmanager
def shown_progress(shown: bool) -> Iterator[Progress]:
    """Show the progress while the block runs, if that is wanted."""
    if not shown:
        yield _Quiet()
        return
    bar = _Bar()
    with bar.bar:
        yield bar
