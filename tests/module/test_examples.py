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
