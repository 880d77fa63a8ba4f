"""Lets the command, run in a test's own process, find the emulated account as it would find a real one."""

from __future__ import annotations

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
    forget_clients()


def forget_clients() -> None:
    """Have the command make new clients, since the environment is another one."""
    aws._core_session.cache_clear()
    aws._session.cache_clear()
    aws._client.cache_clear()
