"""Managed policies that list the session names, as they come, change and go: at no moment is an unknown name let in."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from emulator.judge import Judge, Question, Session
from emulator.server import Emulator
from workspace import Workspace

BASE = Session(
    account_id="111122223333", role_name="many-execution", role_id="AROAEXAMPLEROLEID1234", session_name="SageMaker"
)
BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
STRANGERS = ("SageMaker", "ada-2", "nobody", "zed", "q.", "team")
ALWAYS = ("ada-1", "nina-1")

# Each is applied on the one before.
STEPS: dict[str, dict[str, Any]] = {
    "names in the inline policy": {"notebook_instances": {"ada-1": {}}, "additional_session_names": ["nina-1", "x.1"]},
    "managed policies come": {"session_name_policies": [["a", "b"], ["n"]]},
    "one more, one less": {"notebook_instances": {"ada-1": {}, "bob-1": {}}, "additional_session_names": ["nina-1"]},
    "a pattern, and a name of a prefix that none had": {
        "session_name_policies": [["a", "b"], ["n"]],
        "additional_session_names": ["nina-1", "team-*", "y.2"],
    },
    "other prefixes": {"session_name_policies": [["b"], ["a", "y"], ["n", "o"]]},
    "no names of a policy": {"notebook_instances": {"ada-1": {}}},
    "managed policies go": {"session_name_policies": []},
}


@dataclass
class Policies:
    """A role's policies, as the API calls make them."""

    inline: dict[str, str] = field(default_factory=dict)
    managed: dict[str, str] = field(default_factory=dict)
    attached: set[str] = field(default_factory=set)

    def follow(self, record: dict[str, Any]) -> None:
        """Make the change of a call."""
        given = record["requestParameters"] or {}
        match record["eventName"]:
            case "PutRolePolicy":
                self.inline[given["policyName"]] = given["policyDocument"]
            case "DeleteRolePolicy":
                del self.inline[given["policyName"]]
            case "CreatePolicy":
                self.managed[record["responseElements"]["policy"]["arn"]] = given["policyDocument"]
            case "CreatePolicyVersion":
                self.managed[given["policyArn"]] = given["policyDocument"]
            case "AttachRolePolicy":
                self.attached.add(given["policyArn"])
            case "DetachRolePolicy":
                self.attached.remove(given["policyArn"])

    def all(self) -> dict[str, Any]:
        """Return all that are in force, beside one that allows sts:*."""
        return {**self.inline, **{arn: self.managed[arn] for arn in self.attached}, "broad": BROAD}


def test_at_no_moment_of_any_change_is_an_unknown_name_let_in(
    emulator: Emulator, judge: Judge, new_workspace: Callable[..., Workspace]
) -> None:
    workspace = new_workspace()
    variables: dict[str, Any] = {"name": "many", "role_path": "/data/"}
    policies = Policies()
    seen = len(emulator.records())

    def is_allowed(name: str, trust: str) -> bool:
        return judge.decide(
            Question(
                principal=BASE.arn,
                action="sts:AssumeRole",
                resource=f"arn:aws:iam::{BASE.account_id}:role/data/many-execution",
                resource_account=BASE.account_id,
                identity_policies=policies.all(),
                resource_policy=trust,
                context={
                    **BASE.context,
                    "aws:PrincipalArn": f"arn:aws:iam::{BASE.account_id}:role/data/many-execution",
                    "sts:RoleSessionName": name,
                },
            )
        ).allowed

    for step, given in STEPS.items():
        variables |= given
        assert workspace.apply(variables, refresh=False).errors == [], step
        trust = workspace.outputs()["role_trust_policy"]
        records, seen = emulator.records()[seen:], len(emulator.records())
        calls = [record["eventName"] for record in records if not record["readOnly"]]
        for record in records:
            before = deepcopy(policies)
            policies.follow(record)
            if record["eventName"] == "CreateNotebookInstance":
                name = record["requestParameters"]["notebookInstanceName"]
                assert is_allowed(name, trust), f"{step}: {name} starts before it is let in, after {calls}"
            # Before the first policy there is no notebook instance yet.
            if policies == before or "many-assume-self" not in policies.inline:
                continue
            for stranger in STRANGERS:
                assert not is_allowed(stranger, trust), f"{step}: {stranger}, after {record['eventName']} of {calls}"
            for name in ALWAYS:
                assert is_allowed(name, trust), f"{step}: {name} is refused after {record['eventName']} of {calls}"
        assert workspace.plan(variables).changes == {}, step
        assert len(policies.attached) == len(variables.get("session_name_policies", []))

    assert policies.attached == set()
    assert all(":policy/data/many-session-names-" in arn for arn in policies.managed)
    assert len(policies.managed) == 2 + 3
    assert workspace.destroy(variables, refresh=False).errors == []


def test_a_change_of_names_changes_one_policy_and_no_notebook_instance(new_workspace: Callable[..., Workspace]) -> None:
    workspace = new_workspace()
    given: dict[str, Any] = {
        "name": "few",
        "notebook_instances": {"ada-1": {}, "bob-1": {}},
        "session_name_policies": [["a"], ["b"]],
    }
    assert workspace.apply(given).errors == []
    changes = workspace.plan(given | {"additional_session_names": ["bea-1"]}).changes
    assert [(address.partition("[")[0], actions) for address, actions in changes.items()] == [
        ("aws_iam_policy.session_names", ["update"])
    ]
    assert workspace.destroy(given, refresh=False).errors == []


def test_names_are_denied_in_managed_policies_only_where_unknown_ones_are(
    plan: Callable[..., Any], existing_role: Callable[..., str]
) -> None:
    (error,) = plan(deny_unknown_session_names=False, session_name_policies=[["a"]]).errors
    assert "Remove deny_unknown_session_names = false; or remove session_name_policies" in error
    shared: dict[str, Any] = {"create_role": False, "role_arn": existing_role(), "verify_role_trust": False}
    (error,) = plan(**shared, session_name_policies=[["a"]]).errors
    assert "Set deny_unknown_session_names = true, if no other call of the module uses the role; or remove" in error
    outcome = plan(**shared, session_name_policies=[["a"]], deny_unknown_session_names=True)
    assert outcome.errors == []
    (name,) = [
        each["change"]["after"]["name"] for each in outcome.plan["resource_changes"] if each["type"] == "aws_iam_policy"
    ]
    assert name.startswith("team-session-names-")
    assert name.endswith("-1-us-east-1")
