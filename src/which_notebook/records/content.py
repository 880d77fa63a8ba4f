"""A file's content while it is read, and the problems found in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..words import counted
from .decompress import DamagedFileError

_PROBLEMS_AT_MOST = 10
_PRICE = 200
_CREDIT = 30_000_000


class Content:
    """The pieces of a file's content. At the end, `size` is their total in bytes, and `damage` says what ended them early."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.size = 0
        self.damage: str | None = None
        self._again = b""

    def put_back(self, piece: bytes) -> None:
        """Have a piece that was taken come once more."""
        self._again = piece

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._again:
            piece, self._again = self._again, b""
            return piece
        try:
            piece = next(self._pieces)
        except DamagedFileError as error:
            self.damage = str(error)
            raise StopIteration from None
        self.size += len(piece)
        return piece


class TooManyProblemsError(Exception):
    """The file is no log, or was made to waste time: the rest is not read."""


class Problems:
    """The problems found in a file, reported in a bounded number of lines.

    Telling a problem takes time, and a file may be made to have nothing else. So each has a price, in characters that are
    read in the same time; what was read pays for it.
    """

    def __init__(self) -> None:
        self._first: list[str] = []
        self._number = 0
        self._credit = _CREDIT
        self._closed = False

    def has_read(self, characters: int) -> None:
        """Add to how much was read."""
        self._credit += characters

    def add(self, problem: str, wasted: int = 0) -> None:
        """Add a problem, and how many characters were read in vain; raise TooManyProblemsError where problems take too much time."""
        if self._closed:
            return
        self._number += 1
        self._credit -= _PRICE + wasted
        if self._number <= _PROBLEMS_AT_MOST:
            self._first.append(problem)
        if self._credit < 0:
            raise TooManyProblemsError

    def close(self) -> None:
        """Ignore all further problems."""
        self._closed = True

    def lines(self) -> list[str]:
        """Return a line for each of the first ones, and how many more there are."""
        more = self._number - len(self._first)
        rest = "; the rest is left unread" if self._credit < 0 else ""
        return [*self._first, f"and {counted(more, 'more problem')}{rest}"] if more else self._first
