"""The command, asked within the test's own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import DirectoryBasedExampleDatabase
from workspace import CHECKOUT

from which_notebook.cli import main
from which_notebook.limits import LIMITS, Limits

set_hypothesis_home_dir(CHECKOUT / ".cache" / "hypothesis")
_LOGS_TAKE_LONG = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# In CI the same examples each time, and many; elsewhere others each time.
settings.register_profile(
    "ci",
    max_examples=400,
    deadline=None,
    suppress_health_check=_LOGS_TAKE_LONG,
    derandomize=True,
    database=None,
)
settings.register_profile(
    "here",
    max_examples=60,
    deadline=None,
    suppress_health_check=_LOGS_TAKE_LONG,
    database=DirectoryBasedExampleDatabase(CHECKOUT / ".cache" / "hypothesis" / "examples"),
)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@dataclass(frozen=True)
class Answer:
    """What the command gave: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, as the JSON that it is."""
        return json.loads(self.out)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls in it, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]


def kinds(found: Any) -> list[str]:
    """Return the kinds of the warnings that an explanation has."""
    return [each["kind"] for each in found["warnings"]]


_caches = count()


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep each test's cache to itself."""
    # mktemp() numbers a folder by looking at all that are there, thousands in the end.
    folder = tmp_path_factory.getbasetemp() / "caches" / str(next(_caches))
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the command; what it prints comes back, and never a traceback."""

    def run(*arguments: object, limits: Limits = LIMITS) -> Answer:
        capsys.readouterr()
        status = main([str(each) for each in arguments], limits=limits)
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command as a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "src"))
    return [sys.executable, "-m", "which_notebook"]


_SECONDS_AT_MOST = 20


@dataclass(frozen=True)
class Outcome(Answer):
    """What a process of its own gave, and the most memory that it and its workers took together, in bytes."""

    peak: int


@pytest.fixture
def run(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Outcome]:
    """Run the command as a process of its own, and watch its memory."""

    def run_and_watch(*arguments: object) -> Outcome:
        folder = tmp_path_factory.mktemp("run")
        peaks: dict[int, int] = {}
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            process = subprocess.Popen([*command, *map(str, arguments)], stdout=out, stderr=err)
            try:
                for _ in range(_SECONDS_AT_MOST * 100):
                    if process.poll() is not None:
                        break
                    for each in _with_children(process.pid):
                        peaks[each] = max(peaks.get(each, 0), _peak(each))
                    time.sleep(0.01)
            finally:
                process.kill()
                process.wait()
        return Outcome(
            process.returncode, (folder / "out").read_text(), (folder / "err").read_text(), sum(peaks.values())
        )

    return run_and_watch


def _with_children(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *map(int, children)]


def _peak(pid: int) -> int:
    """Return the most that the process had in memory, what it shares with its parent included."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


@pytest.fixture
def powerless() -> list[str]:
    """What to put before a command so that no file mode is passed over, root's powers being gone."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*prefix, "true"], check=False).returncode != 0:
        pytest.skip("root can't give up its powers here")
    return prefix
