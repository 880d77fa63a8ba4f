"""Finds the calls of one log file: cuts their records out where possible, else parses the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from ..calls.call import Call
from ..calls.search import Search
from ..limits import LIMITS, Limits
from .content import Content, Problems, TooManyProblemsError
from .cutting import NotCuttableError, cut_calls
from .decompress import careful_pieces, pieces
from .parsing import parsed_calls


class Extract(Struct, array_like=True, gc=False):
    """What was read from a part of a file: its decompressed size in bytes, the matching calls, and the problems."""

    size: int
    calls: list[Call]
    problems: list[str]


def scan(file: BinaryIO, search: Search, *, cut: bool = True, limits: Limits = LIMITS) -> Iterator[Extract]:
    """Yield what one file gives, in parts of bounded size; with `cut=False` all of it is parsed in any case.

    A file whose records can't be cut out is read once more, from where it stands now; what its first parts gave then comes
    again. Raises OSError where the file can't be read.
    """
    if cut:
        start = file.tell()
        content = Content(pieces(file))
        try:
            yield from _parts(cut_calls(content, search, limits), content, Problems(), limits)
        except NotCuttableError:
            file.seek(start)
        else:
            return
    content, problems = Content(careful_pieces(file)), Problems()
    one_by_one = ([call] for call in parsed_calls(content, search, problems))
    yield from _parts(one_by_one, content, problems, limits)


def _parts(found: Iterator[list[Call]], content: Content, problems: Problems, limits: Limits) -> Iterator[Extract]:
    calls: list[Call] = []
    try:
        for some in found:
            calls += some
            if len(calls) >= limits.found_calls:
                yield Extract(0, calls, [])
                calls = []
    except TooManyProblemsError:
        problems.close()
    yield Extract(content.size, calls, ([content.damage] if content.damage else []) + problems.lines())
