"""One log file's wanted calls: cut out of it where that is possible, or else all of it parsed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from ..calls.search import Wanted
from .cloudtrail import Call
from .content import Content, Problems, TooManyProblemsError
from .cutting import NotCuttableError, cut_calls
from .decompress import careful_pieces, pieces
from .parsing import parsed_calls

_CALLS_AT_ONCE = 5_000


class Found(Struct, array_like=True, gc=False):
    """What a part of a file gave: its size when decompressed, in bytes, the wanted calls, and what was wrong with it."""

    size: int
    calls: list[Call]
    problems: list[str]


def scan(file: BinaryIO, wanted: Wanted, *, cut: bool = True) -> Iterator[Found]:
    """Yield what one file gives, in parts of bounded size; with `cut=False` all of it is parsed in any case.

    A file whose records can't be cut out is read once more, from where it stands now; what its first parts gave then comes
    again. Raises OSError where the file can't be read.
    """
    if cut:
        start = file.tell()
        content = Content(pieces(file))
        try:
            yield from _parts(cut_calls(content, wanted), content, Problems())
        except NotCuttableError:
            file.seek(start)
        else:
            return
    content, problems = Content(careful_pieces(file)), Problems()
    one_by_one = ([call] for call in parsed_calls(content, wanted, problems))
    yield from _parts(one_by_one, content, problems)


def _parts(found: Iterator[list[Call]], content: Content, problems: Problems) -> Iterator[Found]:
    calls: list[Call] = []
    try:
        for some in found:
            calls += some
            if len(calls) >= _CALLS_AT_ONCE:
                yield Found(0, calls, [])
                calls = []
    except TooManyProblemsError:
        problems.close()
    yield Found(content.size, calls, ([content.damage] if content.damage else []) + problems.told())
