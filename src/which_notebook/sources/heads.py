"""Decides whether a file contains records: by its name's ending, else by its first bytes."""

from __future__ import annotations

from typing import BinaryIO

from ..records.decompress import GZIP, DamagedFileError, EmptyFileError, TruncatedFileError, members

SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""A log's name ends so; of any other name the first bytes decide."""

HEAD_BYTES = 64 * 1024
NO_RECORDS = "no CloudTrail records"
# Taken at once, so that little is decompressed in vain.
_SLICE = 2 * 1024

# https://www.garykessler.net/library/file_sigs.html
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
}


def why_no_log(file: BinaryIO) -> str | None:
    """Return why a file can't be read as a log; None where records stand in its first 64 KiB, or stood there before damage.

    Raises OSError as the file does.
    """
    head = file.read(HEAD_BYTES)
    for mark, reason in _OTHERS.items():
        if head.startswith(mark):
            return f"{reason}, which isn't read"
    if head.startswith(GZIP):
        try:
            head = _decompressed(head)
        except DamagedFileError:
            return None  # whether there are records can't be told: reading it names the damage
    return None if b"eventVersion" in head else NO_RECORDS


def _decompressed(head: bytes) -> bytes:
    """Return the first 64 KiB of what is compressed; raises DamagedFileError where damage leaves less."""
    content = b""
    try:
        for piece in members(head[at : at + _SLICE] for at in range(0, len(head), _SLICE)):
            content += piece
            if len(content) >= HEAD_BYTES:
                break
    except EmptyFileError:
        pass
    except TruncatedFileError:
        if len(head) < HEAD_BYTES:
            raise
    return content[:HEAD_BYTES]
