"""Judges a notebook instance: what is wrong with it, what to change, and the verdict that follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from ..record import BASE_SESSION
from .account import Account, Instance
from .maybe import Maybe, either, opposite
from .role import Role
from .scripts import Script, recognise

Verdict = Literal["enforced", "attributed", "weak", "unknown", "not-attributed", "broken"]
VERDICTS: tuple[Verdict, ...] = ("enforced", "attributed", "weak", "unknown", "not-attributed", "broken")
"""The best first."""

Answer = Literal["yes", "no", "undecided", "unchecked"]

# What stands in the way of `enforced` is a note; other notes change nothing.
Effect = Literal["note", "weak", "unknown", "not-attributed", "broken"]

# A name that no list of names holds, and another that no notebook instance can have.
_UNLISTED_NAMES = ("which-notebook-audit-0b9e", "which_notebook+audit")
# Neither can be created or started any more: the first since 2022, the second since 1 July 2026.
_ENDED_PLATFORMS = {"notebook-al1": "Amazon Linux 1", "notebook-al2-": "Amazon Linux 2"}
_PLATFORM = "notebook-al2023-v1"


class Finding(Struct, frozen=True):
    """Something to change: a code for programs, the problem, and the argument or command that mends it."""

    code: str
    effect: Effect
    problem: str
    change: str


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
    findings: tuple[Finding, ...]


def judge(account: Account) -> list[Row]:
    """Return a row for each notebook instance."""
    return [judge_instance(each) for each in account.instances]


def judge_instance(instance: Instance) -> Row:
    """Judge one notebook instance."""
    script = _script(instance)
    judged = _Judged(instance, script)
    findings = tuple(judged.findings())
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
        root_access=_answer(instance.root_access) if instance.status else "unchecked",
        minimum_metadata_version=instance.metadata_version,
        platform=instance.platform,
        findings=findings,
        **judged.answers,
    )


def permits_verdict(verdict: Verdict, fail_on: Verdict) -> bool:
    """Return whether a verdict is better than the one that isn't wanted; what is unknown may be any."""
    return verdict != "unknown" and VERDICTS.index(verdict) < VERDICTS.index(fail_on)


def _verdict(findings: tuple[Finding, ...], script: Script, instance: Instance) -> Verdict:
    effects = {each.effect for each in findings}
    for effect in ("broken", "not-attributed", "unknown", "weak"):
        if effect in effects:
            return effect
    is_closed = script.mode == "imds" and not script.starts_without and instance.root_access is False
    return "enforced" if is_closed else "attributed"


def _script(instance: Instance) -> Script:
    if instance.lifecycle_name is None and instance.status:
        return Script("none")
    if instance.lifecycle is None:
        return Script("undecided")
    if instance.lifecycle.on_start is None:
        return Script("none")
    return recognise(instance.lifecycle.on_start)


