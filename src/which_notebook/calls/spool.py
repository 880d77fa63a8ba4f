"""Temporary files for what doesn't fit into memory. They have no name, so nobody else can open them and none is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_LENGTH_BYTES = 4


def temporary_file() -> BinaryIO:
    """Return a new file; closing it deletes it."""
    import tempfile

    return tempfile.TemporaryFile(prefix="which-notebook-")


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
