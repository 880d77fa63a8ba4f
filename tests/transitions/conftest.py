"""An account whose notebook instances boot, configurations that change while they run, and users who notice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from calls import write_calls
from emulator.filesystem import HOME
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import create_notebook
from workspace import Outcome, Workspace

BUCKET = "figures"
S3 = {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
_numbers = count(1)
WATCH = Path(__file__).resolve().parent / "programs" / "watch.py"
# Between a user's calls, of which every change and every start sees some.
PAUSE = 0.2 if os.environ.get("CI") else 0.4  # seconds


@pytest.fixture(scope="session")
def emulator(needs_root: None, new_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An emulated account whose notebook instances boot."""
    with new_emulator(boot=True) as emulator:
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        yield emulator


class Configuration:
    """A root that calls the module, applied again and again as it changes."""

    def __init__(self, emulator: Emulator, folder: Path, calls: dict[str, Any]) -> None:
        self.emulator = emulator
        self.folder = folder
        self.workspace = Workspace(folder, root=self.write(calls), environment=emulator.environment())

    def write(self, calls: dict[str, Any], **more: Any) -> str:
        """Write these calls of the module, beside whatever else is to be there; return the root's name."""
        modules = {name: {"role_policy_arns": S3, **given} for name, given in calls.items()}
        return write_calls(self.folder, modules, outputs=None, **more)

    def applied(self, calls: dict[str, Any], **more: Any) -> list[str]:
        """Apply these calls; return the names of the API calls that changed something, in order."""
        self.write(calls, **more)
        seen = len(self.emulator.records())
        assert self.workspace.apply().errors == []
        return self.changes_since(seen)

    def planned(self, calls: dict[str, Any], **more: Any) -> Outcome:
        """Plan these calls."""
        self.write(calls, **more)
        return self.workspace.plan()

    def changes_since(self, seen: int) -> list[str]:
        """The API calls of Terraform that changed something, since there were so many records."""
        return [
            record["eventName"]
            for record in self.emulator.records()[seen:]
            if not record["readOnly"] and record["userIdentity"]["type"] == "Root"
        ]


@pytest.fixture
def configure(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[..., Configuration]]:
    """Make a configuration, and apply it unless told otherwise; all that it made is destroyed at the end."""
    made: list[Configuration] = []

    def make(calls: dict[str, Any], *, apply: bool = True) -> Configuration:
        configuration = Configuration(emulator, tmp_path / f"configuration-{len(made)}", calls)
        made.append(configuration)
        if apply:
            configuration.applied(calls)
        return configuration

    yield make
    for configuration in made:
        assert configuration.workspace.destroy().errors == []


class User:
    """A notebook's user, who calls AWS all the time, with a session held and with new ones."""

    def __init__(self, notebook: NotebookInstance) -> None:
        self.notebook = notebook
        self._role = notebook.describe()["RoleArn"].rpartition("/")[2]
        self._seen = len(notebook.emulator.records())
        self._file = f"watched-{next(_numbers)}"
        file = f"{HOME}/SageMaker/{self._file}"
        command = ["bash", "-c", 'setsid "$@" >"$0.log" 2>&1 &', file]
        notebook.run([*command, notebook.python, str(WATCH), BUCKET, file, str(PAUSE)], check=True)
        self.goes_on()

    def said(self) -> list[str]:
        """What the calls came to up to now."""
        path = self.notebook.folder / "SageMaker" / self._file
        whole = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
        return [json.loads(line)["said"] for line in whole]

    def goes_on(self) -> None:
        """Wait until more calls of each kind have come back, and see that none was refused, ever."""
        enough, end = len(self.said()) + 4, time.monotonic() + 180
        while len(self.said()) < enough:
            assert time.monotonic() < end, f"{self.notebook.name}'s user doesn't call any more"
            time.sleep(0.1)
        self.was_never_refused()

    def was_never_refused(self) -> None:
        """See that no call was refused up to now, or up to the instance's end."""
        assert set(self.said()) <= {"listed"}
        refused = [record["errorMessage"] for record in self._records() if "errorCode" in record]
        assert refused == []

    def callers(self) -> set[str]:
        """The session names under which sessions of the role called S3 since this user came."""
        return {
            record["userIdentity"]["arn"].rpartition("/")[2]
            for record in self._records()
            if record["eventSource"] == "s3.amazonaws.com"
        }

    def _records(self) -> list[dict[str, Any]]:
        """What sessions of the notebook instance's role asked of S3 and STS, in its region, since this user came."""
        return [
            record
            for record in self.notebook.emulator.records()[self._seen :]
            if record["eventSource"] in {"s3.amazonaws.com", "sts.amazonaws.com"}
            and record["awsRegion"] == self.notebook.region
            and f":assumed-role/{self._role}/" in record["userIdentity"].get("arn", "")
        ]


@pytest.fixture
def outside(emulator: Emulator) -> Iterator[Callable[..., NotebookInstance]]:
    """Create a notebook instance outside the module, and boot it; it is deleted before the configuration goes."""
    sagemaker = emulator.client("sagemaker")
    created: list[NotebookInstance] = []

    def create(name: str, role_arn: str, **arguments: Any) -> NotebookInstance:
        create_notebook(emulator, name, role_arn, **arguments)
        notebook = NotebookInstance(emulator, name)
        created.append(notebook)
        assert notebook.wait()["NotebookInstanceStatus"] == "InService", notebook.failure_reason
        return notebook

    yield create
    for notebook in created:
        if notebook.name in {
            each["NotebookInstanceName"] for each in sagemaker.list_notebook_instances()["NotebookInstances"]
        }:
            if notebook.status == "InService":
                notebook.stop()
            sagemaker.delete_notebook_instance(NotebookInstanceName=notebook.name)
