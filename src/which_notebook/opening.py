"""Opens log files, each at the place where it lies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO

from .log_file import LogFile


def opened(files: list[LogFile]) -> Iterator[tuple[LogFile, BinaryIO | OSError]]:
    """Yield each file, in order, with its content, opened, or with the reason why it can't be."""
    for is_object, group in groupby(files, key=lambda file: file.name.startswith("s3://")):
        if is_object:
            from .s3 import opened_objects

            yield from opened_objects(list(group))
        else:
            yield from map(_opened_file, group)


def _opened_file(file: LogFile) -> tuple[LogFile, BinaryIO | OSError]:
    if file.name == "-":
        return file, sys.stdin.buffer
    try:
        return file, open(file.name, "rb", buffering=0)
    except OSError as error:
        return file, error
