"""What is wrong with a notebook instance's role, as far as this instance goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from ..calls.call import BASE_SESSION
from .account import Instance
from .changes import Changes, Steps, in_terraform
from .findings import Effect, Finding, wrong_name
from .iam.maybe import Maybe, either, opposite
from .iam.others import others_let_in
from .iam.role import Role
from .script.recognise import Script
from .weaknesses import other_principals, perhaps, powers

Answer = Literal["yes", "no", "undecided", "unchecked"]

# A name that no list of names holds, and another that no notebook instance can have.
_UNLISTED_NAMES = ("which-notebook-audit-0b9e", "which_notebook+audit")
_ASKED = (
    "can_open_own_session",
    "other_names_refused",
    "notebook_sessions_excluded",
    "other_principals_excluded",
    "unattributed_calls_denied",
    "passing_itself_refused",
    "notebook_instance_changes_refused",
    "role_changes_refused",
)


class RoleFindings:
    """What speaks against an instance's role; `answers`, there once all was found, are the row's columns of that name.

    `others`: the names of its role's notebook instances in its region.
    """

    def __init__(self, instance: Instance, script: Script, changes: Changes, others: Sequence[str] = ()) -> None:
        self.answers: dict[str, Answer] = dict.fromkeys(_ASKED, "unchecked")
        self._instance = instance
        self._script = script
        self._changes = changes
        self._others = others

    def of(self, role: Role) -> Iterator[Finding]:
        """Yield them."""
        # Where a policy couldn't be read, that says it all; what the others decide is still said.
        is_whole = not self._instance.unread
        for finding in (
            *self._of_own_session(role),
            *self._of_other_names(role),
            *self._of_notebook_sessions(role),
            *self._of_other_principals(role),
            *self._of_powers(role),
        ):
            if is_whole or finding.effect != "unknown":
                yield finding
        denied = role.unattributed_calls_denied()
        self.answers["unattributed_calls_denied"] = answer_of(denied)
        if self._script.mode == "profile" and self.answers["can_open_own_session"] == "yes":
            what = "" if denied else "make unattributed calls and "
            yield Finding(
                "not-enforced",
                "note",
                f"with the base session's credentials its user can {what}call under another known name",
                self._enforced(is_denied=bool(denied)),
            )
        if role.may_assume_any_role():
            yield Finding(
                "assumes-any-role",
                "note",
                "its role may assume every role that trusts it, and calls made there don't carry the notebook's name",
                (f"Name the roles in Resource instead of * in the policies of {role.name}.",),
            )

    def _of_own_session(self, role: Role) -> Iterator[Finding]:
        if role.lets_sagemaker_in() is False:
            yield Finding(
                "sagemaker-not-trusted",
                "broken",
                f"the trust policy of {role.name} doesn't let SageMaker in, so it can't start",
                self._trust_change(role),
            )
        name = self._instance.name
        if (
            self._script.mode
            and not self._script.role_arn
            and (asks := role.may_describe(self._instance.region, name)) is not True
        ):
            yield Finding(
                "no-describe",
                "unknown" if asks is None else "broken",
                f"{'perhaps ' if asks is None else ''}{role.name} may not describe the notebook instance, and its script asks "
                "for the role that way",
                (
                    f"Allow sagemaker:DescribeNotebookInstance to {role.name}, also in the base session, or use the module, "
                    "whose script knows the role.",
                ),
            )
        if wrong_name(name):
            self.answers["can_open_own_session"] = "no"
            return
        # Without a script any mode may come; of one that can't be told, it isn't known which it has.
        sources: list[str | None] = [None, name]
        if self._script.mode:
            sources = [name] if self._script.mode == "imds" else [None]
        answers = [role.may_open(BASE_SESSION, name, source) for source in sources]
        allowed = either(answers) if self._has_no_script() else answers[0] if len(set(answers)) == 1 else None
        self.answers["can_open_own_session"] = answer_of(allowed)
        if allowed or len(set(answers)) > 1:
            return
        source = sources[0]
        session = (BASE_SESSION, name, source)
        identified = " with a source identity" if source else ""
        stages = (
            (role.trusts(*session), self._no_self_trust),
            (opposite(role.is_refused(*session)), self._name_refused),
            (role.boundary_permits(*session), self._boundary),
        )
        obstacles = [(answer, make) for answer, make in stages if answer is not True]
        for answer, make in obstacles or [(allowed, self._not_allowed)]:
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
        name = self._instance.name
        return Finding(
            "name-refused",
            effect,
            f"{perhaps}a policy of {role.name} denies sts:AssumeRole under the name {name}{identified}",
            (
                *in_terraform(
                    "in the call of the module that manages the role, set additional_session_names = "
                    f'["{name}"] (beside those that it has)'
                ),
                *(self._changes.restart() if self._instance.status == "Failed" else ()),
            ),
        )

    def _boundary(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        actions = _actions(identified)
        return Finding(
            "boundary",
            effect,
            f"{perhaps}the permissions boundary of {role.name} doesn't allow {actions} on the role",
            (f"Allow {actions} on {role.arn} in the policy that role_permissions_boundary names.",),
        )

    def _not_allowed(self, role: Role, effect: Effect, perhaps: str, identified: str) -> Finding:
        return Finding(
            "not-allowed",
            effect,
            f"{perhaps}no policy of {role.name} allows {_actions(identified)} on the role itself",
            self._changes.own_session(role),
        )

    def _of_other_names(self, role: Role) -> Iterator[Finding]:
        names = (*_UNLISTED_NAMES, BASE_SESSION)
        opened = either(role.may_open(BASE_SESSION, name, source) for name in names for source in (None, name))
        self.answers["other_names_refused"] = answer_of(opposite(opened))
        if opened is not False:
            yield Finding(
                "any-name",
                self._softened(opened),
                f"{perhaps(opened)}its user can open a session under any name: no policy of {role.name} keeps to known ones",
                in_terraform(
                    "in the call of the module that manages the role, or else in a new one with create_role = false and "
                    f'role_arn = "{role.arn}", set deny_unknown_session_names = true and additional_session_names = '
                    f'["{self._instance.name}"], with the names of all other notebook instances of this role'
                ),
            )

    def _of_notebook_sessions(self, role: Role) -> Iterator[Finding]:
        name = self._instance.name
        opened = either(role.may_open(name, name, source) for source in (None, name))
        self.answers["notebook_sessions_excluded"] = answer_of(opposite(opened))
        if opened is not False:
            yield Finding(
                "notebook-sessions",
                self._softened(opened),
                f"{perhaps(opened)}a notebook session can open another one, under another notebook's name",
                self._trust_change(role),
            )

    def _of_other_principals(self, role: Role) -> Iterator[Finding]:
        others = others_let_in(role, self._instance.name)
        self.answers["other_principals_excluded"] = answer_of(opposite(either(others.values())))
        yield from other_principals(
            others,
            f"open a session on {role.name} under its name",
            self._softened,
            lambda who: self._changes.trust(role, f", and takes {who} out of it"),
        )

    def _of_powers(self, role: Role) -> Iterator[Finding]:
        """Yield what a notebook session may do that gets it a base session elsewhere, or ends the attribution."""
        name = self._instance.name
        who = (name, name if self._script.mode == "imds" else None)
        services = role.may_pass_itself(*who)
        instance = self._instance
        instances = role.may_change_notebook_instances(*who, instance.region, instance.lifecycle_name, self._others)
        changes = role.may_change_itself(*who)
        for column, code, answers, problem, change, allow in (
            (
                "passing_itself_refused",
                "passes-itself",
                services,
                "its user can pass the role to {} (iam:PassRole), and calls made there can't be attributed",
                f"Give jobs a role of their own, and deny iam:PassRole on {role.arn}, as the module does.",
                "allow_pass_role",
            ),
            (
                "notebook_instance_changes_refused",
                "changes-notebook-instances",
                instances,
                "its user can turn root access on, exchange the on-start script, or open a colleague's notebook ({})",
                f"Deny it to {role.name}, as the module does.",
                "allow_notebook_instance_changes",
            ),
            (
                "role_changes_refused",
                "changes-itself",
                changes,
                "its user can change the role's own policies ({})",
                f"Deny it to {role.name}, as the module does.",
                "allow_role_changes",
            ),
        ):
            self.answers[column] = answer_of(opposite(either(answers.values())))
            # Where a policy couldn't be read, that says it all.
            shown = {each: answer for each, answer in answers.items() if answer or not self._instance.unread}
            # The attribution stays as it is, for all that doesn't get around it on purpose.
            effect_of = self._of_passing if code == "passes-itself" else self._softened
            yield from powers(code, shown, problem, effect_of, (change, *self._denied(role, allow)))

    def _of_passing(self, is_sure: Maybe) -> Effect:
        return "note" if is_sure or self._script.mode == "profile" else self._softened(is_sure)

    def _softened(self, is_sure: Maybe) -> Effect:
        """A weakness of the role's is one of the instance's only if its calls are attributed at all."""
        if is_sure is None:
            return "unknown"
        return "note" if self._has_no_script() else "weak"

    def _has_no_script(self) -> bool:
        return self._script.kind == "none"

    def _trust_change(self, role: Role) -> Steps:
        return self._changes.trust(role)

    def _denied(self, role: Role, allow: str) -> Steps:
        """Return the steps by which the module's own policy denies what a role may do with itself."""
        if self._script.mode == "imds" or role.unattributed_calls_denied():
            return in_terraform(f"remove {allow} = true from the call of the module that manages the role")
        return self._enforced(is_denied=True)

    def _enforced(self, *, is_denied: bool) -> Steps:
        is_of_module = bool(self._script.version and self._script.role_arn)
        return self._changes.enforced(is_of_module=is_of_module, is_denied=is_denied)


def answer_of(answer: Maybe) -> Answer:
    """Return the answer as a row has it."""
    return "undecided" if answer is None else "yes" if answer else "no"


def _actions(identified: str) -> str:
    return "sts:AssumeRole and sts:SetSourceIdentity" if identified else "sts:AssumeRole"
