"""How the command's messages say things."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as `1 call` and `2,000 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
