"""The machine under a notebook instance, as the SageMaker provider sees it: started, in service or failed, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .host_starter import HostStarter

_STOP_SECONDS = 10.0


class Machine(Protocol):
    """What can be stopped."""

    def stop(self) -> None:
        """Stop it, and return when it is stopped."""


class PretendedMachine:
    """Is in service after a moment, and runs nothing."""

    def __init__(self, seconds: float, in_service: Callable[[], None]) -> None:
        self._timer = threading.Timer(seconds, in_service)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Stop it, also before it was in service."""
        self._timer.cancel()


_host_starter = HostStarter()


class BootingMachine:
    """A process of `emulator.host`, which boots a real one; see this folder's README for what they say to each other."""

    def __init__(
        self, configuration: Mapping[str, Any], in_service: Callable[[], None], failed: Callable[[str], None]
    ) -> None:
        self._pid, self._socket = _host_starter.start()
        self._stopping = False
        self._in_service = in_service
        self._failed = failed
        with contextlib.suppress(BrokenPipeError):
            self._socket.sendall(json.dumps(configuration).encode() + b"\n")
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        """Hear what the host says, until it has ended."""
        with self._socket, self._socket.makefile(encoding="utf-8") as output, contextlib.suppress(ConnectionError):
            for line in output:
                said = json.loads(line)
                if said["event"] == "in-service":
                    self._in_service()
                elif said["event"] == "failed":
                    self._stopping = True
                    self._failed(said["reason"])
        if not self._stopping:
            self._failed("InternalFailure: the machine under the notebook instance ended")

    def stop(self) -> None:
        """Let the machine end; kill it where it doesn't."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._listening.join(_STOP_SECONDS)
        if self._listening.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._listening.join()
