"""From the module as it was before: no role and no notebook instance is made anew, and none is stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calls import write_calls
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from python_terraform import IsFlagged
from workspace import CHECKOUT, Outcome, Workspace

from .test_plan import SELF_TRUST

# The last commit whose policies all stood in main.tf, each resource with its address of then.
BEFORE = "62d2e8486826c5b092ad34cf18ce9685cf77aed8"
CALLS: dict[str, dict[str, Any]] = {
    "profile": {},
    "imds": {"attribution_mode": "imds"},
    "denying": {"deny_unattributed_calls": True},
    "existing": {"create_role": False},
}
POLICY = "aws_iam_role_policy.assume_self[0]"
SCRIPTS = "aws_sagemaker_notebook_instance_lifecycle_configuration.this"
LOGS = "aws_iam_role_policy.logs[0]"
PROTECTED = "aws_iam_role_policy.protect_role[0]"


def extract(folder: Path) -> None:
    """Write the module as it was into a folder."""
    command = ["git", "-C", str(CHECKOUT), "archive", BEFORE, "--", "*.tf", "scripts"]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the module as it was isn't in this clone's history (git fetch --unshallow brings it): {archive.stderr.decode().strip()}")  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--extract", "--file", "-", "--directory", str(folder)], input=archive.stdout, check=True)


@dataclass(frozen=True)
class Upgrade:
    """What the module of today plans where that of before is applied, and the API calls that then changed something."""

    workspace: Workspace
    outcome: Outcome
    records: list[dict[str, Any]]

    def changes(self, call: str) -> dict[str, list[str]]:
        """The planned actions of one call of the module, by address within it."""
        prefix = f"module.{call}."
        return {
            address.removeprefix(prefix): actions
            for address, actions in self.outcome.changes.items()
            if address.startswith(prefix)
        }


@pytest.fixture(scope="module")
def upgrade(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    folder = tmp_path_factory.mktemp("upgrade") / "module"
    extract(folder / "before")
    iam = emulator.client("iam")
    trust = policy_document(SAGEMAKER_ASSUMES, SELF_TRUST)
    arn = iam.create_role(RoleName="shared", Path="/service-role/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    def write(source: str) -> str:
        calls = {
            name: {"source": source, "name": f"upgrade-{name}", "notebook_instances": {f"upgrade-{name}": {}}}
            | given
            | ({"role_arn": arn} if name == "existing" else {})
            for name, given in CALLS.items()
        }
        return write_calls(folder, calls)

    workspace = Workspace(folder, root=write("../before"), environment=emulator.environment())
    assert workspace.apply().errors == []
    seen = len(emulator.records())
    write("../")
    status, out, err = workspace.command("init", input=False, no_color=IsFlagged)
    assert status == 0, out + err
    outcome = workspace.plan()
    assert outcome.diagnostics == []
    assert workspace.apply_planned().errors == []
    yield Upgrade(workspace, outcome, [each for each in emulator.records()[seen:] if not each["readOnly"]])
    assert workspace.destroy(refresh=False).errors == []
    iam.delete_role(RoleName="shared")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("profile", {"aws_iam_role.this[0]": ["update"], POLICY: ["update"], LOGS: ["create"], SCRIPTS: ["update"]}),
        ("imds", {"aws_iam_role.this[0]": ["update"], POLICY: ["update"], LOGS: ["create"], SCRIPTS: ["update"], PROTECTED: ["create"]}),
        ("denying", {"aws_iam_role.this[0]": ["update"], POLICY: ["update"], LOGS: ["create"], SCRIPTS: ["update"], PROTECTED: ["create"]}),
        # The policy's name gets the region behind it.
        ("existing", {POLICY: ["create", "delete"], LOGS: ["create"], SCRIPTS: ["update"]}),
    ],
)  # fmt: skip
def test_what_was_applied_before_changes_in_place(upgrade: Upgrade, call: str, expected: dict[str, list[str]]) -> None:
    assert upgrade.changes(call) == expected


def test_the_policy_moves_to_its_address_of_today(upgrade: Upgrade) -> None:
    moved = {
        change["address"]: change["previous_address"]
        for change in upgrade.outcome.plan["resource_changes"]
        if "previous_address" in change
    }
    assert moved == {f"module.{call}.{POLICY}": f"module.{call}.aws_iam_role_policy.assume_self" for call in CALLS}


def test_no_role_and_no_notebook_instance_is_touched_but_the_roles_policies(upgrade: Upgrade) -> None:
    assert {record["eventName"] for record in upgrade.records} == {
        "DeleteRolePolicy",
        "PutRolePolicy",
        "TagRole",
        "UpdateAssumeRolePolicy",
        "UpdateNotebookInstanceLifecycleConfig",
    }


def test_on_an_existing_role_the_new_policy_is_there_before_the_old_one_goes(upgrade: Upgrade) -> None:
    written = [
        (record["eventName"], record["requestParameters"]["policyName"])
        for record in upgrade.records
        if record["eventName"] in {"PutRolePolicy", "DeleteRolePolicy"}
        and record["requestParameters"]["roleName"] == "shared"
        and "assume-self" in record["requestParameters"]["policyName"]
    ]
    assert written == [
        ("PutRolePolicy", "upgrade-existing-assume-self-us-east-1"),
        ("DeleteRolePolicy", "upgrade-existing-assume-self"),
    ]


def test_afterwards_nothing_is_left_to_do(upgrade: Upgrade) -> None:
    assert upgrade.workspace.plan().changes == {}
