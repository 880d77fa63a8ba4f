"""Which trust policies of an existing role are taken, and what is said of the others: all in one plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from calls import write_cases
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import Outcome, Workspace

from .test_plan import ACCOUNT, ROOT, SELF, SELF_TRUST, TRUSTS_ALL, WITHOUT_SOURCE_IDENTITY

ITSELF = "doesn't let the role assume itself"
APART = "can call under another's name"
UNJUDGED = "that the module can't judge"
BASE = {"aws:userid": "*:SageMaker"}
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/shared"
ORGANISATION = {"StringNotEquals": {"aws:PrincipalOrgID": "o-0a"}}


def self_trust(**changed: Any) -> dict[str, Any]:
    return SELF_TRUST | changed


def like(userid: Any, operator: str = "StringLike", key: str = "aws:userid", arn: Any = SELF) -> dict[str, Any]:
    return self_trust(Condition={"StringEquals": arn, operator: {key: userid}})


# The statements beside SageMaker's, and what the errors say. The role is called `shared` here; each case has its own.
Cases = dict[str, tuple[list[dict[str, Any]], list[str]]]
PROFILE: Cases = {
    "the module's": ([SELF_TRUST], []),
    "operators and keys in another case": (
        [self_trust(Condition={"stringEquals": {"AWS:principalarn": SELF["aws:PrincipalArn"]}, "STRINGLIKE": {"aws:UserId": "*:SageMaker"}})],
        [],
    ),
    "an action in another case": ([self_trust(Action="STS:assumerole")], []),
    "a base session of another case": ([like("*:sagemaker")], [ITSELF, APART]),
    "a base session of another case beside the right one": ([SELF_TRUST, like("*:SAGEMAKER")], [APART]),
    "a role's ARN in another case": ([like("*:SageMaker", arn={"aws:PrincipalArn": SELF["aws:PrincipalArn"].replace("shared", "Shared")})], [ITSELF]),
    "the base session compared without case": ([like("*:SageMaker", "StringEqualsIgnoreCase")], [ITSELF, APART]),
    "the base session or any": ([like(["*:SageMaker", "*"])], [ITSELF, APART]),
    "an action by a wildcard": ([self_trust(Action="sts:Assume*")], []),
    "an action by wildcards without the base session": ([SELF_TRUST, TRUSTS_ALL | {"Action": "sts:?ssumeRol*"}], [APART]),
    "an action by a wildcard that is another": ([SELF_TRUST, TRUSTS_ALL | {"Action": "sts:AssumeRoleWith*"}], []),
    "a colleague's session": ([SELF_TRUST, {"Effect": "Allow", "Principal": {"AWS": f"{SESSION}/colleague"}, "Action": "sts:AssumeRole"}], [APART]),
    "the base session by its ARN": ([SELF_TRUST, {"Effect": "Allow", "Principal": {"AWS": [f"{SESSION}/SageMaker"]}, "Action": "sts:AssumeRole"}], []),
    "another role's session": ([SELF_TRUST, {"Effect": "Allow", "Principal": {"AWS": f"{SESSION}-2/colleague"}, "Action": "sts:AssumeRole"}], []),
    "a Deny": ([SELF_TRUST, {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": ORGANISATION}], [UNJUDGED]),
    "a NotAction": ([SELF_TRUST, {"Effect": "Allow", "Principal": ROOT, "NotAction": "sts:TagSession"}], [UNJUDGED]),
    "a NotPrincipal": ([SELF_TRUST, {"Effect": "Deny", "NotPrincipal": ROOT, "Action": "sts:AssumeRole"}], [UNJUDGED]),
    "a NotPrincipal that is allowed": ([SELF_TRUST, {"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "sts:*"}], [UNJUDGED]),
    "a NotResource": ([SELF_TRUST, TRUSTS_ALL | {"NotResource": "*"}], [APART, UNJUDGED]),
    "only a Deny": ([self_trust(Effect="Deny")], [ITSELF, UNJUDGED]),
    "without the source identity": ([WITHOUT_SOURCE_IDENTITY], []),
    "the account by its number, and session tags": ([self_trust(Principal={"AWS": ACCOUNT}, Action=["sts:TagSession", "sts:AssumeRole"])], []),
    "the role by ArnEquals": ([self_trust(Condition={"ArnEquals": SELF, "StringLike": {"aws:userid": ["*:SageMaker"]}})], []),
    "only session tags": ([self_trust(Action="sts:TagSession")], [ITSELF]),
    "another account": ([self_trust(Principal={"AWS": "arn:aws:iam::444455556666:root"})], [ITSELF]),
    "the role under another path": ([self_trust(Condition={"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/shared"}})], [ITSELF, APART]),
    "with multi-factor authentication": ([self_trust(Condition={"StringEquals": SELF, "Bool": {"aws:MultiFactorAuthPresent": "true"}})], [ITSELF, APART]),
    "the whole account": ([TRUSTS_ALL], [APART]),
    "anyone with the role's ARN": ([{"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": {"StringEquals": SELF}}], [APART]),
}  # fmt: skip
# In imds mode the source identity has to be allowed, too.
IMDS: Cases = {
    "the module's": ([SELF_TRUST], []),
    "in two statements": ([WITHOUT_SOURCE_IDENTITY, self_trust(Action="sts:SetSourceIdentity")], []),
    "all of STS": ([self_trust(Action="sts:*")], []),
    "without the source identity": ([WITHOUT_SOURCE_IDENTITY], [ITSELF]),
    "with the source identity denied": ([WITHOUT_SOURCE_IDENTITY, self_trust(Effect="Deny")], [ITSELF, UNJUDGED]),
    "one source identity alone": ([WITHOUT_SOURCE_IDENTITY, self_trust(Action="sts:SetSourceIdentity", Condition={"StringEquals": {"sts:SourceIdentity": "one"}})], [ITSELF]),
    "nothing": ([], [ITSELF]),
}  # fmt: skip
CASES = {(mode, case): given for mode, cases in (("profile", PROFILE), ("imds", IMDS)) for case, given in cases.items()}
ROLES = {case: f"trust-{number}" for number, case in enumerate(CASES)}
Case = tuple[str, str]


@pytest.fixture(scope="module")
def roles(emulator: Emulator) -> Iterator[dict[Case, str]]:
    """The ARN of a role with each case's trust policy."""
    iam = emulator.client("iam")
    arns = {}
    for case, (statements, _) in CASES.items():
        document = policy_document(SAGEMAKER_ASSUMES, *statements)
        for place in ("role/service-role/", "role/"):
            document = document.replace(f"{place}shared", f"{place}{ROLES[case]}")
            document = document.replace(f"{place}Shared", f"{place}{ROLES[case].title()}")
        role = iam.create_role(RoleName=ROLES[case], Path="/service-role/", AssumeRolePolicyDocument=document)
        arns[case] = role["Role"]["Arn"]
    yield arns
    for name in ROLES.values():
        iam.delete_role(RoleName=name)


