"""Limits a table to a scope: by its partitions of account, region and day, or by the records' columns where it has none."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from ...calls.scope import Scope
from ..log_paths import days
from .column_types import has
from .condition import Condition, is_one_of, quoted
from .tables import Form, Table

ACCOUNT_COLUMNS = ("account", "accountid", "account_id", "accounts")
REGION_COLUMNS = ("region", "regions", "aws_region")
DAY_COLUMNS = ("day", "date", "dt", "timestamp", "eventday", "event_day", "partition_date")
"""What partition columns are called in AWS's documentation, in Security Lake and in modules/athena."""

_YEAR, _MONTH, _DAY = "year", "month", "day"
_JAVA_FORMATS = {"yyyy": "%Y", "MM": "%m", "dd": "%d"}
_FORMATS = ("%Y/%m/%d", "%Y-%m-%d", "%Y%m%d")
_MARGIN = timedelta(days=1)
"""Between a text's time zone and UTC."""


def day_column(table: Table) -> str | None:
    """Return the column that has the day of delivery; None where there is none, or year, month and day are apart."""
    if _is_apart(table):
        return None
    return _first(table, DAY_COLUMNS)


def format_of_java(written: str) -> str | None:
    """Return a format of Java's, as a projection has it, as one of Python's; None where it has more than days."""
    written_in_python = re.sub("yyyy|MM|dd", lambda part: _JAVA_FORMATS[part[0]], written)
    return (
        written_in_python
        if written_in_python.count("%") == len(_JAVA_FORMATS)
        and not re.search("[A-Za-z']", re.sub("%.", "", written_in_python))
        else None
    )


def format_of_value(value: object) -> str | None:
    """Return the format of a day, seen in a table; None where it is none that is known."""
    for each in _FORMATS:
        try:
            if isinstance(value, str) and datetime.strptime(value, each).strftime(each) == value:
                return each
        except ValueError:
            continue
    return None


def limits_of(table: Table, form: Form, scope: Scope) -> tuple[list[Condition], bool]:
    """Return the conditions, and whether they keep the engine from reading all of the table."""
    partitions: list[Condition] = []
    others: list[Condition] = []
    account, region = _first(table, ACCOUNT_COLUMNS), _first(table, REGION_COLUMNS)
    # A session may have been opened in any account; but of such a table no account can be left open.
    accounts = scope.accounts or (scope.service_accounts if account in table.injected else ())
    if account and accounts:
        partitions.append(is_one_of(quoted(account), accounts))
    elif form.fields.account_id and scope.accounts:
        others.append(is_one_of(form.fields.account_id, scope.accounts))
    if region and scope.regions:
        partitions.append(is_one_of(quoted(region), scope.regions))
    elif form.fields.aws_region and scope.regions:
        others.append(is_one_of(form.fields.aws_region, scope.regions))
    of_days = _of_days(table, *days(scope))
    partitions += of_days
    if form.fields.timestamp:
        partitions += _of_times(form.fields.timestamp, scope, "CAST(? AS timestamp)", "%Y-%m-%d %H:%M:%S")
    elif not of_days:
        others += _of_times(form.fields.event_time, scope, "?", "%Y-%m-%dT%H:%M:%SZ")
    return [*partitions, *others], bool(partitions)


def _first(table: Table, names: tuple[str, ...]) -> str | None:
    return next((each for each in names if has(table.columns, each)), None)


def _is_apart(table: Table) -> bool:
    return all(has(table.columns, each) for each in (_YEAR, _MONTH, _DAY))


def _of_days(table: Table, first: str | None, last: str | None) -> list[Condition]:
    if not (first or last):
        return []
    if _is_apart(table):
        # Some write a month with a zero before it, and some without.
        year, month, day = (f"CAST({quoted(each)} AS integer)" for each in (_YEAR, _MONTH, _DAY))
        written = f"{year} * 10000 + {month} * 100 + {day}"
        bounds = ((">=", first), ("<=", last))
        return [
            *([Condition(f"{year} >= CAST(? AS integer)", (first[:4],))] if first else []),
            *([Condition(f"{year} <= CAST(? AS integer)", (last[:4],))] if last else []),
            *(
                Condition(f"{written} {bound} CAST(? AS integer)", (value.replace("-", ""),))
                for bound, value in bounds
                if value
            ),
        ]
    column = day_column(table)
    if column is None:
        return []
    if table.columns[column] == "date":
        bounds_of_dates = ((">=", first), ("<=", last))
        return [
            Condition(f"{quoted(column)} {bound} CAST(? AS date)", (value,))
            for bound, value in bounds_of_dates
            if value
        ]
    if table.day_format is None:
        return []
    bounds_of_texts = ((">=", first), ("<=", last))
    return [
        Condition(f"{quoted(column)} {bound} ?", (date.fromisoformat(value).strftime(table.day_format),))
        for bound, value in bounds_of_texts
        if value
    ]


def _of_times(column: str, scope: Scope, value: str, written: str) -> list[Condition]:
    """Return the same by the records' own times.

    Of a time as text, the engine still reads all rows, but returns fewer. The zone may not be UTC, so a day is added on each
    side. An engine can prune by a timestamp, as Security Lake's tables have it.
    """
    conditions = []
    if scope.since:
        conditions.append(Condition(f"{column} >= {value}", (_moved(scope.since, -_MARGIN, written),)))
    if scope.until:
        conditions.append(Condition(f"{column} <= {value}", (_moved(scope.until, _MARGIN, written),)))
    return conditions


def _moved(time: str, by: timedelta, written: str) -> str:
    moment = datetime.fromisoformat(time)
    try:
        return (moment + by).strftime(written)
    except OverflowError:
        return moment.strftime(written)
