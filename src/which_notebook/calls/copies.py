"""Merges copies of one record. Sources keep different parts of it; the merged call has them all.

Whatever the order of the sources, the same comes out: of two texts for one field the longer one stays, such as the ARN with
the role's path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from msgspec import Struct

from .call import Call

# S3 deletes 1,000 objects by one request at most: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_RESOURCES_AT_MOST = 5_000


def joined(one: Call, other: Call) -> Call:
    """Return what two copies tell of one call."""
    if one == other:
        return one
    call: Call = _fuller(one, other)
    call.resources = _all_resources(one.resources, other.resources)
    return call


def without_poorer_copies(batches: Iterable[list[Call]]) -> Iterator[list[Call]]:
    """Yield calls in order; one without a request id, which some sources leave out, is the one of the same id, time and name.

    In order it follows that one.
    """
    last: list[Call] = []
    for batch in batches:
        calls = last + batch
        if None in map(attrgetter("request_id"), calls):
            merged: list[Call] = []
            for call in calls:
                if call.request_id is None and merged and _is_same_event(merged[-1], call):
                    merged[-1] = joined(merged[-1], call)
                else:
                    merged.append(call)
            calls = merged
        last = calls[-1:]
        yield calls[:-1]
    if last:
        yield last


def _is_same_event(one: Call, other: Call) -> bool:
    return (one.event_id, one.event_time, one.event_name) == (other.event_id, other.event_time, other.event_name)


def _fuller(one: Any, other: Any) -> Any:
    if one == other or other is None:
        return one
    if one is None:
        return other
    if isinstance(one, Struct):
        names = one.__struct_fields__
        return type(one)(*(_fuller(getattr(one, name), getattr(other, name)) for name in names))
    return max(
        one, other, key=lambda value: (len(value), value) if isinstance(value, (str, bytes, tuple)) else (0, value)
    )


def _all_resources(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if one == other:
        return one
    if max(len(one), len(other)) > _RESOURCES_AT_MOST:
        return max(one, other, key=lambda resources: (len(resources), resources))
    ours, theirs = set(one), set(other)
    if ours == theirs:
        return max(one, other)
    if ours <= theirs or theirs <= ours:
        return max(one, other, key=len)
    return tuple(sorted(ours | theirs))
