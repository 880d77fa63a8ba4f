"""Temporary files for what doesn't fit into memory; only this user can open them, and closing one deletes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, BinaryIO, cast

_PREFIX = "which-notebook-"
_LENGTH_BYTES = 4


def temporary_file() -> BinaryIO:
    """Return a new file without a name, so that nobody else can open it, and none is left behind."""
    import tempfile

    return tempfile.TemporaryFile(prefix=_PREFIX)


def named_temporary_file() -> IO[bytes]:
    """Return a new file with a name, by which another process can open it."""
    import tempfile

    return tempfile.NamedTemporaryFile(prefix=_PREFIX)


def spooled_file(in_memory: int) -> BinaryIO:
    """Return a new file, of which up to so many bytes are in memory."""
    import tempfile

    return cast(BinaryIO, tempfile.SpooledTemporaryFile(in_memory, prefix=_PREFIX))


class Blocks:
    """Blocks of bytes in a temporary file, read back in the order in which they were added."""

    def __init__(self) -> None:
        self._file = temporary_file()

    def add(self, block: bytes) -> None:
        """Append a block."""
        self._file.write(len(block).to_bytes(_LENGTH_BYTES, "little") + block)

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while length := self._file.read(_LENGTH_BYTES):
            yield self._file.read(int.from_bytes(length, "little"))

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
