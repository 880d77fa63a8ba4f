"""The imds mode's policies and the refusal of unattributed calls, put to the same evaluator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from calls import write_calls
from emulator.judge import Decision, Judge, Question, Session
from emulator.server import Emulator
from workspace import Workspace

ACCOUNT = "111122223333"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/another"
BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
BASE = Session(
    account_id=ACCOUNT,
    role_name="team-execution",
    role_path="/data/",
    role_id="AROAEXAMPLEROLEID1234",
    session_name="SageMaker",
)
NOTEBOOK = replace(BASE, session_name="alpha", source_identity="alpha")
# What SageMaker opens for a job that a notebook created with the notebooks' own role.
JOB = replace(BASE, source_identity="alpha")

Policies = dict[str, Any]


@pytest.fixture(scope="session")
def planned(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Policies]]:
    """The trust policy and the inline policies in each mode, with unattributed calls denied, in one plan."""
    folder = tmp_path_factory.mktemp("enforcement")
    call = {
        "name": "team",
        "role_path": "/data/",
        "notebook_instances": {"alpha": {}, "beta": {}},
        "additional_session_names": ["team-a-*"],
        "deny_unattributed_calls": True,
        "outside_notebooks_are_attributed": True,
    }
    calls = {mode: call | {"attribution_mode": mode} for mode in ("profile", "imds")}
    plan = Workspace(folder, root=write_calls(folder, calls), environment=emulator.environment()).plan()
    return {
        mode: (
            plan.planned(f"module.{mode}.aws_iam_role.this[0]")["assume_role_policy"],
            {
                "assume": plan.planned(f"module.{mode}.aws_iam_role_policy.assume_self[0]")["policy"],
                "deny": plan.planned(f"module.{mode}.aws_iam_role_policy.deny_unattributed_calls[0]")["policy"],
            },
        )
        for mode in calls
    }


@pytest.fixture(params=["alone", "beside a broad *"])
def beside(request: pytest.FixtureRequest) -> Policies:
    return {} if request.param == "alone" else {"broad": BROAD}


def assume(
    judge: Judge,
    planned: tuple[str, Policies],
    beside: Policies,
    caller: Session,
    name: str,
    source_identity: str | None,
) -> list[Decision]:
    """Ask for all that an AssumeRole with these parameters needs."""
    trust, policies = planned
    identity = source_identity or caller.source_identity
    context: dict[str, Any] = {**caller.context, "sts:RoleSessionName": name}
    if identity:
        context["sts:SourceIdentity"] = identity
    return [
        judge.decide(
            Question(
                principal=caller.arn,
                action=action,
                resource=BASE.role_arn,
                resource_account=ACCOUNT,
                identity_policies=policies | beside,
                resource_policy=trust,
                context=context,
            )
        )
        for action in (["sts:AssumeRole", "sts:SetSourceIdentity"] if identity else ["sts:AssumeRole"])
    ]


def allowed(decisions: list[Decision]) -> bool:
    return all(decision.allowed for decision in decisions)


@pytest.mark.parametrize(
    ("caller", "name", "source_identity", "expected"),
    [
        (BASE, "alpha", "alpha", True),
        (BASE, "team-a-1", "team-a-1", True),
        # As in profile mode, in which a notebook instance may still run until it is restarted.
        (BASE, "alpha", None, True),
        (BASE, "team-a-1", None, True),
        (BASE, "alpha", "beta", False),
        (BASE, "alpha", "SageMaker", False),
        (BASE, "alpha", "Alpha", False),
        (BASE, "gamma", "gamma", False),
        (BASE, "gamma", None, False),
        (BASE, "SageMaker", "SageMaker", False),
        (BASE, "SageMaker", None, False),
        (BASE, "team-a-1", "team-a-*", False),
        (NOTEBOOK, "alpha", None, False),
        (NOTEBOOK, "alpha", "alpha", False),
        (NOTEBOOK, "beta", None, False),
        (NOTEBOOK, "beta", "beta", False),
        (JOB, "alpha", None, False),
        (JOB, "alpha", "alpha", False),
        (JOB, "beta", None, False),
        (JOB, "beta", "beta", False),
    ],
)
@pytest.mark.parametrize("mode", ["profile", "imds"])
def test_who_may_open_which_session_with_which_source_identity(
    judge: Judge,
    planned: dict[str, tuple[str, Policies]],
    beside: Policies,
    mode: str,
    caller: Session,
    name: str,
    source_identity: str | None,
    expected: bool,
) -> None:
    assert allowed(assume(judge, planned[mode], beside, caller, name, source_identity)) is expected


def test_a_session_with_a_source_identity_is_refused_by_a_deny_not_only_by_its_name(
    judge: Judge, planned: dict[str, tuple[str, Policies]]
) -> None:
    trust, policies = planned["imds"]
    trusts_all = json.loads(trust)
    del trusts_all["Statement"][1]["Condition"]["StringLike"]
    decisions = assume(judge, (json.dumps(trusts_all), policies), {"broad": BROAD}, NOTEBOOK, "alpha", "alpha")
    assert decisions[0].result == "ExplicitlyDenied"
    assert {reason.statement_id for reason in decisions[0].reasons if reason.explicit} == {
        "NotFromASessionWithSourceIdentity"
    }


TRAINING_JOB = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/job"


@pytest.mark.parametrize(
    ("action", "resource", "by_base_session"),
    [
        ("s3:GetObject", "arn:aws:s3:::figures/2026.csv", False),
        ("s3:ListBucket", "arn:aws:s3:::figures", False),
        ("sagemaker:CreateTrainingJob", TRAINING_JOB, False),
        ("iam:PassRole", OTHER_ROLE, False),
        ("iam:GetRole", OTHER_ROLE, False),
        ("sts:AssumeRole", OTHER_ROLE, False),
        ("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a:log-stream:b", False),
        ("logs:CreateLogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a", True),
        ("logs:CreateLogStream", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a:log-stream:b", True),
        ("logs:DescribeLogStreams", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a", True),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a:log-stream:b", True),
        ("cloudwatch:PutMetricData", "*", True),
    ],
)
@pytest.mark.parametrize("mode", ["profile", "imds"])
def test_what_the_base_session_may_still_do_where_the_role_may_do_everything(
    judge: Judge,
    planned: dict[str, tuple[str, Policies]],
    mode: str,
    action: str,
    resource: str,
    by_base_session: bool,
) -> None:
    def decide(caller: Session, policies: Policies) -> Decision:
        return judge.decide(
            Question(
                principal=caller.arn,
                action=action,
                resource=resource,
                resource_account=ACCOUNT,
                identity_policies=policies,
                resource_policy=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Principal": {"AWS": BASE.role_arn}, "Action": "sts:AssumeRole"}
                        ],
                    }
                )
                if action == "sts:AssumeRole"
                else None,
                context=caller.context,
            )
        )

    policies = planned[mode][1]
    assert decide(BASE, policies | {"broad": BROAD}).allowed is by_base_session
    assert decide(NOTEBOOK, policies | {"broad": BROAD}).allowed
    assert not decide(BASE, policies).allowed, "the policies allow nothing of this by themselves"


@pytest.fixture(scope="module")
def example(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The policies of examples/enforced: what notebooks may do with jobs, and who may open a job's session."""
    workspace = Workspace(
        tmp_path_factory.mktemp("enforced"), root="examples/enforced", environment=emulator.environment()
    )
    assert workspace.apply().errors == []
    iam = emulator.client("iam")
    role_arn = workspace.outputs()["job_role_arn"]
    (arn,) = [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"] if "start-jobs" in each["Arn"]]
    policy = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    trust = iam.get_role(RoleName="research-jobs")["Role"]["AssumeRolePolicyDocument"]
    assert workspace.destroy().errors == []
    return {"role_arn": role_arn, "policy": policy, "trust": trust}


@pytest.mark.parametrize(
    ("role", "service", "expected"),
    [
        ("research-jobs", "sagemaker.amazonaws.com", True),
        ("research-jobs", "ec2.amazonaws.com", False),
        ("research-execution", "sagemaker.amazonaws.com", False),
        ("another", "sagemaker.amazonaws.com", False),
    ],
)
def test_in_the_example_the_jobs_role_alone_may_be_passed(
    judge: Judge, example: dict[str, Any], role: str, service: str, expected: bool
) -> None:
    decision = judge.decide(
        Question(
            principal=NOTEBOOK.arn,
            action="iam:PassRole",
            resource=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            resource_account=ACCOUNT,
            identity_policies={"jobs": example["policy"]},
            context={**NOTEBOOK.context, "iam:PassedToService": service},
        )
    )
    assert decision.allowed is expected


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_in_the_example_sagemaker_may_open_a_jobs_session_with_a_source_identity(
    judge: Judge, example: dict[str, Any], action: str
) -> None:
    decision = judge.decide(
        Question(
            principal="sagemaker.amazonaws.com",
            action=action,
            resource=example["role_arn"],
            resource_account=ACCOUNT,
            resource_policy=example["trust"],
            context={"sts:RoleSessionName": "SageMaker", "sts:SourceIdentity": "fraud-model"},
        )
    )
    assert decision.allowed
