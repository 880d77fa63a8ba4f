"""The example private-vpc in another region than the environment's."""

from __future__ import annotations

from collections.abc import Callable

from emulator.server import Emulator
from workspace import CHECKOUT, Workspace


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
