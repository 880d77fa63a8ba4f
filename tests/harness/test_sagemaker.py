"""The emulated SageMaker: its statuses, its refusals with their codes, its lists and its tags."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document

CONFIGURATION = "setup"


@pytest.fixture(scope="module")
def role_arn(emulator: Emulator) -> Iterator[str]:
    iam = emulator.client("iam")
    role = iam.create_role(RoleName="harness", AssumeRolePolicyDocument=policy_document(SAGEMAKER_ASSUMES))
    yield role["Role"]["Arn"]
    iam.delete_role(RoleName="harness")


@pytest.fixture
def sagemaker(emulator: Emulator) -> Iterator[Any]:
    """A client of a region of this module's own, in which nothing is left after each test."""
    client = emulator.client("sagemaker", region="eu-north-1")
    yield client
    for notebook in client.list_notebook_instances(MaxResults=100)["NotebookInstances"]:
        name = notebook["NotebookInstanceName"]
        if notebook["NotebookInstanceStatus"] == "Deleting":
            continue
        if wait(client, name) == "InService":
            client.stop_notebook_instance(NotebookInstanceName=name)
            wait(client, name)
        client.delete_notebook_instance(NotebookInstanceName=name)
    end = time.monotonic() + 10
    while client.list_notebook_instances()["NotebookInstances"] and time.monotonic() < end:
        time.sleep(0.02)
    for each in client.list_notebook_instance_lifecycle_configs(MaxResults=100)["NotebookInstanceLifecycleConfigs"]:
        client.delete_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=each["NotebookInstanceLifecycleConfigName"]
        )


@pytest.fixture
def create(sagemaker: Any, role_arn: str) -> Callable[..., Any]:
    def create_notebook_instance(name: str = "one", **arguments: Any) -> Any:
        return sagemaker.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", **{"RoleArn": role_arn} | arguments
        )

    return create_notebook_instance


