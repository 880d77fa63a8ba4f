"""An account where the module is applied in both modes, with notebook instances in both network layouts.

In each there is a notebook instance whose user attacks; a mode's colleague is one and the same in both layouts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calls import write_calls
from document_table import WRITE
from emulator.needs import needs_root as needs_root
from emulator.network import LAYOUT_TAG, LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import OwnNotebook, make_bucket, own_notebooks
from on_start_script import unpacked
from workspace import Workspace

from .outcome import SHOWN_TABLE, TABLE, Cells

MODES = ("profile", "imds")
HERE = Path(__file__).resolve().parent


def _attackers_name(mode: str, layout: Layout) -> str:
    return f"{mode}-{layout}"


@dataclass(frozen=True, eq=False)
class Scene:
    """One mode of the module in one layout: its outputs, the attacker's notebook instance and the colleague's."""

    emulator: Emulator
    mode: str
    layout: Layout
    outputs: dict[str, Any]
    jobs_role: str

    @property
    def notebook(self) -> NotebookInstance:
        """The notebook instance whose user attacks."""
        return NotebookInstance(self.emulator, _attackers_name(self.mode, self.layout))

    @property
    def colleague(self) -> NotebookInstance:
        """The notebook instance of somebody else, with the same role."""
        return NotebookInstance(self.emulator, f"{self.mode}-colleague")

    def run(self, script: str, on: NotebookInstance | None = None) -> str:
        """Run an attack as ec2-user; return all that it printed."""
        notebook = on or self.notebook
        environment = {
            "ROLE": self.outputs["role_arn"],
            "JOBS_ROLE": self.jobs_role,
            "NAME": notebook.name,
            "COLLEAGUE": self.colleague.name,
            "PYTHON": notebook.python,
            "PROGRAMS": str(HERE / "programs"),
        }
        done = notebook.run(["bash", "-c", f'source "{HERE}/tools.sh"\n{script}'], env=environment, timeout=100)
        return done.stdout + done.stderr

    @contextmanager
    def own_notebook(self, **arguments: Any) -> Iterator[OwnNotebook]:
        """Boot a notebook instance for one attack alone, which hasn't run the script."""
        script = "#!/bin/bash\n" + unpacked(self.outputs["on_start_script"])
        with own_notebooks(self.emulator) as create:
            yield create(self.outputs["role_arn"], self.layout, script=script, **arguments)


@pytest.fixture(scope="session")
def scenes(needs_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, Layout], Scene]]:
    """Apply the module in both modes, and make a role for jobs that the notebooks may assume."""
    folder = tmp_path_factory.mktemp("attacks")
    with Emulator(folder / "emulator", boot=True) as emulator:
        make_bucket(emulator)
        calls = {
            mode: {
                "name": mode,
                "attribution_mode": mode,
                "notebook_instances": {
                    f"{mode}-colleague": {},
                    **{_attackers_name(mode, layout): {"tags": {LAYOUT_TAG: layout}} for layout in LAYOUTS},
                },
                "additional_session_names": ["test-*"],
                "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
            }
            for mode in MODES
        }
        root = write_calls(folder / "module", calls, outputs=None)
        workspace = Workspace(folder / "module", root=root, environment=emulator.environment())
        assert workspace.apply().errors == []
        given = workspace.outputs()
        jobs_role = _make_jobs_role(emulator, [given[mode]["role_name"] for mode in MODES])
        yield {
            (mode, layout): Scene(emulator, mode, layout, given[mode], jobs_role)
            for mode in MODES
            for layout in LAYOUTS
        }


def _make_jobs_role(emulator: Emulator, users: list[str]) -> str:
    """Make a role that trusts the account, source identities too, as the README says; let the notebooks assume it."""
    iam = emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = str(iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=document)["Role"]["Arn"])
    for user in users:
        allow = {"Effect": "Allow", "Action": actions if user.startswith("imds") else actions[0], "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=user, PolicyName="jobs", PolicyDocument=policy)
    return arn


@pytest.fixture(scope="session")
def seen() -> Iterator[dict[str, Cells]]:
    """The outcomes by attack; written into the document where that was asked for."""
    seen: dict[str, Cells] = {}
    yield seen
    if WRITE:
        TABLE.write(seen)


@pytest.fixture(scope="session")
def seen_at_times() -> Iterator[dict[str, Cells]]:
    """What shows in some circumstances only, by attack; written into the document where that was asked for."""
    seen: dict[str, Cells] = {}
    yield seen
    if WRITE:
        SHOWN_TABLE.write(seen)