def judged(emulator: Emulator, folder: Any, roles: dict[Case, str], **given: Any) -> Outcome:
    cases = {
        ROLES[mode, case]: {"name": "team", "create_role": False, "role_arn": arn, "attribution_mode": mode, **given}
        for (mode, case), arn in roles.items()
    }
    return Workspace(folder, root=write_cases(folder, cases), environment=emulator.environment()).plan()


@pytest.fixture(scope="module")
def errors(emulator: Emulator, roles: dict[Case, str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    outcome = judged(emulator, tmp_path_factory.mktemp("trust"), roles, notebook_instances={"one": {}})
    assert outcome.warnings == []
    return outcome.errors


@pytest.fixture(scope="module")
def accepted(emulator: Emulator, roles: dict[Case, str], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return judged(emulator, tmp_path_factory.mktemp("accepted"), roles, verify_role_trust=False)


@pytest.mark.parametrize(("mode", "case"), CASES)
def test_a_trust_policy_is_refused_for_what_is_wrong_with_it_or_cannot_be_judged(
    errors: list[str], roles: dict[Case, str], mode: str, case: str
) -> None:
    said = [error for error in errors if f"policy of {roles[mode, case]} " in error]
    assert sorted(text for text in (ITSELF, APART, UNJUDGED) for error in said if text in error) == sorted(
        CASES[mode, case][1]
    ), said
    assert all("set verify_role_trust = false" in error for error in said)
    assert all((f"{ITSELF} with a source identity" in error) is (mode == "imds") for error in said if ITSELF in error)


def test_nothing_else_is_said(errors: list[str]) -> None:
    assert len(errors) == sum(len(expected) for _, expected in CASES.values()), errors


def test_what_the_owner_has_judged_is_a_warning(accepted: Outcome) -> None:
    assert accepted.errors == []
    assert len(accepted.warnings) == sum(len(expected) for _, expected in CASES.values())
