"""Which of the judged calls the answer includes."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from fnmatch import translate
from itertools import compress

from msgspec import Struct

from .resource_patterns import ResourcePatterns
from .scope import Scope
from .table import CallTable


class Filter(Struct, frozen=True, kw_only=True):
    """What a judged call must match; an empty field matches all.

    `event_names` take `*` and `?`, in any case, and may have the service before them (`s3:GetObject`); `event_sources` are
    a service's name (`s3`) or its whole source (`s3.amazonaws.com`); for `resources` see `ResourcePatterns`. `notebooks` are those
    of attributed and chained calls, and of what is likely.
    """

    scope: Scope = Scope()
    notebooks: tuple[str, ...] = ()
    event_names: tuple[str, ...] = ()
    event_sources: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    access_keys: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    errors_only: bool = False

    def fitting(self, table: CallTable) -> list[bool]:
        """Return for each row whether the answer includes it."""
        return list(map(all, zip(*(fits for _, fits in self.tests(table)), strict=True)))

    def tests(self, table: CallTable) -> list[tuple[str, list[bool]]]:
        """Return the same for each option that was given; the time range comes first, and is always there."""
        times = table["event_time"]
        start = bisect_left(times, self.scope.since) if self.scope.since else 0
        end = bisect_right(times, self.scope.until) if self.scope.until else len(times)
        within = [False] * start + [True] * (end - start) + [False] * (len(times) - end)
        texts: list[tuple[str, str, Iterable[str]]] = [
            ("--account", "account_id", self.scope.accounts),
            ("--region", "aws_region", self.scope.regions),
            ("--event-source", "event_source", [_source(name) for name in self.event_sources]),
            ("--status", "status", self.statuses),
            ("--access-key", "access_key_id", self.access_keys),
        ]
        since_until = " and ".join(compress(("--since", "--until"), (self.scope.since, self.scope.until)))
        tests = [(since_until, within)]
        tests += [
            (option, list(map(frozenset(values).__contains__, table[name]))) for option, name, values in texts if values
        ]
        if self.notebooks:
            names = frozenset(self.notebooks)
            likely = [each and each.notebook for each in table["likely"]]
            fitting_names = [
                name in names or of_evidence in names
                for name, of_evidence in zip(table["notebook"], likely, strict=True)
            ]
            tests.append(("--notebook", fitting_names))
        if self.event_names:
            pattern = re.compile("|".join(map(_event_pattern, self.event_names)), re.IGNORECASE)
            events = list(table.rows(("event_source", "event_name")))
            fitting = {event for event in set(events) if pattern.fullmatch(":".join(event))}
            tests.append(("--event-name", list(map(fitting.__contains__, events))))
        if self.resources:
            patterns = ResourcePatterns(self.resources)
            meant = {arns for arns in set(table["resources"]) if patterns.fit(arns)}
            tests.append(("--resource", list(map(meant.__contains__, table["resources"]))))
        if self.errors_only:
            tests.append(("--errors-only", [code is not None for code in table["error_code"]]))
        return tests


def _event_pattern(name: str) -> str:
    service, _, event = name.rpartition(":")
    source = service if not service or "." in service else f"{service}.amazonaws.com"
    return translate(f"{source or '*'}:{event}")


def _source(name: str) -> str:
    return name.lower() if "." in name else f"{name.lower()}.amazonaws.com"
