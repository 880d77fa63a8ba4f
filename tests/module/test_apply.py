"""Applied to the emulated account: what is there, that a second plan has nothing to do, changes, and the end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from emulator.server import Emulator
from workspace import Workspace

LIFECYCLE_CONFIGURATION = "aws_sagemaker_notebook_instance_lifecycle_configuration.this"


# Each notebook instance has one attribute that changes, and is called after it.
CHANGES: dict[str, dict[str, Any]] = {
    "type": {"instance_type": "ml.t3.large"},
    "volume": {"volume_size": 10},
    "metadata": {"minimum_instance_metadata_service_version": "1"},
    "repository": {"default_code_repository": "https://github.com/aws/amazon-sagemaker-examples.git"},
    "tags": {"tags": {"owner": "ada"}},
}


class Applied:
    """The root module, applied, and how to change it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.variables: dict[str, Any] = {"name": "team", "notebook_instances": {name: {} for name in CHANGES}}
        assert workspace.apply(self.variables).errors == []

    def changed(self, **variables: Any) -> dict[str, list[str]]:
        """Change these variables; return what was done, by address; afterwards there is nothing left to do."""
        self.variables |= variables
        planned = self.workspace.plan(self.variables, refresh=False)  # the last plan found all as it is
        assert planned.errors == []
        assert self.workspace.apply_planned().errors == []
        assert self.workspace.plan(self.variables).changes == {}
        return planned.changes


def notebook_address(name: str) -> str:
    return f'aws_sagemaker_notebook_instance.this["{name}"]'


@pytest.fixture(scope="module")
def applied(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The module applied once; each test changes it further."""
    workspace = Workspace(tmp_path_factory.mktemp("applied") / "module", environment=emulator.environment())
    applied = Applied(workspace)
    yield applied
    assert workspace.destroy(applied.variables, refresh=False).errors == []


def test_the_role_and_its_policy_are_as_planned(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    iam = emulator.client("iam")
    role = iam.get_role(RoleName=outputs["role_name"])["Role"]
    assert role["Arn"] == outputs["role_arn"]
    assert role["AssumeRolePolicyDocument"] == json.loads(outputs["role_trust_policy"])
    # In no order: Terraform makes them at the same time.
    assert sorted(iam.list_role_policies(RoleName=outputs["role_name"])["PolicyNames"]) == [
        "team-assume-self",
        "team-logs",
    ]


def test_the_notebook_instance_is_as_the_module_promises(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    sagemaker = emulator.client("sagemaker")
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName="type")
    assert notebook["RootAccess"] == "Disabled"
    assert notebook["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert notebook["RoleArn"] == outputs["role_arn"]
    assert notebook["NotebookInstanceLifecycleConfigName"] == outputs["lifecycle_configuration_name"]
    assert notebook["NotebookInstanceArn"] == outputs["notebook_instances"]["type"]["arn"]


def test_the_script_in_the_api_is_the_one_in_the_output(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    configuration = emulator.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=outputs["lifecycle_configuration_name"]
    )
    assert base64.b64decode(configuration["OnStart"][0]["Content"]).decode() == outputs["on_start_script"]


def test_a_changed_script_changes_the_lifecycle_configuration_alone(applied: Applied) -> None:
    assert applied.changed(extra_on_start="echo hello") == {LIFECYCLE_CONFIGURATION: ["update"]}


def test_another_name_changes_the_policy_alone(applied: Applied) -> None:
    assert applied.changed(additional_session_names=["team-a-*"]) == {"aws_iam_role_policy.assume_self[0]": ["update"]}


def test_a_notebook_instances_attributes_change_in_place(emulator: Emulator, applied: Applied) -> None:
    assert applied.changed(notebook_instances=CHANGES) == {notebook_address(name): ["update"] for name in CHANGES}
    sagemaker = emulator.client("sagemaker")
    described = {name: sagemaker.describe_notebook_instance(NotebookInstanceName=name) for name in CHANGES}
    assert described["type"]["InstanceType"] == "ml.t3.large"
    assert described["volume"]["VolumeSizeInGB"] == 10
    assert {each["NotebookInstanceStatus"] for each in described.values()} == {"InService"}


def test_tags_change_in_place(applied: Applied) -> None:
    assert applied.changed(tags={"team": "a"}) == {
        "aws_iam_role.this[0]": ["update"],
        LIFECYCLE_CONFIGURATION: ["update"],
        **{notebook_address(name): ["update"] for name in CHANGES},
    }


def test_one_more_one_less_and_one_anew_leave_the_others_alone(applied: Applied) -> None:
    if applied.variables["notebook_instances"] != CHANGES:  # where the tests before were run by another worker
        applied.changed(notebook_instances=CHANGES)
    notebooks = {name: settings for name, settings in CHANGES.items() if name != "tags"}
    notebooks["one-more"] = {}
    notebooks["volume"] = {"volume_size": 5}  # a volume can't become smaller
    assert applied.changed(notebook_instances=notebooks) == {
        notebook_address("one-more"): ["create"],
        notebook_address("tags"): ["delete"],
        notebook_address("volume"): ["delete", "create"],
        "aws_iam_role_policy.assume_self[0]": ["update"],
    }


def test_policies_come_before_the_notebook_instances_and_go_after_them(
    emulator: Emulator, new_workspace: Callable[..., Workspace]
) -> None:
    variables = {
        "name": "order",
        "notebook_instances": {"first": {}, "second": {}},
        "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
    }
    workspace = new_workspace()
    seen = len(emulator.records())
    assert workspace.apply(variables).errors == []
    assert workspace.destroy(variables).errors == []

    # Other tests on this emulator make no calls meanwhile: a worker runs one test at a time.
    calls = [record["eventName"] for record in emulator.records()[seen:] if not record["readOnly"]]
    first_boot = calls.index("CreateNotebookInstance")
    for needed in ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "CreateNotebookInstanceLifecycleConfig"):
        assert calls.index(needed) < first_boot, calls
    last_use = len(calls) - 1 - calls[::-1].index("DeleteNotebookInstance")
    for gone in ("DeleteRolePolicy", "DetachRolePolicy", "DeleteRole", "DeleteNotebookInstanceLifecycleConfig"):
        assert calls.index(gone) > last_use, calls
