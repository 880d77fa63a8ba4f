"""What ends a command, and errors in words."""

from __future__ import annotations


class CommandError(Exception):
    """Ends the command; the message is for whoever called it: what is wrong, and what to do."""

    is_wrong_usage = True


def reason_of(error: OSError) -> str:
    """Return why something couldn't be read or written, to stand within a sentence."""
    return uncapitalized(error.strerror or str(error) or type(error).__name__)


def uncapitalized(text: str) -> str:
    """Return the text with a small first letter."""
    return text[:1].lower() + text[1:]
