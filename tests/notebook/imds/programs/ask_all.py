"""Asks for all that the proxy has to ask the real service for, all at once and again, for so many seconds.

ask_all.py SECONDS TARGET...
"""

import asyncio
import contextlib
import sys


async def ask(request: str) -> str:
    """Return the answer."""
    reader, writer = await asyncio.open_connection("169.254.169.254", 80)
    try:
        writer.write(request.encode() + b"\r\n\r\n")
        return (await reader.read()).decode()
    finally:
        writer.transport.abort()


async def ask_for_ever(request: str) -> None:
    """Ask again after each answer."""
    while True:
        with contextlib.suppress(OSError):
            await ask(request)
        await asyncio.sleep(0.5)


async def main(seconds: float, targets: list[str]) -> None:
    """Ask, with and without a slash at the end, which are two questions to the proxy."""
    header = "X-aws-ec2-metadata-token"
    token = (await ask(f"PUT /latest/api/token HTTP/1.1\r\n{header}-ttl-seconds: 600")).rpartition("\r\n")[2]
    requests = [f"GET {target}{end} HTTP/1.1\r\n{header}: {token}" for target in targets for end in ("", "/")]
    await asyncio.wait([asyncio.ensure_future(ask_for_ever(each)) for each in requests], timeout=seconds)


asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
