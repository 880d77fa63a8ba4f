"""How the emulated account comes up."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from emulator import server


def test_with_its_port_taken_it_comes_up_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = server._free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1]]
        monkeypatch.setattr(server, "_free_port", lambda: ports.pop() if ports else choose())
        with server.Emulator(tmp_path / "emulator") as emulator:
            assert not ports
            assert emulator.client("sts").get_caller_identity()["Account"] == emulator.account_id
