"""Whom else a role's trust policy lets in, beside SageMaker and the role itself."""

from __future__ import annotations

import re

from ...calls.call import BASE_SESSION
from .maybe import Maybe, either, every, opposite
from .patterns import Other, Value
from .policy import Request, Statement
from .role import ASSUME_ROLE, SAGEMAKER, SET_SOURCE_IDENTITY, Role

# What IAM shows in the place of a principal that was deleted; nobody has it any more.
_ID = re.compile(r"A[A-Z]{2}A[A-Z0-9]{8,}")
# Whom a trust policy can name as one and no more: everyone else may be among those that another ARN means.
_ONE = re.compile(r"arn:[^:]*:iam::\d*:(role|user)/.*")

# How others than AWS's own principals come in.
_ASSUMING_ACTIONS = {
    "AWS": (ASSUME_ROLE,),
    "Service": (ASSUME_ROLE,),
    "Federated": ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"),
}


def others_let_in(role: Role, session_name: str, *, with_source_identity: bool = False) -> dict[str, Maybe]:
    """Return whom else the trust policy lets open a session of this name: who, and whether for sure.

    `with_source_identity`: only those that it also lets set a source identity.
    """
    others: dict[str, Maybe] = {}
    if not role.trust.is_whole:
        others["what can't be read"] = None
    own = {role.arn, role.session_arn(BASE_SESSION)}
    for statement in role.trusting(True):
        for kind, who in statement.principals() or [("", "")]:
            if (kind, who) == ("Service", SAGEMAKER) or (kind == "AWS" and (who in own or _ID.fullmatch(who))):
                continue
            answer = _lets_in(role, statement, kind, who, session_name)
            if with_source_identity and answer is not False:
                answer = every((answer, _may_set_source_identity(role, kind, who)))
            if answer is not False:
                label = who or "principals that can't be told"
                others[label] = others.get(label) or answer
    return others


def _lets_in(role: Role, statement: Statement, kind: str, who: str, session_name: str) -> Maybe:
    context = _context(role, kind) | {"sts:rolesessionname": session_name}
    answer = either(
        every((statement.covers(request, in_trust_policy=True), opposite(_is_denied(role, request))))
        for request in (Request(each, role.arn, context) for each in _ASSUMING_ACTIONS.get(kind, (ASSUME_ROLE,)))
    )
    return None if answer and kind not in _ASSUMING_ACTIONS else answer


def _may_set_source_identity(role: Role, kind: str, who: str) -> Maybe:
    request = Request(SET_SOURCE_IDENTITY, role.arn, _context(role, kind))
    allowed = either(
        every((either(_is_among((kind, who), each) for each in named), statement.covers(request, in_trust_policy=True)))
        for statement, named in ((each, each.principals() or [("", "")]) for each in role.trusting(True))
    )
    return every((allowed, opposite(_is_denied(role, request))))


def _is_among(principal: tuple[str, str], named: tuple[str, str]) -> Maybe:
    """Return whether one whom a statement names is among those whom another statement names."""
    if principal == named or named == ("AWS", "*"):
        return True
    if "" not in (principal[0], named[0]) and principal[0] != named[0]:
        return False
    return False if principal[0] != "AWS" or all(_ONE.fullmatch(who) for _, who in (principal, named)) else None


def _context(role: Role, kind: str) -> dict[str, Value]:
    if kind in ("AWS", ""):
        return {"aws:principalarn": Other(role.arn)}
    return {"aws:principalarn": None} if kind == "Service" else {}


def _is_denied(role: Role, request: Request) -> Maybe:
    return either(
        every((_covers_everyone(each), each.covers(request, in_trust_policy=True))) for each in role.trusting(False)
    )


def _covers_everyone(statement: Statement) -> Maybe:
    named = statement.principals()
    return True if named and ("AWS", "*") in named else None
