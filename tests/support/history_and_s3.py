"""Lets the command, run in a test's own process, find the emulated account as it would find a real one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from emulator.server import Emulator

from which_notebook import aws


def use(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set the environment, with a cache in the folder; make a test's own clients before: making one unsets some of it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    aws.forget_clients()


# Of any source in AWS: a change of the environment with which no client can work, and what is said then.
CANNOT_WORK: list[tuple[dict[str, str | None], str]] = [
    ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials: set AWS_PROFILE"),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "could not connect to the endpoint URL"),
    ({"AWS_PROFILE": "of-nobody"}, "the config profile (of-nobody) could not be found"),
]


def change(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str | None]) -> None:
    """Change the environment, in which None is for what isn't there."""
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    aws.forget_clients()
