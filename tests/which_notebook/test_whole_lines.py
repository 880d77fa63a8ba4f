"""Lines come whole, and one that is too long is left out whole, wherever the pieces of a file end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from which_notebook.records.content import Content, Problems
from which_notebook.records.record_text import LONGEST_VALUE
from which_notebook.records.whole_lines import in_whole_lines


def read(pieces: list[bytes]) -> tuple[list[tuple[int, bytes]], list[str]]:
    """Return each line with its place, and the problems, of a content that comes in these pieces."""
    problems, lines = Problems(), []
    for at, text in in_whole_lines(Content(iter(pieces)), problems):
        for line in text.splitlines(keepends=True):
            lines.append((at, line))
            at += len(line)
    return lines, problems.lines()


def cut(data: bytes, ends: list[int]) -> list[bytes]:
    places = [0, *sorted(min(end, len(data)) for end in ends), len(data)]
    return [data[start:end] for start, end in pairwise(places) if start < end]


@given(st.lists(st.sampled_from([b"", b"a", b"bc" * 9]), max_size=9), st.booleans(), st.lists(st.integers(0, 99)))
def test_the_pieces_make_no_difference(lines: list[bytes], ends_with_line: bool, ends: list[int]) -> None:
    data = b"\n".join(lines) + b"\n" * ends_with_line
    found, problems = read(cut(data, ends))
    assert b"".join(line for _, line in found) == data
    assert all(data[at : at + len(line)] == line for at, line in found)
    assert problems == []


@pytest.mark.parametrize("length", [LONGEST_VALUE, LONGEST_VALUE + 1, LONGEST_VALUE + 3_000_000])
@pytest.mark.parametrize("piece", [900_000, 4 * 1024 * 1024])
@pytest.mark.parametrize("end", [b"\nb\n", b"\n", b""], ids=["another line", "its end", "nothing"])
def test_a_line_that_is_too_long_is_left_out_whole(length: int, piece: int, end: bytes) -> None:
    data = b"a\n" + b"x" * length + end
    found, problems = read([data[at : at + piece] for at in range(0, len(data), piece)])
    is_too_long = length > LONGEST_VALUE
    long = [] if is_too_long else [(2, b"x" * length + end[:1])]
    assert found == [(0, b"a\n"), *long, *([(2 + length + 1, b"b\n")] if b"b" in end else [])]
    assert problems == (["the line at byte 2 is longer than any record"] if is_too_long else [])
