"""Sources that can be read only once: standard input (`-`) and pipes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from typing import IO, BinaryIO

from ..calls.scope import Scope
from ..calls.spool import named_temporary_file, spooled_file
from ..limits import Limits
from ..progress import Progress
from .coverage import Coverage
from .source import LogFile, Opened, Source, SourceError

KIND = "read_once"
STANDARD_INPUT = "-"


def is_read_once(name: str) -> bool:
    """Return whether this names standard input or a pipe."""
    try:
        return name == STANDARD_INPUT or stat.S_ISFIFO(os.stat(name).st_mode)
    except OSError:
        return False


class ReadOnce(Source):
    """Standard input or a pipe; if it will be read again, it is first copied to a temporary file."""

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        if name == STANDARD_INPUT and sys.stdin.isatty():
            raise SourceError(
                "- means standard input, but that is the terminal: pipe a log into the command, or name a file"
            )
        super().__init__(name, limits, again=again, progress=progress)
        self._copy: IO[bytes] | None = None

    def files(self, scope: Scope, coverage: Coverage) -> Iterator[LogFile]:
        """Yield the one file."""
        if not self.again:
            yield LogFile(KIND, self.name if self.name == STANDARD_INPUT else os.path.abspath(self.name))
            return
        if self._copy is None:
            self._copy = self._copied()
        yield LogFile(KIND, self._copy.name, os.fstat(self._copy.fileno()).st_size, shown_name=self.name)

    def close(self) -> None:
        """Remove the copy."""
        if self._copy:
            self._copy.close()

    @staticmethod
    def opened(files: list[LogFile], limits: Limits) -> Iterator[Opened]:
        """Yield each with its content, so that it can be read a second time."""
        for file in files:
            yield open_local(file, limits)

    def _copied(self) -> IO[bytes]:
        import shutil

        copy = named_temporary_file()
        is_standard_input = self.name == STANDARD_INPUT
        with open(0 if is_standard_input else self.name, "rb", closefd=not is_standard_input) as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        return copy


def open_local(file: LogFile, limits: Limits) -> Opened:
    """Open a file on this machine; what can be read only once is copied, to a temporary file if it is long."""
    try:
        content = sys.stdin.buffer if file.name == STANDARD_INPUT else open(file.name, "rb", buffering=0)  # noqa: SIM115 - the reader closes it
        return file, content if content.seekable() else _spooled(content, limits)
    except OSError as error:
        return file, error


def _spooled(pipe: BinaryIO, limits: Limits) -> BinaryIO:
    import shutil

    copy = spooled_file(limits.copied_bytes)
    with pipe:
        shutil.copyfileobj(pipe, copy)
    copy.seek(0)
    return copy
