"""What the command shows on a terminal: the table, whatever its width, and how far the reading is."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from log_files import document
from records import BASE, ROLE, record, session

NAMES = ("a", "fraud-model-of-the-team-in-berlin-with-a-name-of-many-letters")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    events = ("GetObject", "PutObject", "ListBuckets", "HeadObject", "DeleteObject")
    records = [
        record(each, eventID=f"{number}-{event}", eventName=event)
        for number, each in enumerate(map(session, (*NAMES, BASE)))
        for event in events
    ]
    path = tmp_path / "log.json"
    path.write_bytes(document(records))
    return path


def on_terminal(arguments: list[str], width: int, *, shown: str) -> str:
    """Return what the command shows on a terminal of this width: its output, or what it says meanwhile."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    out, err = (its, subprocess.DEVNULL) if shown == "stdout" else (subprocess.DEVNULL, its)
    given = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    with subprocess.Popen(arguments, env=given, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as process:
        os.close(its)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            said += piece
    os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [40, 50, 60, 72, 80, 100, 132, 250])
def test_nothing_of_the_summary_is_cut_off(command: list[str], log: Path, width: int) -> None:
    asked = [*command, "summary", str(log), "--role", ROLE, "--no-cache"]
    wide = subprocess.run([*asked, "--format", "table"], capture_output=True, text=True, check=True).stdout
    table = on_terminal(asked, width, shown="stdout").split("\n\n")[1]
    assert all(len(line) <= width for line in table.split("\n"))
    # The same words, whatever they are folded into.
    words = wide.split("\n\n")[1].partition("\n")[2].split()
    folded = re.sub(r"\s", "", table)
    assert [word for word in words if word not in folded] == []
    assert folded.count("1more") == len(NAMES) + 1
    if width == 250:
        assert table == wide.split("\n\n")[1]


@pytest.mark.parametrize("width", [40, 80])
def test_the_progress_says_nothing_that_it_does_not_know(command: list[str], log: Path, width: int) -> None:
    asked = [*command, "summary", str(log), "--role", ROLE, "--no-cache"]
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", on_terminal(asked, width, shown="stderr"))
    views = [view for view in re.split(r"[\r\n]+", said) if view.strip()]
    assert views[0].strip() == "looking for log files"
    assert views[-1].startswith("reading 1 of 1 files")
    assert not re.search(r"…|/\?|\b0 files", said)
