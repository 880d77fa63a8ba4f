"""The audit's reading of policies beside an evaluator that no one here wrote.

Where the audit says yes, the evaluator allows, and where it says no, the evaluator denies, whatever value the keys have
of which the audit knows nothing. Only where it can't tell may either be.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from emulator.judge import Judge, Question, Session
from msgspec.structs import replace

from which_notebook.audit.iam.others import others_let_in
from which_notebook.audit.iam.policy import read_policy
from which_notebook.audit.iam.role import Role

from .policies_of_roles import (
    ACCOUNT,
    ARN,
    BOUNDARIES,
    IDENTITIES,
    OTHER,
    QUESTIONS,
    ROLE_ID,
    ROOT,
    SAGEMAKER,
    SESSIONS,
    TRUSTS,
    UNKNOWN,
    Document,
    assume,
    combinations,
    judged,
    policy,
    role,
    trust,
)


@pytest.mark.heavy
def test_what_the_audit_says_the_evaluator_says(judge: Judge) -> None:
    told = []
    for trusts, identities, boundary in dict.fromkeys(combinations()):
        documents = TRUSTS[trusts], IDENTITIES[identities], BOUNDARIES[boundary]
        for question in QUESTIONS:
            answer = role(*documents).may_open(*question)
            if answer is not None:
                said = judged(judge, *documents, question)
                assert said == {answer}, (trusts, identities, boundary, question, answer, said)
            told.append(answer)
    # It would hold of one that can never tell.
    assert told.count(True) > 100
    assert told.count(False) > 500
    assert told.count(None) < len(told) / 4


def test_it_holds_for_policies_put_together_by_chance(judge: Judge) -> None:
    chance = random.Random(20261124)  # noqa: S311 - no secret
    trusting = [each for document in TRUSTS.values() for each in document["Statement"]]
    granting = [each for documents in IDENTITIES.values() for document in documents for each in document["Statement"]]
    told = 0
    for _ in range(250):
        documents = (
            policy(*chance.sample(trusting, chance.randint(1, 3))),
            [policy(*chance.sample(granting, chance.randint(1, 3))) for _ in range(chance.randint(1, 2))],
            chance.choice(list(BOUNDARIES.values())),
        )
        question = chance.choice(QUESTIONS)
        answer = role(*documents).may_open(*question)
        if answer is not None:
            said = judged(judge, *documents, question)
            assert said == {answer}, (json.dumps(documents), question, answer, said)
            told += 1
    assert told > 100


@pytest.mark.parametrize(
    "document",
    [
        policy({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Unheard": "of"}),
        policy({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}),
        policy(trust(IpAddress={"aws:SourceIp": "203.0.113.0/24"})),
        policy(trust(StringEquals={"aws:PrincipalOrgID": "o-example"})),
        policy(trust(StringMuchLike={"aws:PrincipalArn": ARN})),
        policy(trust(StringEquals={"aws:PrincipalArn": "${aws:PrincipalArn, 'none'}"})),
        policy(trust(StringEquals={"aws:PrincipalArn": 7})),
        {"Version": "2012-10-17", "Statement": [{"Effect": "Permit"}]},
        "not JSON",
        [],
    ],
)  # fmt: skip
def test_what_it_does_not_know_it_can_not_tell(document: Any) -> None:
    asked = Role(ARN, ROLE_ID, read_policy(document), (read_policy(policy(assume())),))
    assert asked.may_open("SageMaker", "alpha") is None
    assert asked.may_open("SageMaker", "alpha", "alpha") is not True


def test_whether_everyone_means_the_role_without_a_policy_of_its_own_it_does_not_say() -> None:
    everyone = read_policy(TRUSTS["everyone"])
    assert Role(ARN, ROLE_ID, everyone, ()).may_open("SageMaker", "alpha") is None
    assert Role(ARN, ROLE_ID, everyone, (read_policy(policy(assume())),)).may_open("SageMaker", "alpha") is True


def test_a_variable_in_an_old_policy_is_no_variable_and_not_told() -> None:
    old = read_policy(TRUSTS["any name by a variable in an old policy"])
    assert Role(ARN, ROLE_ID, old, (read_policy(policy(assume())),)).may_open("SageMaker", "alpha") is None


def test_a_policy_that_could_not_be_read_allows_and_denies_nothing_for_sure() -> None:
    unread = read_policy(None)
    trusting = read_policy(TRUSTS["the module's"])
    assert Role(ARN, ROLE_ID, trusting, (unread,)).may_open("SageMaker", "alpha") is None
    assert Role(ARN, ROLE_ID, trusting, (read_policy(policy(assume())), unread)).may_open("SageMaker", "alpha") is None
    assert Role(ARN, ROLE_ID, trusting, (read_policy(policy(assume())),), unread).may_open("SageMaker", "alpha") is None
    assert Role(ARN, ROLE_ID, unread, (read_policy(policy(assume())),)).may_open("SageMaker", "alpha") is None


# Who else may take a notebook's name


@pytest.mark.parametrize(
    ("trusts", "others"),
    [
        ("service only", {}),
        ("the module's", {}),
        ("the module's in imds mode", {}),
        ("the role's ARN", {}),
        ("the base session's ARN", {}),
        ("the recipe's", {ROOT: True}),
        ("the account's number", {ACCOUNT: True}),
        ("another role's ARN", {OTHER: True}),
        ("a notebook session's ARN", {OTHER: True, f"{SESSIONS}/alpha": True}),
        ("everyone", {"*": True}),
        ("everyone of the organisation", {"*": None}),
        ("all but one principal", {"principals that can't be told": None}),
        ("another ARN in the condition", {ROOT: None}),
        ("its ARN as a pattern", {ROOT: None}),
        ("no other name", {ROOT: True}),
        ("denied to notebook sessions", {ROOT: None}),
        ("denied to another role", {ROOT: None}),
    ],
)
def test_who_else_may_open_a_session_of_the_name(trusts: str, others: dict[str, bool | None]) -> None:
    assert others_let_in(role(TRUSTS[trusts], [], None), "alpha") == others


@pytest.mark.parametrize(
    ("statement", "others"),
    [
        (trust({"Service": "lambda.amazonaws.com"}), {"lambda.amazonaws.com": True}),
        (trust({"Service": ["sagemaker.amazonaws.com", "glue.amazonaws.com"]}), {"glue.amazonaws.com": True}),
        (trust({"Service": "ec2.amazonaws.com"}, StringEquals={"aws:SourceAccount": ACCOUNT}), {"ec2.amazonaws.com": None}),
        (
            trust({"Federated": "cognito-identity.amazonaws.com"}, action="sts:AssumeRoleWithWebIdentity"),
            {"cognito-identity.amazonaws.com": True},
        ),
        (trust(StringEquals={"sts:RoleSessionName": "admin"}), {}),
        (trust("AIDAEXAMPLEDELETED12"), {}),
        (trust(action="sts:TagSession"), {}),
        (trust({"CanonicalUser": "79a59df900b949e5"}), {"79a59df900b949e5": None}),
    ],
)  # fmt: skip
def test_other_kinds_of_principals(statement: Document, others: dict[str, bool | None]) -> None:
    assert others_let_in(role(policy(SAGEMAKER, statement), [], None), "alpha") == others


@pytest.mark.parametrize("trusts", TRUSTS)
def test_where_it_knows_of_nobody_else_the_evaluator_lets_nobody_else_in(judge: Judge, trusts: str) -> None:
    if others_let_in(role(TRUSTS[trusts], [], None), "alpha"):
        return
    for principal, keys in STRANGERS.items():
        for unknown in UNKNOWN:
            decision = judge.decide(
                Question(
                    principal=principal,
                    action="sts:AssumeRole",
                    resource=ARN,
                    resource_account=ACCOUNT,
                    identity_policies={} if principal.endswith(".com") else {"broad": IDENTITIES["broad"][0]},
                    resource_policy=TRUSTS[trusts],
                    context={**unknown, **keys, "sts:RoleSessionName": "alpha"},
                )
            )
            assert not decision.allowed, principal


def stranger(arn: str, principal_arn: str, user_id: str) -> tuple[str, dict[str, str]]:
    return arn, {"aws:PrincipalArn": principal_arn, "aws:PrincipalAccount": arn.split(":")[4], "aws:userid": user_id}


STRANGERS = dict(
    [
        stranger(f"arn:aws:sts::{ACCOUNT}:assumed-role/other/SageMaker", OTHER, "AROAOTHER:SageMaker"),
        stranger(f"arn:aws:iam::{ACCOUNT}:user/team", f"arn:aws:iam::{ACCOUNT}:user/team", "AIDAEXAMPLE"),
        stranger(
            "arn:aws:sts::444455556666:assumed-role/team-execution/SageMaker",
            "arn:aws:iam::444455556666:role/data/team-execution",
            "AROAFOREIGNER:SageMaker",
        ),
        ("lambda.amazonaws.com", {}),
    ]
)


# What the base session may do besides


DENY = {"Effect": "Deny", "Resource": "*", "Condition": {"StringLike": {"aws:userid": "*:SageMaker"}}}
NO_OTHER_ROLE = {
    "Effect": "Deny",
    "Action": "sts:AssumeRole",
    "NotResource": ARN,
    "Condition": {"StringLike": {"aws:userid": "*:SageMaker"}},
}


@pytest.mark.parametrize(
    ("statements", "denied"),
    [
        ([], False),
        ([DENY | {"NotAction": ["sts:AssumeRole", "sts:SetSourceIdentity", "logs:PutLogEvents"]}, NO_OTHER_ROLE], True),
        ([DENY | {"NotAction": ["sts:AssumeRole"]}], False),
        ([DENY | {"NotAction": ["sts:AssumeRole", "s3:*"]}, NO_OTHER_ROLE], False),
        ([DENY | {"Action": ["s3:*", "dynamodb:*"]}, NO_OTHER_ROLE], False),
        ([DENY | {"NotAction": ["sts:AssumeRole"], "Condition": {"StringLike": {"aws:userid": "*:alpha"}}}, NO_OTHER_ROLE], False),
        ([DENY | {"NotAction": ["sts:AssumeRole"], "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, NO_OTHER_ROLE], None),
    ],
)  # fmt: skip
def test_whether_unattributed_calls_are_denied(judge: Judge, statements: list[Document], denied: bool | None) -> None:
    assert role(TRUSTS["the module's"], [policy(*statements)], None).unattributed_calls_denied() is denied
    base = Session(
        account_id=ACCOUNT, role_name="team-execution", role_path="/data/", role_id=ROLE_ID, session_name="SageMaker"
    )
    results = {
        judge.decide(
            Question(
                principal=base.arn,
                action=action,
                resource=resource,
                resource_account=ACCOUNT,
                identity_policies={"own": policy(*statements), "broad": policy(assume(action="*", resource="*"))},
                resource_policy=policy(trust(ROOT)) if action == "sts:AssumeRole" else None,
                context=base.context,
            )
        ).result
        for action, resource in (
            ("s3:GetObject", "arn:aws:s3:::bucket/key"),
            ("ec2:DescribeInstances", "*"),
            ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/new"),
            ("sts:AssumeRole", OTHER),
        )
    }
    if denied:
        assert results == {"ExplicitlyDenied"}
    elif denied is False:
        assert "Allowed" in results


@pytest.mark.parametrize(
    ("identities", "boundary", "may"),
    [
        ("the module's", "no boundary", False),
        ("broad", "no boundary", True),
        ("all but some actions", "no boundary", True),
        ("broad", "without AssumeRole", False),
        ("a pattern of roles", "no boundary", False),
        ("denied without MFA", "no boundary", False),
    ],
)
def test_whether_it_may_assume_any_role(identities: str, boundary: str, may: bool | None) -> None:
    assert role(TRUSTS["the module's"], IDENTITIES[identities], BOUNDARIES[boundary]).may_assume_any_role() is may


# What a notebook session may do with the role and with notebook instances

POWERS = policy({"Effect": "Allow", "Action": ["sagemaker:*", "iam:*"], "Resource": "*"})
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/teams/s3"
NOTEBOOKS = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:notebook-instance"


def deny(action: Any, resource: Any = "*", **condition: Any) -> Document:
    return {"Effect": "Deny", "Action": action, "Resource": resource} | ({"Condition": condition} if condition else {})


def allow(action: Any, resource: Any = "*", **condition: Any) -> Document:
    return deny(action, resource, **condition) | {"Effect": "Allow"}


POWERED: dict[str, list[Document]] = {
    "nothing": [],
    "everything": [POWERS],
    "not pass itself": [POWERS, policy(deny("iam:PassRole", ARN))],
    "pass to SageMaker": [policy(allow("iam:PassRole", StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"}))],
    "pass to EC2, by a pattern": [policy(allow("iam:PassRole", f"{ARN[:-9]}*", StringLike={"iam:PassedToService": "ec2.*"}))],
    "pass another role": [policy(allow("iam:PassRole", OTHER))],
    "pass at some address": [policy(allow("iam:PassRole", IpAddress={"aws:SourceIp": "203.0.113.0/24"}))],
    "pass to whatever has a tag": [policy(allow("iam:PassRole", StringEquals={"aws:PrincipalTag/team": "a"}))],
    "not with a source identity": [POWERS, policy(deny(["iam:*", "sagemaker:*"], Null={"aws:SourceIdentity": "false"}))],
    "not change instances": [POWERS, policy(deny(["sagemaker:Create*NotebookInstance*", "sagemaker:UpdateNotebookInstance*"]))],
    "change its own instance": [policy(allow("sagemaker:UpdateNotebookInstance", f"{NOTEBOOKS}/alpha"))],
    "not change itself": [POWERS, policy({"Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*", "iam:PassRole", "sts:*"], "Resource": ARN})],
    "not change policies": [POWERS, policy(deny(["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"], f"arn:aws:iam::{ACCOUNT}:policy/*"))],
    "attach one policy": [policy(allow("iam:AttachRolePolicy", ARN, ArnEquals={"iam:PolicyARN": MANAGED}))],
}  # fmt: skip


@pytest.mark.parametrize("boundary", ["no boundary", "wide", "without AssumeRole"])
@pytest.mark.parametrize("source_identity", [None, "alpha"])
@pytest.mark.parametrize("powers", POWERED)
def test_what_the_audit_says_of_the_roles_powers_the_evaluator_says(
    judge: Judge, powers: str, source_identity: str | None, boundary: str
) -> None:
    identities = POWERED[powers]
    asked = replace(role(TRUSTS["the module's"], identities, BOUNDARIES[boundary]), policy_arns=(MANAGED,))
    who = ("alpha", source_identity)
    session = Session(
        account_id=ACCOUNT,
        role_name="team-execution",
        role_path="/data/",
        role_id=ROLE_ID,
        session_name="alpha",
        source_identity=source_identity,
    )

    def said(action: str, resource: str, **keys: str) -> set[bool]:
        return {
            judge.decide(
                Question(
                    principal=session.arn,
                    action=action,
                    resource=resource,
                    resource_account=ACCOUNT,
                    identity_policies={str(number): each for number, each in enumerate(identities)},
                    permissions_boundary=BOUNDARIES[boundary],
                    context={**session.context, **unknown, **keys},
                )
            ).allowed
            for unknown in UNKNOWN
        }

    passed = asked.may_pass_itself(*who)
    for service in ("sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"):
        answer = passed.get(service, False)
        assert answer is None or said("iam:PassRole", ARN, **{"iam:PassedToService": service}) == {answer}, service
    changes = asked.may_change_notebook_instances(*who, "eu-west-1", "team-attribution") | asked.may_change_itself(*who)
    for action, resource in {
        "sagemaker:UpdateNotebookInstance": f"{NOTEBOOKS}/alpha",
        "sagemaker:CreatePresignedNotebookInstanceUrl": f"{NOTEBOOKS}/which-notebook-audit",
        "sagemaker:UpdateNotebookInstanceLifecycleConfig": f"{NOTEBOOKS}-lifecycle-config/team-attribution",
        "iam:PutRolePolicy": ARN,
        "iam:AttachRolePolicy": ARN,
        "iam:UpdateAssumeRolePolicy": ARN,
        "iam:CreatePolicyVersion": MANAGED,
        "iam:SetDefaultPolicyVersion": MANAGED,
    }.items():
        answer = changes.get(action, False)
        assert answer is None or said(action, resource) == {answer}, action


def test_what_it_can_not_tell_of_the_roles_powers_it_does_not_say() -> None:
    def asked(powers: str) -> Role:
        return role(TRUSTS["the module's"], POWERED[powers], None)

    assert asked("everything").may_pass_itself("alpha", None) == dict.fromkeys(
        ("sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"), True
    )
    assert asked("pass to SageMaker").may_pass_itself("alpha", None) == {"sagemaker.amazonaws.com": True}
    assert set(asked("pass at some address").may_pass_itself("alpha", None).values()) == {None}
    assert asked("attach one policy").may_change_itself("alpha", None) == {"iam:AttachRolePolicy": None}
    assert asked("not with a source identity").may_pass_itself("alpha", "alpha") == {}
    assert asked("not with a source identity").may_pass_itself("alpha", None) != {}


def test_names_that_several_policies_list_are_known_and_others_refused() -> None:
    """Each policy lets pass what begins as another's names do: docs/scale.md, many names."""
    lists = {"a": ["ada-1", "alpha"], "b": ["bob-1"], "w": ["walter-1"]}
    denials = [
        assume(
            "Deny", StringNotLike={"sts:RoleSessionName": [*names, *(f"{each}*" for each in lists if each != prefix)]}
        )
        for prefix, names in lists.items()
    ]
    split = Role(
        ARN,
        ROLE_ID,
        read_policy(TRUSTS["the module's"]),
        tuple(map(read_policy, [policy(assume()), *map(policy, denials)])),
    )
    for name in ("ada-1", "alpha", "bob-1", "walter-1"):
        assert split.may_open("SageMaker", name) is True
    for name in ("ada-2", "bob-", "which-notebook-audit-0b9e", "SageMaker", "zoe-1"):
        assert split.may_open("SageMaker", name) is False
