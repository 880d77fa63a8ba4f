"""What stands behind damage, or behind a line of text, is found, and what stands in it isn't, wherever the pieces of a file end."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from log_files import compact
from records import ROLE, record, session

from which_notebook.records.json_values import ValueReader
from which_notebook.records.record_text import LONGEST_VALUE

KEPT, FORGED = compact(record(session("kept"))).decode(), compact(record(session("forged"))).decode()


def values(*pieces: str) -> list[str]:
    """Return the values that are read of a text in these pieces."""
    reader = ValueReader(lambda problem, wasted: None)
    found = [value for piece in pieces for value in reader.feed(piece)]
    return [*found, *reader.feed("", last=True)]


@pytest.mark.parametrize("damaged", ['{"Records":[{"a":1,,"b":2},', "[" * 150 + "0,", '[{"a":"\x00"},'])
def test_the_next_record_is_found_wherever_a_piece_ends(damaged: str) -> None:
    whole = damaged + "0," * 100 + KEPT + "\n" + KEPT
    for end in range(len(damaged), whole.index(KEPT) + 40):
        assert values(whole[:end], whole[end:]) == [KEPT, KEPT], whole[:end][-40:]


def test_a_record_behind_megabytes_of_damage_is_found_wherever_a_piece_ends() -> None:
    damaged = '{"eventVersion":,' + "x" * (LONGEST_VALUE + 10)
    whole = damaged + KEPT
    for end in range(len(damaged) - 2, len(damaged) + 18, 3):
        assert values(whole[:end], whole[end:]) == [KEPT]


@pytest.mark.parametrize("more", [0, 1, 5_000_000])
def test_no_record_in_a_line_of_text_counts_wherever_a_piece_ends(more: int) -> None:
    line = "an application says what its user said: " + "x" * (LONGEST_VALUE + more)
    assert values(line, FORGED + FORGED, f" x {FORGED}\n", KEPT) == [KEPT]
    assert values(line, FORGED, "\n" + KEPT) == [KEPT]


@pytest.mark.parametrize("line", ["2026-03-01T09:00:001 is no time", "2026-03-01T09:00:00Z is one"])
def test_a_time_is_none_until_its_next_letter_is_seen(line: str) -> None:
    """Behind a time, only a line that has one, too, has an event."""
    whole = f"{line}\n{KEPT}\n"
    expected = values(whole)
    for end in range(len(line) + 1):
        assert values(whole[:end], whole[end:]) == expected
    assert bool(expected) is ("no time" in line)


def test_brackets_beyond_counting_hide_no_record_however_they_are_packed(ask: Any, tmp_path: Path) -> None:
    data = ("[" * 150 + "0," * 40_000 + f"{KEPT}\n{KEPT}\n").encode().replace(b'"eventID":"', b'"eventID":"2-', 1)
    (tmp_path / "log.json").write_bytes(data)
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(data, 1))
    for name in ("log.json", "log.json.gz"):
        assert ask("summary", tmp_path / name, "--role", ROLE).json["calls"] == 2
