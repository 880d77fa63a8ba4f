"""Text from logs is chosen by whoever made the call: session names, user agents, error codes. It is shown, never obeyed."""

from __future__ import annotations

import re
import unicodedata

# What has no shape of its own, though Unicode counts it among the letters, marks and symbols: fillers, joiners,
# variation selectors (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point) and the empty Braille cell.
_SHAPELESS = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"

_SPACES = re.compile(r"[\s%]")
_FORMULAS = frozenset("=+-@|%")


def printable(text: str) -> str:
    """Return the text with control characters, invisible characters and changes of direction escaped."""
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return re.sub(_SHAPELESS, lambda found: ascii(found[0])[1:-1], shown)


def joined(cell: object) -> str:
    """Return a cell's text; of several texts, such as ARNs, with spaces between, and none within: those become `%20`."""
    if isinstance(cell, tuple):
        return " ".join(
            _SPACES.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text) for text in cell
        )
    return str(cell)


def csv_cell(text: str) -> str:
    """Return the text as a spreadsheet shows it and doesn't compute it: https://owasp.org/www-community/attacks/CSV_Injection."""
    text = printable(text)
    # Some spreadsheets take the full-width signs for the same.
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first in _FORMULAS or text[:1] == "'" else text
