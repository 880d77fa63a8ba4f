"""What reading log files gives, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ..calls.search import Search
from ..errors import reason_of
from ..records.extract import Extract
from ..records.scan import scan
from ..sources.registry import opened
from ..sources.source import LogFile
from .options import Options


class Part(Struct):
    """What was read from a part of a file; `is_last` marks the file's last part; `encoded` is set if a worker read it."""

    file: LogFile
    extract: Extract
    is_last: bool
    encoded: bytes | None = None


def read_file_parts(files: list[LogFile], search: Search, options: Options) -> Iterator[Part]:
    """Read files one after the other, in this process; what can't be opened is a problem of that file's."""
    for file, content in opened(files, options.limits):
        last = Extract(0, [], [])
        try:
            if isinstance(content, OSError):
                raise content
            with content:
                for extract in scan(content, search, options.limits, cut=options.cut):
                    if last.calls or last.size or last.problems:
                        yield Part(file, last, False)
                    last = extract
        except OSError as error:
            last = Extract(0, last.calls, [reason_of(error)])
        yield Part(file, last, True)
