"""What each change of an input does: planned and applied on an emulated account, and compared with docs/changes.md."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calls import address, write_cases
from document_table import WRITE, Table
from emulator.needs import skip_or_fail
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import CHECKOUT, Workspace

from .test_hcl import INPUTS, NOTEBOOK_ATTRIBUTES

# The account is these tests' own.
pytestmark = pytest.mark.emulated

TABLE = Table(CHECKOUT / "docs" / "changes.md", "change")
REPLACED = "**replaced: its volume is lost**"
NOTEBOOKS_KIND = "aws_sagemaker_notebook_instance"
SCRIPTS_KIND = "aws_sagemaker_notebook_instance_lifecycle_configuration"


@dataclass(frozen=True)
class Change:
    """A call of the module before and after one change; `what` is its row's first cell."""

    what: str
    before: dict[str, Any]
    after: dict[str, Any]


def of_input(name: str, after: Any, before: Any = None, remark: str = "", **both: Any) -> Change:
    return Change(f"`{name}`{remark}", both | ({} if before is None else {name: before}), both | {name: after})


def of_attribute(name: str, after: Any, before: Any = None, remark: str = "", **both: Any) -> Change:
    """A change of one attribute of a notebook instance, which `changes_of_calls` gives a name of its own."""
    given = both | ({} if before is None else {name: before})
    return Change(
        f"`notebook_instances`: `{name}`{remark}",
        {"notebook_instances": {"{}": given}},
        {"notebook_instances": {"{}": both | {name: after}}},
    )


VPC = {"subnet_id": "subnet-0a"}
SHARED: dict[str, Any] = {"create_role": False}
LEFT_TO_ANOTHER_CALL: dict[str, Any] = SHARED | {
    "shared_role": {"attribution_mode": "profile", "session_names": ["{}"]}
}
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
CHANGES = [
    Change("`notebook_instances`: one more", {}, {"notebook_instances": {"{}": {}, "{}-more": {}}}),
    Change("`notebook_instances`: another key", {}, {"notebook_instances": {"{}-new": {}}}),
    Change("`notebook_instances`: one less", {}, {"notebook_instances": {}}),
    of_attribute("instance_type", "ml.t3.large"),
    of_attribute("volume_size", 20, remark=", larger"),
    of_attribute("volume_size", 10, 20, remark=", smaller"),
    of_attribute("subnet_id", "subnet-0b", "subnet-0a"),
    of_attribute("security_groups", ["sg-0a", "sg-0b"], ["sg-0a"], **VPC),
    of_attribute("direct_internet_access", "Disabled", **VPC),
    of_attribute("kms_key_id", "arn:aws:kms:us-east-1:111122223333:key/0a"),
    of_attribute("minimum_instance_metadata_service_version", "1"),
    of_attribute("default_code_repository", "https://github.com/aws/amazon-sagemaker-examples.git"),
    of_attribute("additional_code_repositories", ["https://github.com/aws/amazon-sagemaker-examples.git"]),
    of_attribute("tags", {"owner": "ada"}),
    of_input("name", "{}-new"),
    of_input("create_role", False, role_arn=None),
    of_input("role_arn", "other", "shared", **SHARED),
    of_input("role_name", "{}-role"),
    # A role has its name in all paths, so the new one can be made first only under another name.
    Change("`role_path`, with another `role_name`", {}, {"role_path": "/data/", "role_name": "{}-moved"}),
    of_input("role_permissions_boundary", BOUNDARY),
    of_input("role_policy_arns", {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}),
    of_input("policy_name", "{}-policy"),
    of_input("lifecycle_configuration_name", "{}-scripts"),
    of_input("additional_session_names", ["team-*"]),
    of_input("session_name_policies", [["a", "b"], ["c"]]),
    Change("`shared_role`", SHARED, LEFT_TO_ANOTHER_CALL),
    of_input("deny_unknown_session_names", False),
    of_input("verify_role_trust", False, **SHARED),
    of_input("attach_logs_policy", False),
    of_input("attribution_mode", "imds", remark=": `profile` to `imds`"),
    of_input("attribution_mode", "profile", "imds", remark=": `imds` to `profile`"),
    of_input("allow_pass_role", True, attribution_mode="imds"),
    of_input("allow_notebook_instance_changes", True, attribution_mode="imds"),
    of_input("allow_role_changes", True, attribution_mode="imds"),
    of_input("deny_unattributed_calls", True),
    of_input("outside_notebooks_are_attributed", True),
    of_input("unattributed_allowed_actions", ["logs:*"], deny_unattributed_calls=True),
    of_input("allow_start_without_attribution", True),
    of_input("extra_on_start", "df -h"),
    of_input("on_create", "df -h"),
    of_input("profiles", {"east": {"region": "us-east-2"}}),
    of_input("tags", {"team": "a"}),
]
# How many calls of the module are in one configuration: the work of an apply grows faster than what is in it.
AT_ONCE = 14
# No platform that this version of the provider takes can be created any more, and the module refuses those: what the
# provider does with a change of it is seen on a resource of its own.
PLATFORM = "`notebook_instances`: `platform_identifier`"


