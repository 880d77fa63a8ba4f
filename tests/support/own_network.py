"""A network of its own for servers that listen on every address: this machine reaches it, and it reaches nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class OwnNetwork:
    """A network namespace, joined with this machine by a cable, as a context manager; it ends with this process."""

    def __init__(self) -> None:
        third = os.getpid() % 250 + 1
        # Of the addresses for benchmarks, which no network uses: RFC 2544.
        self.address, self._here = f"198.18.{third}.2", f"198.18.{third}.1"
        self._cable = f"wn{os.getpid()}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # It ends when this pipe does, so also with a killed test process, and the namespace ends with it.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"up\n"
        inside = f"{self._cable}i"
        for command in (
            f"link add {self._cable} type veth peer name {inside} netns {self._holder.pid}",
            f"addr add {self._here}/30 dev {self._cable}",
            f"link set {self._cable} up",
        ):
            subprocess.run(["ip", *command.split()], check=True)
        for command in (f"addr add {self.address}/30 dev {inside}", f"link set {inside} up"):
            subprocess.run([*self._inside, "ip", *command.split()], check=True)
        return self

    @property
    def _inside(self) -> list[str]:
        assert self._holder is not None
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def start(
        self, command: Sequence[str], *, log: IO[bytes], environment: Mapping[str, str], folder: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program in the network; it ends with the network, and with this process."""
        process = subprocess.Popen(
            [*self._inside, "setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
        )
        self._processes.append(process)
        return process

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        assert self._holder is not None
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait()
        subprocess.run(["ip", "link", "del", self._cable], check=False, stderr=subprocess.DEVNULL)
