"""How a search becomes queries: types, partitions, parameters, and the command `sql`. No engine is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from log_files import compact, write
from records import BASE, ROLE, opening, record, session

from which_notebook.calls.scope import Scope
from which_notebook.calls.search import Search
from which_notebook.records.cloudtrail import call_of
from which_notebook.sources.engines.column_types import has, type_of
from which_notebook.sources.engines.condition import Condition, literal, quoted
from which_notebook.sources.engines.partitions import format_of_java, format_of_value, limits_of
from which_notebook.sources.engines.query import KEYS_AT_ONCE, queries
from which_notebook.sources.engines.record_fields import COLUMNS
from which_notebook.sources.engines.tables import Table, form_of
from which_notebook.sources.source import SourceError

IDENTITY = "row(type varchar, principalid varchar, arn varchar, accesskeyid varchar, sessioncontext row(sessionissuer row(arn varchar, principalid varchar), sourceidentity varchar))"
IN_GLUE = "struct<type:string,principalid:string,arn:string,accesskeyid:string,sessioncontext:struct<sessionissuer:struct<arn:string,principalid:string>,sourceidentity:string>>"


def table(day_format: str | None = "%Y/%m/%d", **partitions: str) -> Table:
    columns = dict.fromkeys(COLUMNS, "varchar") | {"useridentity": IDENTITY} | partitions
    return Table("t", {name: type_of(text) for name, text in columns.items()}, day_format)


def where(found: Table, scope: Scope) -> str:
    conditions, _ = limits_of(found, form_of(found), scope)
    return " AND ".join(each.with_values for each in conditions)


def test_both_catalogs_types_are_read_alike() -> None:
    assert type_of(IDENTITY) == type_of(IN_GLUE.replace("string", "varchar"))
    found = type_of(IN_GLUE)
    assert has(found, "sessioncontext", "sessionissuer", "arn")
    assert not has(found, "sessioncontext", "sessionissuer", "username")
    assert type_of("array(row(arn varchar))") == "array(row(arn varchar))"
    assert type_of('row("x" decimal(10, 2), y map(varchar, row(a bigint)))') == {
        "x": "decimal(10, 2)",
        "y": "map(varchar, row(a bigint))",
    }
    assert type_of("struct<" * 10_000) != ""


SCOPE = Scope(
    since="2026-03-01T09:00:00Z", until="2026-03-31T10:00:00Z", accounts=("111122223333",), regions=("us-east-1",)
)


@pytest.mark.parametrize(
    ("partitions", "day_format", "expected"),
    [
        (("account", "region", "day"), "%Y/%m/%d", "\"day\" >= '2026/03/01' AND \"day\" <= '2026/04/07'"),
        (("account", "region", "timestamp"), "%Y-%m-%d", "\"timestamp\" >= '2026-03-01' AND \"timestamp\" <= '2026-04-07'"),
        (("accountid", "region", "eventday"), "%Y%m%d", "\"eventday\" >= '20260301' AND \"eventday\" <= '20260407'"),
    ],
)  # fmt: skip
def test_days_are_written_as_the_table_writes_them(partitions: tuple[str, ...], day_format: str, expected: str) -> None:
    found = where(table(day_format, **dict.fromkeys(partitions, "varchar")), SCOPE)
    assert found == f"\"{partitions[0]}\" IN ('111122223333') AND \"region\" IN ('us-east-1') AND {expected}"


def test_year_month_and_day_may_stand_apart() -> None:
    found = where(table(None, region="varchar", year="varchar", month="varchar", day="varchar"), SCOPE)
    assert "CAST(\"year\" AS integer) >= CAST('2026' AS integer)" in found
    assert "* 100 + CAST(\"day\" AS integer) >= CAST('20260301' AS integer)" in found
    assert "* 100 + CAST(\"day\" AS integer) <= CAST('20260407' AS integer)" in found


def test_a_day_may_be_a_date() -> None:
    assert "\"day\" >= CAST('2026-03-01' AS date)" in where(table(None, day="date"), SCOPE)


def test_without_partitions_the_records_own_fields_limit_the_rows_and_nothing_the_scan() -> None:
    found = table(None)
    conditions, is_limited = limits_of(found, form_of(found), SCOPE)
    assert not is_limited
    text = " AND ".join(each.with_values for each in conditions)
    assert "\"recipientaccountid\" IN ('111122223333')" in text
    assert "\"awsregion\" IN ('us-east-1')" in text
    # A day more on either side: a text may be in another time zone.
    assert "\"eventtime\" >= '2026-02-28T09:00:00Z' AND \"eventtime\" <= '2026-04-01T10:00:00Z'" in text


@pytest.mark.parametrize(
    ("java", "python"), [("yyyy/MM/dd", "%Y/%m/%d"), ("yyyyMMdd", "%Y%m%d"), ("yyyy-MM-dd-HH", None), ("MM", None)]
)
def test_formats_of_projections(java: str, python: str | None) -> None:
    assert format_of_java(java) == python


@pytest.mark.parametrize(
    ("value", "python"),
    [("2026/03/01", "%Y/%m/%d"), ("20260301", "%Y%m%d"), ("2026-3-1", None), ("x", None), (None, None)],
)
def test_formats_of_values(value: object, python: str | None) -> None:
    assert format_of_value(value) == python


def test_many_keys_go_into_several_queries() -> None:
    keys = frozenset(f"ASIA{number:016}" for number in range(2 * KEYS_AT_ONCE + 1))
    found = table()
    made = list(queries(found, form_of(found), Search(role_names=(ROLE,), access_keys=keys), Scope()))
    asked = [set(each.statement.parameters) & keys for each in made]
    assert [len(each) for each in asked] == [KEYS_AT_ONCE, KEYS_AT_ONCE, 1]
    assert frozenset().union(*asked) == keys
    assert [f":assumed-role/{ROLE}" in "".join(each.statement.parameters) for each in made] == [True, False, False]


def test_each_call_that_opens_a_session_is_asked_for() -> None:
    found = table()
    (made,) = queries(found, form_of(found), Search(role_names=(ROLE,)), Scope())
    for name in ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"):
        assert f"\"eventname\" = '{name}'" in made.statement.text
        assert call_of(compact(opening(session("x"), BASE, event=f"sts:{name}"))).opening


def test_values_go_into_their_places_whatever_they_hold() -> None:
    condition = Condition("a = ? AND b = ?", ("?", "it's ?"))
    assert condition.with_values == "a = '?' AND b = 'it''s ?'"
    assert literal("'") == "''''"


@pytest.mark.parametrize("name", ['a"b', "a b", "", "a;", "a'b", "a?"])
def test_a_name_with_other_letters_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="is no name"):
        quoted(name)


def test_a_table_of_other_things_is_refused() -> None:
    with pytest.raises(SourceError, match="holds no CloudTrail records"):
        form_of(Table("t", {"a": "varchar"}))
    with pytest.raises(SourceError, match="not as a struct"):
        form_of(Table("t", dict.fromkeys(COLUMNS, "varchar")))


def test_a_dry_run_of_files_is_refused(ask: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "a.json.gz", record())
    answer = ask("summary", tmp_path, "--role", ROLE, "--dry-run")
    assert answer.status == 2
    assert "these sources are asked without SQL" in answer.err


@pytest.mark.parametrize("engine", ["athena", "trino", "lake", "insights"])
def test_a_query_for_a_console_needs_a_role(ask: Callable[..., Any], engine: str) -> None:
    assert ask("sql", engine).status == 2
    assert ask("sql", engine, "--role", "x' OR '1'='1").status == 2
    assert ROLE.split("-")[0] in ask("sql", engine, "--role", ROLE).out


def test_a_query_for_lake_has_lakes_own_names(ask: Callable[..., Any]) -> None:
    out = ask("sql", "lake", "0f1e2d3c-aaaa-bbbb-cccc-111122223333", "--role", ROLE, "--since", "2026-03-01").out
    assert "FROM 0f1e2d3c-aaaa-bbbb-cccc-111122223333" in out
    assert "eventTime >= '2026-03-01 00:00:00'" in out
    assert "element_at(requestParameters, 'roleArn')" in out
    assert '"day"' not in out


def test_partitions_can_be_left_out(ask: Callable[..., Any]) -> None:
    with_them = ask("sql", "athena", "logs.t", "--role", ROLE, "--since", "2026-03-01").out
    assert 'FROM "logs"."t"' in with_them
    assert "\"day\" >= '2026/03/01'" in with_them
    without = ask("sql", "athena", "logs.t", "--role", ROLE, "--since", "2026-03-01", "--without-partitions").out
    assert '"day"' not in without
    assert "eventtime >= '2026-03-01T00:00:00Z'" in without


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["insights", "--since", "2026-03-01", "--account", "111122223333"], "--since, --account"),
        (["insights", "--delivered-within", "3"], "--delivered-within"),
        (["insights", "some_table", "--region", "eu-west-1"], "TABLE, --region"),
        (["lake", "--without-partitions"], "--without-partitions"),
    ],
)
def test_what_a_query_cannot_have_is_refused(ask: Callable[..., Any], asked: list[str], named: str) -> None:
    """Else whoever asks for one account would read the calls of all."""
    answer = ask("sql", *asked, "--role", ROLE)
    assert (answer.status, answer.out) == (2, "")
    assert f"takes no {named}" in answer.err


def test_a_pattern_stands_for_roles_and_nothing_else(ask: Callable[..., Any]) -> None:
    assert r"role_arn LIKE '%/data\_%' ESCAPE '\'" in ask("sql", "athena", "--role", "data_*").out
    assert r"/:assumed-role\/(?:data_[^\/]*)\//" in ask("sql", "insights", "--role", "data_*").out