def case_of(number: int, inputs: dict[str, Any], roles: dict[str, str]) -> dict[str, Any]:
    """Return the inputs, with names of their own."""
    name = f"change-{number}"
    call = {"name": name, "notebook_instances": {"{}": {}}, **inputs}
    if call.get("create_role") is False:
        call["role_arn"] = roles[call.get("role_arn") or "shared"]
    filled: dict[str, Any] = json.loads(json.dumps(call).replace("{}-", f"{name}-").replace('"{}"', f'"{name}"'))
    return filled


@pytest.fixture(scope="module")
def emulator(new_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An account of these tests' own, which ends with them: to destroy all of it takes longer than to start another."""
    with new_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def roles(emulator: Emulator) -> dict[str, str]:
    """Existing roles that trust themselves as the module wants it, by name."""
    iam = emulator.client("iam")
    arns = {name: f"arn:aws:iam::{emulator.account_id}:role/{name}" for name in ("shared", "other")}
    for name, arn in arns.items():
        statements = [
            SAGEMAKER_ASSUMES,
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{emulator.account_id}:root"},
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                "Condition": {"StringEquals": {"aws:PrincipalArn": arn}, "StringLike": {"aws:userid": "*:SageMaker"}},
            },
        ]
        document = policy_document(*statements)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return arns


@dataclass(frozen=True)
class Done:
    """All changes, planned and applied: the plans, and the API calls that changed something."""

    plans: list[dict[str, Any]]
    records: list[dict[str, Any]]

    @property
    def resource_changes(self) -> list[dict[str, Any]]:
        """The planned changes of all plans."""
        return [each for plan in self.plans for each in plan["resource_changes"]]

    def actions(self, case: str, *, but: tuple[str, ...] = ()) -> dict[str, set[str]]:
        """The planned actions below a case's address, by the kind of resource."""
        found: dict[str, set[str]] = {}
        for each in self.resource_changes:
            actions = set(each["change"]["actions"]) - {"no-op", "read"}
            if each["address"].startswith(f"{case}.") and actions and each["type"] not in but:
                found.setdefault(each["type"], set()).update(actions)
        return found

    def calls(self, notebook: str) -> list[str]:
        """What was called on a notebook instance, in order."""
        return [
            each["eventName"]
            for each in self.records
            if each["eventSource"] == "sagemaker.amazonaws.com"
            and notebook
            in {
                (each["requestParameters"] or {}).get("notebookInstanceName"),
                str((each["requestParameters"] or {}).get("resourceArn")).rpartition(":notebook-instance/")[2],
            }
        ]


