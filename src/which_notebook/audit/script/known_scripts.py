"""The on-start scripts that the module has rendered, by the hash of what doesn't depend on its inputs.

They stand in known_scripts.json. A test renders the script in each mode, and writes there what is new since the last
release when it is asked to; those of releases stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Mode = Literal["profile", "imds"]


class KnownScript(msgspec.Struct, frozen=True):
    """A script of the module's: its version, the attribution mode, and the names of the settings before it."""

    version: str
    mode: Mode
    settings: tuple[str, ...]


FILE = Path(__file__).with_name("known_scripts.json")
KNOWN_SCRIPTS = msgspec.json.decode(FILE.read_bytes(), type=dict[str, KnownScript])
"""By the SHA-256 of a script's body."""
