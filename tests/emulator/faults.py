"""What goes wrong on purpose around one notebook instance: a test writes it down, the host process looks at each request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Part = Literal["sts", "metadata"]


@dataclass(frozen=True)
class Fault:
    """A part answers after so many seconds, and then with these bytes (as Latin-1) in place of its own answer, if any.

    `pause`: so many seconds before each of the bytes. `path`: only where the metadata service is asked for what begins
    as this regular expression says.
    """

    wait: float = 0
    answer: str | None = None
    pause: float = 0
    path: str = ""

    async def write(self, writer: asyncio.StreamWriter) -> None:
        """Write the answer."""
        given = (self.answer or "").encode("latin-1")
        for part in [given[place : place + 1] for place in range(len(given))] if self.pause else [given]:
            await asyncio.sleep(self.pause)
            writer.write(part)
            await writer.drain()


class Faults:
    """The faults of one instance, in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faults.json"

    def set(self, **parts: Fault | None) -> None:
        """Let these faults be, and no others."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps({part: asdict(fault) for part, fault in parts.items() if fault}))
        unfinished.rename(self._file)

    def of(self, part: Part) -> Fault | None:
        """Return the fault of a part at this moment."""
        try:
            given = json.loads(self._file.read_text()).get(part)
        except FileNotFoundError:
            return None
        return Fault(**given) if given else None
