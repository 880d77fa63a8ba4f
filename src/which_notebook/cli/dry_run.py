"""--dry-run: prints the SQL of a command's first question. Later questions depend on its answer."""

from __future__ import annotations

import argparse

from ..answers.output_file import output_file
from ..calls.scope import Scope
from ..calls.search import Search
from ..errors import UsageError
from ..judging.attribution import Judge
from ..judging.chains import search_for_chains
from ..judging.inventory import Inventory
from ..judging.likely import scope_of_evidence, search_for_evidence
from ..limits import Limits
from ..sources.registry import opened_sources
from ..times import earlier
from .options import inventory_of, roles_of, scope_of


def write_dry_run(options: argparse.Namespace, limits: Limits) -> None:
    """Write the SQL. Raises UsageError where no source is asked with SQL, and OSError where a table can't be described."""
    inventory = inventory_of(options)
    search, scope = _first(options, roles_of(options, inventory), inventory)
    with opened_sources(options.sources, limits) as sources, output_file(options.output) as file:
        queries_of = [(source, list(source.queries(search, scope))) for source in sources]
        if not any(queries for _, queries in queries_of):
            raise UsageError("--dry-run is for tables of engines: these sources are asked without SQL")
        for source, queries in queries_of:
            for sql in queries:
                file.write(f"-- {source.name}\n{sql};\n".encode())


def _first(options: argparse.Namespace, roles: list[str], inventory: Inventory | None) -> tuple[Search, Scope]:
    scope = scope_of(options)
    if options.command == "event":
        return Search(event_id=options.event_id, with_resources=True), scope
    if options.command == "roles" or not roles:
        keys = frozenset(getattr(options, "access_key", ()))
        return Search(access_keys=keys, base_sessions=not keys), scope
    judge = Judge(roles, inventory)
    if options.follow:
        return search_for_chains(judge), scope.anywhere(scope.since and earlier(scope.since), scope.until)
    if options.likely:
        return search_for_evidence(judge), scope_of_evidence(scope, judge)
    return judge.search, scope
