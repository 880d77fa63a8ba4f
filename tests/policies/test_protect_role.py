"""What the role may not do with itself, put to the evaluator: each way beside a role that is allowed everything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from calls import write_calls
from emulator.judge import Judge, Question, Session
from emulator.server import Emulator
from workspace import Workspace

ACCOUNT = "111122223333"
BASE = Session(
    account_id=ACCOUNT,
    role_name="team-execution",
    role_path="/data/",
    role_id="AROAEXAMPLEROLEID1234",
    session_name="SageMaker",
)
NOTEBOOK = replace(BASE, session_name="alpha", source_identity="alpha")
BROAD = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sagemaker:*", "iam:*", "lambda:*", "ec2:*"], "Resource": "*"}],
}
ROLE, JOBS = BASE.role_arn, f"arn:aws:iam::{ACCOUNT}:role/jobs"
SAME_NAME = f"arn:aws:iam::{ACCOUNT}:role/team-execution"
ATTACHED = f"arn:aws:iam::{ACCOUNT}:policy/teams/s3"
NOTEBOOK_INSTANCE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:notebook-instance/beta"
LIFECYCLE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:notebook-instance-lifecycle-config/team-attribution"
INPUTS = ("allow_pass_role", "allow_notebook_instance_changes", "allow_role_changes")

# By the input that takes it back.
DENIED: dict[str, list[tuple[str, str]]] = {
    "allow_pass_role": [("iam:PassRole", ROLE)],
    "allow_notebook_instance_changes": [
        ("sagemaker:CreateNotebookInstance", NOTEBOOK_INSTANCE),
        ("sagemaker:UpdateNotebookInstance", NOTEBOOK_INSTANCE),
        ("sagemaker:StartNotebookInstance", NOTEBOOK_INSTANCE),
        ("sagemaker:DeleteNotebookInstance", NOTEBOOK_INSTANCE),
        ("sagemaker:CreatePresignedNotebookInstanceUrl", NOTEBOOK_INSTANCE),
        ("sagemaker:CreateNotebookInstanceLifecycleConfig", LIFECYCLE),
        ("sagemaker:UpdateNotebookInstanceLifecycleConfig", LIFECYCLE),
        ("sagemaker:DeleteNotebookInstanceLifecycleConfig", LIFECYCLE),
    ],
    "allow_role_changes": [
        *(
            (f"iam:{action}", ROLE)
            for action in (
                "PutRolePolicy",
                "DeleteRolePolicy",
                "AttachRolePolicy",
                "DetachRolePolicy",
                "UpdateAssumeRolePolicy",
                "PutRolePermissionsBoundary",
                "DeleteRolePermissionsBoundary",
                "UpdateRole",
                "UpdateRoleDescription",
                "TagRole",
                "UntagRole",
                "DeleteRole",
                "CreateRole",
            )
        ),
        *((f"iam:{action}PolicyVersion", ATTACHED) for action in ("Create", "SetDefault", "Delete")),
    ],
}
ALLOWED = [
    ("iam:PassRole", JOBS),
    ("iam:PassRole", SAME_NAME),
    ("iam:GetRole", ROLE),
    ("iam:ListRolePolicies", ROLE),
    ("iam:ListAttachedRolePolicies", ROLE),
    ("iam:SimulatePrincipalPolicy", ROLE),
    ("iam:PutRolePolicy", JOBS),
    ("iam:GetPolicyVersion", ATTACHED),
    ("sagemaker:DescribeNotebookInstance", NOTEBOOK_INSTANCE),
    ("sagemaker:ListNotebookInstances", "*"),
    # What scripts that stop an idle notebook instance do.
    ("sagemaker:StopNotebookInstance", NOTEBOOK_INSTANCE),
    ("sagemaker:DescribeNotebookInstanceLifecycleConfig", LIFECYCLE),
    ("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/job"),
    ("lambda:CreateFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
]
CALLS: dict[str, dict[str, Any]] = {
    "imds": {"attribution_mode": "imds"},
    "enforced": {"deny_unattributed_calls": True},
    **{name: {"attribution_mode": "imds", name: True} for name in INPUTS},
    "none_left": {"attribution_mode": "imds", **dict.fromkeys(INPUTS, True)},
    "profile": {},
}


@pytest.fixture(scope="module")
def policies(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The inline policy `protect_role` of each call of the module that plans one; managed policies aren't known yet."""
    folder = tmp_path_factory.mktemp("protect-role")
    policies = {"aws_iam_policy": {"s3": {"name": "s3", "path": "/teams/", "policy": json.dumps(BROAD)}}}
    usual = {"name": "team", "role_path": "/data/", "role_policy_arns": {"s3": "${aws_iam_policy.s3.arn}"}}
    root = write_calls(folder, {name: usual | call for name, call in CALLS.items()}, resource=policies)
    plan = Workspace(folder, root=root, environment=emulator.environment()).plan()
    assert plan.errors == []
    return {
        name: plan.planned(f"module.{name}.aws_iam_role_policy.protect_role[0]")["policy"]
        for name in CALLS
        if f"module.{name}.aws_iam_role_policy.protect_role[0]" in plan.changes
    }


def is_allowed(judge: Judge, policy: str, caller: Session, action: str, resource: str) -> bool:
    context: dict[str, Any] = {**caller.context}
    if action == "iam:PassRole":
        context["iam:PassedToService"] = "sagemaker.amazonaws.com"
    return judge.decide(
        Question(
            principal=caller.arn,
            action=action,
            resource=resource,
            resource_account=ACCOUNT,
            identity_policies={"broad": BROAD, "protect": policy},
            context=context,
        )
    ).allowed


def test_the_policy_is_there_in_imds_mode_and_under_enforcement_alone(policies: dict[str, str]) -> None:
    assert policies.keys() == CALLS.keys() - {"profile", "none_left"}
    assert policies["imds"] == policies["enforced"]


@pytest.mark.parametrize(("action", "resource"), [each for listed in DENIED.values() for each in listed])
@pytest.mark.parametrize("caller", [BASE, NOTEBOOK], ids=["base", "notebook"])
def test_no_session_of_the_role_may_get_around_by_iam(
    judge: Judge, policies: dict[str, str], caller: Session, action: str, resource: str
) -> None:
    assert not is_allowed(judge, policies["imds"], caller, action, resource)


@pytest.mark.parametrize(("action", "resource"), ALLOWED)
def test_what_notebooks_and_their_scripts_need_stays_allowed(
    judge: Judge, policies: dict[str, str], action: str, resource: str
) -> None:
    assert is_allowed(judge, policies["imds"], NOTEBOOK, action, resource)


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_takes_back_its_own_part_and_no_other(judge: Judge, policies: dict[str, str], name: str) -> None:
    for part, listed in DENIED.items():
        for action, resource in listed:
            assert is_allowed(judge, policies[name], NOTEBOOK, action, resource) is (part == name), (action, part)


def test_the_policy_allows_nothing(policies: dict[str, str]) -> None:
    for policy in policies.values():
        assert {statement["Effect"] for statement in json.loads(policy)["Statement"]} == {"Deny"}
