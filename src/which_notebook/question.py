"""Which of the calls are asked for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from fnmatch import translate

from msgspec import Struct

from .table import CallTable


class Question(Struct, frozen=True, kw_only=True):
    """What a call must fit; what is empty fits all.

    `since` and `until` are times as records write them, both included. `event_names` take `*` and `?`, in any case;
    `event_sources` are a service's name (`s3`) or its whole source (`s3.amazonaws.com`).
    """

    since: str | None = None
    until: str | None = None
    notebooks: tuple[str, ...] = ()
    event_names: tuple[str, ...] = ()
    event_sources: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    errors_only: bool = False

    def fitting(self, table: CallTable) -> list[bool]:
        """Return, row by row, whether a judged call is asked for."""
        times = table["event_time"]
        start = bisect_left(times, self.since) if self.since else 0
        end = bisect_right(times, self.until) if self.until else len(times)
        within = [False] * start + [True] * (end - start) + [False] * (len(times) - end)
        texts: list[tuple[str, Iterable[str]]] = [
            ("notebook", self.notebooks),
            ("aws_region", self.regions),
            ("account_id", self.accounts),
            ("status", self.statuses),
            ("event_source", [_source(name) for name in self.event_sources]),
        ]
        tests = [list(map(frozenset(asked).__contains__, table[name])) for name, asked in texts if asked]
        if self.event_names:
            pattern = re.compile("|".join(translate(name) for name in self.event_names), re.IGNORECASE)
            fitting = {name for name in set(table["event_name"]) if pattern.fullmatch(name)}
            tests.append(list(map(fitting.__contains__, table["event_name"])))
        if self.errors_only:
            tests.append([code is not None for code in table["error_code"]])
        return list(map(all, zip(within, *tests, strict=True))) if tests else within


def _source(name: str) -> str:
    return name.lower() if "." in name else f"{name.lower()}.amazonaws.com"
