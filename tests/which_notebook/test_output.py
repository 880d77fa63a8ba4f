"""Output is safe to open and to look at, keeps its fields, and is there whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from log_files import write
from records import BASE, ROLE, handshake, record, session

from which_notebook.answers.calls import CallsAnswer
from which_notebook.calls.call import CALL_FIELDS

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "|calc",
    "%0",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\uff1d1",
    "'=1",
    "\ufe621",
]
# An escape sequence, a bell, C1 controls, a changed direction, invisible and unassigned characters, a line's end.
CONTROLS = ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\r\n", "\x00", "\u0378"]


def log(tmp_path: Path, texts: list[str]) -> Path:
    calls = [
        record(session(text, key="ASIA1"), userAgent=text, errorCode=text, sourceIPAddress=text, eventName=text, eventID=f"{n:03}{text}")
        for n, text in enumerate(texts)
    ]  # fmt: skip
    return write(tmp_path / "log.json", *calls)


def test_no_cell_of_a_csv_file_is_a_formula(ask: Any, tmp_path: Path) -> None:
    answer = ask("calls", log(tmp_path, FORMULAS), "--role", ROLE, "--format", "csv")
    rows = list(csv.reader(io.StringIO(answer.out)))
    assert len(rows) == len(FORMULAS) + 1
    cells = [cell for row in rows for cell in row if cell]
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@|%\uff1d\ufe62")]
    assert "'=1+1" in cells
    # Who takes the added quote away again gets what the record said.
    assert "''=1" in cells


@pytest.mark.parametrize("form", ["table", "csv"])
@pytest.mark.parametrize("command", ["calls", "summary"])
def test_nothing_reaches_a_terminal_that_it_would_act_on(ask: Any, tmp_path: Path, command: str, form: str) -> None:
    answer = ask(command, log(tmp_path, CONTROLS), "--role", ROLE, "--format", form)
    lines = answer.out.replace("\r\n", "\n").split("\n")
    assert not [line for line in lines if not line.isprintable()]
    assert r"\x1b[2J" in answer.out
    assert r"\u202e" in answer.out


def test_nor_in_an_explanation_or_an_error_message(ask: Any, tmp_path: Path) -> None:
    path = log(tmp_path, CONTROLS)
    text = ask("event", f"000{CONTROLS[0]}", path, "--format", "table").out
    assert r"\x1b[2J" in text
    assert not [line for line in text.split("\n") if not line.isprintable()]
    bad = write(tmp_path / "\x1b[31mbad.json", record(userIdentity=ROLE, eventID="\x1b[2J\u202e"))
    for arguments in (
        ["summary", bad, "--role", ROLE],
        ["event", "\x1b[2J", path],
        ["summary", path, "--role", "\x1b[2J"],
    ):
        said = ask(*arguments).err
        assert said.startswith("which-notebook: ")
        assert all(line.isprintable() for line in said.splitlines()), said


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_stays_ascii(ask: Any, tmp_path: Path, form: str) -> None:
    answer = ask("calls", log(tmp_path, [*CONTROLS, "\u00fc\U0001f4d3"]), "--role", ROLE, "--format", form)
    assert answer.out.isascii()
    found = answer.json if form == "json" else answer.calls
    assert sorted(call["user_agent"] for call in found) == sorted([*CONTROLS, "\u00fc\U0001f4d3"])
    assert ask("summary", tmp_path, "--role", ROLE, "--format", "json").out.isascii()


CALLS = [record(), handshake(), record(session(BASE), time="2026-03-01T10:00:00Z", errorCode="AccessDenied")]


def test_every_format_holds_the_same_fields_in_the_same_order(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *CALLS)
    asked = ["calls", path, "--role", ROLE]
    lines = ask(*asked, "--format", "jsonl").calls
    assert [tuple(call) for call in lines] == [CALL_FIELDS] * 3
    assert ask(*asked, "--format", "json").json == lines
    rows = list(csv.DictReader(io.StringIO(ask(*asked, "--format", "csv").out)))
    plain = [{**call, "resources": " ".join(call["resources"])} for call in lines]
    assert rows == [{name: text or "" for name, text in call.items()} for call in plain]
    target = tmp_path / "calls.parquet"
    assert ask(*asked, "--output", target).status == 0
    table = pyarrow.parquet.read_table(target)
    assert tuple(table.column_names) == CALL_FIELDS
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in table["event_time"].to_pylist()]
    assert times == [call["event_time"] for call in lines]
    for name in set(CALL_FIELDS) - {"event_time"}:
        assert table[name].to_pylist() == [call[name] for call in lines], name
    assert ask("calls", path, "--role", ROLE, "--follow").calls[0].keys() == {*CALL_FIELDS, "via"}


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_no_calls_is_an_answer_too(ask: Any, tmp_path: Path, form: str) -> None:
    asked = ["calls", write(tmp_path / "log.json", *CALLS), "--role", "another", "--format", form]
    assert ask(*asked).status == 4


def test_what_the_output_file_ends_in_is_its_format(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *CALLS)
    for ending, start in (("csv", b"event_id,"), ("json", b"[\n"), ("jsonl", b"{"), ("parquet", b"PAR1")):
        target = tmp_path / f"out.{ending}"
        assert ask("calls", path, "--role", ROLE, "-o", target).out == ""
        assert target.read_bytes().startswith(start)
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_output_that_fails_leaves_the_file_as_it_was(
    ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "calls.csv").write_text("before")

    def half(answer: CallsAnswer) -> Any:
        def rows() -> Iterator[list[str]]:
            yield ["half"]
            raise OSError(28, "No space left on device")

        return ("event_id",), rows()

    monkeypatch.setattr(CallsAnswer, "rows", half)
    answer = ask("calls", write(tmp_path / "log.json", *CALLS), "--role", ROLE, "-o", folder / "calls.csv")
    assert (answer.status, answer.err) == (
        1,
        f"which-notebook: can't write {folder / 'calls.csv'}: no space left on device\n",
    )
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("calls.csv", "before")]


def test_an_output_that_is_a_link_or_a_device_stays_one(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *CALLS)
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    assert ask("calls", path, "--role", ROLE, "-o", tmp_path / "link.csv").status == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text().startswith("event_id,")
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make a device")
    ask("calls", path, "--role", ROLE, "-o", null)
    assert stat.S_ISCHR(null.stat().st_mode)


@pytest.mark.parametrize("target", ["no/such/folder/calls.csv", "."])
def test_an_output_that_cant_be_is_named(ask: Any, tmp_path: Path, target: str) -> None:
    answer = ask("calls", write(tmp_path / "log.json", *CALLS), "--role", ROLE, "-o", tmp_path / target)
    assert answer.status == 1
    assert answer.err.startswith(f"which-notebook: can't write {tmp_path / target}: ")


def test_a_reader_that_has_seen_enough_gets_no_traceback(command: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *(record() for _ in range(5000)))
    asked = [*command, "calls", str(path), "--role", ROLE]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named(command: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *CALLS)
    for asked in ("calls", "summary"):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run(
                [*command, asked, str(path), "--role", ROLE], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert ended.returncode == 1
        assert ended.stderr == b"which-notebook: can't write standard output: no space left on device\n"
