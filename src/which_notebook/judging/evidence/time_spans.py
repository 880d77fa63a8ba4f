"""Spans of time in which names had something: joined, and looked up in time that grows with their number only."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise

Span = tuple[int, int]
NEXT_WITHIN = 3600
"""Uses that are no further apart are one span."""


class NamedSpans:
    """Spans by name: those of one name joined if they are within an hour of one another; ordered by when they begin."""

    def __init__(self, spans: Iterable[tuple[str, Span]]) -> None:
        by_name: defaultdict[str, list[Span]] = defaultdict(list)
        for name, (start, end) in sorted(spans):
            own = by_name[name]
            if own and start - own[-1][1] <= NEXT_WITHIN:
                own[-1] = own[-1][0], max(own[-1][1], end)
            else:
                own.append((start, end))
        self._spans = sorted((start, end, name) for name, own in by_name.items() for start, end in own)
        # The latest end up to each: what lies before where it is less ended before.
        self._ends = list(accumulate((end for _, end, _ in self._spans), max))

    def __iter__(self) -> Iterator[tuple[str, Span]]:
        return ((name, (start, end)) for start, end, name in self._spans)

    def first_two_at_once(self) -> tuple[str, str] | None:
        """Return two names that have the same time; None where no two have."""
        return next(((a[2], b[2]) for a, b in pairwise(self._spans) if b[0] <= a[1]), None)

    def meeting(self, spans: Iterable[Span]) -> Iterator[str]:
        """Yield the names whose spans meet one of these."""
        for start, end in spans:
            at = bisect_left(self._ends, start)
            while at < len(self._spans) and self._spans[at][0] <= end:
                if self._spans[at][1] >= start:
                    yield self._spans[at][2]
                at += 1
