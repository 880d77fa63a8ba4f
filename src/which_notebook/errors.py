"""Errors that end a command, and errors in words."""

from __future__ import annotations

import errno


class CommandError(Exception):
    """Ends the command; the message is for whoever called it: what is wrong, and what to do."""

    is_wrong_usage = True


class UsageError(CommandError):
    """The command was called in a way that can't be meant; the message says what to write."""


class MissingPackageError(CommandError):
    """Something that isn't installed is needed; the message says how to install it."""


class ServiceError(OSError):
    """A service couldn't be asked, or refused; `strerror` says why, in a sentence of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EIO, reason)


def reason_of(error: OSError) -> str:
    """Return why something couldn't be read or written, to stand within a sentence."""
    if isinstance(error, ServiceError):
        return str(error.strerror)
    return uncapitalized(error.strerror or str(error) or type(error).__name__)


def uncapitalized(text: str) -> str:
    """Return the text with a small first letter."""
    return text[:1].lower() + text[1:]