@pytest.fixture(scope="module")
def done(emulator: Emulator, roles: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Apply a call of the module for each change, make all changes, and apply again."""
    done = Done([], [])

    def write(folder: Path, numbers: range, which: str, platform: str) -> str:
        cases = {str(number): case_of(number, getattr(CHANGES[number], which), roles) for number in numbers}
        alone = {
            "name": "platform",
            "role_arn": roles["shared"],
            "instance_type": "ml.t3.medium",
            "platform_identifier": platform,
        }
        return write_cases(
            folder, cases, **({} if numbers.start else {"resource": {NOTEBOOKS_KIND: {"platform": alone}}})
        )

    for start in range(0, len(CHANGES), AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, len(CHANGES)))
        folder = tmp_path_factory.mktemp("changes")
        root = write(folder, numbers, "before", "notebook-al2-v2")
        workspace = Workspace(folder, root=root, environment=emulator.environment())
        assert workspace.apply().errors == []
        seen = len(emulator.records())
        write(folder, numbers, "after", "notebook-al2-v3")
        outcome = workspace.plan(refresh=False)
        assert outcome.errors == []
        assert workspace.apply_planned().errors == []
        done.plans.append(outcome.plan)
        done.records.extend(each for each in emulator.records()[seen:] if not each["readOnly"])
    return done


def of_kinds(kinds: dict[str, set[str]]) -> str:
    """Say what is done with the resources of some kinds."""
    actions = set().union(*kinds.values()) if kinds else set()
    if {"create", "delete"} <= actions:
        return "replaced"
    return "changed" if actions else "-"


def of_notebook(calls: list[str], changed_scripts: set[str]) -> str:
    """Say what a notebook instance goes through, from the calls that Terraform made on it."""
    if "DeleteNotebookInstance" in calls:
        return REPLACED if calls.count("CreateNotebookInstance") else "**deleted, with its volume**"
    if "UpdateNotebookInstance" in calls:
        assert [each for each in calls if each.endswith("Instance")] == ["StopNotebookInstance", "UpdateNotebookInstance", "StartNotebookInstance"]  # fmt: skip
        return "stopped and started"
    if "on_start" in changed_scripts:
        return "changed at its next restart"
    if changed_scripts:
        return "- (new ones only)"
    assert set(calls) <= {"AddTags", "DeleteTags"}
    return "changed in place" if calls else "-"


def row_of(done: Done, number: int, change: Change) -> tuple[str, ...]:
    case, name = address(str(number)), f"change-{number}"
    role = of_kinds(done.actions(case, but=(NOTEBOOKS_KIND, SCRIPTS_KIND)))
    scripts = of_kinds({kind: actions for kind, actions in done.actions(case).items() if kind == SCRIPTS_KIND})
    (planned,) = [each["change"] for each in done.resource_changes if each["address"] == f"{case}.{SCRIPTS_KIND}.this"]
    changed = {hook for hook in ("on_start", "on_create") if planned["before"][hook] != planned["after"][hook]}
    calls = done.calls(name)
    if "another key" in change.what:
        calls += done.calls(f"{name}-new")
    return (role, scripts, of_notebook(calls, changed))


@pytest.fixture(scope="module")
def seen(done: Done) -> dict[str, tuple[str, ...]]:
    """What was seen, by the table's first cell; written into the document where that was asked for."""
    seen: dict[str, tuple[str, ...]] = {}
    for number, change in enumerate(CHANGES):
        if change.what == "`name`":
            seen[PLATFORM] = ("-", "-", of_notebook(done.calls("platform"), set()))
        seen[change.what] = row_of(done, number, change)
    if WRITE:
        TABLE.write(seen)
    return seen


@pytest.mark.parametrize("what", [*(change.what for change in CHANGES), PLATFORM])
def test_a_change_does_what_the_table_says(seen: dict[str, tuple[str, ...]], what: str) -> None:
    assert seen[what] == TABLE.documented()[what]


def test_the_table_has_every_input_and_attribute() -> None:
    rows = TABLE.documented().keys()
    assert {name for name in INPUTS | NOTEBOOK_ATTRIBUTES if not any(f"`{name}`" in row for row in rows)} == set()
    assert rows == {change.what for change in CHANGES} | {PLATFORM}


def test_what_is_replaced_is_said_where_the_attribute_is_described(seen: dict[str, tuple[str, ...]]) -> None:
    text = (CHECKOUT / "variables.tf").read_text()
    for what, (*_, notebook) in seen.items():
        attribute = what.removeprefix("`notebook_instances`: ").partition(",")[0]
        line = next((line for line in text.splitlines() if line.lstrip().startswith(f"- {attribute}")), "")
        if line:
            assert ("replaces the instance" in line) == (notebook == REPLACED or attribute == "`volume_size`"), line


def test_the_check_of_a_plan_finds_what_would_be_replaced(done: Done, tmp_path: Path) -> None:
    """The command of docs/changes.md, as it stands there, on this plan and on one without."""
    if not shutil.which("jq"):
        skip_or_fail("jq isn't installed")
    document = (CHECKOUT / "docs" / "changes.md").read_text()
    (filter_,) = [line.strip().strip("'") for line in document.splitlines() if line.startswith("        '[")]

    def status(plan: dict[str, Any]) -> int:
        return subprocess.run(
            ["jq", "-e", filter_], input=json.dumps(plan), text=True, check=False, capture_output=True
        ).returncode

    # That of the first changes: another key makes a notebook instance anew.
    plan = done.plans[0]
    assert status(plan) == 1
    kept = [
        each
        for each in plan["resource_changes"]
        if each["type"] != NOTEBOOKS_KIND or "delete" not in each["change"]["actions"]
    ]
    assert status({**plan, "resource_changes": kept}) == 0
