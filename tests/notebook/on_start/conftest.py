"""An account where the module is applied, and notebook instances that boot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from workspace import Workspace

BUCKET = "figures"
_numbers = count(1)


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
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="2026.csv", Body=b"quarter,figure\n1,42\n")
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


class ScriptlessNotebook(NotebookInstance):
    """A notebook instance that booted without a script, on which `run_on_start` runs the module's."""

    script: str

    def on_start_script(self) -> str:
        """Return the module's script, as the API has it."""
        return self.script


@pytest.fixture
def new_notebook(account: Account) -> Iterator[Callable[..., NotebookInstance]]:
    """Create a notebook instance of the test's own, without root access, and boot it; delete it afterwards."""
    sagemaker = account.emulator.client("sagemaker")
    created: list[NotebookInstance] = []

    def create(*, bare: bool = False, **arguments: Any) -> NotebookInstance:
        name = arguments.pop("NotebookInstanceName", f"test-{next(_numbers)}")
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=arguments.pop("RoleArn", account.outputs["role_arn"]),
            RootAccess="Disabled",
            InstanceMetadataServiceConfiguration={"MinimumInstanceMetadataServiceVersion": "2"},
            **arguments,
        )
        notebook = ScriptlessNotebook(account.emulator, name) if bare else NotebookInstance(account.emulator, name)
        created.append(notebook)
        notebook.wait()
        return notebook

    yield create
    for notebook in created:
        if notebook.status == "InService":
            notebook.stop()
        sagemaker.delete_notebook_instance(NotebookInstanceName=notebook.name)


@pytest.fixture
def notebook(account: Account, new_notebook: Callable[..., NotebookInstance]) -> NotebookInstance:
    """A booted notebook instance with the module's lifecycle configuration."""
    return new_notebook(LifecycleConfigName=account.outputs["lifecycle_configuration_name"])


@pytest.fixture
def bare_notebook(account: Account, new_notebook: Callable[..., ScriptlessNotebook]) -> NotebookInstance:
    """A booted notebook instance that has run no script yet; its `run_on_start` runs the module's."""
    notebook = new_notebook(bare=True)
    notebook.script = account.on_start_script
    return notebook


@pytest.fixture(scope="session")
def clients_folder() -> Path:
    """Where the clients that aren't Python's stand."""
    return Path(__file__).resolve().parents[2] / "clients"
