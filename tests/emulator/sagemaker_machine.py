"""The machine under a notebook instance, as the SageMaker provider sees it: started, in service or failed, stopped."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

_STOP_SECONDS = 10.0
_TESTS = Path(__file__).resolve().parent.parent


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


class BootingMachine:
    """A process of `emulator.host`, which boots a real one; see this folder's README for what they say to each other."""

    def __init__(
        self, configuration: Mapping[str, Any], in_service: Callable[[], None], failed: Callable[[str], None]
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "emulator.host"],
            cwd=_TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._stopping = False
        self._in_service = in_service
        self._failed = failed
        with contextlib.suppress(BrokenPipeError):
            self._input.write(json.dumps(configuration) + "\n")
            self._input.flush()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def _input(self) -> Any:
        return self._process.stdin

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            said = json.loads(line)
            if said["event"] == "in-service":
                self._in_service()
            elif said["event"] == "failed":
                self._stopping = True
                self._failed(said["reason"])
        self._process.wait()
        if not self._stopping:
            self._failed("InternalFailure: the machine under the notebook instance ended")

    def stop(self) -> None:
        """Let the machine end; kill it where it doesn't."""
        self._stopping = True
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