def status(sagemaker: Any, name: str = "one") -> str:
    return str(sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"])


def wait(sagemaker: Any, name: str = "one") -> str:
    """Wait until it is on the way to no other status, and return the one that it has."""
    end = time.monotonic() + 10
    while (now := status(sagemaker, name)) in {"Pending", "Stopping", "Updating"} and time.monotonic() < end:
        time.sleep(0.02)
    return now


def content(script: str) -> list[dict[str, str]]:
    return [{"Content": base64.b64encode(script.encode()).decode()}]


def test_a_notebook_instance_goes_through_the_services_statuses(sagemaker: Any, create: Callable[..., Any]) -> None:
    create()
    assert status(sagemaker) == "Pending"
    assert wait(sagemaker) == "InService"
    sagemaker.stop_notebook_instance(NotebookInstanceName="one")
    assert status(sagemaker) == "Stopping"
    assert wait(sagemaker) == "Stopped"
    sagemaker.update_notebook_instance(NotebookInstanceName="one", InstanceType="ml.t3.large")
    assert status(sagemaker) == "Updating"
    assert wait(sagemaker) == "Stopped"
    sagemaker.start_notebook_instance(NotebookInstanceName="one")
    assert status(sagemaker) == "Pending"
    assert wait(sagemaker) == "InService"
    sagemaker.stop_notebook_instance(NotebookInstanceName="one")
    wait(sagemaker)
    sagemaker.delete_notebook_instance(NotebookInstanceName="one")
    assert status(sagemaker) == "Deleting"


def test_what_an_instance_is_unless_it_is_said(sagemaker: Any, create: Callable[..., Any], role_arn: str) -> None:
    create("Mixed-Case")
    described = sagemaker.describe_notebook_instance(NotebookInstanceName="Mixed-Case")
    assert described["NotebookInstanceArn"].endswith(":eu-north-1:111122223333:notebook-instance/mixed-case")
    assert (described["RootAccess"], described["DirectInternetAccess"]) == ("Enabled", "Enabled")
    assert described["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "1"}
    assert described["VolumeSizeInGB"] == 5
    assert described["RoleArn"] == role_arn


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("describe_notebook_instance", {"NotebookInstanceName": "none"}, "RecordNotFound"),
    ("start_notebook_instance", {"NotebookInstanceName": "one"}, "Status (InService) not in ([Stopped, Failed])"),
    ("delete_notebook_instance", {"NotebookInstanceName": "one"}, "Status (InService) not in ([Stopped, Failed])"),
    (
        "update_notebook_instance",
        {"NotebookInstanceName": "one", "VolumeSizeInGB": 9},
        "Status (InService) not in ([Stopped, Failed])",
    ),
    ("start_notebook_instance", {"NotebookInstanceName": "under_score"}, "regular expression pattern"),
    ("start_notebook_instance", {"NotebookInstanceName": "a" * 64}, "length less than or equal to 63"),
    (
        "delete_notebook_instance_lifecycle_config",
        {"NotebookInstanceLifecycleConfigName": CONFIGURATION},
        "is in use by: one",
    ),
    (
        "describe_notebook_instance_lifecycle_config",
        {"NotebookInstanceLifecycleConfigName": "none"},
        "Notebook Instance Lifecycle Config does not exist.",
    ),
    (
        "create_notebook_instance_lifecycle_config",
        {"NotebookInstanceLifecycleConfigName": CONFIGURATION},
        "Notebook Instance Lifecycle Config already exists.",
    ),
    (
        "create_notebook_instance_lifecycle_config",
        {"NotebookInstanceLifecycleConfigName": "long", "OnStart": content("#" * 12289)},
        "length less than or equal to 16384",
    ),
    ("list_notebook_instances", {"NextToken": "no token"}, "Invalid NextToken"),
    ("list_notebook_instances", {"MaxResults": 101}, "value less than or equal to 100"),
    (
        "list_tags",
        {"ResourceArn": "arn:aws:sagemaker:eu-north-1:111122223333:notebook-instance/none"},
        "does not exist",
    ),
]


def test_the_services_own_refusals(sagemaker: Any, create: Callable[..., Any]) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=CONFIGURATION)
    create(LifecycleConfigName=CONFIGURATION)
    wait(sagemaker)
    for operation, arguments, message in REFUSED:
        with pytest.raises(ClientError) as refused:
            getattr(sagemaker, operation)(**arguments)
        error = refused.value.response["Error"]
        assert (error["Code"], message in error["Message"]) == ("ValidationException", True), (operation, error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"LifecycleConfigName": "none"}, "notebook-instance-lifecycle-config/none does not exist."),
        ({"VolumeSizeInGB": 16385}, "value less than or equal to 16384"),
        ({"RootAccess": "Perhaps"}, "enum value set: [Enabled, Disabled]"),
        ({"SecurityGroupIds": ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"]}, "length less than or equal to 5"),
        ({"RoleArn": "arn:aws:iam::111122223333:role/no-such-role"}, "Could not assume role"),
    ],
)
def test_a_notebook_instance_that_is_refused_is_not_there(
    sagemaker: Any, create: Callable[..., Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match="ValidationException") as refused:
        create(**arguments)
    assert message in refused.value.response["Error"]["Message"]
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []


def test_one_name_twice_is_refused(create: Callable[..., Any]) -> None:
    create()
    with pytest.raises(ClientError, match="Cannot create a duplicate Notebook Instance"):
        create()


def test_lists_come_in_pages_sorted_and_filtered(sagemaker: Any, create: Callable[..., Any]) -> None:
    names = [f"notebook-{number:02}" for number in range(12)]
    for name in names:
        create(name)
    for name in names:
        wait(sagemaker, name)

    def listed(**arguments: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_notebook_instances").paginate(**arguments)
        return [each["NotebookInstanceName"] for page in pages for each in page["NotebookInstances"]]

    first = sagemaker.list_notebook_instances()
    assert len(first["NotebookInstances"]) == 10
    assert "NextToken" in first
    assert listed(SortBy="Name") == names
    assert listed(SortBy="Name", SortOrder="Descending") == names[::-1]
    assert listed(SortBy="CreationTime", SortOrder="Ascending") == names
    assert listed(NameContains="-1", SortBy="Name") == ["notebook-10", "notebook-11"]
    sagemaker.stop_notebook_instance(NotebookInstanceName=names[0])
    wait(sagemaker, names[0])
    assert listed(StatusEquals="Stopped") == [names[0]]


def test_a_lifecycle_configuration_is_taken_away_by_an_update(sagemaker: Any, create: Callable[..., Any]) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=CONFIGURATION, OnStart=content("true")
    )
    create(LifecycleConfigName=CONFIGURATION)
    wait(sagemaker)
    sagemaker.stop_notebook_instance(NotebookInstanceName="one")
    wait(sagemaker)
    sagemaker.update_notebook_instance(NotebookInstanceName="one", DisassociateLifecycleConfig=True)
    wait(sagemaker)
    described = sagemaker.describe_notebook_instance(NotebookInstanceName="one")
    assert "NotebookInstanceLifecycleConfigName" not in described
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=CONFIGURATION)


def test_tags(sagemaker: Any, create: Callable[..., Any]) -> None:
    arn = create(Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}])["NotebookInstanceArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "b"}]


def test_accounts_and_regions_are_apart(emulator: Emulator, create: Callable[..., Any]) -> None:
    create()
    for client in (
        emulator.client("sagemaker", region="eu-west-3"),
        emulator.client("sagemaker", region="eu-north-1", account_id="444455556666"),
    ):
        assert client.list_notebook_instances()["NotebookInstances"] == []


def test_two_clients_at_once_make_one_notebook_instance(create: Callable[..., Any]) -> None:
    def attempt(_: int) -> str:
        try:
            create()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "created"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["ValidationException"] * 3 + ["created"]
