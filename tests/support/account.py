"""An emulated account where the module is applied in both modes, and notebook instances that boot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calls import write_cases
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import OwnNotebook, create_notebook, make_bucket, own_notebooks
from on_start_script import unpacked
from workspace import Workspace

MODES = ("profile", "imds")

# One call of the module for each mode, and for each with a role that refuses unattributed calls. Each knows the names of
# notebook instances in every network layout, which boot when a test asks for them: few files of tests need them all.
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
# Whose notebook instance it is: for all tests, of the user who attacks, of somebody else, of one who hasn't called yet.
_USERS = ("", "attacker", "colleague", "newcomer")


def _name(call: str, layout: Layout, user: str) -> str:
    return "-".join(filter(None, [call, user, "" if layout == LAYOUTS[0] else layout]))


@dataclass(frozen=True)
class Account:
    """The emulated account after `terraform apply`, with the outputs of each call of the module."""

    emulator: Emulator
    outputs: dict[str, dict[str, Any]]
    booted: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)

    def notebook(self, call: str, layout: Layout = LAYOUTS[0], user: str = "") -> NotebookInstance:
        """The notebook instance of a call of the module in a network layout, for all tests; the first boots it."""
        name = _name(call, layout, user)
        if name not in self.booted:
            lifecycle_configuration = self.outputs[call]["lifecycle_configuration_name"]
            role_arn = self.outputs[call]["role_arn"]
            create_notebook(self.emulator, name, role_arn, layout, LifecycleConfigName=lifecycle_configuration)
            assert NotebookInstance(self.emulator, name).wait()["NotebookInstanceStatus"] == "InService"
            self.booted.add(name)
        if name in self.paused:
            NotebookInstance(self.emulator, name).resume()
            self.paused.remove(name)
        return NotebookInstance(self.emulator, name)

    def pause(self) -> None:
        """Pause the notebook instances that are for all tests, each until it is asked for again."""
        for name in self.booted - self.paused:
            NotebookInstance(self.emulator, name).pause()
        self.paused.update(self.booted)

    @contextmanager
    def notebooks_of(self, call: str) -> Iterator[Callable[..., OwnNotebook]]:
        """Create notebook instances with a call's role, whose `run_on_start` runs its script; delete them at the end."""
        script = unpacked(self.outputs[call]["on_start_script"])
        with own_notebooks(self.emulator) as new:

            def create(layout: Layout = LAYOUTS[0], **arguments: Any) -> OwnNotebook:
                role_arn = arguments.pop("RoleArn", self.outputs[call]["role_arn"])
                text = script if script.startswith("#!") else f"#!/bin/bash\n{script}"
                return new(role_arn, layout, script=text, **arguments)

            yield create

    def session_arn(self, call: str, session_name: str) -> str:
        """What CloudTrail shows for a session of the call's role."""
        account, role = self.emulator.account_id, self.outputs[call]["role_name"]
        return f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}"

    def records_since(self, seen: int) -> list[dict[str, Any]]:
        """The records of calls that instances made, since there were so many records."""
        return [record for record in self.emulator.records()[seen:] if record["userIdentity"]["type"] == "AssumedRole"]


@contextmanager
def applied(folder: Path) -> Iterator[Account]:
    """Apply the module in each way, with names `test-*` for the notebook instances that tests make."""
    with Emulator(folder / "emulator", boot=True) as emulator:
        make_bucket(emulator)
        calls = {
            call: {
                "name": call,
                "additional_session_names": [
                    "test-*",
                    *(_name(call, layout, user) for layout in LAYOUTS for user in _USERS),
                ],
                "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
                **arguments,
            }
            for call, arguments in _CALLS.items()
        }
        root = write_cases(folder / "module", calls, outputs=None)
        workspace = Workspace(folder / "module", root=root, environment=emulator.environment())
        assert workspace.apply().errors == []
        yield Account(emulator, workspace.outputs())
