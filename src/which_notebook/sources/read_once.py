"""Opens log files, each at the place where it lies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO, cast

from .source import LogFile

_COPIED_IN_MEMORY = 16 * 1024 * 1024


def opened(files: list[LogFile]) -> Iterator[tuple[LogFile, BinaryIO | OSError]]:
    """Yield each file, in order, with its content, opened, or with the reason why it can't be."""
    for is_object, group in groupby(files, key=lambda file: file.name.startswith("s3://")):
        if is_object:
            from .s3 import opened_objects

            yield from opened_objects(list(group))
        else:
            yield from map(_opened_file, group)


def _opened_file(file: LogFile) -> tuple[LogFile, BinaryIO | OSError]:
    try:
        content = sys.stdin.buffer if file.name == "-" else open(file.name, "rb", buffering=0)  # noqa: SIM115 - the reader closes it
        return file, content if content.seekable() else _copied(content)
    except OSError as error:
        return file, error


def _copied(pipe: BinaryIO) -> BinaryIO:
    """Return what can be read only once as a file that can be read again: in memory, or if it is long in a temporary one."""
    import shutil
    from tempfile import SpooledTemporaryFile

    copy = SpooledTemporaryFile(_COPIED_IN_MEMORY, prefix="which-notebook-")  # noqa: SIM115 - the reader closes it
    with pipe:
        shutil.copyfileobj(pipe, copy)
    copy.seek(0)
    return cast(BinaryIO, copy)
