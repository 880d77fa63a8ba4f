"""Opens log files, each at the place where it lies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

from .log_file import LogFile


def opened(files: list[LogFile]) -> Iterator[tuple[LogFile, BinaryIO | OSError]]:
    """Yield each file with its content, opened, or with the reason why it can't be."""
    if files and files[0].name.startswith("s3://"):
        from .s3 import opened_objects

        yield from opened_objects(files)
        return
    for file in files:
        if file.name == "-":
            yield file, sys.stdin.buffer
            continue
        try:
            yield file, open(file.name, "rb", buffering=0)  # noqa: SIM115 - the caller closes it
        except OSError as error:
            yield file, error
