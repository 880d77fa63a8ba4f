"""One log file, wherever it lies."""

from __future__ import annotations

from msgspec import Struct


class LogFile(Struct, array_like=True, gc=False):
    """A file that calls are read from.

    `name` is its path, `s3://bucket/key`, or `-` for standard input. `size` is in bytes, None where it isn't known.
    `version` changes with the content; a file without one can be read once only, and isn't remembered.
    """

    name: str
    size: int | None = None
    version: str | None = None


class SourceError(Exception):
    """A source can't be used as it was given; the message says why and what to do."""
