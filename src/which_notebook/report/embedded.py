"""Text from logs inside a page: it is shown, and can neither end the element that it stands in nor hide from the reader."""

from __future__ import annotations

import json
import re
from typing import Any

from ..safe_text import printable

# What has no shape of its own, though Unicode counts it among the letters, marks and symbols: fillers, joiners,
# variation selectors (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point) and the empty Braille cell.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_OF_HTML = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&"})


def visible(text: str) -> str:
    """Return the text with everything escaped that isn't seen, or that turns around what is."""
    if text.isascii() and text.isprintable():
        return text
    return _SHAPELESS.sub(lambda found: ascii(found[0])[1:-1], printable(text))


def embedded(value: Any) -> bytes:
    """Return JSON, in ASCII, in which nothing is markup: it can stand in a `script` element."""
    return json.dumps(value, separators=(",", ":")).translate(_OF_HTML).encode()
