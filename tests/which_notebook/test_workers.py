"""Worker processes: the same answer, and none of them left or missed without a word."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from log_files import document, write
from records import ROLE, record, session

from which_notebook.limits import Limits
from which_notebook.reading import parts, workers

WORKERS = Limits(worth_workers_bytes=0)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for number in range(300):
        write(tmp_path / f"logs/{number:03}.json.gz", record(session(f"n{number % 3}")))
    (tmp_path / "logs/bad.json").write_bytes(b"")
    (tmp_path / os.fsdecode(b"logs/caf\xe9.json")).write_bytes(document([record()]))
    return tmp_path / "logs"


def test_two_jobs_give_the_answer_of_one(ask: Any, logs: Path) -> None:
    one = ask("summary", logs, "--role", ROLE, "--jobs", 1, "--no-cache")
    assert one.json["calls"] == 301
    assert ask("summary", logs, "--role", ROLE, "--jobs", 2, "--no-cache", limits=WORKERS) == one
    calls = ask("calls", logs, "--role", ROLE, "--jobs", 1, "--no-cache")
    assert ask("calls", logs, "--role", ROLE, "--jobs", 3, "--no-cache", limits=WORKERS) == calls


@pytest.mark.parametrize("killed", ["one", "all"])
def test_a_killed_worker_is_named_and_the_others_files_are_read(
    ask: Any, logs: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    start = workers.Workers.__init__

    def started(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        for process in multiprocessing.active_children()[: 1 if killed == "one" else None]:
            process.kill()
            process.join()

    monkeypatch.setattr(workers.Workers, "__init__", started)
    limits = Limits(worth_workers_bytes=0, batch_files=20)
    answer = ask("summary", logs, "--role", ROLE, "--jobs", 2, "--no-cache", limits=limits)
    assert answer.status == 1
    ended = [each for each in answer.json["skipped"] if "the process that read it ended" in each["reason"]]
    assert ended
    assert answer.json["calls"] + len({each["file"] for each in ended} - {str(logs / "bad.json")}) == 301
    assert answer.json["calls"] > 150


def test_a_worker_that_is_killed_while_it_reads(ask: Any, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = parts.read_file_parts

    def until_it_dies(files: Any, *arguments: Any, **options: Any) -> Any:
        for part in read(files, *arguments, **options):
            if part.file.name.endswith("/010.json.gz"):
                time.sleep(0.2)  # the next batch has come by then
                os.kill(os.getpid(), signal.SIGKILL)
            yield part

    monkeypatch.setattr(workers, "read_file_parts", until_it_dies)
    answer = ask("summary", logs, "--role", ROLE, "--jobs", 2, "--no-cache", limits=WORKERS)
    assert answer.status == 1
    named = {Path(each["file"]).name for each in answer.json["skipped"]}
    assert "010.json.gz" in named
    assert "000.json.gz" not in named
    assert answer.json["calls"] + len(named - {"bad.json"}) == 301


def test_ctrl_c_leaves_no_process(command: list[str], tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path / f"logs/{number}.json", *(record(userAgent="x" * 100_000) for _ in range(40)))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    asked = [*command, "calls", str(tmp_path / "logs"), str(pipe), "--role", ROLE, "--jobs", "2", "--no-cache"]
    with subprocess.Popen(
        asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # As in a terminal: what runs in a shell's background has Ctrl-C ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 10
        while len(children.read_text().split()) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        found = children.read_text().split()
        assert len(found) == 2
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"", b"which-notebook: interrupted\n")
    assert not [child for child in found if running(child)]


def test_workers_end_with_their_parent(command: list[str], tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path / f"logs/{number}.json", *(record(userAgent="x" * 100_000) for _ in range(40)))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    asked = [*command, "calls", str(tmp_path / "logs"), str(pipe), "--role", ROLE, "--jobs", "2", "--no-cache"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 10
        while len(found := children.read_text().split()) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    while alive := [child for child in found if running(child)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.01)


def running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_answer_of_json_is_whole(ask: Any, logs: Path) -> None:
    assert json.loads(ask("summary", logs, "--role", ROLE, "--jobs", 2, limits=WORKERS).out)["files"] == 302
