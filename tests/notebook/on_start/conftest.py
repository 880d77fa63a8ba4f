"""An account where the module is applied, and notebook instances that boot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import BUCKET as BUCKET
from notebooks import OwnNotebook, make_bucket, own_notebooks
from workspace import Workspace


@dataclass(frozen=True)
class Account:
    """The emulated account after `terraform apply`, with what the module's outputs say."""

    emulator: Emulator
    workspace: Workspace
    outputs: dict[str, Any]

    @property
    def session_arn(self) -> str:
        """What the ARN of every session of the role begins with."""
        return str(self.outputs["session_arns"]["test-*"]).removesuffix("test-*")

    @property
    def on_start_script(self) -> str:
        """The script as the lifecycle configuration that Terraform made has it."""
        return NotebookInstance(self.emulator, "alpha").on_start_script()


@pytest.fixture(scope="session")
def account(needs_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Apply the module, with two notebook instances that boot, and names `test-*` for those that tests make."""
    folder = tmp_path_factory.mktemp("account")
    with Emulator(folder / "emulator", boot=True) as emulator:
        make_bucket(emulator)
        workspace = Workspace(folder / "module", environment=emulator.environment())
        outcome = workspace.apply(
            {
                "name": "team",
                "notebook_instances": {"alpha": {}, "beta": {}},
                "additional_session_names": ["test-*"],
                "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
            }
        )
        assert outcome.errors == []
        yield Account(emulator, workspace, workspace.outputs())


@pytest.fixture
def new_notebook(account: Account) -> Iterator[Callable[..., OwnNotebook]]:
    """Create a notebook instance of the test's own, without root access, and boot it; delete it afterwards."""
    with own_notebooks(account.emulator) as new:

        def create(**arguments: Any) -> OwnNotebook:
            name = arguments.pop("NotebookInstanceName", "")
            return new(arguments.pop("RoleArn", account.outputs["role_arn"]), name=name, **arguments)

        yield create


@pytest.fixture
def notebook(account: Account, new_notebook: Callable[..., OwnNotebook]) -> NotebookInstance:
    """A booted notebook instance with the module's lifecycle configuration."""
    made = new_notebook(LifecycleConfigName=account.outputs["lifecycle_configuration_name"])
    return NotebookInstance(account.emulator, made.name)


@pytest.fixture
def bare_notebook(account: Account, new_notebook: Callable[..., OwnNotebook]) -> NotebookInstance:
    """A booted notebook instance that has run no script yet; its `run_on_start` runs the module's."""
    return new_notebook(script=account.on_start_script)


@pytest.fixture(scope="session")
def clients_folder() -> Path:
    """Where the clients that aren't Python's stand."""
    return Path(__file__).resolve().parents[2] / "clients"