class _Judged:
    """What speaks against an instance; `answers` are the row's columns of that name."""

    def __init__(self, instance: Instance, script: Script) -> None:
        self.instance = instance
        self.script = script
        self.is_module = script.kind == "module"
        self.answers: dict[str, Any] = dict.fromkeys(
            (
                "can_open_own_session",
                "other_names_refused",
                "notebook_sessions_excluded",
                "other_principals_excluded",
                "unattributed_calls_denied",
            ),
            "unchecked",
        )

    def findings(self) -> Iterator[Finding]:
        """Yield what speaks against it, the script first, then the instance, then the role."""
        instance = self.instance
        for unread in instance.unread:
            yield Finding(
                "unread",
                "unknown",
                f"could not read {unread.what}: {unread.reason}",
                f"allow {unread.permission} to whoever runs the audit (which-notebook audit --permissions)",
            )
        if not instance.has_role:
            yield Finding(
                "role-missing",
                "broken",
                f"its role {instance.role_arn} doesn't exist",
                self._update(f"--role-arn {instance.role_arn.rsplit('/', 1)[0]}/AN-EXISTING-ROLE"),
            )
        if not instance.status:
            return
        yield from self._of_script()
        yield from self._of_name()
        yield from self._of_instance()
        if instance.role:
            yield from self._of_role(instance.role)

    # The script

    def _of_script(self) -> Iterator[Finding]:
        instance, script = self.instance, self.script
        if instance.lifecycle_name is None:
            yield Finding(
                "no-lifecycle-configuration",
                "not-attributed",
                "it has no lifecycle configuration, so nothing sets attribution up",
                self._update("--lifecycle-config-name NAME")
                + ", with NAME from the module's output lifecycle_configuration_name",
            )
            return
        if instance.lifecycle is None:
            return
        if instance.lifecycle.on_start is None:
            yield Finding(
                "no-on-start-script",
                "not-attributed",
                f"its lifecycle configuration {instance.lifecycle_name} has no on-start script",
                self._other_script(),
            )
        elif script.kind in ("none", "undecided"):
            yield Finding(
                "no-attribution" if script.kind == "none" else "script-undecided",
                "not-attributed" if script.kind == "none" else "unknown",
                script.problem or "",
                "move what may undo it out of extra_on_start"
                if script.version and script.kind == "undecided"
                else self._other_script(),
            )
        if script.role_arn and script.role_arn != instance.role_arn:
            yield Finding(
                "other-role",
                "broken",
                f"its script opens sessions on {script.role_arn}, but its role is {instance.role_arn}",
                self._update(f"--role-arn {script.role_arn}"),
            )
        if script.session_name and script.session_name != instance.name:
            yield Finding(
                "other-name",
                "not-attributed",
                f"its script names every session {script.session_name}, whatever the notebook instance is called",
                self._other_script(),
            )
        if not script.is_locked:
            yield Finding(
                "not-locked",
                "weak",
                "its script doesn't lock ~/.aws, ~/.aws/config and ~/.aws/credentials, so the notebook's user can change "
                "or move the config for good",
                self._other_script(),
            )
        if self._is_outdated():
            yield Finding(
                "older-script",
                "unknown",
                f"{instance.lifecycle_name} was changed after the notebook instance's last start, so it runs an older script",
                f"{self._cli('stop')} && {self._cli('wait')} && {self._cli('start')}",
            )
        if script.starts_without and script.mode == "imds":
            yield Finding(
                "starts-without-attribution",
                "note",
                "it starts also where attribution can't be set up, with the base session open to everyone",
                "allow_start_without_attribution = false",
            )

    def _is_outdated(self) -> bool:
        lifecycle, started = self.instance.lifecycle, self.instance.modified
        if (
            self.instance.status not in ("InService", "Stopping")
            or not lifecycle
            or not lifecycle.modified
            or not started
        ):
            return False
        # The API has no time of the start. A start changes this one, so the start was no later.
        return lifecycle.modified > started

    # The instance

    def _of_name(self) -> Iterator[Finding]:
        if problem := _wrong_name(self.instance.name):
            change = "create it anew under another name, with another key in notebook_instances"
            yield Finding("name", "note" if self._has_no_script() else "broken", problem, change)

    def _of_instance(self) -> Iterator[Finding]:
        instance, name = self.instance, self.instance.name
        if instance.status == "Failed":
            yield Finding(
                "failed",
                "broken",
                f"it didn't start: {instance.failure or 'no reason is given'}",
                f"see why: {self._aws(f'logs tail /aws/sagemaker/NotebookInstances --log-stream-names {name}/LifecycleConfigOnStart')}",
            )
        system = next(
            (each for sign, each in _ENDED_PLATFORMS.items() if (instance.platform or "").startswith(sign)), None
        )
        if system:
            yield Finding(
                "platform",
                "note" if instance.status == "InService" else "broken",
                f"{system} ({instance.platform}) is over: it can't be started any more",
                f"{self._update(f'--platform-identifier {_PLATFORM}')}; in Terraform, remove platform_identifier",
            )
        if instance.root_access is None:
            yield Finding(
                "root-access", "unknown", "whether root access is on isn't said", self._update("--root-access Disabled")
            )
        elif instance.root_access:
            yield Finding(
                "root-access",
                "weak",
                "root access is on: root can unlock what the script locks",
                "terraform apply, which turns it off" if self.is_module else self._update("--root-access Disabled"),
            )
        if instance.metadata_version != "2":
            configuration = "--instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2"
            yield Finding(
                "metadata-version",
                "note",
                "its metadata service answers version 1 too, so one forged request through a server on it gets credentials",
                f'minimum_instance_metadata_service_version = "2", or {self._update(configuration)}',
            )

    # The role

    def _of_role(self, role: Role) -> Iterator[Finding]:
        # Where a policy couldn't be read, that says it all; what the others decide is still said.
        is_whole = not self.instance.unread
        for finding in (
            *self._of_own_session(role),
            *self._of_other_names(role),
            *self._of_notebook_sessions(role),
            *self._of_other_principals(role),
        ):
            if is_whole or finding.effect != "unknown":
                yield finding
        denied = role.unattributed_calls_denied()
        self.answers["unattributed_calls_denied"] = _answer(denied)
        if self.script.mode == "profile" and self.answers["can_open_own_session"] == "yes":
            what = "" if denied else "make unattributed calls and "
            yield Finding(
                "not-enforced",
                "note",
                f"with the base session's credentials its user can {what}call under another known name",
                'attribution_mode = "imds"' + ("" if denied else ", deny_unattributed_calls = true"),
            )
        if role.may_assume_any_role():
            yield Finding(
                "assumes-any-role",
                "note",
                "its role may assume every role that trusts it, and calls made there don't carry the notebook's name",
                f"name the roles in Resource instead of * in the policies of {role.name}",
            )

    def _of_own_session(self, role: Role) -> Iterator[Finding]:
        if role.lets_sagemaker_in() is False:
            yield Finding(
                "sagemaker-not-trusted",
                "broken",
                f"the trust policy of {role.name} doesn't let SageMaker in, so it can't start",
                self._trust_change(role),
            )
        name = self.instance.name
        if (
            self.script.mode
            and not self.script.role_arn
            and (asks := role.may_describe(self.instance.region, name)) is not True
        ):
            yield Finding(
                "no-describe",
                "unknown" if asks is None else "broken",
                f"{'perhaps ' if asks is None else ''}{role.name} may not describe the notebook instance, and its script asks "
                "for the role that way",
                f"allow sagemaker:DescribeNotebookInstance to {role.name}, also in the base session, or use the module, whose "
                "script knows the role",
            )
        if _wrong_name(name):
            self.answers["can_open_own_session"] = "no"
            return
        # Without a script any mode may come; of one that can't be told, it isn't known which it has.
        sources: list[str | None] = [None, name]
        if self.script.mode:
            sources = [name] if self.script.mode == "imds" else [None]
        answers = [role.may_open(BASE_SESSION, name, source) for source in sources]
        allowed = either(answers) if self._has_no_script() else answers[0] if len(set(answers)) == 1 else None
        self.answers["can_open_own_session"] = _answer(allowed)
        if allowed or len(set(answers)) > 1:
            return
        source = sources[0]
        asked = (BASE_SESSION, name, source)
        identified = " with a source identity" if source else ""
        stages = (
            (role.trusts(*asked), self._no_self_trust),
            (opposite(role.is_refused(*asked)), self._name_refused),
            (role.boundary_permits(*asked), self._boundary),
        )
        found = [(answer, make) for answer, make in stages if answer is not True]
        for answer, make in found or [(allowed, self._not_allowed)]:
            # Where nothing asks for the session, nothing breaks; it is said for the day when something does.
            effect: Effect = "unknown" if answer is None else "note" if self._has_no_script() else "broken"
            yield make(role, effect, "perhaps " if answer is None else "", identified)

    def _no_self_trust(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        return Finding(
            "no-self-trust",
            effect,
            f"{perhaps}the trust policy of {role.name} doesn't let the role open sessions on itself{identified}",
            self._trust_change(role),
        )

    def _name_refused(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        name = self.instance.name
        change = f'put "{name}" into notebook_instances or additional_session_names of the module that manages the role'
        # The imds mode's policy refuses a session without a source identity.
        if self.script.mode == "profile" and role.is_refused(BASE_SESSION, name, name) is False:
            change = 'attribution_mode = "imds", as for the role\'s other notebook instances'
        return Finding(
            "name-refused",
            effect,
            f"{perhaps}a policy of {role.name} denies sts:AssumeRole under the name {name}{identified}",
            change,
        )

    def _boundary(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        actions = _actions(identified)
        return Finding(
            "boundary",
            effect,
            f"{perhaps}the permissions boundary of {role.name} doesn't allow {actions} on the role",
            f"allow {actions} on {role.arn} in the policy that role_permissions_boundary names",
        )

    def _not_allowed(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        return Finding(
            "not-allowed",
            effect,
            f"{perhaps}no policy of {role.name} allows {_actions(identified)} on the role itself",
            self._identity_change(role, bool(identified)),
        )

    def _of_other_names(self, role: Role) -> Iterator[Finding]:
        names = (*_UNLISTED_NAMES, BASE_SESSION)
        opened = either(role.may_open(BASE_SESSION, name, source) for name in names for source in (None, name))
        self.answers["other_names_refused"] = _answer(opposite(opened))
        if opened is not False:
            yield Finding(
                "any-name",
                self._softened(opened),
                f"{_perhaps(opened)}its user can open a session under any name: no policy of {role.name} keeps to known ones",
                f'create_role = false, role_arn = "{role.arn}" in the module, whose policy refuses all other names',
            )

    def _of_notebook_sessions(self, role: Role) -> Iterator[Finding]:
        name = self.instance.name
        opened = either(role.may_open(name, name, source) for source in (None, name))
        self.answers["notebook_sessions_excluded"] = _answer(opposite(opened))
        if opened is not False:
            yield Finding(
                "notebook-sessions",
                self._softened(opened),
                f"{_perhaps(opened)}a notebook session can open another one, under another notebook's name",
                self._trust_change(role),
            )

    def _of_other_principals(self, role: Role) -> Iterator[Finding]:
        others = role.others_let_in(self.instance.name)
        self.answers["other_principals_excluded"] = _answer(opposite(either(others.values())))
        for is_sure in (True, None):
            who = ", ".join(sorted(each for each, answer in others.items() if answer is is_sure))
            if who:
                yield Finding(
                    "other-principals",
                    self._softened(is_sure),
                    f"{_perhaps(is_sure)}{who} can open a session on {role.name} under its name",
                    f"take {who} out of the trust policy of {role.name}, or let in only the role itself: "
                    f"{self._trust_change(role)}",
                )

    def _softened(self, is_sure: Maybe) -> Effect:
        """A weakness of the role's is one of the instance's only if its calls are attributed at all."""
        if is_sure is None:
            return "unknown"
        return "note" if self._has_no_script() else "weak"

    def _has_no_script(self) -> bool:
        return self.script.kind == "none"

    # What to change

    def _aws(self, command: str) -> str:
        return f"aws {command} --region {self.instance.region}"

    def _cli(self, verb: str) -> str:
        action = {"wait": "wait notebook-instance-stopped"}.get(verb, f"{verb}-notebook-instance")
        return self._aws(f"sagemaker {action} --notebook-instance-name {self.instance.name}")

    def _update(self, options: str) -> str:
        """The instance has to be stopped for that; where it is, the first command isn't needed."""
        update = self._aws(
            f"sagemaker update-notebook-instance --notebook-instance-name {self.instance.name} {options}"
        )
        return update if self.instance.status == "Stopped" else f"{self._cli('stop')}, then {update}"

    def _other_script(self) -> str:
        return (
            self._update("--lifecycle-config-name NAME")
            + ", with NAME from the module's output lifecycle_configuration_name"
        )

    def _trust_change(self, role: Role) -> str:
        return (
            f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
            f"'{json.dumps(trust_policy(role, source_identity=self.script.mode == 'imds'), separators=(',', ':'))}'"
        )

    def _identity_change(self, role: Role, with_source_identity: bool) -> str:
        actions = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if with_source_identity else [])]
        statement = {"Effect": "Allow", "Action": actions, "Resource": role.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return (
            f"terraform apply of the module for this role, or aws iam put-role-policy --role-name {role.name} "
            f"--policy-name assume-self --policy-document '{document}'"
        )


def trust_policy(role: Role, *, source_identity: bool) -> dict[str, Any]:
    """Return the trust policy that the module writes: its output role_trust_policy."""
    actions = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if source_identity else [])]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SageMakerOpensBaseSession",
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
            {
                "Sid": "BaseSessionOpensNotebookSessions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{role.partition}:iam::{role.account_id}:root"},
                "Action": actions,
                "Condition": {
                    "StringEquals": {"aws:PrincipalArn": role.arn},
                    "StringLike": {"aws:userid": f"*:{BASE_SESSION}"},
                },
            },
        ],
    }


def _wrong_name(name: str) -> str | None:
    if len(name) < 2:
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        return "its name can't be a session name, which has 2 characters or more"
    if name.lower() == BASE_SESSION.lower():
        return "its name is the session name of all that isn't attributed"
    return None


def _actions(identified: str) -> str:
    return "sts:AssumeRole and sts:SetSourceIdentity" if identified else "sts:AssumeRole"


def _perhaps(is_sure: Maybe) -> str:
    return "" if is_sure else "perhaps "


def _answer(answer: Maybe) -> Answer:
    return "undecided" if answer is None else "yes" if answer else "no"
