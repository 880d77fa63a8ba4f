"""Judges a Studio domain: whether calls made there carry the user profile's name, and what to change where they don't.

The order of the steps: https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .changes import Steps
from .domains import DESCRIBE, Domain
from .findings import Effect, Finding
from .iam.maybe import Maybe, either, every, opposite
from .iam.policy import Policy, Statement
from .iam.role import ASSUME_ROLE, SET_SOURCE_IDENTITY, Role
from .role_findings import Answer, answer_of
from .verdicts import Verdict

SWITCHED_ON = "USER_PROFILE_NAME"
_SERVICE = "sagemaker.amazonaws.com"
# By these one works under another user profile's name, and by the last one switches all names off.
_OF_USER_PROFILES = (
    "sagemaker:CreatePresignedDomainUrl",
    "sagemaker:CreateUserProfile",
    "sagemaker:UpdateUserProfile",
)
_UPDATE_DOMAIN = "sagemaker:UpdateDomain"
_ORDER: tuple[Verdict, ...] = ("broken", "not-attributed", "unknown", "weak")


class DomainRow(Struct, frozen=True, kw_only=True):
    """What the audit says of one Studio domain."""

    studio_domain: str
    name: str
    region: str
    account_id: str
    verdict: Verdict
    status: str
    role_arn: str
    execution_role_identity_config: str | None
    source_identity_allowed: Answer
    user_profiles_kept_apart: Answer
    findings: tuple[Finding, ...]


def judge_domain(domain: Domain) -> DomainRow:
    """Judge one Studio domain."""
    role = domain.role
    allowed = _sets_source_identity(role) if role else None
    powers = _powers(domain, role) if role else {}
    apart = opposite(either(powers.values()))
    findings = tuple(_findings(domain, allowed, powers))
    effects = {each.effect for each in findings}
    return DomainRow(
        studio_domain=domain.domain_id,
        name=domain.name,
        region=domain.region,
        account_id=domain.account_id,
        verdict=next((each for each in _ORDER if each in effects), "attributed"),
        status=domain.status,
        role_arn=domain.role_arn,
        execution_role_identity_config=domain.identity_config,
        source_identity_allowed=answer_of(allowed) if role else "unchecked",
        user_profiles_kept_apart=answer_of(apart) if role else "unchecked",
        findings=findings,
    )


def _findings(domain: Domain, allowed: Maybe, powers: Mapping[str, Maybe]) -> Iterator[Finding]:
    for unread in domain.unread:
        yield Finding(
            "unread",
            "unknown",
            f"could not read {unread.what}: {unread.reason}",
            (f"Allow {unread.permission} to whoever runs the audit (which-notebook audit --permissions).",),
        )
    if any(each.permission == DESCRIBE for each in domain.unread):
        return
    is_on, role, name = domain.identity_config == SWITCHED_ON, domain.role, domain.role_arn.rsplit("/", 1)[-1]
    if not domain.has_role or not domain.role_arn:
        yield Finding(
            "role-missing",
            "broken",
            f"its role {domain.role_arn} doesn't exist" if domain.role_arn else "it names no execution role",
            ("Give the domain an execution role that exists, in its default user settings.",),
        )
    if role and allowed is not True:
        # While it is switched off nothing needs that; then it is the first step.
        effect: Effect = "note" if not is_on else "unknown" if allowed is None else "broken"
        yield Finding(
            "no-set-source-identity",
            effect,
            f"{'perhaps ' if allowed is None else ''}the trust policy of {role.name} doesn't let SageMaker set a source identity, "
            f"{'without which apps and jobs are refused' if is_on else 'which has to be mended before names are switched on'}",
            _trust_change(role),
        )
    if not is_on:
        yield Finding(
            "user-profile-names-off",
            "not-attributed",
            f"calls made in its apps carry no user profile's name: ExecutionRoleIdentityConfig is {domain.identity_config}",
            _switch_on(domain),
        )
    if role and powers:
        is_sure = True in powers.values()
        yield Finding(
            "works-as-another",
            "weak" if is_sure else "unknown",
            f"{'' if is_sure else 'perhaps '}its users may work under another user profile's name, or switch the names off: {name} "
            f"may {', '.join(powers)}",
            _deny(role),
        )
    if domain.has_shared_spaces:
        yield Finding(
            "shared-spaces",
            "note",
            "calls made in its shared spaces carry nobody's name, whatever the setting is",
            ("Have people use private spaces where it matters who made a call.",),
        )


def _sets_source_identity(role: Role) -> Maybe:
    return every((role.lets_sagemaker_in(), role.lets_sagemaker_in(SET_SOURCE_IDENTITY)))


def _powers(domain: Domain, role: Role) -> dict[str, Maybe]:
    """Return the actions by which a user may work under another user profile's name, or switch the names off."""
    prefix = f"arn:{role.partition}:sagemaker:{domain.region}:{role.account_id}"
    other = f"{prefix}:user-profile/{domain.domain_id}/which-notebook-audit"
    asked = [*((each, other) for each in _OF_USER_PROFILES), (_UPDATE_DOMAIN, f"{prefix}:domain/{domain.domain_id}")]
    answers = {action: role.studio_session_may(action, resource) for action, resource in asked}
    return {action: answer for action, answer in answers.items() if answer is not False}


