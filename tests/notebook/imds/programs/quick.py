"""Asks the metadata service for credentials so many times at once; prints how many got them, and the slowest's seconds.

quick.py NUMBER: why others got none it says on standard error.
"""

import asyncio
import sys
import time
from collections import Counter

ROLE = "/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"
PATIENCE = 45
# Where many connections wait, the proxy closes one that hasn't asked within half a second. On a busy machine that may be
# this program's fault: it then asks again.
TOO_LATE = 0.4
TRIES = 5


class NoAnswerError(Exception):
    """There is no good answer; the message says what there was."""


async def ask(method: str, path: str, header: str) -> str:
    """Return the body of a good answer."""
    for _ in range(TRIES):
        begin = time.monotonic()
        reader, writer = await asyncio.open_connection("169.254.169.254", 80)
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\nX-aws-ec2-metadata-{header}\r\n\r\n".encode())
            asked = time.monotonic() - begin
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        except OSError as error:
            head, body = str(error), ""
        finally:
            writer.transport.abort()
        if " 200 " in head:
            return body
        if asked < TOO_LATE:
            break
    raise NoAnswerError(f"{method} {head.splitlines()[:1]}")


async def credentials() -> float | str:
    """Return how many seconds it took, or why there are none."""
    begin = time.monotonic()
    try:
        token = await ask("PUT", "/latest/api/token", "token-ttl-seconds: 60")
        answer = await ask("GET", ROLE, f"token: {token}")
    except (NoAnswerError, OSError) as error:
        return str(error)
    return time.monotonic() - begin if "SecretAccessKey" in answer else f"the answer {answer[:80]}"


async def main(number: int) -> None:
    """Ask, all at once."""
    tasks = [asyncio.ensure_future(credentials()) for _ in range(number)]
    done, waiting = await asyncio.wait(tasks, timeout=PATIENCE)
    results = [each.result() for each in done]
    seconds = [each for each in results if isinstance(each, float)]
    reasons = Counter(each for each in results if isinstance(each, str))
    print(len(seconds), max(seconds, default=PATIENCE))
    print(*(f"{count} times: {reason}" for reason, count in reasons.items()), f"{len(waiting)} wait", file=sys.stderr)


asyncio.run(main(int(sys.argv[1])))
