"""Decides whether a file contains records: by its name's ending, else by its first bytes."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import BinaryIO

from ..records.decompress import GZIP

SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""A log's name ends so; of any other name the first bytes decide."""

HEAD_BYTES = 64 * 1024
NO_RECORDS = "no CloudTrail records"

# https://www.garykessler.net/library/file_sigs.html
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
}


def why_no_log(file: BinaryIO) -> str | None:
    """Return why a file can't be read as a log; None where records stand in its first 64 KiB.

    Raises OSError as the file does.
    """
    head = file.read(HEAD_BYTES)
    for mark, reason in _OTHERS.items():
        if head.startswith(mark):
            return f"{reason}, which isn't read"
    if head.startswith(GZIP):
        with suppress(zlib.error):
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    return None if b"eventVersion" in head else NO_RECORDS
