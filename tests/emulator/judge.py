"""Puts questions about IAM policies to an evaluator that this project didn't write; see iam_judge/README.md."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

PROGRAM = Path(__file__).parent / "iam_judge" / "judge.mjs"

Policy = Mapping[str, Any] | str
"""A policy document, parsed or as JSON text."""

ContextValue = str | Sequence[str]


class JudgeError(Exception):
    """The judge could not decide: the request must fail, and never pass."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session of an IAM role, as far as policies and CloudTrail see it."""

    account_id: str
    role_name: str
    role_id: str
    session_name: str
    role_path: str = "/"
    source_identity: str | None = None
    partition: str = "aws"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def role_arn(self) -> str:
        """The role's ARN, which keeps its path."""
        return f"arn:{self.partition}:iam::{self.account_id}:role{self.role_path}{self.role_name}"

    @property
    def arn(self) -> str:
        """The session's ARN, which drops the role's path."""
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{self.role_name}/{self.session_name}"

    @property
    def user_id(self) -> str:
        """What `aws:userid` and CloudTrail's `principalId` hold."""
        return f"{self.role_id}:{self.session_name}"

    @property
    def context(self) -> dict[str, ContextValue]:
        """The condition keys that speak of the principal, as for any session of a role.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        keys: dict[str, ContextValue] = {
            "aws:PrincipalArn": self.role_arn,
            "aws:PrincipalAccount": self.account_id,
            "aws:PrincipalType": "AssumedRole",
            "aws:userid": self.user_id,
        }
        if self.source_identity:
            keys["aws:SourceIdentity"] = self.source_identity
        return keys | {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whether a principal may do something to a resource.

    Arguments: `principal`, the ARN of a role session, a role, a user or an account's root, or the name of a service;
    `resource_policy`, the resource's own policy, for `sts:AssumeRole` the role's trust policy; `identity_policies`, by
    any name that tells them apart.
    """

    principal: str
    action: str
    resource: str
    resource_account: str
    identity_policies: Mapping[str, Policy] = field(default_factory=dict)
    permissions_boundary: Policy | None = None
    session_policy: Policy | None = None
    resource_policy: Policy | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)


PolicyKind = Literal["identity", "resource", "permissions boundary", "session"]


@dataclass(frozen=True)
class Reason:
    """One policy that stood in the way; `explicit` where a statement of its denies."""

    kind: PolicyKind
    explicit: bool
    policy: str | None = None
    statement_id: str | None = None


@dataclass(frozen=True)
class Decision:
    """What the judge says. `ignored_context_keys` are those that IAM doesn't know for this action."""

    result: Literal["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"]
    reasons: tuple[Reason, ...] = ()
    ignored_context_keys: frozenset[str] = frozenset()

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
        return self.result == "Allowed"


class Judge:
    """The evaluator's process, as a context manager; one question at a time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        node = shutil.which("node")
        if not node or not (PROGRAM.parent / "node_modules").is_dir():
            raise JudgeError(f"the IAM judge isn't installed: it needs node, and npm ci in {PROGRAM.parent}")
        self._process = subprocess.Popen(
            [node, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
                self._process.communicate(timeout=5)
            self._process.kill()
            self._process.wait()
            self._process = None

    def decide(self, question: Question) -> Decision:
        """Return the decision; raises JudgeError where there is none."""
        answer = self._ask(
            {
                "principal": question.principal,
                "action": question.action,
                "resource": question.resource,
                "resourceAccount": question.resource_account,
                "identityPolicies": {name: _parsed(policy) for name, policy in question.identity_policies.items()},
                "permissionsBoundary": _parsed(question.permissions_boundary),
                "sessionPolicy": _parsed(question.session_policy),
                "resourcePolicy": _parsed(question.resource_policy),
                "context": dict(question.context),
            }
        )
        if "error" in answer:
            raise JudgeError(f"{question.action} on {question.resource}: {answer['error']}")
        reasons = [
            Reason(
                _KINDS[said["policyType"]],
                said["denialType"] == "Explicit",
                said.get("policyIdentifier"),
                said.get("statementId"),
            )
            for said in answer["reasons"]
        ]
        if answer["sessionPolicy"]:
            reasons.append(Reason("session", answer["sessionPolicy"] == "ExplicitlyDenied"))
        return Decision(answer["result"], tuple(reasons), frozenset(answer["ignoredContextKeys"]))

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            process = self._process
            if not process or not process.stdin or not process.stdout:
                raise JudgeError("the IAM judge isn't running")
            number = next(self._ids)
            try:
                process.stdin.write(json.dumps({"id": number, **question}) + "\n")
                process.stdin.flush()
                answer: dict[str, Any] = json.loads(process.stdout.readline())
            except (OSError, ValueError) as error:
                raise JudgeError("the IAM judge has ended") from error
            if answer.get("id") != number or not ("error" in answer or answer.get("result") in _RESULTS):
                raise JudgeError(f"the IAM judge answered something else: {answer}")
            return answer


_RESULTS = ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied")

_KINDS: dict[str, PolicyKind] = {
    "identity": "identity",
    "resource": "resource",
    "pb": "permissions boundary",
}


def _parsed(policy: Policy | None) -> Any:
    try:
        return json.loads(policy) if isinstance(policy, str) else policy
    except ValueError as error:
        raise JudgeError(f"a policy is no JSON: {policy}") from error
