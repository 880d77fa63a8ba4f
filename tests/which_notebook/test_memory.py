"""Memory stays bounded, whatever there is to read; that of all processes together, what they share counted for each."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
from log_files import compact
from records import ROLE, others, record, session

MOST = 200_000_000
MANY = 110_000
# The files with the same 30,000 calls.
COPIES = 4 if os.environ.get("CI") else 2


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
    found = write_long(tmp_path / "huge.json.gz", 60_000, 100)
    answer = run("summary", tmp_path / "huge.json.gz", "--role", ROLE, "--no-cache", *options)
    assert json.loads(answer.out)["calls"] == found
    assert json.loads(answer.out)["bytes"] > MOST / 2
    assert answer.peak < MOST


@pytest.fixture(scope="module")
def many_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of which all but one have the same calls: 110,000 differ."""
    folder = tmp_path_factory.mktemp("many")
    write_long(folder / "0.json.gz", 30_000, 1)
    for number in range(1, COPIES):
        shutil.copy(folder / "0.json.gz", folder / f"{number}.json.gz")
    write_long(folder / "more.json.gz", MANY, 1)
    return folder


@pytest.mark.parametrize("asked", ["calls", "summary"])
def test_of_many_calls(many_calls: Path, run: Any, asked: str) -> None:
    answer = run(asked, many_calls, "--role", ROLE, "--jobs", "2", "--no-cache")
    assert answer.status == 0
    calls = answer.out.count("\n") if asked == "calls" else json.loads(answer.out)["calls"]
    assert calls == MANY
    assert answer.peak < MOST
