"""Temporary files for what doesn't fit into memory; only this user can open them, and closing one deletes it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO, cast

from ..errors import CommandError, reason_of

_PREFIX = "which-notebook-"
_LENGTH_BYTES = 4


class TemporaryFileError(CommandError):
    """There is no room for temporary files; the message says where, and what to do."""

    is_wrong_usage = False


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TemporaryFileError(
            f"can't write a temporary file: {reason_of(error)}; set TMPDIR to a folder with room"
        ) from None


class _TemporaryFile(io.BufferedRandom):
    """Raises TemporaryFileError for what would look like trouble with the output otherwise."""

    def write(self, data: Any) -> int:
        with _named_errors():
            return super().write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _named_errors():
            return super().seek(offset, whence)

    def close(self) -> None:
        with suppress(OSError):  # of what nobody will read
            super().close()


def temporary_file() -> BinaryIO:
    """Return a new file without a name, so that nobody else can open it, and none is left behind.

    Raises TemporaryFileError where it can't be made; its methods do where it can't be written.
    """
    import tempfile

    with _named_errors():
        return _TemporaryFile(cast(Any, tempfile.TemporaryFile(buffering=0, prefix=_PREFIX)))


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
