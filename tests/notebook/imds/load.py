"""Many requests and many connections at once, on a notebook instance, and what its proxy takes for them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.notebook_instance import NotebookInstance

PROGRAMS = Path(__file__).resolve().parent / "programs"
PYTHON = "/usr/bin/python3"
# The sizes that the documents name are CI's. Elsewhere, what counts is the same: more connections wait than the proxy holds
# (4,096), and what a request leaves behind would show after a few thousand.
CI = bool(os.environ.get("CI"))
SLOW = 10_000 if CI else 4_600  # connections
STALLED = 10_000 if CI else 4_600  # requests
REQUESTS = 100_000 if CI else 10_000
ROUNDS = 2 if CI else 1  # in which many ask at once
# Of the proxy.
MOST_MEMORY = 48 * 1024  # kB, at the peak
# While so many are open, 64 more are taken each 0.2 s, until those that wait for 0.5 s are closed.
MOST_FILES = 4096 + 4 * 64 + 50
LONGEST_WAIT = 5.0  # seconds, of the fastest of a few; on a machine with nothing else to do it is a tenth of that


@contextmanager
def slow_connections(notebook: NotebookInstance, number: int, seconds: int) -> Iterator[None]:
    """Have ec2-user hold so many half requests meanwhile, and for so many seconds at least."""
    if not number:
        yield
        return
    command = f"rm -f /tmp/held /tmp/enough; setsid {PYTHON} '{PROGRAMS}/slow.py' {number} {seconds} </dev/null >/tmp/held 2>&1 &"
    notebook.run(["bash", "-c", command], check=True)
    end = time.monotonic() + 30
    while not notebook.exists("/tmp/held") or notebook.read("/tmp/held").count("held") < 4:
        assert time.monotonic() < end, notebook.read("/tmp/held")
        time.sleep(0.1)
    try:
        yield
    finally:  # what comes next is another test's
        notebook.run(["touch", "/tmp/enough"], check=True)
        while notebook.run(["pgrep", "-f", "programs/slow.py"]).returncode == 0:
            time.sleep(0.2)
    assert notebook.read("/tmp/held").split() == ["held"] * 4


def ask_at_once(notebook: NotebookInstance, number: int) -> tuple[int, float]:
    """Return how many of so many got credentials, and the slowest's seconds; print why others got none."""
    done = notebook.run([PYTHON, f"{PROGRAMS}/quick.py", str(number)], check=True)
    answered, slowest = done.stdout.split()
    if int(answered) < number:
        print(done.stderr)
    return int(answered), float(slowest)


def answered(notebook: NotebookInstance, number: int) -> float:
    """Ask alone and, in rounds, so many at once: all are answered. Return the seconds of the fastest that asked alone."""
    alone = []
    for at_once in (1, *((number, 1) * ROUNDS)):
        answers, slowest = ask_at_once(notebook, at_once)
        print(f"{answers} of {at_once} at once answered within {slowest:.2f} s")
        assert answers == at_once
        alone += [slowest] if at_once == 1 else []
        assert open_files(notebook) < MOST_FILES
    return min(alone)


def proxy(notebook: NotebookInstance) -> str:
    """Return the process number of the proxy, as the instance numbers it."""
    (pid,) = notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split()
    return str(pid)


def peak_memory(notebook: NotebookInstance) -> int:
    """Return the most that the proxy ever had, in kB."""
    return int(notebook.root(f"cat /proc/{proxy(notebook)}/status").stdout.split("VmHWM:")[1].split()[0])


def open_files(notebook: NotebookInstance) -> int:
    """Return how many files, connections among them, the proxy has open."""
    return int(notebook.root(f"ls /proc/{proxy(notebook)}/fd | wc -l").stdout)
