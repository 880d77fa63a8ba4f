"""What the real metadata service answers otherwise than well is passed on, and asked for once a second, not by each client."""

from __future__ import annotations

import asyncio
import socket
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

TARGET = "/latest/meta-data/instance-id"
TTL, TOKEN = "x-aws-ec2-metadata-token-ttl-seconds", "x-aws-ec2-metadata-token"


async def ask(address: tuple[str, int], method: str, target: str, header: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"{method} {target} HTTP/1.1\r\n{header}\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return int(head.split(" ")[1]), body


@pytest.mark.parametrize("status", [404, 429, 500, 599])
def test_a_refusal_is_passed_on_and_asked_for_once_a_second(
    proxy: ModuleType, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    asked = []

    async def metadata(target: str) -> tuple[int, dict[str, str], bytes]:
        asked.append(target)
        return status, {}, b"no"

    async def run() -> list[tuple[int, str]]:
        listener = socket.create_server(("127.0.0.1", 0))
        address: Any = listener.getsockname()
        proxy.Proxy(SimpleNamespace(ends=0, listed_role=None), listener)
        _, token = await ask(address, "PUT", "/latest/api/token", f"{TTL}: 60")
        answers = [await ask(address, "GET", TARGET, f"{TOKEN}: {token}") for _ in range(20)]
        assert asked == [TARGET]
        await asyncio.sleep(1.2)
        answers.append(await ask(address, "GET", TARGET, f"{TOKEN}: {token}"))
        asyncio.get_running_loop().remove_reader(listener)
        listener.close()
        return answers

    monkeypatch.setattr(proxy, "metadata", metadata)
    assert asyncio.run(run()) == [(status, "no")] * 21
    assert asked == [TARGET] * 2
