"""Text from logs inside a page: it is shown, and can neither end the element that it stands in nor hide from the reader."""

from __future__ import annotations

import json
from typing import Any

_OF_HTML = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&"})


def embedded(value: Any) -> bytes:
    """Return JSON, in ASCII, in which nothing is markup: it can stand in a `script` element."""
    return json.dumps(value, separators=(",", ":")).translate(_OF_HTML).encode()
