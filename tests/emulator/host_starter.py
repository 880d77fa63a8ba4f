"""Starts a process of `emulator.host` for each notebook instance, by forking: to import its parts takes longer than to boot.

LocalStack, which has threads, can't fork itself: HostStarter starts `python -m emulator.host_starter`, hands it one end of
a pair of sockets for each instance, and gets the number of the process that has it as standard input and output.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent


class HostStarter:
    """The process that forks; it ends with this one, and the hosts with the sockets that they were given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    def start(self) -> tuple[int, socket.socket]:
        """Start a host; return its process number, and the socket that is its standard input and output."""
        with self._lock:
            if self._control is None:
                self._control = self._start_process()
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._control, [b"1"], [theirs.fileno()])
            return int(self._control.recv(16)), ours

    @staticmethod
    def _start_process() -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.Popen([sys.executable, "-m", "emulator.host_starter"], cwd=_TESTS, stdin=theirs.fileno())
        return ours


def main() -> int:
    """Fork a host for each socket that comes on standard input."""
    from emulator import host

    gc.freeze()  # what the hosts have in common is no garbage
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets those that have ended
    control = socket.socket(fileno=os.dup(0))
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return 0
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            for standard in (0, 1):
                os.dup2(descriptors[0], standard)
            os.close(descriptors[0])
            return host.main()
        os.close(descriptors[0])
        control.send(str(pid).encode())


if __name__ == "__main__":
    sys.exit(main())
