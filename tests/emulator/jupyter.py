"""What SageMaker runs as ec2-user before any lifecycle script: the notebook server, started again whenever it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from emulator import filesystem, lifecycle, machine

_PROGRAM = Path(__file__).resolve().parent / "jupyter_server.py"
_PAUSE = 1.0  # seconds, as a unit of systemd's with Restart=always might have


async def keep_running(pid: int) -> asyncio.Task[None]:
    """Start it in the instance whose first process is given, wait until it serves, and keep it running."""
    serves = asyncio.Event()

    async def run() -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                *machine.entry(pid, filesystem.USER),
                "/usr/bin/python3",
                "-IS",  # it starts twice in each boot, and needs no packages
                str(_PROGRAM),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**lifecycle.environment(), "HOME": filesystem.HOME},
                cwd="/",
            )
            assert process.stdout
            await process.stdout.readline()
            serves.set()
            await process.wait()
            await asyncio.sleep(_PAUSE)

    task = asyncio.create_task(run())
    await serves.wait()
    return task
