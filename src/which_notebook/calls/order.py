"""Calls in the order of time, each once, in bounded memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import attrgetter

import msgspec

from ..limits import Limits
from .call import Call
from .copies import joined, without_poorer_copies
from .spool import Blocks

_WRITTEN_AT_ONCE = 64
_TIME = attrgetter("event_time")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Call]).decode


def in_order(batches: Iterable[list[Call]], limits: Limits) -> Iterator[list[Call]]:
    """Yield all calls in lists of bounded size, the oldest first, each once.

    Calls with one time, event id, name and request id are one, see `copies`. CloudTrail may deliver a record twice, and a
    record may lie in two sources. What doesn't fit into memory waits in temporary files, sorted.
    """
    yield from without_poorer_copies(_in_order(batches, limits))


def in_whole_seconds(lists: Iterable[list[Call]], limits: Limits) -> Iterator[list[Call]]:
    """Yield calls in order in lists that end where a second does: what one list tells doesn't hang on where others ended.

    Only of a second with more than `sorted_calls` are there several.
    """
    held: list[Call] = []
    for calls in lists:
        held += calls
        if not held:
            continue
        end = bisect_left(held, held[-1].event_time, key=_TIME)
        if len(held) > limits.sorted_calls:
            end = end or len(held)
        if end:
            yield held[:end]
            held = held[end:]
    if held:
        yield held


def _in_order(batches: Iterable[list[Call]], limits: Limits) -> Iterator[list[Call]]:
    runs: list[Blocks] = []
    held: dict[str, Call] = {}
    try:
        for batch in batches:
            _add(held, batch)
            if len(held) >= limits.sorted_calls:
                runs.append(_write(_sorted(held)))
                held.clear()
        if not runs:
            calls, at_once = _sorted(held), limits.judged_calls
            yield from (calls[at : at + at_once] for at in range(0, len(calls), at_once))
            return
        runs.append(_write(_sorted(held)))
        held.clear()
        yield from _merged(list(map(_read, runs)), limits)
    finally:
        for run in runs:
            run.close()


def _key(call: Call) -> str:
    # An event id is one call's, but who hands logs on may have made all ids the same. Each text's length says where the next
    # begins: any character may stand in them. A text as key takes a third of the time that a tuple does.
    return f"{call.event_time}{len(call.event_id)} {call.event_id}{len(call.event_name)} {call.event_name}{call.request_id!r}"


def _add(held: dict[str, Call], calls: list[Call]) -> None:
    """Add calls by their keys; of copies all that one of them has stays."""
    # By their _key, inlined.
    by_key = {
        f"{call.event_time}{len(call.event_id)} {call.event_id}{len(call.event_name)} {call.event_name}{call.request_id!r}": call
        for call in calls
    }
    if len(by_key) == len(calls) and held.keys().isdisjoint(by_key):
        held.update(by_key)
        return
    for call in calls:
        key = _key(call)
        held[key] = joined(held[key], call) if key in held else call


def _sorted(held: dict[str, Call]) -> list[Call]:
    return [held[key] for key in sorted(held)]


def _merged(runs: list[Iterator[list[Call]]], limits: Limits) -> Iterator[list[Call]]:
    """Yield the calls of runs whose blocks are sorted, and have each call once."""
    ready: list[Call] = []
    # Of each run that has more calls, the block that it is at.
    ahead = [(block, run) for run in runs if (block := next(run, []))]
    while ahead:
        # Up to here no block behind these holds a call.
        limit = min(_key(block[-1]) for block, _ in ahead)
        parts = []
        still = []
        for each, run in ahead:
            end = bisect_right(each, limit, key=_key) if _key(each[0]) <= limit else 0
            if end:
                parts.append(each[:end])
            if rest := each[end:] or next(run, []):
                still.append((rest, run))
        ahead = still
        if len(parts) == 1:  # as most are, since most logs are read in the order of time
            ready += parts[0]
        else:
            held: dict[str, Call] = {}
            for part in parts:
                _add(held, part)
            ready += _sorted(held)
        if len(ready) >= limits.judged_calls:
            yield ready
            ready = []
    if ready:
        yield ready


def _write(calls: list[Call]) -> Blocks:
    run = Blocks()
    for at in range(0, len(calls), _WRITTEN_AT_ONCE):
        run.add(_encode(calls[at : at + _WRITTEN_AT_ONCE]))
    return run


def _read(run: Blocks) -> Iterator[list[Call]]:
    for block in run:
        yield _decode(block)
