"""The rendered on-start script, which a lifecycle configuration of the imds mode carries compressed."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable

_PACKED = re.compile(r"<<<'([A-Za-z0-9+/=]+)'")


def unpacked(script: str) -> str:
    """Return what a script of the imds mode runs; one of the profile mode as it is."""
    packed = _PACKED.search(script)
    return gzip.decompress(base64.b64decode(packed[1])).decode() if packed else script


def with_settings(script: str, **settings: str) -> str:
    """Return what a rendered script runs, with other assignments before it."""
    script = unpacked(script)
    for name, value in settings.items():
        lines = script.split("\n")
        (number,) = [number for number, line in enumerate(lines[:8]) if line.startswith(f"{name}=")]
        lines[number] = f"{name}='{value}'"
        script = "\n".join(lines)
    return script if script.startswith("#!") else f"#!/bin/bash\n{script}"


def repacked(script: str, change: Callable[[str], str]) -> str:
    """Return a script of the imds mode that runs something else than it did."""
    packed = _PACKED.search(script)
    assert packed
    content = change(gzip.decompress(base64.b64decode(packed[1])).decode())
    return script.replace(packed[1], base64.b64encode(gzip.compress(content.encode())).decode())


def impatient(script: str, seconds: int) -> str:
    """Return an imds mode's script that waits so long for the first session, not a minute."""
    waiting = "((SECONDS < 60)) ||\n"
    assert script.count(waiting) == 1
    return script.replace(waiting, f"((SECONDS < {seconds})) ||\n")
