"""An account where the module is applied in both modes, and notebook instances that boot in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from emulator.needs import needs_root as needs_root
from emulator.network import LAYOUT_TAG, LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from on_start_script import unpacked
from workspace import Workspace

BUCKET = "figures"
MODES = ("profile", "imds")
_numbers = count(1)

# One call of the module for each mode, and for each with a role that refuses unattributed calls. Each has a notebook
# instance in every network layout.
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

    def notebook(self, call: str, layout: Layout = LAYOUTS[0]) -> NotebookInstance:
        """The notebook instance of a call of the module in a network layout."""
        return NotebookInstance(self.emulator, _name(call, layout))

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
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="2026.csv", Body=b"quarter,figure\n1,42\n")
        root = folder / "module" / "modes"
        root.mkdir(parents=True)
        calls = {
            call: {
                "source": "../",
                "name": call,
                "notebook_instances": {_name(call, layout): {"tags": {LAYOUT_TAG: layout}} for layout in LAYOUTS},
                "additional_session_names": ["test-*"],
                "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
                **arguments,
            }
            for call, arguments in _CALLS.items()
        }
        outputs = {call: {"value": f"${{module.{call}}}"} for call in _CALLS}
        (root / "main.tf.json").write_text(json.dumps({"module": calls, "output": outputs}))
        workspace = Workspace(folder / "module", root="modes", environment=emulator.environment())
        outcome = workspace.apply()
        assert outcome.errors == []
        yield Account(emulator, workspace.outputs())


class BareNotebook(NotebookInstance):
    """A notebook instance that booted without a script; `run_on_start` runs the imds mode's, as it is when unpacked."""

    script = ""

    def on_start_script(self) -> str:
        """Return the script."""
        return self.script


@contextmanager
def notebooks_of(account: Account) -> Iterator[Callable[..., BareNotebook]]:
    """Create notebook instances with the imds mode's role; delete them at the end."""
    sagemaker = account.emulator.client("sagemaker")
    created: list[BareNotebook] = []

    def create(layout: Layout = LAYOUTS[0], **arguments: Any) -> BareNotebook:
        name = f"test-{next(_numbers)}"
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=arguments.pop("RoleArn", account.outputs["imds"]["role_arn"]),
            RootAccess="Disabled",
            Tags=[{"Key": LAYOUT_TAG, "Value": layout}],
            InstanceMetadataServiceConfiguration={"MinimumInstanceMetadataServiceVersion": "2"},
            **arguments,
        )
        notebook = BareNotebook(account.emulator, name)
        notebook.script = "#!/bin/bash\n" + unpacked(account.outputs["imds"]["on_start_script"])
        created.append(notebook)
        notebook.wait()
        return notebook

    yield create
    for notebook in created:
        if notebook.status == "InService":
            notebook.stop()
        sagemaker.delete_notebook_instance(NotebookInstanceName=notebook.name)


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
