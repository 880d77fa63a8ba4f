"""Applied to the emulated account: what is there, that a second plan has nothing to do, changes, and the end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace

EXAMPLES = sorted(path.parent.name for path in CHECKOUT.glob("examples/*/main.tf"))
NOTEBOOK = 'aws_sagemaker_notebook_instance.this["one"]'
LIFECYCLE_CONFIGURATION = "aws_sagemaker_notebook_instance_lifecycle_configuration.this"


def left_over(emulator: Emulator) -> dict[str, list[str]]:
    """All of the kinds of things that the module makes, by name."""
    sagemaker, iam = emulator.client("sagemaker"), emulator.client("iam")
    return {
        "notebook instances": [
            each["NotebookInstanceName"] for each in sagemaker.list_notebook_instances()["NotebookInstances"]
        ],
        "lifecycle configurations": [
            each["NotebookInstanceLifecycleConfigName"]
            for each in sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
        ],
        "roles": [each["RoleName"] for each in iam.list_roles()["Roles"]],
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_applies_as_it_stands_and_leaves_nothing_behind(
    emulator: Emulator, new_workspace: Callable[..., Workspace], example: str
) -> None:
    before = left_over(emulator)
    workspace = new_workspace(f"examples/{example}")

    assert workspace.apply().diagnostics == []
    session_arns = workspace.outputs()["session_arns"]
    assert session_arns
    assert workspace.plan().changes == {}

    assert workspace.destroy().diagnostics == []
    assert workspace.resources() == []
    assert left_over(emulator) == before


class Applied:
    """The root module, applied, and how to change it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.variables: dict[str, Any] = {"name": "team", "notebook_instances": {"one": {}}}
        assert workspace.apply(self.variables).errors == []

    def changed(self, **variables: Any) -> dict[str, list[str]]:
        """Change these variables; return what was done, by address; afterwards there is nothing left to do."""
        self.variables |= variables
        planned = self.workspace.plan(self.variables)
        assert planned.errors == []
        assert self.workspace.apply(self.variables).errors == []
        assert self.workspace.plan(self.variables).changes == {}
        return planned.changes


@pytest.fixture(scope="module")
def applied(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The module applied once; each test changes it further."""
    workspace = Workspace(tmp_path_factory.mktemp("applied") / "module", environment=emulator.environment())
    applied = Applied(workspace)
    yield applied
    assert workspace.destroy(applied.variables).errors == []


pytestmark = pytest.mark.xdist_group("apply")


def test_the_role_and_its_policy_are_as_planned(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    iam = emulator.client("iam")
    role = iam.get_role(RoleName=outputs["role_name"])["Role"]
    assert role["Arn"] == outputs["role_arn"]
    assert role["AssumeRolePolicyDocument"] == json.loads(outputs["role_trust_policy"])
    assert iam.list_role_policies(RoleName=outputs["role_name"])["PolicyNames"] == ["team-assume-self"]


def test_the_notebook_instance_is_as_the_module_promises(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    sagemaker = emulator.client("sagemaker")
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName="one")
    assert notebook["RootAccess"] == "Disabled"
    assert notebook["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert notebook["RoleArn"] == outputs["role_arn"]
    assert notebook["NotebookInstanceLifecycleConfigName"] == outputs["lifecycle_configuration_name"]
    assert notebook["NotebookInstanceArn"] == outputs["notebook_instances"]["one"]["arn"]


def test_the_script_in_the_api_is_the_one_in_the_output(emulator: Emulator, applied: Applied) -> None:
    outputs = applied.workspace.outputs()
    configuration = emulator.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=outputs["lifecycle_configuration_name"]
    )
    assert base64.b64decode(configuration["OnStart"][0]["Content"]).decode() == outputs["on_start_script"]


def test_a_changed_script_changes_the_lifecycle_configuration_alone(applied: Applied) -> None:
    assert applied.changed(extra_on_start="echo hello") == {LIFECYCLE_CONFIGURATION: ["update"]}


def test_another_name_changes_the_policy_alone(applied: Applied) -> None:
    assert applied.changed(additional_session_names=["team-a-*"]) == {"aws_iam_role_policy.assume_self": ["update"]}


@pytest.mark.parametrize(
    "attributes",
    [
        {"instance_type": "ml.t3.large"},
        {"volume_size": 10},
        {"minimum_instance_metadata_service_version": "1"},
        {"default_code_repository": "https://github.com/aws/amazon-sagemaker-examples.git"},
        {"tags": {"owner": "ada"}},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_a_notebook_instance_changes_in_place(applied: Applied, attributes: dict[str, Any]) -> None:
    now = applied.variables["notebook_instances"]["one"] | attributes
    assert applied.changed(notebook_instances={"one": now}) == {NOTEBOOK: ["update"]}


def test_tags_change_in_place(applied: Applied) -> None:
    assert applied.changed(tags={"team": "a"}) == {
        "aws_iam_role.this[0]": ["update"],
        LIFECYCLE_CONFIGURATION: ["update"],
        NOTEBOOK: ["update"],
    }


def test_one_notebook_more_and_one_less_leave_the_others_alone(applied: Applied) -> None:
    one = applied.variables["notebook_instances"]["one"]
    two = 'aws_sagemaker_notebook_instance.this["two"]'
    policy = "aws_iam_role_policy.assume_self"
    assert applied.changed(notebook_instances={"one": one, "two": {}}) == {two: ["create"], policy: ["update"]}
    assert applied.changed(notebook_instances={"one": one}) == {two: ["delete"], policy: ["update"]}


def test_a_replaced_notebook_instance_keeps_its_name(applied: Applied) -> None:
    now = applied.variables["notebook_instances"]["one"] | {"volume_size": 5}
    assert applied.changed(notebook_instances={"one": now}) == {NOTEBOOK: ["delete", "create"]}


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
