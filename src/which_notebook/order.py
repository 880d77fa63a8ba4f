"""Calls in the order of time, each once, in bounded memory."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import BinaryIO

import msgspec

from .record import Call

_HELD_AT_MOST = 50_000
_WRITTEN_AT_ONCE = 64
_LENGTH_BYTES = 4

_order = attrgetter("event_time", "event_id")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Call])


def in_order(calls: Iterable[Call]) -> Iterator[Call]:
    """Yield the calls, the oldest first; of those with one event id at one time only one.

    CloudTrail may deliver a record twice, and a record may lie in two sources. What doesn't fit into memory waits in
    temporary files that have no name, sorted.
    """
    runs: list[BinaryIO] = []
    held: list[Call] = []
    try:
        for call in calls:
            held.append(call)
            if len(held) == _HELD_AT_MOST:
                runs.append(_write(sorted(held, key=_order)))
                held = []
        held.sort(key=_order)
        merged = heapq.merge(*map(_read, runs), held, key=_order) if runs else iter(held)
        seen = None
        for call in merged:
            if (this := (call.event_time, call.event_id)) != seen:
                seen = this
                yield call
    finally:
        for run in runs:
            run.close()


def _write(calls: list[Call]) -> BinaryIO:
    file: BinaryIO = tempfile.TemporaryFile(prefix="which-notebook-")  # noqa: SIM115 - in_order() closes it
    for at in range(0, len(calls), _WRITTEN_AT_ONCE):
        block = _encoder.encode(calls[at : at + _WRITTEN_AT_ONCE])
        file.write(len(block).to_bytes(_LENGTH_BYTES, "little") + block)
    file.seek(0)
    return file


def _read(file: BinaryIO) -> Iterator[Call]:
    while length := file.read(_LENGTH_BYTES):
        yield from _decoder.decode(file.read(int.from_bytes(length, "little")))
