"""Each example, applied as it stands and destroyed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace

REGIONS = ("us-east-1", "eu-west-1")
EXAMPLES = sorted(path.parent.name for path in CHECKOUT.glob("examples/*/main.tf"))


def left_over(emulator: Emulator) -> dict[str, list[str]]:
    """All of the kinds of things that the module makes, by name."""
    iam = emulator.client("iam")
    regions = [emulator.client("sagemaker", region=region) for region in REGIONS]
    return {
        "notebook instances": [
            each["NotebookInstanceName"]
            for sagemaker in regions
            for each in sagemaker.list_notebook_instances()["NotebookInstances"]
        ],
        "lifecycle configurations": [
            each["NotebookInstanceLifecycleConfigName"]
            for sagemaker in regions
            for each in sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
        ],
        "Studio domains": [each["DomainId"] for sagemaker in regions for each in sagemaker.list_domains()["Domains"]],
        "roles": [each["RoleName"] for each in iam.list_roles()["Roles"]],
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_applies_as_it_stands_and_leaves_nothing_behind(
    emulator: Emulator, new_workspace: Callable[..., Workspace], example: str
) -> None:
    before = left_over(emulator)
    workspace = new_workspace(f"examples/{example}")

    assert workspace.apply().diagnostics == []
    assert workspace.outputs()["domain_id" if example == "studio" else "session_arns"]
    assert workspace.plan().changes == {}

    assert workspace.destroy().diagnostics == []
    assert workspace.resources() == []
    assert left_over(emulator) == before


def test_the_private_vpc_stands_in_one_region(emulator: Emulator, new_workspace: Callable[..., Workspace]) -> None:
    """Its README's own command, where the environment names another region."""
    region = "eu-west-1"
    assert f"terraform apply -var region={region}\n" in (CHECKOUT / "examples/private-vpc/README.md").read_text()
    workspace = new_workspace("examples/private-vpc")
    assert workspace.environment["AWS_REGION"] != region
    assert workspace.apply({"region": region}).diagnostics == []

    ec2 = emulator.client("ec2", region=region)
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["ServiceName"] == f"com.amazonaws.{region}.sts"
    notebook = emulator.client("sagemaker", region=region).describe_notebook_instance(
        NotebookInstanceName="patient-records"
    )
    assert [notebook["SubnetId"]] == endpoint["SubnetIds"]

    assert workspace.destroy({"region": region}).diagnostics == []
