"""Decides by a file's first bytes whether it contains records."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO

from ..limits import Limits
from ..records.decompress import GZIP, DamagedFileError, EmptyFileError
from ..records.forms import HEAD_BYTES, may_hold_records
from ..records.packing import PARQUET, contents

NO_RECORDS = "no CloudTrail records"
_FILES_LOOKED_INTO = 20


def why_no_log(file: BinaryIO, limits: Limits) -> str | None:
    """Return why a file is no log; None where its first 64 KiB, unpacked, hold records, or damage hides whether they do.

    Raises OSError as the file does.
    """
    mark = file.read(len(PARQUET))
    if mark == PARQUET:
        return None if _has_columns_of_records(file) else NO_RECORDS
    file.seek(0)
    reason = None
    for number, (_, pieces) in enumerate(contents(file, limits)):
        head = b""
        try:
            for piece in pieces:
                head += piece
                if len(head) >= HEAD_BYTES:
                    break
        except EmptyFileError:
            pass
        except DamagedFileError as error:
            if mark.startswith(GZIP[:2]):
                return None  # whether there are records can't be told: reading it names the damage
            reason = str(error)
        if may_hold_records(head[:HEAD_BYTES]):
            return None
        if number == _FILES_LOOKED_INTO:
            break
    return reason or NO_RECORDS


def _has_columns_of_records(file: BinaryIO) -> bool:
    """Return whether a Parquet file's columns, which its end names, are those of records; True where its end can't be had."""
    with suppress(OSError):
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - HEAD_BYTES))
        end = file.read(HEAD_BYTES).lower()
        return b"eventname" in end or (b"class_uid" in end and b"actor" in end)
    return True
