"""Workspaces for Terraform: one for all plans of a session, and new ones for what is applied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator.server import Emulator
from workspace import Outcome, Workspace

Plan = Callable[..., Outcome]


@pytest.fixture(scope="session")
def plan_workspace(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The root module, initialised; plans leave nothing behind in it."""
    return Workspace(tmp_path_factory.mktemp("plan") / "module", environment=emulator.environment())


@pytest.fixture
def plan(plan_workspace: Workspace) -> Plan:
    """Plan the root module with these variables (`name` has a default here), in a region."""

    def plan_with(region: str = "us-east-1", **variables: Any) -> Outcome:
        plan_workspace.environment |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return plan_workspace.plan({"name": "team", **variables})

    return plan_with


@pytest.fixture
def new_workspace(emulator: Emulator, tmp_path: Path) -> Callable[..., Workspace]:
    """Make a workspace of this test's own, with a root of the module's or an example's."""

    def make(root: str = ".") -> Workspace:
        return Workspace(tmp_path / "module", root=root, environment=emulator.environment())

    return make


@pytest.fixture
def existing_role(emulator: Emulator) -> Iterator[Callable[..., str]]:
    """Create the role `shared`, trusting SageMaker and what these statements say; return its ARN."""
    iam = emulator.client("iam")

    def create(*trust: dict[str, Any], path: str = "/service-role/") -> str:
        service = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [service, *trust]})
        return str(iam.create_role(RoleName="shared", Path=path, AssumeRolePolicyDocument=policy)["Role"]["Arn"])

    yield create
    iam.delete_role(RoleName="shared")
