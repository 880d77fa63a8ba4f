"""Calls in the order of time, each once, in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from .record import Call

_HELD_AT_MOST = 40_000
_MERGED_AT_ONCE = 20_000
_WRITTEN_AT_ONCE = 64
_LENGTH_BYTES = 4

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Call]).decode


def in_order(batches: Iterable[list[Call]]) -> Iterator[list[Call]]:
    """Yield all calls in lists of bounded size, the oldest first; of those with one time and event id only one.

    CloudTrail may deliver a record twice, and a record may lie in two sources. What doesn't fit into memory waits in
    temporary files that have no name, sorted.
    """
    runs: list[BinaryIO] = []
    held: dict[str, Call] = {}
    try:
        for batch in batches:
            held.update({call.event_time + call.event_id: call for call in batch})  # by its _key, inlined
            if len(held) >= _HELD_AT_MOST:
                runs.append(_write(_sorted(held)))
                held.clear()
        if not runs:
            yield _sorted(held)
            return
        runs.append(_write(_sorted(held)))
        held.clear()
        yield from _merged(list(map(_read, runs)))
    finally:
        for run in runs:
            run.close()


def _key(call: Call) -> str:
    return call.event_time + call.event_id


def _sorted(held: dict[str, Call]) -> list[Call]:
    return [held[key] for key in sorted(held)]


def _merged(runs: list[Iterator[list[Call]]]) -> Iterator[list[Call]]:
    """Yield the calls of runs whose blocks are sorted, and have each call once."""
    ready: list[Call] = []
    # Of each run that has more calls, the block that it is at.
    ahead = [(block, run) for run in runs if (block := next(run, []))]
    while ahead:
        # Up to here no block behind these holds a call.
        limit = min(_key(block[-1]) for block, _ in ahead)
        held: dict[str, Call] = {}
        still = []
        for each, run in ahead:
            end = bisect_right(each, limit, key=_key)
            held.update({_key(call): call for call in each[:end]})
            if rest := each[end:] or next(run, []):
                still.append((rest, run))
        ahead = still
        ready += _sorted(held)
        if len(ready) >= _MERGED_AT_ONCE:
            yield ready
            ready = []
    if ready:
        yield ready


def _write(calls: list[Call]) -> BinaryIO:
    import tempfile

    file: BinaryIO = tempfile.TemporaryFile(prefix="which-notebook-")  # noqa: SIM115 - in_order() closes it
    for at in range(0, len(calls), _WRITTEN_AT_ONCE):
        block = _encode(calls[at : at + _WRITTEN_AT_ONCE])
        file.write(len(block).to_bytes(_LENGTH_BYTES, "little") + block)
    file.seek(0)
    return file


def _read(file: BinaryIO) -> Iterator[list[Call]]:
    while length := file.read(_LENGTH_BYTES):
        yield _decode(file.read(int.from_bytes(length, "little")))
