"""What reading log files gives, part by part."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from ..calls.search import Wanted
from ..records.scan import Found, scan
from ..sources.read_once import opened
from ..sources.source import LogFile

encode = msgspec.msgpack.Encoder().encode
decode_found = msgspec.msgpack.Decoder(Found).decode


class Part(Struct):
    """What reading a file gave up to now, and whether that is the last of it; `encoded` is there where a worker read it."""

    file: LogFile
    found: Found
    is_last: bool
    encoded: bytes | None = None


def read_file_parts(files: list[LogFile], wanted: Wanted, *, cut: bool) -> Iterator[Part]:
    """Read files one after the other, in this process; what can't be opened is a problem of that file's."""
    for file, content in opened(files):
        last = Found(0, [], [])
        try:
            if isinstance(content, OSError):
                raise content
            with content:
                for found in scan(content, wanted, cut=cut):
                    if last.calls:
                        yield Part(file, last, False)
                    last = found
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            reason = reason[:1].lower() + reason[1:]
            last = Found(0, last.calls, [reason])
        yield Part(file, last, True)
