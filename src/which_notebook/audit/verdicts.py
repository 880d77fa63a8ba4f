"""Judges a notebook instance: the verdict that follows from what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from .account import Account, Instance
from .changes import Changes
from .findings import Finding, InstanceFindings
from .role_findings import Answer, RoleFindings, answer_of
from .script.recognise import Script, recognise

Verdict = Literal["enforced", "attributed", "weak", "unknown", "not-attributed", "broken"]
VERDICTS: tuple[Verdict, ...] = ("enforced", "attributed", "weak", "unknown", "not-attributed", "broken")
"""The best first."""

# Of the trust policy: the module refuses a role whose trust policy isn't right, and other changes give the role to it.
_TO_MEND_FIRST = ("sagemaker-not-trusted", "no-self-trust", "notebook-sessions", "other-principals")


class Row(Struct, frozen=True, kw_only=True):
    """What the audit says of one notebook instance."""

    notebook: str
    region: str
    account_id: str
    verdict: Verdict
    status: str
    role_arn: str
    lifecycle_configuration: str | None
    script: str
    script_version: str | None
    attribution_mode: str | None
    root_access: Answer
    minimum_metadata_version: str | None
    platform: str | None
    can_open_own_session: Answer
    other_names_refused: Answer
    notebook_sessions_excluded: Answer
    other_principals_excluded: Answer
    unattributed_calls_denied: Answer
    passing_itself_refused: Answer
    notebook_instance_changes_refused: Answer
    role_changes_refused: Answer
    findings: tuple[Finding, ...]


def judge(account: Account) -> list[Row]:
    """Return a row for each notebook instance."""
    lifecycle_names: dict[tuple[str, str], str] = {}
    for each in account.instances:
        script = _script(each)
        if (
            script.kind == "module"
            and script.role_arn == each.role_arn
            and not script.exposures
            and each.lifecycle_name
        ):
            lifecycle_names.setdefault((each.region, each.role_arn), each.lifecycle_name)
    names: dict[tuple[str, str], list[str]] = {}
    for each in account.instances:
        names.setdefault((each.region, each.role_arn), []).append(each.name)
    return [
        judge_instance(
            each,
            lifecycle_names.get((each.region, each.role_arn)),
            names[each.region, each.role_arn],
        )
        for each in account.instances
    ]


def judge_instance(instance: Instance, lifecycle_name: str | None = None, others: Sequence[str] = ()) -> Row:
    """Judge one notebook instance.

    `lifecycle_name` is a lifecycle configuration of the module's that would fit it; `others` are the names of its
    role's notebook instances in its region.
    """
    script = _script(instance)
    changes = Changes(instance, lifecycle_name)
    of_role = RoleFindings(instance, script, changes, others)
    findings = tuple(
        sorted(_findings(instance, script, changes, of_role), key=lambda each: each.code not in _TO_MEND_FIRST)
    )
    return Row(
        notebook=instance.name,
        region=instance.region,
        account_id=instance.account_id,
        verdict=_verdict(findings, script, instance),
        status=instance.status,
        role_arn=instance.role_arn,
        lifecycle_configuration=instance.lifecycle_name,
        script=script.kind,
        script_version=script.version,
        attribution_mode=script.mode,
        root_access=answer_of(instance.root_access) if instance.status else "unchecked",
        minimum_metadata_version=instance.metadata_version,
        platform=instance.platform,
        findings=findings,
        **of_role.answers,
    )


def _findings(instance: Instance, script: Script, changes: Changes, of_role: RoleFindings) -> Iterator[Finding]:
    of_instance = InstanceFindings(instance, script, changes)
    yield from of_instance.of_reading()
    if not instance.status:
        return
    yield from of_instance.of_script()
    yield from of_instance.of_name()
    yield from of_instance.of_settings()
    if instance.role:
        yield from of_role.of(instance.role)


def permits_verdict(verdict: Verdict, fail_on: Verdict) -> bool:
    """Return whether a verdict is better than the one that isn't wanted; what is unknown may be any."""
    return verdict != "unknown" and VERDICTS.index(verdict) < VERDICTS.index(fail_on)


def _verdict(findings: tuple[Finding, ...], script: Script, instance: Instance) -> Verdict:
    effects = {each.effect for each in findings}
    for effect in ("broken", "not-attributed", "unknown", "weak"):
        if effect in effects:
            return effect
    passes_itself = any(each.code == "passes-itself" for each in findings)
    is_closed = (
        script.mode == "imds" and not script.starts_without and instance.root_access is False and not passes_itself
    )
    return "enforced" if is_closed else "attributed"


def _script(instance: Instance) -> Script:
    if instance.lifecycle_name is None and instance.status:
        return Script("none")
    if instance.lifecycle is None:
        return Script("undecided")
    if instance.lifecycle.on_start is None:
        return Script("none")
    return recognise(instance.lifecycle.on_start)
