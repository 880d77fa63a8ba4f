"""Reads a content in pieces that end where a line does."""

from __future__ import annotations

from collections.abc import Iterator

from .content import Content, Problems
from .record_text import LONGEST_VALUE


def in_whole_lines(content: Content, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """Yield the content in such pieces, each with its place in it, in bytes. Only the last may lack its line end.

    A line that is longer than any record is left out and reported, wherever the content's own pieces end.
    """
    rest, at, left_out = b"", 0, 0
    for piece in content:
        problems.has_read(len(piece))
        text = rest + piece
        line_end = text.find(b"\n")
        if left_out or line_end > LONGEST_VALUE or (line_end < 0 and len(text) > LONGEST_VALUE):
            left_out += line_end + 1 or len(text)
            rest = b""
            if line_end < 0:
                continue
            at = _leave_out(at, left_out, problems)
            left_out, text = 0, text[line_end + 1 :]
        end = text.rfind(b"\n") + 1
        if end:
            yield at, text[:end]
        at, rest = at + end, text[end:]
    if left_out:
        _leave_out(at, left_out, problems)
    elif rest:
        yield at, rest


def _leave_out(at: int, length: int, problems: Problems) -> int:
    problems.add(f"the line at byte {at:,} is longer than any record", length)
    return at + length
