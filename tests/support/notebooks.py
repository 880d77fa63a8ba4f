"""Notebook instances that tests create, as the module creates its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol

from emulator.network import LAYOUT_TAG, LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from workspace import CHECKOUT

BUCKET = "figures"
# Where an image has neither a region in its config nor the directory, the published script fails.
# The lifecycle script of the recipe that is done by hand.
RECIPE = (
    (CHECKOUT / "tests/which_notebook/recipe-on-start.sh")
    .read_text()
    .replace("set -e\n", "set -e\nmkdir -p /home/ec2-user/.aws\nexport AWS_DEFAULT_REGION=us-east-1\n")
    .replace("$(aws configure get region)", "us-east-1")
)
_numbers = count(1)


def make_bucket(emulator: Emulator) -> None:
    """Make the bucket that the notebooks read."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="2026.csv", Body=b"quarter,figure\n1,42\n")


class OwnNotebook(NotebookInstance):
    """A notebook instance of a test's own; `run_on_start` runs `script`, whatever the API has."""

    script = ""

    def on_start_script(self) -> str:
        """Return the script."""
        return self.script


def create_notebook(
    emulator: Emulator,
    name: str,
    role_arn: str,
    layout: Layout = LAYOUTS[0],
    *,
    region: str | None = None,
    metadata: str = "2",
    **arguments: Any,
) -> None:
    """Create a notebook instance as the module does, unless the arguments say otherwise: without root access, with version 2 of the metadata service."""
    made: dict[str, Any] = {
        "InstanceType": "ml.t3.medium",
        "RootAccess": "Disabled",
        "Tags": [{"Key": LAYOUT_TAG, "Value": layout}],
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": metadata},
    }
    emulator.client("sagemaker", region=region).create_notebook_instance(
        NotebookInstanceName=name, RoleArn=role_arn, **(made | arguments)
    )


class NewNotebook(Protocol):
    """Create a notebook instance, whose `script` is this, and wait until it runs or has failed."""

    def __call__(
        self, role_arn: str, layout: Layout = LAYOUTS[0], *, name: str = "", script: str = "", **arguments: Any
    ) -> OwnNotebook:
        """Create it."""


@contextmanager
def own_notebooks(emulator: Emulator) -> Iterator[NewNotebook]:
    """Create notebook instances, called `test-…` unless they are given a name; delete them at the end."""
    created: list[OwnNotebook] = []

    def create(
        role_arn: str, layout: Layout = LAYOUTS[0], *, name: str = "", script: str = "", **arguments: Any
    ) -> OwnNotebook:
        notebook = OwnNotebook(emulator, name or f"test-{next(_numbers)}")
        notebook.script = script
        create_notebook(emulator, notebook.name, role_arn, layout, **arguments)
        created.append(notebook)
        notebook.wait()
        return notebook

    yield create
    for notebook in created:
        if notebook.status == "InService":
            notebook.stop()
        emulator.client("sagemaker").delete_notebook_instance(NotebookInstanceName=notebook.name)
