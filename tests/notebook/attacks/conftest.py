"""Each mode in each network layout: a notebook instance whose user attacks, and a colleague's, the same in both layouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from account import MODES, Account
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import OwnNotebook
from policy_documents import policy_document

from .outcome import SHOWN_TABLE, TABLE

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, eq=False)
class Scene:
    """One mode of the module in one layout: its outputs, the attacker's notebook instance and the colleague's."""

    account: Account
    mode: str
    layout: Layout
    jobs_role: str

    @property
    def emulator(self) -> Emulator:
        """The emulated account."""
        return self.account.emulator

    @property
    def outputs(self) -> dict[str, Any]:
        """The module's."""
        return self.account.outputs[self.mode]

    @property
    def notebook(self) -> NotebookInstance:
        """The notebook instance whose user attacks."""
        return self.account.notebook(self.mode, self.layout, "attacker")

    @property
    def colleague(self) -> NotebookInstance:
        """The notebook instance of somebody else, with the same role."""
        return self.account.notebook(self.mode, user="colleague")

    @property
    def newcomer(self) -> NotebookInstance:
        """Another notebook instance with the same role, which never calls under its own name."""
        return self.account.notebook(self.mode, self.layout, "newcomer")

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
        with self.account.notebooks_of(self.mode) as create:
            yield create(self.layout, **arguments)


@pytest.fixture(scope="module")
def scenes(account: Account) -> dict[tuple[str, Layout], Scene]:
    """Each mode in each layout, with a role for jobs that the notebooks may assume."""
    jobs_role = _make_jobs_role(account.emulator, [account.outputs[mode]["role_name"] for mode in MODES])
    return {(mode, layout): Scene(account, mode, layout, jobs_role) for mode in MODES for layout in LAYOUTS}


def _make_jobs_role(emulator: Emulator, users: list[str]) -> str:
    """Make a role that trusts the account, source identities too, as the README says; let the notebooks assume it."""
    iam = emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": actions}
    document = policy_document(trust)
    arn = str(iam.create_role(RoleName="attackers-jobs", AssumeRolePolicyDocument=document)["Role"]["Arn"])
    for user in users:
        allow = {"Effect": "Allow", "Action": actions if user.startswith("imds") else actions[0], "Resource": arn}
        policy = policy_document(allow)
        iam.put_role_policy(RoleName=user, PolicyName="attackers-jobs", PolicyDocument=policy)
    return arn


seen = TABLE.collecting("session")
"""The outcomes by attack."""


seen_at_times = SHOWN_TABLE.collecting("session")
"""What shows in some circumstances only, by attack."""
