"""A file's content while it is read, and what is found to be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from .decompress import DamagedFileError

_PROBLEMS_AT_MOST = 10
_PROBLEMS_BORNE = 20_000


class Content:
    """The pieces of a file's content, and what is known once they have come: their size in bytes, and what ended them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.size = 0
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except DamagedFileError as error:
            self.damage = str(error)
            raise StopIteration from None
        self.size += len(piece)
        return piece


class TooManyProblemsError(Exception):
    """The file is no log, or was made to take up time: the rest of it stays unread."""


class Problems:
    """What is wrong with what stands in a file, told in a bounded number of lines."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._number = 0
        self._borne = 0
        self._closed = False

    def add(self, problem: str, weight: int = 1) -> None:
        """Take one down; raise TooManyProblemsError where there have been so many, by weight, that the file is no log."""
        if self._closed:
            return
        self._number += 1
        self._borne += weight
        if self._number <= _PROBLEMS_AT_MOST:
            self._first.append(problem)
        if self._borne >= _PROBLEMS_BORNE:
            raise TooManyProblemsError

    def close(self) -> None:
        """Take down no more."""
        self._closed = True

    def told(self) -> list[str]:
        """Return a line for each of the first ones, and how many more there are."""
        more = self._number - len(self._first)
        rest = "; the rest is left unread" if self._borne >= _PROBLEMS_BORNE else ""
        return [*self._first, f"and {more:,} more problems{rest}"] if more else self._first
