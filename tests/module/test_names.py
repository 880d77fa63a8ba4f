"""Names of the caller's own: what exists is imported under them; what gets another name is made anew in good order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from emulator.server import Emulator
from notebooks import create_notebook
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import Workspace

LIFECYCLE_CONFIGURATION = "aws_sagemaker_notebook_instance_lifecycle_configuration.this"


def test_what_exists_is_imported_under_its_own_names(
    emulator: Emulator, new_workspace: Callable[..., Workspace]
) -> None:
    iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker")
    arn = iam.create_role(
        RoleName="OldRole",
        Path="/service-role/",
        AssumeRolePolicyDocument=policy_document(SAGEMAKER_ASSUMES),
        Description="by hand",
    )["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn}
    iam.put_role_policy(RoleName="OldRole", PolicyName="by_hand", PolicyDocument=policy_document(allow))
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="old-scripts", OnStart=[{"Content": "IyEvYmluL2Jhc2gK"}]
    )
    create_notebook(emulator, "old-notebook", arn, metadata="1", LifecycleConfigName="old-scripts")
    imported = {
        "aws_iam_role.this[0]": "OldRole",
        "aws_iam_role_policy.assume_self[0]": "OldRole:by_hand",
        LIFECYCLE_CONFIGURATION: "old-scripts",
        'aws_sagemaker_notebook_instance.this["old-notebook"]': "old-notebook",
    }
    workspace = new_workspace()
    (workspace.root / "import.tf.json").write_text(
        json.dumps({"import": [{"to": address, "id": name} for address, name in imported.items()]})
    )
    variables = {
        "name": "new",
        "role_name": "OldRole",
        "role_path": "/service-role/",
        "policy_name": "by_hand",
        "lifecycle_configuration_name": "old-scripts",
        "notebook_instances": {"old-notebook": {}},
    }
    outcome = workspace.plan(variables)
    assert outcome.errors == []
    assert outcome.changes == {
        "aws_iam_role.this[0]": ["update"],
        "aws_iam_role_policy.assume_self[0]": ["update"],
        "aws_iam_role_policy.logs[0]": ["create"],
        LIFECYCLE_CONFIGURATION: ["update"],
        'aws_sagemaker_notebook_instance.this["old-notebook"]': ["update"],
    }
    assert workspace.apply_planned().errors == []
    assert workspace.plan(variables).changes == {}
    assert iam.list_role_policies(RoleName="OldRole")["PolicyNames"] == ["by_hand", "new-logs"]
    outputs = workspace.outputs()
    assert outputs["role_arn"] == arn
    assert outputs["role_unique_id"] == iam.get_role(RoleName="OldRole")["Role"]["RoleId"]
    assert workspace.destroy(variables, refresh=False).errors == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"role_name": "two words"}, "role_name must have 1 to 64 letters"),
        ({"policy_name": "p" * 129}, "policy_name must have 1 to 128 letters"),
        ({"lifecycle_configuration_name": "under_score"}, "lifecycle_configuration_name must have 1 to 63 letters"),
        ({"role_name": "mine", "create_role": False, "role_arn": "arn:aws:iam::111122223333:role/own"}, "role_name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(plan: Callable[..., Any], variables: dict[str, Any], expected: str) -> None:
    assert any(expected in error for error in plan(**variables).errors)


def test_under_another_name_all_is_made_anew_before_the_old_goes(
    emulator: Emulator, new_workspace: Callable[..., Workspace]
) -> None:
    iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker")
    workspace = new_workspace()
    variables = {
        "name": "before",
        "notebook_instances": {"stays-1": {}, "stays-2": {}},
        "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
        "deny_unattributed_calls": True,
    }
    assert workspace.apply(variables).errors == []
    variables["name"] = "after"
    seen = len(emulator.records())
    assert workspace.apply(variables).errors == []

    changes = [record for record in emulator.records()[seen:] if not record["readOnly"]]
    assert [record for record in changes if "errorCode" in record] == []
    calls = [record["eventName"] for record in changes]
    first_move = calls.index("StopNotebookInstance")
    for needed in ("CreateRole", "AttachRolePolicy", "CreateNotebookInstanceLifecycleConfig"):
        assert calls.index(needed) < first_move, calls
    last_start = len(calls) - 1 - calls[::-1].index("StartNotebookInstance")
    for gone in ("DetachRolePolicy", "DeleteRole", "DeleteNotebookInstanceLifecycleConfig"):
        assert calls.index(gone) > last_start, calls
    written = [
        (index, record["requestParameters"]["policyName"])
        for index, record in enumerate(changes)
        if record["eventName"] == "PutRolePolicy"
    ]
    after_the_move = {name for index, name in written if index > last_start}
    assert after_the_move == {"after-deny-unattributed-calls"}, "a start is never refused what it isn't used to"
    before_the_move = {"after-assume-self", "after-logs", "after-protect-role"}
    assert {name for index, name in written if index < first_move} == before_the_move

    names = [
        each["NotebookInstanceLifecycleConfigName"]
        for each in sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
    ]
    assert "before-attribution" not in names
    assert "after-attribution" in names
    assert {each["RoleName"] for each in iam.list_roles()["Roles"]} & {"before-execution", "after-execution"} == {
        "after-execution"
    }
    assert {calls.count(name) for name in ("CreateNotebookInstance", "DeleteNotebookInstance")} == {0}

    # A role has its name in all paths: under another path alone, it can't be made before the old one goes.
    seen = len(emulator.records())
    (error,) = workspace.apply(variables | {"role_path": "/elsewhere/"}).errors
    assert "EntityAlreadyExists" in error
    deleted = [record["eventName"] for record in emulator.records()[seen:] if record["eventName"].startswith("Delete")]
    assert set(deleted) <= {"DeleteRolePolicy"}, "but the Deny, all stays until the new one is there"
    assert workspace.apply(variables).errors == []
    assert workspace.plan(variables).changes == {}
    assert workspace.destroy(variables, refresh=False).errors == []


def test_a_second_call_of_the_same_name_and_region_leaves_the_firsts_policy_alone(
    emulator: Emulator, new_workspace: Callable[..., Workspace], existing_role: Callable[..., str], tmp_path: Any
) -> None:
    arn = existing_role(path="/")
    given = {"name": "same", "create_role": False, "role_arn": arn, "verify_role_trust": False}
    first = {**given, "notebook_instances": {"one": {}}}
    workspace = new_workspace()
    assert workspace.apply(first).errors == []
    iam = emulator.client("iam")
    policy = {"RoleName": "shared", "PolicyName": "same-assume-self-us-east-1"}
    before = iam.get_role_policy(**policy)["PolicyDocument"]

    other = Workspace(tmp_path / "other", environment=emulator.environment())
    (error,) = other.apply({**given, "notebook_instances": {"two": {}}}).errors
    assert "already exists" in error
    assert iam.get_role_policy(**policy)["PolicyDocument"] == before
    assert other.destroy(given, refresh=False).errors == []
    assert workspace.destroy(first, refresh=False).errors == []
