"""Text from logs is chosen by whoever made the call: session names, user agents, error codes. It is shown, never obeyed."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with everything escaped that a terminal might act on, or that would turn it around."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def csv_cell(text: str) -> str:
    """Return the text as a spreadsheet shows it and doesn't compute it: https://owasp.org/www-community/attacks/CSV_Injection."""
    text = printable(text)
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@|%") or text[:1] == "'" else text
