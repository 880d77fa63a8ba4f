"""What the sessions of an execution role may do, as far as the role's own policies tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from ...calls.call import BASE_SESSION
from .maybe import Maybe, either, every, opposite
from .named import names_in
from .patterns import Value
from .policy import Policy, Request, Statement, statements_of

ASSUME_ROLE = "sts:AssumeRole"
SET_SOURCE_IDENTITY = "sts:SetSourceIdentity"

SAGEMAKER = "sagemaker.amazonaws.com"
# Those that open sessions for what was created with a role, and to which notebooks pass one most.
_SERVICES = ("sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com")
ROLE_CHANGES = (
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
)
MANAGED_POLICY_CHANGES = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
# No list of allowed actions holds the first; the others are what notebooks do most.
_CALLS = (
    ("which-notebook-audit:Anything", "arn:{partition}:which-notebook-audit:::anything"),
    ("s3:GetObject", "arn:{partition}:s3:::which-notebook-audit/key"),
    ("s3:PutObject", "arn:{partition}:s3:::which-notebook-audit/key"),
    ("s3:ListBucket", "arn:{partition}:s3:::which-notebook-audit"),
    ("s3:ListAllMyBuckets", "*"),
    ("sagemaker:CreateTrainingJob", "arn:{partition}:sagemaker:us-east-1:{account}:training-job/which-notebook-audit"),
    ("dynamodb:GetItem", "arn:{partition}:dynamodb:us-east-1:{account}:table/which-notebook-audit"),
    ("secretsmanager:GetSecretValue", "arn:{partition}:secretsmanager:us-east-1:{account}:secret:which-notebook-audit"),
    ("iam:PassRole", "arn:{partition}:iam::{account}:role/which-notebook-audit"),
    (ASSUME_ROLE, "arn:{partition}:iam::{account}:role/which-notebook-audit"),
)


class Role(Struct, frozen=True):
    """An execution role with its policies.

    `identity` are its inline and managed policies; `boundary` None: it has none. `policy_arns` are the managed policies that
    are attached to it, the boundary's too.
    """

    arn: str
    role_id: str
    trust: Policy
    identity: tuple[Policy, ...]
    boundary: Policy | None = None
    policy_arns: tuple[str, ...] = ()

    @property
    def account_id(self) -> str:
        """The role's account."""
        return self.arn.split(":")[4]

    @property
    def partition(self) -> str:
        """The role's partition, such as `aws`."""
        return self.arn.split(":")[1]

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rsplit("/", 1)[-1]

    def session_arn(self, session_name: str) -> str:
        """Return the ARN of one of its sessions."""
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{self.name}/{session_name}"

    # A session of the role opens another one

    def may_open(self, caller: str, session_name: str, source_identity: str | None = None) -> Maybe:
        """Return whether the role's session `caller` may open one of this name on the role, all policies considered."""
        return every(
            self._decision(self._opening(action, caller, session_name, source_identity), caller)
            for action in _actions(source_identity)
        )

    def trusts(self, caller: str, session_name: str, source_identity: str | None = None) -> Maybe:
        """Return whether the trust policy alone lets it."""
        return every(
            every((either(self._trust_grants(request, caller).values()), opposite(self._trust_denies(request, caller))))
            for request in (
                self._opening(each, caller, session_name, source_identity) for each in _actions(source_identity)
            )
        )

    def is_refused(self, caller: str, session_name: str, source_identity: str | None = None) -> Maybe:
        """Return whether a statement of its identity policies denies it."""
        return either(
            policy.denies(self._opening(action, caller, session_name, source_identity))
            for action in _actions(source_identity)
            for policy in self.identity
        )

    def boundary_permits(self, caller: str, session_name: str, source_identity: str | None = None) -> Maybe:
        """Return whether the permissions boundary, if there is one, lets it through."""
        if self.boundary is None:
            return True
        requests = [self._opening(each, caller, session_name, source_identity) for each in _actions(source_identity)]
        return every(
            every((self.boundary.allows(request), opposite(self.boundary.denies(request)))) for request in requests
        )

    # Everything else

    def lets_sagemaker_in(self, action: str = ASSUME_ROLE) -> Maybe:
        """Return whether SageMaker itself may open the base session, without which no notebook instance starts; or the other `action`."""
        context: dict[str, Value] = {
            "sts:rolesessionname": BASE_SESSION,
            "aws:sourceaccount": self.account_id,
            "aws:principalarn": None,
            "aws:userid": None,
        }
        request = Request(action, self.arn, context)
        return every(
            (
                either(
                    every((_names(each, "Service", SAGEMAKER), each.covers(request, in_trust_policy=True)))
                    for each in self.trusting(True)
                ),
                opposite(
                    either(
                        every((_names(each, "Service", SAGEMAKER), each.covers(request, in_trust_policy=True)))
                        for each in self.trusting(False)
                    )
                ),
            )
        )

    def unattributed_calls_denied(self) -> Maybe:
        """Return whether the base session is refused whatever isn't the handshake."""
        return every(
            either(
                policy.denies(Request(action, self._filled(resource), self._caller_context(BASE_SESSION)))
                for policy in self._policies()
            )
            for action, resource in _CALLS
        )

    def may_describe(self, region: str, notebook: str) -> Maybe:
        """Return whether the base session may describe this notebook instance."""
        # Whether the ARN has the name in lower case is said in different ways.
        arns = {
            f"arn:{self.partition}:sagemaker:{region}:{self.account_id}:notebook-instance/{name}"
            for name in (notebook, notebook.lower())
        }
        return every(
            self._may(Request("sagemaker:DescribeNotebookInstance", arn, self._caller_context(BASE_SESSION)))
            for arn in arns
        )

    def may_assume_any_role(self) -> Maybe:
        """Return whether a notebook session may assume whatever role trusts this one."""
        other = f"arn:{self.partition}:iam::{self.account_id}:role/which-notebook-audit"
        return self._may(Request(ASSUME_ROLE, other, self._caller_context("which-notebook-audit")))

    # What a notebook session may do with the role and with notebook instances

    def may_pass_itself(self, caller: str, source_identity: str | None) -> dict[str, Maybe]:
        """Return the services to which a notebook session may pass the role."""
        answers = {
            service: self._may(
                Request(
                    "iam:PassRole", self.arn, self._notebook(caller, source_identity) | {"iam:passedtoservice": service}
                )
            )
            for service in _SERVICES
        }
        return {service: answer for service, answer in answers.items() if answer is not False}

    def may_change_notebook_instances(
        self, caller: str, source_identity: str | None, region: str, lifecycle: str | None, others: Iterable[str] = ()
    ) -> dict[str, Maybe]:
        """Return the actions by which a notebook session may get root, or open somebody else's notebook instance.

        `others`: the names of other notebook instances; beside these it is asked of some that the policies name.
        """
        named_in_policies = names_in(self._policies(), self._notebook(caller, source_identity))
        # All others are alike to policies that name none.
        search = {*named_in_policies, *(others if self._tells_notebooks_apart() else ())}
        names = ["which-notebook-audit", *sorted(search - {caller, caller.lower()})]
        prefix = f"arn:{self.partition}:sagemaker:{region}:{self.account_id}"
        named = [
            ("sagemaker:UpdateNotebookInstance", "notebook-instance", caller),
            *(("sagemaker:CreatePresignedNotebookInstanceUrl", "notebook-instance", name) for name in names),
            *([("sagemaker:UpdateNotebookInstanceLifecycleConfig", "notebook-instance-lifecycle-config", lifecycle)] if lifecycle else []),
        ]  # fmt: skip
        # Whether the ARN has the name in lower case is said in different ways; here the worse answer counts.
        requests = [
            (action, f"{prefix}:{kind}/{spelt}")
            for action, kind, name in named
            for spelt in dict.fromkeys((name, name.lower()))
        ]
        return self._allowed(requests, self._notebook(caller, source_identity))

    def may_change_itself(self, caller: str, source_identity: str | None) -> dict[str, Maybe]:
        """Return the actions by which a notebook session may change the role, or a managed policy of it."""
        return self._allowed(self._changes_of_itself(), self._notebook(caller, source_identity))

    def studio_session_may(self, requests: Iterable[tuple[str, str]]) -> dict[str, Maybe]:
        """Return which of these actions a base session of Studio's may do, on the resource beside each, whatever its source identity is."""
        context = self._caller_context(BASE_SESSION)
        del context["aws:sourceidentity"]
        return self._allowed(requests, context)

    def studio_session_may_change_itself(self) -> dict[str, Maybe]:
        """Return the actions by which a base session of Studio's may change the role, or a managed policy of it."""
        return self.studio_session_may(self._changes_of_itself())

    def managed_policies(self) -> list[str]:
        """Return those of its managed policies that can be changed: AWS's own can't."""
        return [arn for arn in self.policy_arns if arn.split(":")[4] == self.account_id]

    # How

    def _tells_notebooks_apart(self) -> bool:
        resources = (text for each in statements_of(self._policies()) for text in each.resources())
        return any(re.search(r"notebook-instance/(?!\*$)", text) for text in resources)

    def _changes_of_itself(self) -> list[tuple[str, str]]:
        own = [(action, self.arn) for action in ROLE_CHANGES if self.boundary or "Boundary" not in action]
        return [*own, *((action, arn) for arn in self.managed_policies() for action in MANAGED_POLICY_CHANGES)]

    def _allowed(self, requests: Iterable[tuple[str, str]], context: dict[str, Value]) -> dict[str, Maybe]:
        allowed: dict[str, Maybe] = {}
        for action, resource in requests:
            answer = self._may(Request(action, resource, context))
            if answer is not False:
                allowed[action] = allowed.get(action) or answer
        return allowed

    def _may(self, request: Request) -> Maybe:
        return every(
            (
                either(policy.allows(request) for policy in self.identity),
                opposite(either(policy.denies(request) for policy in self._policies())),
                self.boundary.allows(request) if self.boundary else True,
            )
        )

    def _notebook(self, name: str, source_identity: str | None) -> dict[str, Value]:
        return self._caller_context(name) | {"aws:sourceidentity": source_identity}

    def _policies(self) -> Iterator[Policy]:
        yield from self.identity
        if self.boundary:
            yield self.boundary

    def _filled(self, resource: str) -> str:
        return resource.format(partition=self.partition, account=self.account_id)

    def trusting(self, allow: bool) -> Iterator[Statement]:
        """Yield the trust policy's statements that allow, or that deny."""
        return (each for each in statements_of([self.trust]) if each.allows is allow)

    def _caller_context(self, session_name: str) -> dict[str, Value]:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        context: dict[str, Value] = {
            "aws:principalarn": self.arn,
            "aws:principalaccount": self.account_id,
            "aws:principaltype": "AssumedRole",
            "aws:userid": f"{self.role_id}:{session_name}",
            "aws:username": None,
        }
        # SageMaker gives a notebook instance's session none. What others have depends on who opened them.
        return context | ({"aws:sourceidentity": None} if session_name == BASE_SESSION else {})

    def _opening(self, action: str, caller: str, session_name: str, source_identity: str | None) -> Request:
        keys: dict[str, Value] = {"sts:sourceidentity": source_identity}
        # SetSourceIdentity isn't said to have the other two.
        if action == ASSUME_ROLE:
            keys |= {"sts:rolesessionname": session_name, "sts:externalid": None}
        return Request(action, self.arn, self._caller_context(caller) | keys)

    def _decision(self, request: Request, caller: str) -> Maybe:
        # Within one account, a trust statement that names the account leaves it to the identity policies; one that
        # names the role or its session grants by itself, to the role within its boundary:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        grants = self._trust_grants(request, caller)
        identity = either(policy.allows(request) for policy in self.identity)
        boundary = self.boundary.allows(request) if self.boundary else True
        denied = either((self._trust_denies(request, caller), *(each.denies(request) for each in self._policies())))
        granted = either(
            (
                every((either(grants.values()), identity, boundary)),
                every((grants["role"], boundary)),
                grants["session"],
                # Whether these mean the session directly, too, isn't said anywhere.
                every((grants["everyone"], None)),
                every((grants["unread"], None)),
            )
        )
        return every((granted, opposite(denied)))

    def _trust_grants(self, request: Request, caller: str) -> dict[str, Maybe]:
        grants: dict[str, Maybe] = dict.fromkeys(("account", "role", "session", "everyone", "unread"), False)
        grants["unread"] = False if self.trust.is_whole else None
        for statement in self.trusting(True):
            covers = statement.covers(request, in_trust_policy=True)
            for kind, answer in self._principal(statement, caller):
                grants[kind] = either((grants[kind], every((covers, answer))))
        return grants

    def _trust_denies(self, request: Request, caller: str) -> Maybe:
        return either(
            (
                False if self.trust.is_whole else None,
                *(
                    every((either(answer for _, answer in self._principal(each, caller)), each.covers(request, in_trust_policy=True)))
                    for each in self.trusting(False)
                ),
            )
        )  # fmt: skip

    def _principal(self, statement: Statement, caller: str) -> list[tuple[str, Maybe]]:
        """Return in which ways a trust statement speaks of the role's session `caller`."""
        named = statement.principals()
        if named is None:
            return [("unread", None)]
        kinds = {
            "*": "everyone",
            self.account_id: "account",
            f"arn:{self.partition}:iam::{self.account_id}:root": "account",
            self.arn: "role",
            self.session_arn(caller): "session",
        }
        ways: list[tuple[str, Maybe]] = []
        for kind, who in named:
            if kind == "AWS" and who in kinds:
                ways.append((kinds[who], True))
            elif kind == "AWS" and (who == self.role_id or "*" in who or "?" in who):
                # IAM takes no wildcards here, and shows the role's own id only for another role of that name.
                ways.append(("unread", None))
        return ways


def _actions(source_identity: str | None) -> tuple[str, ...]:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    return (ASSUME_ROLE,) if source_identity is None else (ASSUME_ROLE, SET_SOURCE_IDENTITY)


def _names(statement: Statement, kind: str, who: str) -> Maybe:
    named = statement.principals()
    if named is None:
        return None
    return (kind, who) in named or ("AWS", "*") in named
