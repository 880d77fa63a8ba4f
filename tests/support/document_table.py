"""A table in a document that is written from what tests see, and read by them, so that it can't drift."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

WRITE = os.environ.get("WRITE_TABLES") == "1"

Cells = tuple[str, ...]


class Table:
    """The table of a document whose first column has this heading."""

    def __init__(self, document: Path, heading: str) -> None:
        self._document = document
        self._heading = heading

    def documented(self) -> dict[str, Cells]:
        """Return the cells of each row by its first one."""
        lines, begin, end = self._lines()
        rows = [re.split(r" *\| *", line.strip("| ")) for line in lines[begin:end]]
        return {first: tuple(cells) for first, *cells in rows}

    def collecting(self, scope: Literal["session", "module"], *, keep: bool = False) -> Any:
        """Return a fixture: what tests see, by the first cell. It goes into the document where that was asked for."""

        @pytest.fixture(scope=scope)
        def seen() -> Iterator[dict[str, Cells]]:
            seen: dict[str, Cells] = {}
            yield seen
            if WRITE:
                self.write(seen, keep=keep)

        return seen

    def write(self, seen: Mapping[str, Cells], *, keep: bool = False) -> None:
        """Make these the rows; with `keep`, those that weren't seen stay where they are, before what is new."""
        lines, begin, end = self._lines()
        rows = {**self.documented(), **seen} if keep else seen
        lines[begin:end] = [f"| {first} | {' | '.join(cells)} |" for first, cells in rows.items()]
        self._document.write_text("\n".join([*lines, ""]))

    def _lines(self) -> tuple[list[str], int, int]:
        lines = self._document.read_text().splitlines()
        (heading,) = [number for number, line in enumerate(lines) if line.startswith(f"| {self._heading} |")]
        begin = end = heading + 2
        while end < len(lines) and lines[end].startswith("|"):
            end += 1
        return lines, begin, end
