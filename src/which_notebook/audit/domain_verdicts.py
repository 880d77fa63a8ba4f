"""Judges a Studio domain: whether calls made there carry the user profile's name, and what to change where they don't.

The order of the steps: https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..calls.call import BASE_SESSION
from .changes import Steps
from .domains import DESCRIBE, Domain
from .findings import Effect, Finding
from .iam.maybe import Maybe, either, every, opposite
from .iam.others import others_let_in
from .iam.policy import Policy, Statement
from .iam.role import ASSUME_ROLE, MANAGED_POLICY_CHANGES, ROLE_CHANGES, SAGEMAKER, SET_SOURCE_IDENTITY, Role
from .role_findings import Answer, answer_of
from .verdicts import Verdict
from .weaknesses import other_principals, perhaps, powers

SWITCHED_ON = "USER_PROFILE_NAME"
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
    other_principals_excluded: Answer
    role_changes_refused: Answer
    findings: tuple[Finding, ...]


class _OfRole(Struct, frozen=True):
    """What the policies of a domain's role say: whether SageMaker may set a source identity, and what isn't refused."""

    sets_source_identity: Maybe = None
    works_as_another: dict[str, Maybe] = {}
    others: dict[str, Maybe] = {}
    changes: dict[str, Maybe] = {}


def judge_domain(domain: Domain) -> DomainRow:
    """Judge one Studio domain."""
    role = domain.role
    of_role = _of_role(domain, role) if role else _OfRole()
    findings = tuple(_findings(domain, of_role))
    effects = {each.effect for each in findings}

    def refused(those: dict[str, Maybe]) -> Answer:
        return answer_of(opposite(either(those.values()))) if role else "unchecked"

    return DomainRow(
        studio_domain=domain.domain_id,
        name=domain.name,
        region=domain.region,
        account_id=domain.account_id,
        verdict=next((each for each in _ORDER if each in effects), "attributed"),
        status=domain.status,
        role_arn=domain.role_arn,
        execution_role_identity_config=domain.identity_config,
        source_identity_allowed=answer_of(of_role.sets_source_identity) if role else "unchecked",
        user_profiles_kept_apart=refused(of_role.works_as_another),
        other_principals_excluded=refused(of_role.others),
        role_changes_refused=refused(of_role.changes),
        findings=findings,
    )


def _of_role(domain: Domain, role: Role) -> _OfRole:
    return _OfRole(
        _sets_source_identity(role),
        role.studio_session_may(_on_user_profiles(domain, role)),
        others_let_in(role, BASE_SESSION, with_source_identity=True),
        role.studio_session_may_change_itself(),
    )


def _findings(domain: Domain, of_role: _OfRole) -> Iterator[Finding]:
    for unread in domain.unread:
        yield Finding(
            "unread",
            "unknown",
            f"could not read {unread.what}: {unread.reason}",
            (f"Allow {unread.permission} to whoever runs the audit (which-notebook audit --permissions).",),
        )
    if any(each.permission == DESCRIBE for each in domain.unread):
        return
    is_on, role, allowed = domain.identity_config == SWITCHED_ON, domain.role, of_role.sets_source_identity
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
            f"{perhaps(allowed is not None)}the trust policy of {role.name} doesn't let SageMaker set a source identity, "
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
    if role:
        yield from _weaknesses(domain, role, of_role, partial(_effect, is_on=is_on))
    if domain.takes_shared_spaces:
        yield Finding(
            "shared-spaces",
            "note",
            "its default space settings name a role, so shared spaces can be made in it: calls made there carry nobody's name, "
            "whatever the setting is",
            ("Have people use private spaces where it matters who made a call.",),
        )


def _weaknesses(
    domain: Domain, role: Role, of_role: _OfRole, effect_of: Callable[[Maybe], Effect]
) -> Iterator[Finding]:
    yield from other_principals(
        _shown(domain, of_role.others),
        f"open a session on {role.name} under any user profile's name",
        effect_of,
        partial(_without, role),
    )
    yield from powers(
        "works-as-another",
        of_role.works_as_another,
        f"its users may work under another user profile's name, or switch the names off: {role.name} may {{}}",
        effect_of,
        _deny(role, "keep-user-profiles-apart", [*_OF_USER_PROFILES, _UPDATE_DOMAIN], ["*"]),
    )
    yield from powers(
        "changes-itself",
        _shown(domain, of_role.changes),
        "its users can change the role's own policies ({})",
        effect_of,
        _deny(role, "keep-the-role", [*ROLE_CHANGES, *MANAGED_POLICY_CHANGES], [role.arn, *role.managed_policies()]),
    )


def _effect(is_sure: Maybe, *, is_on: bool) -> Effect:
    """Return how much a weakness of the role counts against the domain: only if its calls carry names."""
    if is_sure is None:
        return "unknown"
    return "weak" if is_on else "note"


def _shown(domain: Domain, answers: dict[str, Maybe]) -> dict[str, Maybe]:
    """Leave out what can't be told because a policy couldn't be read, which is said by itself."""
    return {each: answer for each, answer in answers.items() if answer or not domain.unread}


def _sets_source_identity(role: Role) -> Maybe:
    return every((role.lets_sagemaker_in(), role.lets_sagemaker_in(SET_SOURCE_IDENTITY)))


def _on_user_profiles(domain: Domain, role: Role) -> list[tuple[str, str]]:
    """Return the actions by which a user may work under another user profile's name, or switch the names off."""
    prefix = f"arn:{role.partition}:sagemaker:{domain.region}:{role.account_id}"
    other = f"{prefix}:user-profile/{domain.domain_id}/which-notebook-audit"
    return [*((each, other) for each in _OF_USER_PROFILES), (_UPDATE_DOMAIN, f"{prefix}:domain/{domain.domain_id}")]


