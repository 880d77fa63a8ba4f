"""modules/athena: what it refuses, what it declares, and that its table and view are what the command's code says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from document_table import WRITE
from emulator.server import Emulator
from stand_in import definition_of, types_of
from workspace import CHECKOUT, Workspace

from which_notebook.sources.engines.record_fields import FIELDS
from which_notebook.sources.engines.standalone import COLUMNS, PARTITIONS, calls_sql

MODULE = CHECKOUT / "modules/athena"
VIEW = MODULE / "notebook_calls.sql.tftpl"
VIEW_WRITTEN = calls_sql("${table}", "${roles}", "${known}", "${identity_known}")
INPUTS: dict[str, Any] = {
    "bucket": "audit-logs",
    "account_ids": ["444455556666", "111122223333"],
    "regions": ["us-east-1", "eu-central-1"],
    "first_day": "2026-01-31",
    "role_names": ["data-science-execution"],
    "results_location": "s3://athena-results/notebooks/",
}


@pytest.fixture(scope="module")
def workspace(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    if WRITE:
        VIEW.write_text(VIEW_WRITTEN)
    return Workspace(
        tmp_path_factory.mktemp("plan") / "module", root="modules/athena", environment=emulator.environment()
    )


BAD: dict[str, list[Any]] = {
    "bucket": ["s3://audit-logs", "audit-logs/x", "A", ""],
    "key_prefix": ["/x", "x/", "a//b", "a b"],
    "organization_id": ["1234", "o-", "r-abcdefghij"],
    "account_ids": [[], ["1111"], ["111122223333", "x"]],
    "regions": [[], ["us-east"], ["*"]],
    "first_day": ["2026/01/01", "2026-13-01", "2026-02-30", "yesterday"],
    "role_names": [[], ["arn:aws:iam::111122223333:role/x"], ["x' OR '1'='1"]],
    "notebook_names": [["a_b"], ["-a"], ["a" * 64], ["x'"]],
    "results_location": [
        "athena-results",
        "s3://athena-results",
        "s3://athena-results/x",
        "s3://audit-logs/AWSLogs/x/",
    ],
    "results_kms_key_arn": ["alias/x", "arn:aws:kms:us-east-1:111122223333:alias/x"],
    "bytes_scanned_cutoff_per_query": [1, 10485760.5],
    "name": ["A", "a_b", "-a", "a" * 65],
}


@pytest.mark.parametrize("number", range(max(map(len, BAD.values()))))
def test_bad_input_is_refused_at_plan(workspace: Workspace, number: int) -> None:
    """One plan names all that is wrong."""
    given = {name: values[number] for name, values in BAD.items() if number < len(values)}
    outcome = workspace.plan({**INPUTS, **given})
    assert {name for name in BAD if any(f"{name} must" in each for each in outcome.errors)} == given.keys()


def test_the_table_looks_only_where_the_trail_writes(workspace: Workspace) -> None:
    more = {"key_prefix": "trails/org", "organization_id": "o-a1b2c3d4e5"}
    table = workspace.plan({**INPUTS, **more}).planned("aws_glue_catalog_table.logs")
    location = "s3://audit-logs/trails/org/AWSLogs/o-a1b2c3d4e5/"
    assert table["storage_descriptor"][0]["location"] == location
    assert table["parameters"] == {
        "EXTERNAL": "TRUE",
        "classification": "cloudtrail",
        "projection.enabled": "true",
        "projection.account.type": "enum",
        "projection.account.values": "111122223333,444455556666",
        "projection.region.type": "enum",
        "projection.region.values": "eu-central-1,us-east-1",
        "projection.day.type": "date",
        "projection.day.format": "yyyy/MM/dd",
        "projection.day.range": "2026/01/31,NOW",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": location + "${account}/CloudTrail/${region}/${day}",
    }


def test_without_accounts_each_query_names_them(workspace: Workspace) -> None:
    plan = workspace.plan({**INPUTS, "account_ids": None})
    parameters = plan.planned("aws_glue_catalog_table.logs")["parameters"]
    assert parameters["projection.account.type"] == "injected"
    assert "projection.account.values" not in parameters
    for name in ("calls-by-notebook", "unattributed-calls"):
        assert "AND account = '" in plan.planned(f'aws_athena_named_query.this["{name}"]')["query"]


def test_the_columns_are_the_fields_of_a_record(workspace: Workspace) -> None:
    def type_of(name: str, kind: Any) -> Any:
        if isinstance(kind, str):
            return "map<string,string>" if (name, kind) == ("attributes", "json") else "string"
        return {each.lower(): type_of(each, inner) for each, inner in kind.items()}

    table = workspace.plan(INPUTS).planned("aws_glue_catalog_table.logs")
    columns = [{"Name": each["name"], "Type": each["type"]} for each in table["storage_descriptor"][0]["columns"]]
    found = types_of({"StorageDescriptor": {"Columns": columns}})
    resources = found.pop("resources")
    assert resources == "array<struct<accountid:string,type:string,arn:string>>"
    assert found == {name.lower(): type_of(name, kind) for name, kind in FIELDS.items() if name != "resources"}
    assert [each["name"] for each in table["partition_keys"]] == list(PARTITIONS)


def test_the_view_is_the_query_that_the_command_prints(workspace: Workspace) -> None:
    assert VIEW.read_text() == VIEW_WRITTEN, (
        "the query has changed; WRITE_TABLES=1 .venv/bin/pytest -n 0 tests/module/test_athena.py -k view writes it"
    )
    view = workspace.plan({**INPUTS, "notebook_names": ["fraud-model"]}).planned(
        "aws_glue_catalog_table.notebook_calls"
    )
    definition = definition_of({"ViewOriginalText": view["view_original_text"]})
    assert definition["originalSql"] == calls_sql(
        '"notebook_attribution"."cloudtrail_logs"',
        "regexp_extract(role_arn, '[^/]+\\z') IN ('data-science-execution')",
        "session_name IN ('fraud-model')",
        "source_identity IN ('fraud-model')",
    )
    assert [each["name"] for each in definition["columns"]] == [*COLUMNS, *PARTITIONS]
    assert [each["name"] for each in view["storage_descriptor"][0]["columns"]] == [*COLUMNS, *PARTITIONS]


def test_the_workgroup_has_a_limit_and_encrypts(workspace: Workspace) -> None:
    (settings,) = workspace.plan(INPUTS).planned("aws_athena_workgroup.this")["configuration"]
    assert settings["enforce_workgroup_configuration"] is True
    assert settings["bytes_scanned_cutoff_per_query"] == 100 * 1024**3
    (result,) = settings["result_configuration"]
    assert result["encryption_configuration"] == [{"encryption_option": "SSE_S3", "kms_key_arn": None}]
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    (settings,) = workspace.plan({**INPUTS, "results_kms_key_arn": key}).planned("aws_athena_workgroup.this")[
        "configuration"
    ]
    (result,) = settings["result_configuration"]
    assert result["encryption_configuration"] == [{"encryption_option": "SSE_KMS", "kms_key_arn": key}]


def test_it_applies_and_a_second_plan_changes_nothing(
    emulator: Emulator, new_workspace: Callable[..., Workspace]
) -> None:
    workspace = new_workspace("modules/athena")
    assert workspace.apply(INPUTS).diagnostics == []
    assert workspace.outputs()["source"] == "athena://notebook-attribution/notebook_attribution/cloudtrail_logs"
    glue, athena = emulator.client("glue"), emulator.client("athena")
    tables = glue.get_tables(DatabaseName="notebook_attribution")["TableList"]
    assert {each["Name"]: each["TableType"] for each in tables} == {
        "cloudtrail_logs": "EXTERNAL_TABLE",
        "notebook_calls": "VIRTUAL_VIEW",
    }
    assert athena.get_work_group(WorkGroup="notebook-attribution")["WorkGroup"]["State"] == "ENABLED"
    assert workspace.plan(INPUTS).changes == {}
    assert workspace.destroy(INPUTS).diagnostics == []
    assert glue.get_databases()["DatabaseList"] == []
