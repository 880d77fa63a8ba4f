"""Roles by their policies: what the audit's reading and the evaluator are both asked about, in all combinations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from emulator.judge import Judge, Question, Session

from which_notebook.audit.iam.policy import read_policy
from which_notebook.audit.iam.role import Role

ACCOUNT = "111122223333"
ARN = f"arn:aws:iam::{ACCOUNT}:role/data/team-execution"
ROLE_ID = "AROAEXAMPLEROLEID1234"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SESSIONS = f"arn:aws:sts::{ACCOUNT}:assumed-role/team-execution"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"

Document = dict[str, Any]


def policy(*statements: Document, version: str = "2012-10-17") -> Document:
    """Return a policy of these statements."""
    return {"Version": version, "Statement": list(statements)}


def trust(principal: Any = ROOT, effect: Any = "Allow", action: Any = "sts:AssumeRole", **condition: Any) -> Document:
    """Return a statement of a trust policy."""
    given = {"AWS": principal} if isinstance(principal, (str, list)) and principal != "*" else principal
    return {"Effect": effect, "Principal": given, "Action": action} | ({"Condition": condition} if condition else {})


def assume(effect: Any = "Allow", resource: Any = ARN, action: Any = "sts:AssumeRole", **condition: Any) -> Document:
    """Return a statement about assuming a role."""
    return {"Effect": effect, "Action": action, "Resource": resource} | ({"Condition": condition} if condition else {})


SAGEMAKER = trust({"Service": "sagemaker.amazonaws.com"})
BOTH = ["sts:AssumeRole", "sts:SetSourceIdentity"]
OWN = {"StringEquals": {"aws:PrincipalArn": ARN}, "StringLike": {"aws:userid": "*:SageMaker"}}

TRUSTS: dict[str, Document] = {
    "service only": policy(SAGEMAKER),
    "the module's": policy(SAGEMAKER, trust(**OWN)),
    "the module's in imds mode": policy(SAGEMAKER, trust(action=BOTH, **OWN)),
    "the recipe's": policy(SAGEMAKER, trust()),
    "the account's number": policy(trust(ACCOUNT)),
    "the role's ARN": policy(trust(ARN)),
    "the base session's ARN": policy(trust(f"{SESSIONS}/SageMaker")),
    "a notebook session's ARN": policy(trust([OTHER, f"{SESSIONS}/alpha"])),
    "another role's ARN": policy(trust(OTHER)),
    "everyone": policy(trust("*")),
    "everyone of AWS": policy(trust({"AWS": "*"})),
    "everyone of the organisation": policy(trust("*", StringEquals={"aws:PrincipalOrgID": "o-example"})),
    "everything that STS knows": policy(trust(action="sts:*")),
    "another action": policy(trust(action="sts:TagSession")),
    "all but one action": policy({"Effect": "Allow", "Principal": {"AWS": ROOT}, "NotAction": "sts:TagSession"}),
    "all but one principal": policy({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}),
    "another account's root": policy(trust("arn:aws:iam::444455556666:root")),
    "its ARN as a pattern": policy(trust(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*/team-*"})),
    "an ARN's pattern over a colon": policy(trust(ArnLike={"aws:PrincipalArn": "arn:aws:*role/data/team-execution"})),
    "another ARN in the condition": policy(trust(ArnEquals={"aws:PrincipalArn": OTHER})),
    "an address": policy(trust(IpAddress={"aws:SourceIp": "203.0.113.0/24"})),
    "a tag": policy(trust(StringEquals={"aws:PrincipalTag/team": "a"})),
    "an external id": policy(trust(StringEquals={"sts:ExternalId": "secret"})),
    "no external id": policy(trust(Null={"sts:ExternalId": "true"})),
    "an external id, if there is one": policy(trust(StringEqualsIfExists={"sts:ExternalId": "secret"})),
    "its own name by a variable": policy(trust(StringLike={"aws:userid": "*:${sts:RoleSessionName}"})),
    "a variable in an old policy": policy(
        trust(StringLike={"aws:userid": "*:${sts:RoleSessionName}"}), version="2008-10-17"
    ),
    "any name by a variable": policy(trust(StringEquals={"sts:RoleSessionName": "${sts:RoleSessionName}"})),
    "any name by a variable in an old policy": policy(
        trust(StringEquals={"sts:RoleSessionName": "${sts:RoleSessionName}"}), version="2008-10-17"
    ),
    "a name": policy(trust(StringEquals={"sts:RoleSessionName": ["alpha", "beta"]})),
    "a name in any case": policy(trust(StringEqualsIgnoreCase={"sts:RoleSessionName": "ALPHA"})),
    "no other name": policy(trust(StringNotEquals={"sts:RoleSessionName": "beta"})),
    "a name's prefix": policy(trust(StringLike={"sts:RoleSessionName": "a?p*"})),
    "a name with a wildcard for itself": policy(trust(StringLike={"sts:RoleSessionName": "al${*}"})),
    "a source identity": policy(trust(action=BOTH, StringLike={"sts:SourceIdentity": "*"})),
    "denied to notebook sessions": policy(
        trust(), trust("*", effect="Deny", StringNotLike={"aws:userid": "*:SageMaker"})
    ),
    "denied to another role": policy(trust(), trust(OTHER, effect="Deny")),
    "denied to all but one": policy(
        trust(), {"Effect": "Deny", "NotPrincipal": {"AWS": [ARN, ROOT]}, "Action": "sts:AssumeRole"}
    ),
    "denied to the role": policy(trust(), trust(ARN, effect="Deny")),
    "denied from outside": policy(
        trust(), trust("*", effect="Deny", StringNotEquals={"aws:PrincipalOrgID": "o-example"})
    ),
}

IDENTITIES: dict[str, list[Document]] = {
    "none": [],
    "the recipe's": [policy(assume())],
    "the module's": [policy(assume(), assume("Deny", StringNotLike={"sts:RoleSessionName": ["alpha", "team-*"]}))],
    "the module's in imds mode": [
        policy(
            assume(action=BOTH),
            assume("Deny", StringNotLike={"sts:RoleSessionName": ["alpha", "beta"]}),
            assume("Deny", StringNotEquals={"sts:SourceIdentity": "${sts:RoleSessionName}"}),
        )
    ],
    "the module's in both modes": [
        policy(
            assume(action=BOTH),
            assume("Deny", StringNotLike={"sts:RoleSessionName": ["alpha", "beta"]}),
            assume(
                "Deny",
                Null={"sts:SourceIdentity": "false"},
                StringNotEquals={"sts:SourceIdentity": "${sts:RoleSessionName}"},
            ),
            assume("Deny", Null={"aws:SourceIdentity": "false"}),
        )
    ],
    "without its name": [policy(assume(), assume("Deny", StringNotLike={"sts:RoleSessionName": ["beta"]}))],
    "with no names": [policy(assume(), assume("Deny"))],
    "broad": [policy(assume(action="sts:*", resource="*"))],
    "all actions on all": [policy(assume(action="*", resource="*"))],
    "all but some actions": [policy({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"})],
    "all but AssumeRole": [policy({"Effect": "Allow", "NotAction": "sts:Assume*", "Resource": "*"})],
    "all but some resources": [policy({"Effect": "Allow", "Action": "sts:*", "NotResource": OTHER})],
    "all roles but itself": [policy({"Effect": "Allow", "Action": "sts:*", "NotResource": ARN})],
    "a pattern of roles": [policy(assume(resource=f"arn:aws:iam::{ACCOUNT}:role/data/*"))],
    "a pattern of others": [policy(assume(resource=f"arn:aws:iam::{ACCOUNT}:role/admin-*"))],
    "a pattern over a colon": [policy(assume(resource="arn:aws:iam:*team-execution"))],
    "a pattern of accounts": [policy(assume(resource="arn:*:iam::*:role/data/team-execution"))],
    "without its path": [policy(assume(resource=f"arn:aws:iam::{ACCOUNT}:role/team-execution"))],
    "a variable": [policy(assume(resource=f"arn:aws:iam::{ACCOUNT}:role/data/${{aws:PrincipalTag/team}}"))],
    "an action in capitals": [policy(assume(action="STS:assumerole"))],
    "a name in the Allow": [policy(assume(StringEquals={"sts:RoleSessionName": "alpha"}))],
    "a date": [policy(assume(DateLessThan={"aws:CurrentTime": "2020-01-01T00:00:00Z"}))],
    "denied without MFA": [policy(assume(), assume("Deny", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}))],
    "denied to the base session": [
        policy(assume()),
        policy(assume("Deny", action="*", resource="*", StringLike={"aws:userid": "*:SageMaker"})),
    ],
    "denied elsewhere": [
        policy(assume(), assume("Deny", resource="*", StringNotEquals={"aws:RequestedRegion": "eu-west-1"}))
    ],
    "several values of one": [policy(assume(**{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}))],
}

BOUNDARIES: dict[str, Document | None] = {
    "no boundary": None,
    "wide": policy(assume(action="*", resource="*")),
    "without AssumeRole": policy(assume(action="s3:*", resource="*")),
    "with a Deny": policy(assume(action="*", resource="*"), assume("Deny", resource="*")),
    "for a name": policy(assume(StringLike={"sts:RoleSessionName": "alpha"})),
}

# What a request might hold of the keys that the audit doesn't know.
UNKNOWN: list[dict[str, str]] = [
    {"aws:SourceIp": "203.0.113.9", "aws:PrincipalOrgID": "o-example", "aws:PrincipalTag/team": "a",
     "aws:RequestedRegion": "eu-west-1", "aws:MultiFactorAuthPresent": "true", "aws:CurrentTime": "2019-05-01T00:00:00Z"},
    {"aws:SourceIp": "198.51.100.1", "aws:PrincipalOrgID": "o-another", "aws:PrincipalTag/team": "team-execution",
     "aws:RequestedRegion": "us-east-1", "aws:MultiFactorAuthPresent": "false", "aws:CurrentTime": "2026-05-01T00:00:00Z"},
    {"aws:RequestedRegion": "us-east-1", "aws:CurrentTime": "2026-05-01T00:00:00Z"},
]  # fmt: skip

QUESTIONS: list[tuple[str, str, str | None]] = [
    ("SageMaker", "alpha", None),
    ("SageMaker", "alpha", "alpha"),
    ("SageMaker", "gamma", None),
    ("SageMaker", "SageMaker", None),
    ("alpha", "alpha", None),
    ("alpha", "beta", "alpha"),
]


def role(trusts: Document, identities: list[Document], boundary: Document | None) -> Role:
    """Return the role as the audit reads it."""
    return Role(
        ARN,
        ROLE_ID,
        read_policy(trusts),
        tuple(map(read_policy, identities)),
        read_policy(boundary) if boundary else None,
    )


def judged(
    judge: Judge,
    trusts: Document,
    identities: list[Document],
    boundary: Document | None,
    question: tuple[str, str, str | None],
) -> set[bool]:
    """Return what the evaluator says, for each value of the unknown keys."""
    caller, name, source_identity = question
    session = Session(
        account_id=ACCOUNT, role_name="team-execution", role_path="/data/", role_id=ROLE_ID, session_name=caller
    )
    actions = ["sts:AssumeRole"] + (["sts:SetSourceIdentity"] if source_identity else [])
    answers = set()
    for unknown in UNKNOWN:
        context = {**session.context, **unknown, "sts:RoleSessionName": name}
        if source_identity:
            context["sts:SourceIdentity"] = source_identity
        answers.add(
            all(
                judge.decide(
                    Question(
                        principal=session.arn,
                        action=action,
                        resource=ARN,
                        resource_account=ACCOUNT,
                        identity_policies={str(number): each for number, each in enumerate(identities)},
                        permissions_boundary=boundary,
                        resource_policy=trusts,
                        context=context,
                    )
                ).allowed
                for action in actions
            )
        )
    return answers


def combinations() -> Iterator[tuple[str, str, str]]:
    """Every trust policy with the usual identity policies, and the other way round; boundaries with the usual of both."""
    usual_trusts = ("the module's", "the recipe's", "the role's ARN", "the base session's ARN", "everyone")
    usual_identities = ("none", "the recipe's", "the module's", "the module's in both modes")
    yield from itertools.product(TRUSTS, usual_identities, ["no boundary"])
    yield from itertools.product(usual_trusts[:3], IDENTITIES, ["no boundary"])
    yield from itertools.product((*usual_trusts, "the module's in imds mode"), usual_identities, list(BOUNDARIES)[1:])
