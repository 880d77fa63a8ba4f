"""Memory stays bounded, whatever there is to read; that of all processes together, what they share counted for each."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from log_files import compact
from records import ROLE, others, record, session

MOST = 200_000_000


def write_long(path: Path, number: int, every: int) -> int:
    """Write so many records, of which one in some is the role's; return how many are."""
    squeezer = zlib.compressobj(1, wbits=31)
    other, own = (
        compact(others(userAgent="x" * 1000)),
        compact(record(session("own"), eventID="@", requestID="@", userAgent="y" * 300)),
    )
    with open(path, "wb") as file:
        file.write(squeezer.compress(b'{"Records":['))
        for at in range(number):
            each = own.replace(b'"@"', b'"%d"' % at) if at % every == 0 else other
            file.write(squeezer.compress((b"," if at else b"") + each))
        file.write(squeezer.compress(b"]}") + squeezer.flush())
    return -(-number // every)


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_of_a_huge_file(tmp_path: Path, run: Any, options: list[str]) -> None:
    found = write_long(tmp_path / "huge.json.gz", 80_000, 100)
    answer = run("summary", tmp_path / "huge.json.gz", "--role", ROLE, "--no-cache", *options)
    assert json.loads(answer.out)["calls"] == found
    assert json.loads(answer.out)["bytes"] > MOST / 2
    assert answer.peak < MOST


@pytest.mark.parametrize("asked", ["calls", "summary"])
def test_of_many_calls(tmp_path: Path, run: Any, asked: str) -> None:
    for number in range(4):
        write_long(tmp_path / f"{number}.json.gz", 30_000, 1)
    # Each file numbers its own from 0: 30,000 differ.
    whole = write_long(tmp_path / "more.json.gz", 110_000, 1)
    answer = run(asked, tmp_path, "--role", ROLE, "--jobs", "2", "--no-cache")
    assert answer.status == 0
    calls = answer.out.count("\n") if asked == "calls" else json.loads(answer.out)["calls"]
    assert calls == whole
    assert answer.peak < MOST
