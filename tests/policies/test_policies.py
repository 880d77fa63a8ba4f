"""Who may open which session: the rendered trust and inline policies, put to an evaluator that no one here wrote.

The policies are those of a plan, of a role without and with a path, each alone and beside a broad `sts:*`. What must not
be allowed stands beside what must.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from calls import write_calls
from emulator.judge import Decision, Judge, Question, Session
from emulator.server import Emulator
from workspace import Workspace

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
PATHS = {"without_path": "/", "with_path": "/data/science/"}
BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}


@dataclass(frozen=True)
class Role:
    """A role as the module plans it, and its base session."""

    base: Session
    trust_policy: str
    inline_policy: str


@pytest.fixture(scope="session")
def roles(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Role]:
    """The module planned for each path, in one plan."""
    folder = tmp_path_factory.mktemp("policies")
    call = {"name": "team", "notebook_instances": {"alpha": {}, "beta": {}}}
    calls: dict[str, Any] = {
        name: call | {"role_path": path, "additional_session_names": ["team-a-*", "q.1"]}
        for name, path in PATHS.items()
    }
    calls["no_names"] = {"name": "team"}
    plan = Workspace(folder, root=write_calls(folder, calls), environment=emulator.environment()).plan()
    return {
        name: Role(
            Session(
                account_id=ACCOUNT,
                role_name="team-execution",
                role_path=PATHS.get(name, "/"),
                role_id="AROAEXAMPLEROLEID1234",
                session_name="SageMaker",
            ),
            plan.planned(f"module.{name}.aws_iam_role.this[0]")["assume_role_policy"],
            plan.planned(f"module.{name}.aws_iam_role_policy.assume_self[0]")["policy"],
        )
        for name in calls
    }


def assume(
    judge: Judge,
    role: Role,
    caller: Session,
    session_name: str,
    *,
    policies: dict[str, Any] | None = None,
    action: str = "sts:AssumeRole",
) -> Decision:
    """Ask whether the caller may open a session of this name on the role."""
    return judge.decide(
        Question(
            principal=caller.arn,
            action=action,
            resource=role.base.role_arn,
            resource_account=ACCOUNT,
            identity_policies=policies if policies is not None else {"inline": role.inline_policy},
            resource_policy=role.trust_policy,
            context={**caller.context, "sts:RoleSessionName": session_name},
        )
    )


@pytest.fixture(params=PATHS)
def role(roles: dict[str, Role], request: pytest.FixtureRequest) -> Role:
    return roles[request.param]


@pytest.fixture(params=["alone", "beside a broad sts:*"])
def policies(role: Role, request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"inline": role.inline_policy} | ({} if request.param == "alone" else {"broad": BROAD})


@pytest.mark.parametrize("name", ["alpha", "beta", "team-a-1", "team-a-", "q.1"])
def test_the_base_session_may_open_a_session_of_a_known_name(
    judge: Judge, role: Role, policies: dict[str, Any], name: str
) -> None:
    assert assume(judge, role, role.base, name, policies=policies).allowed


@pytest.mark.parametrize(
    "name", ["gamma", "SageMaker", "Alpha", "alpha2", "xalpha", "team-b-1", "team-a", "q-1", "qx1"]
)
def test_the_base_session_may_not_open_one_of_another_name(
    judge: Judge, role: Role, policies: dict[str, Any], name: str
) -> None:
    assert assume(judge, role, role.base, name, policies=policies).result == "ExplicitlyDenied"


@pytest.mark.parametrize("name", ["alpha", "beta", "team-a-1", "SageMaker"])
def test_a_notebook_session_may_open_no_session_at_all(
    judge: Judge, role: Role, policies: dict[str, Any], name: str
) -> None:
    notebook = replace(role.base, session_name="alpha")
    assert not assume(judge, role, notebook, name, policies=policies).allowed


@pytest.mark.parametrize("session_name", ["xSageMaker", "SageMaker2", "sagemaker"])
def test_a_session_name_that_resembles_the_base_sessions_is_not_it(
    judge: Judge, role: Role, policies: dict[str, Any], session_name: str
) -> None:
    impostor = replace(role.base, session_name=session_name)
    assert not assume(judge, role, impostor, "alpha", policies=policies).allowed


def test_a_session_of_another_role_is_not_let_in(judge: Judge, role: Role) -> None:
    stranger = replace(role.base, role_name="stranger", role_id="AROASTRANGER")
    assert assume(judge, role, stranger, "alpha", policies={"broad": BROAD}).result == "ImplicitlyDenied"


def test_a_role_of_the_same_name_under_another_path_is_another_role(judge: Judge, role: Role) -> None:
    namesake = replace(role.base, role_path="/elsewhere/", role_id="AROANAMESAKE")
    assert assume(judge, role, namesake, "alpha", policies={"broad": BROAD}).result == "ImplicitlyDenied"


def test_a_role_of_the_same_name_in_another_account_is_another_role(judge: Judge, role: Role) -> None:
    foreigner = replace(role.base, account_id=OTHER_ACCOUNT, role_id="AROAFOREIGNER")
    assert not assume(judge, role, foreigner, "alpha", policies={"broad": BROAD}).allowed


def test_a_user_of_the_account_is_not_let_in(judge: Judge, role: Role) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/SageMaker"
    decision = judge.decide(
        Question(
            principal=arn,
            action="sts:AssumeRole",
            resource=role.base.role_arn,
            resource_account=ACCOUNT,
            identity_policies={"broad": BROAD},
            resource_policy=role.trust_policy,
            context={"aws:PrincipalArn": arn, "aws:userid": "AIDAEXAMPLE", "sts:RoleSessionName": "alpha"},
        )
    )
    assert decision.result == "ImplicitlyDenied"


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetContext"])
def test_the_trust_policy_lets_the_base_session_do_nothing_else(judge: Judge, role: Role, action: str) -> None:
    assert not assume(judge, role, role.base, "alpha", policies={"broad": BROAD}, action=action).allowed


@pytest.mark.parametrize(
    ("service", "allowed"),
    [("sagemaker.amazonaws.com", True), ("ec2.amazonaws.com", False), ("lambda.amazonaws.com", False)],
)
@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_of_all_services_sagemaker_alone_may_open_the_base_session(
    judge: Judge, role: Role, service: str, action: str, allowed: bool
) -> None:
    decision = judge.decide(
        Question(
            principal=service,
            action=action,
            resource=role.base.role_arn,
            resource_account=ACCOUNT,
            resource_policy=role.trust_policy,
            context={"sts:RoleSessionName": "SageMaker"},
        )
    )
    assert decision.allowed is allowed


def test_with_no_names_nobody_may_open_a_session(judge: Judge, roles: dict[str, Role]) -> None:
    role = roles["no_names"]
    policies = {"inline": role.inline_policy, "broad": BROAD}
    assert assume(judge, role, role.base, "alpha", policies=policies).result == "ExplicitlyDenied"


@pytest.mark.parametrize("broad", [False, True])
def test_the_recipe_without_a_self_trust_is_refused(judge: Judge, role: Role, broad: bool) -> None:
    trust = json.loads(role.trust_policy)
    service_only = {**trust, "Statement": trust["Statement"][:1]}
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role.base.role_arn}
    recipe = {"Version": "2012-10-17", "Statement": [allow]}
    decision = assume(
        judge,
        replace(role, trust_policy=json.dumps(service_only)),
        role.base,
        "alpha",
        policies={"recipe": BROAD if broad else recipe},
    )
    assert decision.result == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("sagemaker:DescribeNotebookInstance", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:notebook-instance/alpha", True),
        (
            "sagemaker:DescribeNotebookInstance",
            f"arn:aws:sagemaker:eu-west-1:{OTHER_ACCOUNT}:notebook-instance/a",
            False,
        ),
        ("sagemaker:UpdateNotebookInstance", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:notebook-instance/alpha", False),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/another", False),
        ("s3:GetObject", "arn:aws:s3:::bucket/key", False),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/team-execution", False),
    ],
)
def test_the_inline_policy_allows_nothing_else(
    judge: Judge, role: Role, action: str, resource: str, allowed: bool
) -> None:
    decision = judge.decide(
        Question(
            principal=role.base.arn,
            action=action,
            resource=resource,
            resource_account=resource.split(":")[4] or ACCOUNT,
            identity_policies={"inline": role.inline_policy},
            context=role.base.context,
        )
    )
    assert decision.allowed is allowed
