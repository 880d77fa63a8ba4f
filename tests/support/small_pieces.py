"""Has files read in small pieces, so that records lie across their ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from which_notebook.records import decompress, packing, top_level


@contextmanager
def in_small_pieces(size: int, *, largest_event: int = top_level.LARGEST_EVENT) -> Iterator[None]:
    """Make a window of so many bytes; look back no further than so many for where a record begins."""
    sizes: Any = dict.fromkeys(("PIECE", "_READ_AT_ONCE"), size)
    with (
        mock.patch.multiple(decompress, **sizes, _DECOMPRESSED_AT_ONCE=size),
        mock.patch.multiple(packing, **sizes),
        mock.patch.object(top_level, "LARGEST_EVENT", largest_event),
    ):
        yield
