"""The command `sql`: prints the question as a query, for an engine's console."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..answers.output_file import output_file
from ..calls.scope import DELIVERED_WITHIN_DAYS, Scope
from ..errors import UsageError
from ..judging.attribution import Judge
from ..judging.inventory import Inventory
from ..judging.roles_meant import HOW_TO_NAME_IT
from ..sources.engines import standalone
from ..sources.log_paths import days

_TABLES = {"athena": "cloudtrail_logs", "trino": "cloudtrail_logs", "lake": "EVENT_DATA_STORE_ID"}


def write_sql(options: argparse.Namespace, roles: list[str], inventory: Inventory | None, scope: Scope) -> None:
    """Write the query. Raises UsageError where none can be told, RoleError where a role is none."""
    if not roles:
        raise UsageError(f"which role? {HOW_TO_NAME_IT}")
    Judge(roles)
    with output_file(options.output) as file:
        file.write(_query(options, roles, inventory, scope).encode())


def _query(options: argparse.Namespace, roles: list[str], inventory: Inventory | None, scope: Scope) -> str:
    _refuse_what_the_engine_has_not(options, scope)
    if options.engine == "insights":
        return standalone.insights_query(roles)
    table = options.table or _TABLES[options.engine]
    of_lake = options.engine == "lake"
    has_partitions = not (of_lake or options.without_partitions)
    return standalone.calls_sql(
        table if of_lake else standalone.table_name(table),
        standalone.roles_condition(roles),
        *_known(inventory.names if inventory else ()),
        partitions=standalone.PARTITIONS if has_partitions else (),
        where=_where(scope, of_lake=of_lake, has_partitions=has_partitions),
        of_lake=of_lake,
    )


def _refuse_what_the_engine_has_not(options: argparse.Namespace, scope: Scope) -> None:
    """Raise UsageError where an option would be left out of the query without a word."""
    delivered_within = options.delivered_within != DELIVERED_WITHIN_DAYS
    refused = {
        "lake": {"--without-partitions": options.without_partitions, "--delivered-within": delivered_within},
        "insights": {
            "TABLE": options.table,
            "--without-partitions": options.without_partitions,
            "--since": scope.since,
            "--until": scope.until,
            "--region": scope.regions,
            "--account": scope.accounts,
            "--inventory": options.inventory,
            "--delivered-within": delivered_within,
        },
    }.get(options.engine, {})
    if names := ", ".join(name for name, value in refused.items() if value):
        where = "; choose log groups and times in its console" if options.engine == "insights" else ""
        raise UsageError(f"sql {options.engine} takes no {names}{where}")


def _known(names: Sequence[str]) -> tuple[str, ...]:
    """Return the conditions on names, where some are known."""
    columns = ("session_name", "source_identity") if names else ()
    return tuple(standalone.names_condition(column, names) for column in columns)


def _where(scope: Scope, *, of_lake: bool, has_partitions: bool) -> list[str]:
    account, region, day = standalone.PARTITIONS
    conditions = []
    if has_partitions:
        first, last = days(scope)
        conditions += [standalone.at_least(f'"{day}"', first.replace("-", "/"))] if first else []
        conditions += [standalone.at_most(f'"{day}"', last.replace("-", "/"))] if last else []
        conditions += [standalone.among(f'"{account}"', scope.accounts)] if scope.accounts else []
        conditions += [standalone.among(f'"{region}"', scope.regions)] if scope.regions else []
    time = "eventTime" if of_lake else "eventtime"
    # Lake has it as a timestamp, and takes a text of this form for one.
    since, until = (
        each and (each.replace("T", " ").removesuffix("Z") if of_lake else each) for each in (scope.since, scope.until)
    )
    conditions += [standalone.at_least(time, since)] if since else []
    conditions += [standalone.at_most(time, until)] if until else []
    conditions += [standalone.among("awsregion", scope.regions)] if scope.regions else []
    conditions += [standalone.among("recipientaccountid", scope.accounts)] if scope.accounts else []
    return conditions
