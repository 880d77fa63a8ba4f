"""`handshake`: the base session opened the notebook session of that name.

Source: the AssumeRole record, which CloudTrail writes of each opening, in the region whose endpoint of STS was asked. In
profile mode boto3 makes one an hour, so that the calls of clients which don't read the configuration get a name from it.

Limits: in profile mode, and with the recipe done by hand, the user chooses the name. CloudTrail leaves out what a refused
call asked for, so that one names nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...calls.table import CallTable
from .named import Named, of_name


def named(table: CallTable, row: int) -> Iterator[Named]:
    """Yield the notebook instance whose session the call opened."""
    opening = table.openings.get(row)
    if table["status"][row] != "handshake" or opening is None or not opening.access_key_id or not opening.session_name:
        return
    yield of_name(opening.session_name) or Named(opening.session_name)
