"""The cache spares reading, and never changes an answer."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from log_files import document, write
from records import ROLE, record, session

from which_notebook.calls.call import Call
from which_notebook.calls.table import CallTable
from which_notebook.limits import Limits


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for number in range(3):
        write(tmp_path / f"logs/{number}.json.gz", *(record(session(f"n{number}")) for _ in range(50)))
    return tmp_path / "logs"


@pytest.fixture
def database(cache_home: Path) -> Path:
    return cache_home / "which-notebook" / "found.sqlite"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened."""
    from which_notebook.sources import folder, read_once

    names: list[str] = []
    opened = read_once.open_local

    def noted(file: Any, limits: Any) -> Any:
        names.append(Path(file.name).name)
        return opened(file, limits)

    monkeypatch.setattr(folder, "open_local", noted)
    return names


ALL = ["0.json.gz", "1.json.gz", "2.json.gz"]


def summed(ask: Any, logs: Path, *options: str) -> Any:
    answer = ask("summary", logs, "--role", ROLE, *options)
    assert answer.status == 0
    return answer.json


@pytest.mark.parametrize("command", [["summary"], ["calls"], ["calls", "--follow"], ["calls", "--format", "csv"]])
def test_the_second_answer_is_the_first_and_reads_no_file(
    ask: Any, logs: Path, read: list[str], command: list[str]
) -> None:
    asked = [command[0], logs, "--role", ROLE, *command[1:]]
    first = ask(*asked)
    assert set(read) == set(ALL)
    read.clear()
    assert ask(*asked) == first
    assert read == []
    assert ask(*asked, "--no-cache") == first
    assert set(read) == set(ALL)


def test_an_explained_event_comes_from_the_cache_with_its_record(ask: Any, logs: Path, read: list[str]) -> None:
    found = record(session("n0"), eventID="e-1")
    write(logs / "3.json.gz", found)
    first = ask("event", "e-1", logs)
    assert first.json["record"] == found
    read.clear()
    assert (ask("event", "e-1", logs), read) == (first, [])


def test_of_other_questions_too_only_the_role_matters(ask: Any, logs: Path, read: list[str]) -> None:
    summed(ask, logs)
    read.clear()
    assert summed(ask, logs, "--notebook", "n1", "--event-name", "Get*")["calls"] == 50
    assert read == []
    assert ask("summary", logs, "--role", "another").json["calls"] == 0
    assert set(read) == set(ALL)


def test_a_cache_that_has_grown_too_large_is_begun_anew(ask: Any, logs: Path, read: list[str], database: Path) -> None:
    first = summed(ask, logs)
    read.clear()
    for cache_bytes, opened in ((database.stat().st_size, []), (database.stat().st_size - 1, ALL)):
        answer = ask("summary", logs, "--role", ROLE, limits=Limits(cache_bytes=cache_bytes))
        assert (answer.json, sorted(read)) == (first, opened)


def test_a_changed_an_added_and_a_removed_file(ask: Any, logs: Path, read: list[str]) -> None:
    summed(ask, logs)
    read.clear()
    write(logs / "0.json.gz", record(session("changed")))
    write(logs / "new.json.gz", record(session("new")))
    (logs / "1.json.gz").unlink()
    found = summed(ask, logs)
    assert {row["notebook"]: row["calls"] for row in found["notebooks"]} == {"changed": 1, "n2": 50, "new": 1}
    assert read == ["0.json.gz", "new.json.gz"]


def test_other_content_of_the_same_size_and_time_is_noticed(ask: Any, tmp_path: Path) -> None:
    before, after = document([record(session("aaa"), eventID="e")]), document([record(session("bbb"), eventID="e")])
    before, after = (each[:-2].ljust(3000) + b"]}" for each in (before, after))
    path = tmp_path / "log.json"
    path.write_bytes(before)
    times = path.stat()
    assert summed(ask, path)["notebooks"][0]["notebook"] == "aaa"
    path.write_bytes(after)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert summed(ask, path)["notebooks"][0]["notebook"] == "bbb"


def test_parse_all_is_a_check_and_takes_nothing_from_the_cache(ask: Any, logs: Path, read: list[str]) -> None:
    summed(ask, logs)
    read.clear()
    summed(ask, logs, "--parse-all")
    assert set(read) == set(ALL)