def _switch_on(domain: Domain) -> Steps:
    of_domain = f"--domain-id {domain.domain_id}"
    return (
        "End the domain's apps first: the setting can be changed only while none of them is InService or Pending. To list them:",
        f"aws sagemaker list-apps --domain-id-equals {domain.domain_id} --region {domain.region}",
        f'Where Terraform made the domain, set execution_role_identity_config = "{SWITCHED_ON}" in its domain_settings, and apply. '
        "Elsewhere:",
        f"aws sagemaker update-domain {of_domain} --domain-settings-for-update ExecutionRoleIdentityConfig={SWITCHED_ON} "
        f"--region {domain.region}",
        "Apps that are started from then on carry the names.",
    )


def _trust_change(role: Role) -> Steps:
    """Return the steps that let SageMaker set a source identity; a command only where it is sure to do that."""
    statements = tuple(_with_source_identity(each) for each in role.trust.statements)
    if role.trust.is_whole and _sets_source_identity(replace(role, trust=Policy(statements))) is True:
        document = {"Version": statements[0].version, "Statement": [each.content for each in statements]}
        return (
            f"This adds {SET_SOURCE_IDENTITY} to the trust policy of {role.name}; where Terraform made the role, add it there:",
            f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
            f"'{_quoted(json.dumps(document, separators=(',', ':')))}'",
        )
    return (
        f"In the trust policy of {role.name}, allow {ASSUME_ROLE} and {SET_SOURCE_IDENTITY} to the service {_SERVICE}, and deny "
        "it neither.",
    )


def _with_source_identity(statement: Statement) -> Statement:
    actions: Any = statement.content.get("Action")
    listed = [actions] if isinstance(actions, str) else actions
    if (
        not statement.allows
        or ("Service", _SERVICE) not in (statement.principals() or ())
        or not isinstance(listed, list)
    ):
        return statement
    return replace(statement, content={**statement.content, "Action": [*listed, SET_SOURCE_IDENTITY]})


def _deny(role: Role) -> Steps:
    statement = {"Effect": "Deny", "Action": [*_OF_USER_PROFILES, _UPDATE_DOMAIN], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    return (
        f"Deny it to {role.name}, unless the domain's administrators use this role, too; where Terraform made the role, there:",
        f"aws iam put-role-policy --role-name {role.name} --policy-name keep-user-profiles-apart --policy-document '{document}'",
    )


def _quoted(text: str) -> str:
    """Return what stands between single quotes of a shell."""
    return text.replace("'", "'\\''")
