"""Runs a command as a whole process and measures it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SECONDS_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True)
class Measured:
    """What runs of one command took: the median and the spread of wall seconds, and what the last one printed."""

    seconds: float
    fastest: float
    slowest: float
    output: bytes


@dataclass(frozen=True)
class Command:
    """A command line, with the environment that it needs on top of this one's."""

    arguments: Sequence[str]
    environment: Mapping[str, str]

    def run(self) -> tuple[float, bytes]:
        """Run it; return the wall seconds and what it printed. Raises CalledProcessError where it fails."""
        start = time.perf_counter()
        done = subprocess.run(
            self.arguments, check=True, stdout=subprocess.PIPE, env={**os.environ, **self.environment}
        )
        return time.perf_counter() - start, done.stdout

    def peak_memory(self) -> int:
        """Run it; return the largest sum of all its processes' memory that was seen, in bytes, shared pages counted once."""
        peak = 0
        with subprocess.Popen(
            self.arguments, stdout=subprocess.DEVNULL, env={**os.environ, **self.environment}
        ) as running:
            top = psutil.Process(running.pid)
            while running.poll() is None:
                peak = max(peak, sum(map(_memory, _family(top))))
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        return peak


def measure(commands: Mapping[str, Command], runs: int) -> dict[str, Measured]:
    """Run the commands in turn, so that what else goes on on the machine hits all of them; once unmeasured before."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    output: dict[str, bytes] = {}
    for number in range(runs + (runs > 1)):
        for name, command in commands.items():
            taken, output[name] = command.run()
            if number or runs == 1:
                seconds[name].append(taken)
    return {
        name: Measured(statistics.median(taken), min(taken), max(taken), output[name])
        for name, taken in seconds.items()
    }


def size_of(folder: Path) -> int:
    """Return the size of all files of a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _family(top: psutil.Process) -> list[psutil.Process]:
    try:
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
