"""Puts the page together: its HTML, CSS and JavaScript from the folder `page`, and the data, all in one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, BinaryIO

from ...judging.statuses import LANES, STATUSES
from ...judging.warning_kinds import WARNING_KINDS
from .embedded import embedded

# One after the other they make one module; a class must stand before what extends or creates it while loading.
SCRIPTS = (
    "dom.js",
    "words.js",
    "columns.js",
    "calls.js",
    "search.js",
    "filters.js",
    "head.js",
    "lanes.js",
    "lane_drawing.js",
    "axis.js",
    "timeline_cursor.js",
    "timeline_input.js",
    "timeline.js",
    "bars.js",
    "notebooks.js",
    "warnings.js",
    "details.js",
    "calls_table.js",
    "print.js",
    "main.js",
)


def write_page(head: Mapping[str, Any], columns: Mapping[str, Iterator[bytes]], file: BinaryIO) -> None:
    """Write the page with its data: `head` for what is said of all calls, and each column as JSON, in parts."""
    before, after = _frame()
    file.write(before)
    file.write(b'<script type="application/json" id="head">' + embedded(head) + b"</script>\n")
    for name, parts in columns.items():
        file.write(f'<script type="application/json" id="column-{name}">'.encode())
        for part in parts:
            file.write(part)
        file.write(b"</script>\n")
    file.write(after)


@cache
def _frame() -> tuple[bytes, bytes]:
    """Return the page before and after its data."""
    folder = files(__package__) / "page"
    style = (folder / "report.css").read_text("utf-8")
    script = "\n".join([_words(), *((folder / name).read_text("utf-8") for name in SCRIPTS)])
    page = (folder / "report.html").read_text("utf-8")
    # Nothing is loaded, sent or framed, and no text becomes markup or code.
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = page.replace("POLICY", policy, 1).replace("STYLE", style, 1)
    before, after = page.split("DATA\n", 1)
    return before.encode(), after.replace("SCRIPT", script, 1).encode()


def _words() -> str:
    """Return what the page shows of statuses, lanes and warnings, as the beginning of its script."""
    words = {
        "STATUSES": [
            {"name": each.name, "meaning": each.meaning, "tone": each.lane.tone, "bySession": each.lane.by_session_name}
            for each in STATUSES
        ],
        "LANES": [
            {"kind": each.kind, "title": each.title, "tone": each.tone, "mark": each.mark, "spoken": each.spoken}
            for each in LANES
        ],
        "WARNINGS": [{"kind": each.name, "title": each.title} for each in WARNING_KINDS],
    }
    return "\n".join(f"const {name} = {embedded(value).decode()};" for name, value in words.items())


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
