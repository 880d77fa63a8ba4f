"""Turns the parsed arguments into a reader, a scope and a filter."""

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
from ..times import TimeError, parse_time
from .messages import say, say_unread
from .progress import shown_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..judging.evidence.address import AddressOf


@contextmanager
def judged_calls(options: argparse.Namespace, limits: Limits, *, with_resources: bool = True) -> Iterator[JudgedCalls]:
    """Ask what the arguments of `summary`, `calls` and `report` say. Raises UsageError, and what reading their files raises."""
    inventory, filter, addresses = inventory_of(options), filter_of(options), addresses_of(options)
    roles = roles_of(options, inventory)
    # What is asked for can be wrong before anything is read.
    judge = Judge(roles, inventory) if roles else None
    with reader_of(options, inventory, limits, again=options.follow or options.likely or not roles) as reader:
        judge = judge or Judge(_roles_meant(reader, filter, options.sources), inventory)
        yield JudgedCalls(
            reader,
            judge,
            filter,
            follow=options.follow,
            likely=options.likely,
            addresses=addresses,
            with_resources=with_resources,
        )


def roles_of(options: argparse.Namespace, inventory: Inventory | None) -> list[str]:
    """Return the roles that the arguments name."""
    return options.role or ([inventory.role_arn] if inventory else [])


def _roles_meant(reader: Reader, filter: Filter, sources: list[str]) -> list[str]:
    """Return the roles that are meant where none is named, and say which. Raises UsageError where that can't be told."""
    from ..judging.roles_meant import NoRoleError, roles_meant

    try:
        meant = roles_meant(reader, filter, sources)
    except NoRoleError as error:
        say_unread(error.coverage)
        raise
    say(meant.sentence)
    return meant.roles


@contextmanager
def reader_of(
    options: argparse.Namespace, inventory: Inventory | None, limits: Limits, *, again: bool
) -> Iterator[Reader]:
    """Provide a reader as the arguments say; on a terminal it shows its progress, unless rows are printed there."""
    shown = sys.stderr.isatty() and (
        options.output is not None or not sys.stdout.isatty() or options.command != "calls"
    )
    with (
        shown_progress(shown) as progress,
        opened_sources(options.sources, limits, again=again, progress=progress) as sources,
    ):
        reading = Options(
            jobs=options.jobs,
            cut=not options.parse_all,
            cache=None if options.no_cache or options.parse_all else cache_path(),
            progress=progress,
            limits=limits,
        )
        yield Reader(sources, reading, inventory.role_arns if inventory else None)


def scope_of(options: argparse.Namespace) -> Scope:
    """Return where the arguments say to look. Raises UsageError where a time is none, or nothing could fit."""
    scope = Scope(
        since=options.since and _time("--since", options.since),
        until=options.until and _time("--until", options.until, end_of_day=True),
        regions=tuple(options.region),
        accounts=tuple(options.account),
        delivered_within_days=options.delivered_within,
    )
    if scope.since and scope.until and scope.since > scope.until:
        raise UsageError(f"--since {options.since} is after --until {options.until}")
    return scope


def _time(option: str, text: str, *, end_of_day: bool = False) -> str:
    try:
        return parse_time(text, end_of_day=end_of_day)
    except TimeError as error:
        raise UsageError(f"{option}: {error}") from None


def filter_of(options: argparse.Namespace) -> Filter:
    """Return which calls the arguments ask for. Raises what `scope_of` does."""
    return Filter(
        scope=scope_of(options),
        notebooks=tuple(options.notebook),
        event_names=tuple(options.event_name),
        event_sources=tuple(options.event_source),
        statuses=tuple(options.status),
        access_keys=tuple(options.access_key),
        resources=tuple(options.resource),
        errors_only=options.errors_only,
    )


def inventory_of(options: argparse.Namespace) -> Inventory | None:
    """Return the inventory, where one is given. Raises InventoryError."""
    return read_inventory(options.inventory) if options.inventory else None


def addresses_of(options: argparse.Namespace) -> tuple[AddressOf, ...]:
    """Return the account's addresses, where a file of them is given. Raises AddressFileError, or UsageError without --likely."""
    if options.addresses and not options.likely:
        raise UsageError("--addresses is for --likely: give that, too")
    if not options.addresses:
        return ()
    from ..judging.address_file import read_address_file

    return read_address_file(options.addresses)
