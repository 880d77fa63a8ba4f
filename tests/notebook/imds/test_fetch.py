"""How the proxy reads what AWS answers: whole, in all the forms that HTTP has, within its time, or not at all."""

from __future__ import annotations

import asyncio
import http.client
import time
from types import ModuleType
from typing import Any

import pytest

HEAD = "HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\n"


def fetched(
    proxy: ModuleType, monkeypatch: pytest.MonkeyPatch, *parts: str, pause: float = 0, keeps_open: bool = False
) -> tuple[int, bytes]:
    """Have a server answer with these parts, and then close, or not; return status and body, as they are fetched."""
    opens = asyncio.open_connection

    async def run() -> tuple[int, bytes]:
        ended, closed = asyncio.Event(), asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                if not ended.is_set():
                    writer.write(part.encode())
                    await asyncio.sleep(pause)
            if keeps_open:
                await ended.wait()
            writer.transport.abort() if ended.is_set() else writer.close()
            await asyncio.sleep(0)
            closed.set()

        server = await asyncio.start_server(answer, "127.0.0.1")

        async def open_connection(host: str, port: int) -> Any:
            return await opens(*server.sockets[0].getsockname())

        monkeypatch.setattr(asyncio, "open_connection", open_connection)
        try:
            status, headers, body = await proxy.fetch("sts.example", "GET", "/", {})
            assert headers["date"].startswith("Wed")
            return status, body
        finally:
            ended.set()
            await closed.wait()
            server.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + "Content-Length: 5\r\n\r\nwhole",),
        (HEAD + "content-length: 5\r\nx: y\r\n\r\n", "who", "le"),
        (HEAD[:20], HEAD[20:] + "Content-Length: 5\r", "\n\r\nwhole"),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n", "2\r\nle\r\n0\r\n\r\n"),
        (HEAD + "\r\nwho", "le"),
    ],
)
def test_an_answer_comes_whole(proxy: ModuleType, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]) -> None:
    assert fetched(proxy, monkeypatch, *parts, pause=0.05) == (200, b"whole")


def test_the_end_of_an_answer_of_known_length_is_not_waited_for(
    proxy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = time.monotonic()
    assert fetched(proxy, monkeypatch, HEAD + "Content-Length: 5\r\n\r\nwhole", keeps_open=True) == (200, b"whole")
    assert time.monotonic() - begin < proxy.UPSTREAM_SECONDS - 1


@pytest.mark.parametrize(
    "parts",
    [
        ("",),
        (HEAD + "Content-Length: 6\r\n\r\nshort",),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",),
        (HEAD + "Content-Length: 50000\r\n\r\n" + 50_000 * "x",),
        ("\x00\xff" * 50,),
    ],
    ids=["nothing", "short", "half of its chunks", "too long", "garbage"],
)
def test_what_is_not_whole_is_refused(
    proxy: ModuleType, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]
) -> None:
    with pytest.raises(http.client.HTTPException):
        fetched(proxy, monkeypatch, *parts)


def test_the_time_is_for_all_of_an_answer(proxy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "UPSTREAM_SECONDS", 1)
    with pytest.raises(asyncio.TimeoutError):
        fetched(proxy, monkeypatch, *(HEAD + "Content-Length: 100\r\n\r\n" + 100 * "x"), pause=0.1)
