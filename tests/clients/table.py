"""The table of docs/clients.md: what each client's calls are, by mode. It is written from what the tests saw."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from workspace import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "clients.md"
COLUMNS = ("profile", "imds", "enforced-profile", "enforced-imds")
WRITE = os.environ.get("WRITE_CLIENTS_TABLE") == "1"
_ROW = re.compile(r"^\| ([^|]+?) \| ([^|]*?) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)

Cells = tuple[str, ...]


def documented() -> dict[str, Cells]:
    """Return version and outcomes by client, as they stand in the document."""
    rows = {row[0]: tuple(row[1:]) for row in _ROW.findall(DOCUMENT.read_text())}
    return {name: cells for name, cells in rows.items() if name != "client" and not name.startswith("-")}


def write(seen: Mapping[str, Cells]) -> None:
    """Put what was seen into the document's rows, and rows of clients that it doesn't have yet behind the last."""
    lines = DOCUMENT.read_text().splitlines()
    for name, cells in seen.items():
        row = f"| {name} | {' | '.join(cells)} |"
        numbers = [number for number, line in enumerate(lines) if line.startswith(f"| {name} |")]
        if numbers:
            lines[numbers[0]] = row
        else:
            last = max(number for number, line in enumerate(lines) if line.startswith("|"))
            lines.insert(last + 1, row)
    DOCUMENT.write_text("\n".join([*lines, ""]))
