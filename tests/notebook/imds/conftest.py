"""An account where the module is applied in both modes, and notebook instances that boot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from calls import write_calls
from emulator.needs import needs_root as needs_root
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import BUCKET as BUCKET
from notebooks import OwnNotebook, create_notebook, make_bucket, own_notebooks
from on_start_script import unpacked
from workspace import Workspace

MODES = ("profile", "imds")

# One call of the module for each mode, and for each with a role that refuses unattributed calls. Each knows the name of
# a notebook instance in every network layout, which boots when a test asks for it: few files of tests need them all.
_CALLS: dict[str, dict[str, Any]] = {
    "profile": {"attribution_mode": "profile"},
    "imds": {"attribution_mode": "imds"},
    "enforced-profile": {
        "attribution_mode": "profile",
        "deny_unattributed_calls": True,
        "outside_notebooks_are_attributed": True,
    },
    "enforced-imds": {
        "attribution_mode": "imds",
        "deny_unattributed_calls": True,
        "outside_notebooks_are_attributed": True,
    },
}


def _name(call: str, layout: Layout) -> str:
    return call if layout == LAYOUTS[0] else f"{call}-{layout}"


@dataclass(frozen=True)
class Account:
    """The emulated account after `terraform apply`, with the outputs of each call of the module."""

    emulator: Emulator
    outputs: dict[str, dict[str, Any]]
    booted: set[str] = field(default_factory=set)

    def notebook(self, call: str, layout: Layout = LAYOUTS[0]) -> NotebookInstance:
        """The notebook instance of a call of the module in a network layout, for all tests; the first boots it."""
        name = _name(call, layout)
        if name not in self.booted:
            lifecycle_configuration = self.outputs[call]["lifecycle_configuration_name"]
            role_arn = self.outputs[call]["role_arn"]
            create_notebook(self.emulator, name, role_arn, layout, LifecycleConfigName=lifecycle_configuration)
            assert NotebookInstance(self.emulator, name).wait()["NotebookInstanceStatus"] == "InService"
            self.booted.add(name)
        return NotebookInstance(self.emulator, name)

    def session_arn(self, call: str, session_name: str) -> str:
        """What CloudTrail shows for a session of the call's role."""
        account, role = self.emulator.account_id, self.outputs[call]["role_name"]
        return f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}"

    def records_since(self, seen: int) -> list[dict[str, Any]]:
        """The records of calls that instances made, since there were so many records."""
        return [record for record in self.emulator.records()[seen:] if record["userIdentity"]["type"] == "AssumedRole"]


@pytest.fixture(scope="session")
def account(needs_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Apply the module in each way, with names `test-*` for the notebook instances that tests make."""
    folder = tmp_path_factory.mktemp("account")
    with Emulator(folder / "emulator", boot=True) as emulator:
        make_bucket(emulator)
        calls = {
            call: {
                "name": call,
                "additional_session_names": ["test-*", *(_name(call, layout) for layout in LAYOUTS)],
                "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
                **arguments,
            }
            for call, arguments in _CALLS.items()
        }
        root = write_calls(folder / "module", calls, outputs=None)
        workspace = Workspace(folder / "module", root=root, environment=emulator.environment())
        outcome = workspace.apply()
        assert outcome.errors == []
        yield Account(emulator, workspace.outputs())


# It booted without a script; `run_on_start` runs the imds mode's, as it is when unpacked.
BareNotebook = OwnNotebook


@contextmanager
def notebooks_of(account: Account) -> Iterator[Callable[..., BareNotebook]]:
    """Create notebook instances with the imds mode's role; delete them at the end."""
    script = "#!/bin/bash\n" + unpacked(account.outputs["imds"]["on_start_script"])
    with own_notebooks(account.emulator) as new:

        def create(layout: Layout = LAYOUTS[0], **arguments: Any) -> BareNotebook:
            role_arn = arguments.pop("RoleArn", account.outputs["imds"]["role_arn"])
            return new(role_arn, layout, script=script, **arguments)

        yield create


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    """Each network layout: what holds in one has to hold in the other."""
    given: Layout = request.param
    return given


@pytest.fixture
def new_notebook(account: Account) -> Iterator[Callable[..., BareNotebook]]:
    """Create a notebook instance of the test's own, in a layout."""
    with notebooks_of(account) as create:
        yield create


@pytest.fixture
def bare_notebook(new_notebook: Callable[..., BareNotebook], layout: Layout) -> BareNotebook:
    """A booted notebook instance that has run no script yet."""
    return new_notebook(layout)


@pytest.fixture
def notebook(account: Account, new_notebook: Callable[..., BareNotebook], layout: Layout) -> BareNotebook:
    """A booted notebook instance of the imds mode, of the test's own."""
    return new_notebook(layout, LifecycleConfigName=account.outputs["imds"]["lifecycle_configuration_name"])
