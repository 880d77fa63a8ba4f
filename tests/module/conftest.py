"""Workspaces for Terraform: one for all plans of a session, and new ones for what is applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from calls import address, as_text, write_cases
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import Outcome, Workspace

Plan = Callable[..., Outcome]
_OUTPUTS = ("on_start_script", "role_arn", "role_trust_policy", "session_arns")


@dataclass(frozen=True)
class PlannedCall:
    """One call of the module in a plan of many; addresses and outputs are the call's own."""

    whole: Outcome
    name: str

    @property
    def changes(self) -> dict[str, list[str]]:
        """The planned actions by resource address, where there is something to do; data sources aside."""
        of_the_call = f"{address(self.name)}."
        return {
            each.removeprefix(of_the_call): actions
            for each, actions in self.whole.changes.items()
            if each.startswith(of_the_call)
        }

    def planned(self, resource: str) -> dict[str, Any]:
        """Return the planned attributes of a resource; KeyError where it isn't in the plan."""
        return self.whole.planned(f"{address(self.name)}.{resource}")

    def output(self, name: str) -> Any:
        """Return the planned value of an output; KeyError where it is unknown until apply."""
        return self.whole.output(f"{self.name}-{name}")


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


@dataclass(frozen=True)
class Inputs:
    """What a mark `inputs` gives: the module's variables, `name` having a default, and the provider's region."""

    variables: dict[str, Any]
    region: str

    @classmethod
    def of(cls, mark: pytest.Mark) -> Inputs:
        """Read a mark."""
        return cls({"name": "team", **mark.kwargs}, *mark.args or ("us-east-1",))

    @property
    def call(self) -> str:
        """What the call with these inputs is named; the same inputs are planned once."""
        return "call-" + hashlib.sha256(json.dumps(self.variables, sort_keys=True).encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def plans_by_region(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Outcome]:
    """Plan the inputs of all tests of a file in one plan for each region; none may be refused or warned of."""
    items = [item for item in request.session.items if item.path == request.path]

    @cache
    def plan_all(region: str) -> Outcome:
        given = [Inputs.of(mark) for item in items for mark in item.iter_markers("inputs")]
        calls = {each.call: as_text(each.variables) for each in given if each.region == region}
        folder = tmp_path_factory.mktemp("plans")
        root = write_cases(folder, calls, outputs=_OUTPUTS)
        environment = emulator.environment() | {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        outcome = Workspace(folder, root=root, environment=environment).plan()
        assert outcome.diagnostics == []
        return outcome

    return plan_all


@pytest.fixture
def outcomes(request: pytest.FixtureRequest, plans_by_region: Callable[[str], Outcome]) -> list[PlannedCall]:
    """What is planned with the inputs of each of the test's marks `inputs`, the first first."""
    given = [Inputs.of(mark) for mark in request.node.iter_markers("inputs")]
    return [PlannedCall(plans_by_region(each.region), each.call) for each in reversed(given)]


@pytest.fixture
def outcome(outcomes: list[PlannedCall]) -> PlannedCall:
    """What is planned with the inputs of the test's mark `inputs`."""
    (one,) = outcomes
    return one


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
        policy = policy_document(SAGEMAKER_ASSUMES, *trust)
        return str(iam.create_role(RoleName="shared", Path=path, AssumeRolePolicyDocument=policy)["Role"]["Arn"])

    yield create
    iam.delete_role(RoleName="shared")
