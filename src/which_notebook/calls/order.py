"""Calls in the order of time, each once, in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

import msgspec

from ..records.cloudtrail import Call

_HELD_AT_MOST = 40_000
_MERGED_AT_ONCE = 20_000
_WRITTEN_AT_ONCE = 64
_LENGTH_BYTES = 4

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Call]).decode


def in_order(batches: Iterable[list[Call]]) -> Iterator[list[Call]]:
    """Yield all calls in lists of bounded size, the oldest first; of those with one time, event id, name and request id only one.

    CloudTrail may deliver a record twice, and a record may lie in two sources. What doesn't fit into memory waits in
    temporary files that have no name, sorted.
    """
    runs: list[BinaryIO] = []
    held: dict[str, Call] = {}
    try:
        for batch in batches:
            # By their _key, inlined.
            held.update({f"{call.event_time}{call.event_id}{call.event_name}{call.request_id}": call for call in batch})
            if len(held) >= _HELD_AT_MOST:
                runs.append(_write(_sorted(held)))
                held.clear()
        if not runs:
            yield _sorted(held)
            return
        runs.append(_write(_sorted(held)))
        held.clear()
        merged = _each_once(heapq.merge(*map(_read, runs), key=_key))
        while calls := list(islice(merged, _MERGED_AT_ONCE)):
            yield calls
    finally:
        for run in runs:
            run.close()


def _key(call: Call) -> str:
    # An event id is one call's, but who hands logs on may have made all ids the same.
    return f"{call.event_time}{call.event_id}{call.event_name}{call.request_id}"


def _sorted(held: dict[str, Call]) -> list[Call]:
    return [held[key] for key in sorted(held)]


def _each_once(calls: Iterable[Call]) -> Iterator[Call]:
    seen = None
    for call in calls:
        if (key := _key(call)) != seen:
            seen = key
            yield call


def _write(calls: list[Call]) -> BinaryIO:
    import tempfile

    file: BinaryIO = tempfile.TemporaryFile(prefix="which-notebook-")  # noqa: SIM115 - in_order() closes it
    for at in range(0, len(calls), _WRITTEN_AT_ONCE):
        block = _encode(calls[at : at + _WRITTEN_AT_ONCE])
        file.write(len(block).to_bytes(_LENGTH_BYTES, "little") + block)
    file.seek(0)
    return file


def _read(file: BinaryIO) -> Iterator[Call]:
    while length := file.read(_LENGTH_BYTES):
        yield from _decode(file.read(int.from_bytes(length, "little")))
