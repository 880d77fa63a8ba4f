"""The AWS provider, kept running for all Terraform commands of a test process.

Terraform checks the provider's 700 MB against the lock file, starts it and ends it for each command, which is more work
than most plans. A provider offers to be started once, for debugging, and to serve all commands that TF_REATTACH_PROVIDERS
leads to it; each command configures it anew. It reads the AWS_* variables of its own process: one process an environment.
Before them stands slim_provider.py, which tells Terraform of the resource types that this repository names, and starts a
process for each configuration that a root gives it.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Terraform's and OpenTofu's address of one and the same provider.
_ADDRESSES = ("registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws")
_SLIM = Path(__file__).resolve().with_name("slim_provider.py")
_CHECKOUT = Path(__file__).resolve().parents[2]
_SCHEMAS = _CHECKOUT / ".cache" / "schemas"
# Where resource types are named: the module, its submodules and examples, and roots that tests write.
_CONFIGURATIONS = ("*.tf", "modules/**/*.tf", "examples/**/*.tf", "tests/*/*.tf", "tests/*/*.py")
# Each takes some 200 MB.
_AT_MOST = 2


class ProviderError(Exception):
    """A provider didn't start; the message says why."""


@cache
def _types_in_use() -> list[str]:
    texts = [path.read_text() for pattern in _CONFIGURATIONS for path in _CHECKOUT.glob(pattern)]
    return sorted({name for text in texts for name in re.findall(r"\baws_\w+", text)})


class _Slim:
    """slim_provider.py, for all providers of this process, with which it ends."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, _SLIM, program, _SCHEMAS, *_types_in_use()],
            cwd=folder,
            env={**os.environ, "TMPDIR": "."},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def tell(self, **command: object) -> None:
        """Give it a command."""
        print(json.dumps(command), file=self._process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """Return what it answers; raises ProviderError where that is an error, or it has ended."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ProviderError(f"slim_provider.py ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ProviderError(answer["error"])
        return answer

    def end(self) -> None:
        """End it, with the providers."""
        self._process.kill()
        self._process.communicate()


class RunningProvider:
    """One provider process; it ends with the process that started it."""

    def __init__(self, slim: _Slim, environment: Mapping[str, str]) -> None:
        self._slim = slim
        # Its logs would be of each request, at the finest level.
        quiet = dict.fromkeys(("TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_MUX", "TF_LOG_PROVIDER"), "off")
        slim.tell(start={**environment, **quiet, "TMPDIR": "."})
        (reattach,) = slim.answer().values()
        self._address = reattach["Addr"]["String"]
        self.reattach = json.dumps(dict.fromkeys(_ADDRESSES, reattach))

    def end(self) -> None:
        """End it."""
        self._slim.tell(end=self._address)


_slims: dict[Path, _Slim] = {}
_running: OrderedDict[tuple[tuple[str, str], ...], RunningProvider] = OrderedDict()


def running_provider(program: Path, environment: Mapping[str, str], folder: Path) -> RunningProvider:
    """Return the provider that runs with these AWS_* variables; start it where there is none, the first one in the folder."""
    key = tuple(sorted((name, value) for name, value in environment.items() if name.startswith("AWS_")))
    if key not in _running:
        while len(_running) >= _AT_MOST:
            _running.popitem(last=False)[1].end()
        if program not in _slims:
            _slims[program] = _Slim(program, folder)
        _running[key] = RunningProvider(_slims[program], environment)
    _running.move_to_end(key)
    return _running[key]


@atexit.register
def _end_all() -> None:
    while _slims:
        _slims.popitem()[1].end()
