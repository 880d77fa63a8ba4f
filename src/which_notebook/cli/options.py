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
from ..times import parse_time
from .messages import say, say_unread
from .progress import shown_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..judging.evidence.address import AddressOf


@contextmanager
def judged_calls(given: argparse.Namespace, limits: Limits, *, with_resources: bool = True) -> Iterator[JudgedCalls]:
    """Ask what the arguments of `summary`, `calls` and `report` say. Raises UsageError, and what reading their files raises."""
    inventory, filter, addresses = inventory_of(given), filter_of(given), addresses_of(given)
    roles = roles_of(given, inventory)
    # What is asked for can be wrong before anything is read.
    judge = Judge(roles, inventory) if roles else None
    with reader_of(given, inventory, limits, again=given.follow or given.likely or not roles) as reader:
        judge = judge or Judge(_roles_meant(reader, filter, given.sources), inventory)
        yield JudgedCalls(
            reader,
            judge,
            filter,
            follow=given.follow,
            likely=given.likely,
            addresses=addresses,
            with_resources=with_resources,
        )


def roles_of(given: argparse.Namespace, inventory: Inventory | None) -> list[str]:
    """Return the roles that the arguments name."""
    return given.role or ([inventory.role_arn] if inventory else [])


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
    given: argparse.Namespace, inventory: Inventory | None, limits: Limits, *, again: bool
) -> Iterator[Reader]:
    """Provide a reader as the arguments say; on a terminal it shows its progress, unless rows are printed there."""
    shown = sys.stderr.isatty() and (given.output is not None or not sys.stdout.isatty() or given.command != "calls")
    with (
        shown_progress(shown) as progress,
        opened_sources(given.sources, limits, again=again, progress=progress) as sources,
    ):
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


def addresses_of(given: argparse.Namespace) -> tuple[AddressOf, ...]:
    """Return the account's addresses, where a file of them is given. Raises AddressFileError, or UsageError without --likely."""
    if given.addresses and not given.likely:
        raise UsageError("--addresses is for --likely: give that, too")
    if not given.addresses:
        return ()
    from ..judging.address_file import read_address_file

    return read_address_file(given.addresses)
