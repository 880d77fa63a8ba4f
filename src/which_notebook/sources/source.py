"""What a source is: a place where records are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from ..calls.scope import Scope
from ..calls.search import Search
from ..errors import CommandError
from ..limits import Limits
from ..progress import Progress
from ..records.extract import Extract
from .coverage import Coverage


class SourceError(CommandError):
    """A source can't be used as it was given; the message says why and what to do."""


class LogFile(Struct, array_like=True, gc=False):
    """A file that calls are read from.

    `kind` is its source's, in the registry; `name` is what that source opens it by. `size` is in bytes, None where it
    isn't known. `version` changes with the content; a file without one can be read once only, and isn't remembered.
    `shown_name` is there where people know it by another name.
    """

    kind: str
    name: str
    size: int | None = None
    version: str | None = None
    shown_name: str | None = None


Opened = tuple[LogFile, BinaryIO | OSError]
"""A file with its content, or with the reason why that can't be had."""


class Source:
    """One source of a question, by its name on the command line.

    It lists files, and opens them; or it gives calls by itself. `limits` bound what it takes at once; `again` says that it will
    be read several times; `progress` is told what is waited for. Raises SourceError where the name can't be meant.
    """

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        self.name = name
        self.limits = limits
        self.again = again
        self.progress = progress or Progress()

    def files(self, scope: Scope, coverage: Coverage) -> Iterator[LogFile]:
        """Yield the files that may hold what is asked for, in a fixed order; `coverage` takes in what there is."""
        return iter(())

    def calls(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[Extract]:
        """Yield the matching calls of a source without files, in no particular order, in parts of bounded size."""
        return iter(())

    def queries(self, search: Search, scope: Scope) -> Iterator[str]:
        """Yield the SQL by which a search would be asked, without asking it; nothing of a source that isn't asked with SQL."""
        return iter(())

    def close(self) -> None:
        """Remove what was kept for another reading."""

    @staticmethod
    def opened(files: list[LogFile], limits: Limits) -> Iterator[Opened]:
        """Yield each of these files, in order, with its content, or with the reason why it can't be had."""
        raise NotImplementedError