def test_no_cache_writes_nothing(ask: Any, logs: Path, cache_home: Path) -> None:
    summed(ask, logs, "--no-cache")
    summed(ask, logs, "--parse-all")
    assert list(cache_home.iterdir()) == []


def test_nobody_else_can_read_it(ask: Any, logs: Path, database: Path) -> None:
    before = os.umask(0)
    try:
        summed(ask, logs)
    finally:
        os.umask(before)
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("at", [0, 20, *range(4096, 12 * 4096, 4096)])
def test_damage_costs_time_and_nothing_else(ask: Any, logs: Path, database: Path, read: list[str], at: int) -> None:
    expected = summed(ask, logs)
    data = bytearray(database.read_bytes())
    assert at < len(data)
    data[at : at + 3000] = b"\xa5" * 3000
    database.write_bytes(data)
    for _ in range(3):
        assert summed(ask, logs) == expected
    read.clear()
    assert summed(ask, logs) == expected
    assert read == []


def test_a_changed_byte_in_what_is_remembered_is_noticed(ask: Any, logs: Path, database: Path) -> None:
    expected = summed(ask, logs)
    data = database.read_bytes()
    assert b"n1" in data
    database.write_bytes(data.replace(b"\xa2n1", b"\xa2n7"))
    assert summed(ask, logs) == expected


@pytest.mark.parametrize("kind", ["text", "folder", "another schema", "empty"])
def test_something_else_in_its_place(ask: Any, logs: Path, database: Path, kind: str) -> None:
    database.parent.mkdir()
    if kind == "folder":
        database.mkdir()
    elif kind == "another schema":
        with sqlite3.connect(database) as other:
            other.execute("CREATE TABLE file (x)")
        other.close()
    else:
        database.write_text("no database" * 1000 if kind == "text" else "")
    answer = ask("summary", logs, "--role", ROLE)
    assert (answer.status, answer.json["calls"]) == (0, 150)
    assert kind in ("text", "empty") or "--no-cache does without it" in answer.err


def test_a_locked_one_stands_in_nobodys_way(ask: Any, logs: Path, database: Path) -> None:
    summed(ask, logs)
    write(logs / "new.json.gz", record())
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    answer = ask("summary", logs, "--role", ROLE)
    other.close()
    assert (answer.status, answer.json["calls"]) == (0, 151)
    assert "database is locked" in answer.err
    assert summed(ask, logs)["calls"] == 151


def test_one_that_cant_be_written(command: list[str], logs: Path, cache_home: Path, powerless: list[str]) -> None:
    cache_home.chmod(0o500)
    asked = [*powerless, *command, "summary", str(logs), "--role", ROLE]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    cache_home.chmod(0o700)
    assert answer.returncode == 0
    assert "Permission denied" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert '"calls": 150' in answer.stdout


def test_one_that_is_deleted_meanwhile(ask: Any, logs: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from which_notebook.reading import cache

    put = cache.Cache.put

    def put_in_a_deleted_one(self: Any, *arguments: Any) -> None:
        database.unlink(missing_ok=True)
        put(self, *arguments)

    monkeypatch.setattr(cache.Cache, "put", put_in_a_deleted_one)
    assert summed(ask, logs)["calls"] == 150
    assert summed(ask, logs)["calls"] == 150


def test_another_version_reads_anew(ask: Any, logs: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from which_notebook.reading import cache

    summed(ask, logs)
    read.clear()
    monkeypatch.setattr(cache, "__version__", "999")
    summed(ask, logs)
    assert set(read) == set(ALL)


def test_two_processes_at_once(command: list[str], logs: Path) -> None:
    asked = [*command, "summary", str(logs), "--role", ROLE]
    both = [subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    answers = {process.communicate() for process in both}
    assert len(answers) == 1
    ((out, err),) = answers
    assert (b'"calls": 150' in out, err) == (True, b"")


@pytest.mark.parametrize("different", [1, 256, 257, 65_537])
def test_however_many_texts_differ_a_table_comes_back_as_it_was(different: int) -> None:
    calls = [
        Call(f"e-{n}", "2026-03-01T09:00:00Z", "s3.amazonaws.com", "GetObject", user_agent=f"agent {n % different}")
        for n in range(different + 3)
    ]
    back = CallTable.decode(CallTable.of(calls).encode())
    assert list(back.calls()) == calls
    assert list(CallTable.decode(CallTable.of([]).encode()).calls()) == []
