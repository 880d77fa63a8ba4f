"""The policies of two calls of the module on one existing role, put to the evaluator together."""

from __future__ import annotations

from typing import Any

import pytest
from calls import write_calls
from emulator.judge import Judge, Question, Session
from emulator.server import Emulator
from policy_documents import policy_document
from workspace import Workspace

ACCOUNT = "111122223333"
BASE = Session(
    account_id=ACCOUNT, role_name="shared", role_path="/", role_id="AROAEXAMPLEROLEID1234", session_name="SageMaker"
)


@pytest.fixture(scope="module")
def planned(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The trust policy of modules/trust-policy, and all inline policies of two teams, each a call of its own."""
    folder = tmp_path_factory.mktemp("shared")
    teams: dict[str, dict[str, Any]] = {
        "one": {"notebook_instances": {"alpha": {}}},
        "two": {"additional_session_names": ["team-b-*"]},
    }
    calls = {
        team: {"name": team, "create_role": False, "role_arn": BASE.role_arn, **given} for team, given in teams.items()
    }
    trust = {"source": "../modules/trust-policy", "role_arn": BASE.role_arn}
    output = {"trust": {"value": "${module.trust.json}"}}
    root = write_calls(folder, calls | {"trust": trust}, output=output)
    iam = emulator.client("iam")
    workspace = Workspace(folder, root=root, environment=emulator.environment())
    iam.create_role(
        RoleName="shared",
        AssumeRolePolicyDocument=policy_document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": ACCOUNT},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:PrincipalArn": BASE.role_arn},
                    "StringLike": {"aws:userid": "*:SageMaker"},
                },
            }
        ),
    )
    plan = workspace.plan()
    iam.delete_role(RoleName="shared")
    assert plan.diagnostics == []
    policies = {
        change["address"]: change["change"]["after"]["policy"]
        for change in plan.plan["resource_changes"]
        if change["type"] == "aws_iam_role_policy"
    }
    return plan.output("trust"), policies


@pytest.mark.parametrize("source_identity", [False, True])
@pytest.mark.parametrize(
    ("name", "allowed"),
    [("alpha", True), ("team-b-1", True), ("beta", False), ("SageMaker", False), ("alpha2", False)],
)
def test_each_call_admits_its_own_names_and_refuses_none_of_the_others(
    judge: Judge, planned: tuple[str, dict[str, Any]], name: str, allowed: bool, source_identity: bool
) -> None:
    trust, policies = planned
    context: dict[str, Any] = {**BASE.context, "sts:RoleSessionName": name}
    if source_identity:
        context["sts:SourceIdentity"] = name
    decisions = [
        judge.decide(
            Question(
                principal=BASE.arn,
                action=action,
                resource=BASE.role_arn,
                resource_account=ACCOUNT,
                identity_policies=policies,
                resource_policy=trust,
                context=context,
            )
        ).allowed
        for action in ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if source_identity else [])]
    ]
    assert all(decisions) is allowed


@pytest.mark.parametrize(
    ("action", "group", "allowed"),
    [
        ("logs:CreateLogGroup", "/aws/sagemaker/NotebookInstances", True),
        ("logs:CreateLogStream", "/aws/sagemaker/NotebookInstances:log-stream:alpha/LifecycleConfigOnStart", True),
        ("logs:DescribeLogStreams", "/aws/sagemaker/NotebookInstances", True),
        ("logs:PutLogEvents", "/aws/sagemaker/NotebookInstances:log-stream:alpha/jupyter.log", True),
        ("logs:GetLogEvents", "/aws/sagemaker/NotebookInstances:log-stream:alpha/jupyter.log", False),
        ("logs:PutLogEvents", "/aws/lambda/payments:log-stream:one", False),
        ("logs:DeleteLogGroup", "/aws/sagemaker/NotebookInstances", False),
    ],
)
def test_the_base_session_may_write_the_notebooks_logs_and_no_others(
    judge: Judge, planned: tuple[str, dict[str, Any]], action: str, group: str, allowed: bool
) -> None:
    decision = judge.decide(
        Question(
            principal=BASE.arn,
            action=action,
            resource=f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{group}",
            resource_account=ACCOUNT,
            identity_policies=planned[1],
            context=BASE.context,
        )
    )
    assert decision.allowed is allowed
