"""Finds the calls of one log file: cuts their records out where possible, else parses the whole file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from ..calls.call import Call
from ..calls.search import Search
from ..limits import Limits
from .content import Content, Problems, TooManyProblemsError
from .cutting import NotCuttableError, cut_calls
from .decompress import pieces
from .extract import Extract


def scan(file: BinaryIO, search: Search, limits: Limits, *, cut: bool = True) -> Iterator[Extract]:
    """Yield what one file gives, in parts of bounded size; with `cut=False` all of it is parsed in any case.

    A file whose records can't be cut out is read once more, from where it stands now; what its first parts gave then comes
    again. Raises OSError where the file can't be read.
    """
    if cut:
        start = file.tell()
        content = Content(pieces(file, limits))
        try:
            yield from _parts(cut_calls(content, search, limits), content, Problems(), limits)
        except NotCuttableError:
            file.seek(start)
        else:
            return
    yield from _parsed(file, search, limits)


def _parsed(file: BinaryIO, search: Search, limits: Limits) -> Iterator[Extract]:
    # Most files can be cut, and these take long to load.
    from .packing import PARQUET, contents, seekable
    from .parsing import parquet_calls, parsed_calls

    start = file.tell()
    if file.read(len(PARQUET)) == PARQUET:
        content, problems = Content(iter(())), Problems()
        whole = seekable(file, limits)
        content.size = whole.seek(0, io.SEEK_END)
        whole.seek(0)
        yield from _parts(_one_by_one(parquet_calls(whole, search, problems)), content, problems, limits)
        return
    file.seek(start)
    for name, pieces_of_it in contents(file, limits):
        content, problems = Content(pieces_of_it), Problems()
        for extract in _parts(_one_by_one(parsed_calls(content, search, problems)), content, problems, limits):
            if name:
                extract.problems = [f"{name}: {problem}" for problem in extract.problems]
            yield extract


def _one_by_one(calls: Iterator[Call]) -> Iterator[list[Call]]:
    return ([call] for call in calls)


def _parts(batches: Iterator[list[Call]], content: Content, problems: Problems, limits: Limits) -> Iterator[Extract]:
    calls: list[Call] = []
    try:
        for some in batches:
            calls += some
            if len(calls) >= limits.found_calls:
                yield Extract(0, calls, [])
                calls = []
    except TooManyProblemsError:
        problems.close()
    yield Extract(content.size, calls, ([content.damage] if content.damage else []) + problems.lines())
