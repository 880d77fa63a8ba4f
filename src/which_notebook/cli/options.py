"""What the arguments say: how to read, where to look, and which calls are asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..calls.filter import Filter
from ..calls.scope import Scope
from ..errors import UsageError
from ..judging.attribution import Judge
from ..judging.inventory import Inventory, read_inventory
from ..judging.judged_calls import JudgedCalls
from ..limits import Limits
from ..reading.cache import cache_path
from ..reading.options import Options
from ..reading.reader import Reader
from ..sources.registry import opened_sources
from ..times import parse_time
from .progress import shown_progress


@contextmanager
def judged_calls(given: argparse.Namespace, limits: Limits) -> Iterator[JudgedCalls]:
    """Ask what the arguments of `summary`, `calls` and `report` say. Raises UsageError, and what reading their files raises."""
    inventory = inventory_of(given)
    role = given.role or (inventory.role_arn if inventory else None)
    if role is None:
        raise UsageError(
            "which role? Give --role NAME or ARN, or --inventory FILE (what `terraform output -json` prints)"
        )
    judge, asked = Judge(role, inventory), filter_of(given)
    with reader_of(given, inventory, limits, again=given.follow) as reader:
        yield JudgedCalls(reader, judge, asked, follow=given.follow)


@contextmanager
def reader_of(
    given: argparse.Namespace, inventory: Inventory | None, limits: Limits, *, again: bool
) -> Iterator[Reader]:
    """Read as the arguments say, and show on a terminal how far it is, unless rows are shown there meanwhile."""
    shown = sys.stderr.isatty() and (given.output is not None or not sys.stdout.isatty() or given.command != "calls")
    with opened_sources(given.sources, again=again) as sources, shown_progress(shown) as progress:
        options = Options(
            jobs=given.jobs,
            cut=not given.parse_all,
            cache=None if given.no_cache or given.parse_all else cache_path(),
            progress=progress,
            limits=limits,
        )
        yield Reader(sources, options, inventory.role_arns if inventory else None)


def scope_of(given: argparse.Namespace) -> Scope:
    """Return where the arguments say to look. Raises TimeError, or UsageError where nothing could fit."""
    scope = Scope(
        since=given.since and parse_time(given.since),
        until=given.until and parse_time(given.until, end_of_day=True),
        regions=tuple(given.region),
        accounts=tuple(given.account),
        delivered_within_days=given.delivered_within,
    )
    if scope.since and scope.until and scope.since > scope.until:
        raise UsageError(f"--since {given.since} is after --until {given.until}")
    return scope


def filter_of(given: argparse.Namespace) -> Filter:
    """Return which calls the arguments ask for. Raises what `scope_of` does."""
    return Filter(
        scope=scope_of(given),
        notebooks=tuple(given.notebook),
        event_names=tuple(given.event_name),
        event_sources=tuple(given.event_source),
        statuses=tuple(given.status),
        access_keys=tuple(given.access_key),
        resources=tuple(given.resource),
        errors_only=given.errors_only,
    )


def inventory_of(given: argparse.Namespace) -> Inventory | None:
    """Return the inventory, where one is given. Raises InventoryError."""
    return read_inventory(given.inventory) if given.inventory else None
