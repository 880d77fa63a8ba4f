"""Limits by which files are read in small pieces, so that records lie across their ends."""

from __future__ import annotations

from which_notebook.limits import Limits


def in_small_pieces(size: int, **more: int) -> Limits:
    """Return limits by which a window has so many bytes; `more` are further limits."""
    return Limits(piece_bytes=size, read_bytes=size, packed_read_bytes=size, decompressed_bytes=size, **more)
