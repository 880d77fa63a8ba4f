"""The provider that keeps running tells of fewer types, and of those the same as the provider itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged
from workspace import Workspace


def schema(workspace: Workspace) -> dict[str, Any]:
    """Return what Terraform knows of the provider."""
    status, out, err = workspace.command("providers schema", json=IsFlagged)
    assert status == 0, err
    (found,) = json.loads(out)["provider_schemas"].values()
    return dict(found)


def test_what_is_told_of_a_type_is_what_the_provider_tells(tmp_path: Path) -> None:
    whole = schema(Workspace(tmp_path / "whole", own_provider=True))
    slim = schema(Workspace(tmp_path / "slim"))
    assert len(slim["resource_schemas"]) < 30 < len(whole["resource_schemas"])
    assert {"aws_iam_role", "aws_sagemaker_notebook_instance"} <= slim["resource_schemas"].keys()
    assert {"aws_iam_role", "aws_caller_identity"} <= slim["data_source_schemas"].keys()
    for kind, known in slim.items():
        if kind in {"resource_schemas", "data_source_schemas"}:
            assert known == {name: whole[kind][name] for name in known}
        else:
            assert known == whole[kind]
    assert slim.keys() == whole.keys()


def test_a_type_that_is_not_told_of_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    kind = "aws" + "_sqs_queue"  # so that this file doesn't name it
    (tmp_path / "root/main.tf.json").write_text(json.dumps({"resource": {kind: {"one": {}}}}))
    status, out, _ = Workspace(tmp_path, root="root").command("validate", json=IsFlagged)
    assert status == 1
    assert "does not support resource type" in json.loads(out)["diagnostics"][0]["detail"]


def test_each_configuration_of_a_root_holds(tmp_path: Path) -> None:
    offline = {
        "access_key": "x",
        "secret_key": "x",
        "skip_credentials_validation": True,
        "skip_requesting_account_id": True,
    }
    regions: dict[str, dict[str, Any]] = {
        "here": {},
        "there": {"provider": "aws.elsewhere", "depends_on": ["data.aws_region.here"]},
        "here_again": {"depends_on": ["data.aws_region.there"]},
    }
    content = {
        "provider": {
            "aws": [
                {**offline, "region": "us-east-1"},
                {**offline, "region": "eu-west-1", "alias": "elsewhere"},
            ]
        },
        "data": {"aws_region": regions},
        "output": {name: {"value": f"${{data.aws_region.{name}.name}}"} for name in regions},
    }
    (tmp_path / "root").mkdir()
    (tmp_path / "root/main.tf.json").write_text(json.dumps(content))
    plan = Workspace(tmp_path, root="root").plan()
    assert plan.errors == []
    assert {name: plan.output(name) for name in regions} == {
        "here": "us-east-1",
        "there": "eu-west-1",
        "here_again": "us-east-1",
    }


def test_what_the_provider_says_of_a_configuration_is_said_of_that_one_alone(tmp_path: Path) -> None:
    accounts = {"allowed_account_ids": ["111122223333"]}
    both = accounts | {"forbidden_account_ids": ["444455556666"]}
    (tmp_path / "root").mkdir()
    workspace = Workspace(tmp_path, root="root")
    said = []
    for configuration in (both, both, accounts):
        content = {"provider": {"aws": configuration}, "data": {"aws_partition": {"current": {}}}}
        (workspace.root / "main.tf.json").write_text(json.dumps(content))
        _, out, _ = workspace.command("validate", json=IsFlagged)
        said.append({each["summary"] for each in json.loads(out)["diagnostics"]})
    assert said == [{"Conflicting configuration arguments"}, {"Conflicting configuration arguments"}, set()]