def _switch_on(domain: Domain) -> Steps:
    of_domain = f"--domain-id {domain.domain_id}"
    name = domain.role_arn.rsplit("/", 1)[-1] or "the execution role"
    return (
        f"Which other roles users assume from its apps can't be seen here. Before the switch, allow {SET_SOURCE_IDENTITY} beside "
        f"{ASSUME_ROLE} in the trust policy of each of these, and in the policies of {name}, and in those of jobs' own roles: else "
        "their calls there are refused from then on (docs/studio.md).",
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
    mended = _with_trust(role, [_with_source_identity(each) for each in role.trust.statements])
    if mended:
        return (
            f"This adds {SET_SOURCE_IDENTITY} to the trust policy of {role.name}; where Terraform made the role, add it there:",
            _update_trust(mended),
        )
    return (
        f"In the trust policy of {role.name}, allow {ASSUME_ROLE} and {SET_SOURCE_IDENTITY} to the service {SAGEMAKER}, and deny "
        "it neither.",
    )


def _without(role: Role, who: str) -> Steps:
    """Return the steps that take others out of the trust policy; a command only where it is sure to do that."""
    unwanted = others_let_in(role, BASE_SESSION, with_source_identity=True).keys()
    statements = []
    for each in role.trust.statements:
        alone = others_let_in(replace(role, trust=Policy((each,))), BASE_SESSION)
        if each.allows and unwanted & alone.keys():
            if ("Service", SAGEMAKER) not in (each.principals() or ()):
                continue
            each = replace(each, content={**each.content, "Principal": {"Service": SAGEMAKER}})
        statements.append(_with_source_identity(each))
    mended = _with_trust(role, statements)
    if mended and not others_let_in(mended, BASE_SESSION, with_source_identity=True):
        return (
            f"This takes {who} out of the trust policy of {role.name}; whoever needs the role gets {ASSUME_ROLE} there, and no "
            f"{SET_SOURCE_IDENTITY}. Where Terraform made the role, change it there:",
            _update_trust(mended),
        )
    return (f"In the trust policy of {role.name}, don't allow {SET_SOURCE_IDENTITY} to {who}, only to {SAGEMAKER}.",)


def _with_trust(role: Role, statements: Sequence[Statement]) -> Role | None:
    """Return the role with this trust policy, where SageMaker may then set a source identity for sure."""
    mended = replace(role, trust=Policy(tuple(statements)))
    return mended if role.trust.is_whole and _sets_source_identity(mended) is True else None


def _update_trust(role: Role) -> str:
    statements = role.trust.statements
    document = {"Version": statements[0].version, "Statement": [each.content for each in statements]}
    return (
        f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
        f"'{_quoted(json.dumps(document, separators=(',', ':')))}'"
    )


def _with_source_identity(statement: Statement) -> Statement:
    actions: Any = statement.content.get("Action")
    listed = [actions] if isinstance(actions, str) else actions
    if (
        not statement.allows
        or ("Service", SAGEMAKER) not in (statement.principals() or ())
        or not isinstance(listed, list)
        or SET_SOURCE_IDENTITY in listed
    ):
        return statement
    return replace(statement, content={**statement.content, "Action": [*listed, SET_SOURCE_IDENTITY]})


def _deny(role: Role, name: str, actions: Sequence[str], resources: Sequence[str]) -> Steps:
    statement = {"Effect": "Deny", "Action": actions, "Resource": resources}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    return (
        f"Deny it to {role.name}, unless the domain's administrators use this role, too; where Terraform made the role, there:",
        f"aws iam put-role-policy --role-name {role.name} --policy-name {name} --policy-document '{_quoted(document)}'",
    )


def _quoted(text: str) -> str:
    """Return what stands between single quotes of a shell."""
    return text.replace("'", "'\\''")
