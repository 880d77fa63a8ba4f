"""Calls in the order of time, each once, in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from ..limits import LIMITS, Limits
from .call import Call
from .spool import Blocks

_WRITTEN_AT_ONCE = 64

_Key = tuple[str, str, str, bool, str]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Call]).decode


def in_order(batches: Iterable[list[Call]], limits: Limits = LIMITS) -> Iterator[list[Call]]:
    """Yield all calls in lists of bounded size, the oldest first, each once.

    Calls with one time, event id, name and request id are one. CloudTrail may deliver a record twice, and a record may lie in two sources. What doesn't fit into memory waits in
    temporary files, sorted.
    """
    runs: list[Blocks] = []
    held: dict[_Key, Call] = {}
    try:
        for batch in batches:
            held.update({_key(call): call for call in batch})
            if len(held) >= limits.sorted_calls:
                runs.append(_write(_sorted(held)))
                held.clear()
        if not runs:
            yield _sorted(held)
            return
        runs.append(_write(_sorted(held)))
        held.clear()
        merged = _each_once(heapq.merge(*map(_read, runs), key=_key))
        while calls := list(islice(merged, limits.merged_calls)):
            yield calls
    finally:
        for run in runs:
            run.close()


def _key(call: Call) -> _Key:
    # An event id is one call's, but who hands logs on may have made all ids the same. No id at all can't be compared with one.
    return call.event_time, call.event_id, call.event_name, call.request_id is None, call.request_id or ""


def _sorted(held: dict[_Key, Call]) -> list[Call]:
    return [held[key] for key in sorted(held)]


def _each_once(calls: Iterable[Call]) -> Iterator[Call]:
    seen = None
    for call in calls:
        if (key := _key(call)) != seen:
            seen = key
            yield call


def _write(calls: list[Call]) -> Blocks:
    run = Blocks()
    for at in range(0, len(calls), _WRITTEN_AT_ONCE):
        run.add(_encode(calls[at : at + _WRITTEN_AT_ONCE]))
    return run


def _read(run: Blocks) -> Iterator[Call]:
    for block in run:
        yield from _decode(block)
