"""Puts every request to the judge, on the policies as they stand in the emulated account at that moment.

LocalStack's free edition lets every call through. What is refused here is refused as AWS refuses it; what can't be
judged fails, and never passes. An account's root isn't judged.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localstack import config
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.api.core import ServiceOperation
from localstack.runtime.shutdown import SHUTDOWN_HANDLERS
from rolo import Response
from rolo.gateway import HandlerChain

from . import callers, emulated_account
from .addresses import source_ip_address
from .callers import Caller, RoleSession, Root, Service, User
from .emulated_account import NotThereError
from .iam_actions import Permission, Request, UnknownOperationError, needed_permissions
from .judge import ContextValue, Decision, Judge, JudgeError, Policy, Question


def register() -> None:
    """Have LocalStack put each request to the judge; call this before its `main`."""
    # Both are read when the first account is touched: AWS's managed policies, so that roles can carry them, and keys
    # that begin as AWS's do.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    config.PARITY_AWS_ACCESS_KEY_ID = True
    judge = Judge()
    judge.__enter__()
    SHUTDOWN_HANDLERS.register(judge.__exit__)
    handlers.serve_custom_service_request_handlers.append(Enforcement(judge))
    handlers.run_custom_response_handlers.append(_remember_session)


def caller_of(context: RequestContext) -> Caller | None:
    """Return who made a request that has passed `Enforcement`, or None where LocalStack called itself."""
    caller: Caller | None = context.get("caller")
    return caller


class Enforcement:
    """The handler that stands before all services."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def __call__(self, chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
        """Refuse the request, or let it go on."""
        if not context.service_operation:
            return
        caller = callers.identify(context)
        context.caller = caller
        if caller is None:
            return
        parameters: Mapping[str, Any] = context.service_request or {}
        service, operation = context.service_operation
        assumed = parameters["RoleArn"] if (service, operation) == ("sts", "AssumeRole") else None
        if assumed and not emulated_account.role(assumed):
            # AWS doesn't say whether a role exists.
            raise access_denied(
                context, caller, Permission("sts:AssumeRole", assumed, ""), Decision("ImplicitlyDenied")
            )
        if not isinstance(caller, Root):
            try:
                self._require(context, caller, parameters)
            except (JudgeError, NotThereError, UnknownOperationError) as error:
                # 501, and not 500, which clients would retry.
                message = f"emulator: can't judge {service}:{operation}: {error}"
                raise CommonServiceException("InternalFailure", message, status_code=501) from error
        if assumed:
            _check_duration(caller, assumed, parameters)

    def _require(
        self, context: RequestContext, caller: User | RoleSession | Service, parameters: Mapping[str, Any]
    ) -> None:
        """Raise AWS's own refusal unless the caller has all that the request needs."""
        if isinstance(caller, Service) and not _is(context, "sts", "AssumeRole"):
            raise UnknownOperationError(f"{caller.principal} only opens sessions here")
        principal = _principal(caller)
        policies = emulated_account.identity_policies(principal) if principal else {}
        boundary = emulated_account.permissions_boundary(principal) if principal else None
        for permission in needed_permissions(_request(context, caller, parameters)):
            decision = self.judge.decide(
                Question(
                    principal=caller.arn,
                    action=permission.action,
                    resource=permission.resource,
                    resource_account=permission.account_id,
                    identity_policies=policies,
                    permissions_boundary=boundary,
                    session_policy=caller.session_policy if isinstance(caller, RoleSession) else None,
                    resource_policy=_resource_policy(permission),
                    context={**_request_context(context, caller), **caller.context, **permission.context},
                )
            )
            if not decision.allowed:
                raise access_denied(context, caller, permission, decision)


def access_denied(
    context: RequestContext, caller: Caller, permission: Permission, decision: Decision
) -> CommonServiceException:
    """Return the refusal in AWS's own words.

    The words are those of
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html; that STS gives no reason where
    nothing allows is seen in real records.
    """
    where = f" on resource: {permission.resource}"
    if permission.action.startswith("s3:"):
        where = "" if permission.resource == "*" else f' on resource: "{permission.resource}"'
    message = (
        f"User: {caller.arn} is not authorized to perform: {permission.action}{where}{_reason(permission, decision)}"
    )
    if str(context.protocol) in ("query", "rest-xml", "ec2"):
        return CommonServiceException("AccessDenied", message, status_code=403, sender_fault=True)
    status = 403 if str(context.protocol) == "rest-json" else 400
    return CommonServiceException("AccessDeniedException", message, status_code=status, sender_fault=True)


def _reason(permission: Permission, decision: Decision) -> str:
    kinds = {
        "identity": "an identity-based policy",
        "resource": "a resource-based policy",
        "permissions boundary": "a permissions boundary",
        "session": "a session policy",
    }
    for reason in decision.reasons:
        if reason.explicit:
            return f" with an explicit deny in {kinds[reason.kind]}"
    if permission.action.startswith("sts:"):
        return ""
    # A permission that both a boundary and a policy lack is missing from the policy first.
    for kind, words in kinds.items():
        if any(reason.kind == kind for reason in decision.reasons):
            return f" because no {words.split(' ', 1)[1]} allows the {permission.action} action"
    return ""


def _is(context: RequestContext, service: str, operation: str) -> bool:
    return context.service_operation == ServiceOperation(service, operation)


def _principal(caller: Caller) -> Any:
    """Return the role or user that carries the caller's policies."""
    if isinstance(caller, User):
        return emulated_account.user(caller.account_id, caller.arn.split(":")[1], caller.name)
    if isinstance(caller, RoleSession):
        role = emulated_account.role(caller.role_arn)
        # A role that was made anew under the same name is another one: its id differs.
        return role if role and role.id == caller.role_id else None
    return None


def _request(context: RequestContext, caller: Caller, parameters: Mapping[str, Any]) -> Request:
    def find_arn(kind: str, name: str) -> str | None:
        if kind == "bucket owner":
            return emulated_account.bucket_owner(name)
        if kind == "secret":
            return emulated_account.secret_arn(context.account_id, context.region, name)
        if kind == "query":
            return emulated_account.workgroup_of_query(context.account_id, context.region, name)
        return emulated_account.iam_arn(context.account_id, context.partition, kind, name)

    service, operation = context.service_operation or ("", "")
    return Request(
        service=service,
        operation=operation,
        parameters=parameters,
        account_id=context.account_id,
        region=context.region,
        partition=context.partition,
        find_arn=find_arn,
        caller_name=caller.name if isinstance(caller, User) else None,
        source_identity=callers.source_identity(parameters, caller),
    )


def _resource_policy(permission: Permission) -> Policy | None:
    service = permission.action.split(":")[0]
    if service == "sts" and permission.resource != "*":
        role = emulated_account.role(permission.resource)
        policy: str | None = role.assume_role_policy_document if role else None
        return policy
    if service == "s3" and permission.resource != "*":
        return emulated_account.bucket_policy(permission.resource.split(":", 5)[5].split("/")[0])
    if service == "kms" and permission.resource != "*":
        return emulated_account.key_policy(permission.resource)
    return None


def _request_context(context: RequestContext, caller: Caller) -> dict[str, ContextValue]:
    """Return the condition keys that speak of the request and its network."""
    now = datetime.now(UTC)
    keys: dict[str, ContextValue] = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        # The emulator speaks plain HTTP in the place of AWS's HTTPS.
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": context.region,
        "aws:UserAgent": context.request.headers.get("User-Agent", ""),
    }
    if isinstance(caller, Service):
        internal: Mapping[str, Any] = context.internal_request_params or {}
        source_arn = internal.get("source_arn")
        return keys | (
            {"aws:SourceArn": source_arn, "aws:SourceAccount": source_arn.split(":")[4]} if source_arn else {}
        )
    keys["aws:SourceIp"] = source_ip_address(context.request.remote_addr)
    if isinstance(caller, RoleSession):
        keys["aws:TokenIssueTime"] = caller.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        keys["aws:MultiFactorAuthPresent"] = "false"
    return keys


def _check_duration(caller: Caller, role_arn: str, parameters: Mapping[str, Any]) -> None:
    """Hold the length of a session to what STS allows.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    seconds = int(parameters.get("DurationSeconds") or 3600)
    role = emulated_account.role(role_arn)
    if isinstance(caller, RoleSession) and seconds > 3600:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    elif role and seconds > int(role.max_session_duration or 3600):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    else:
        return
    raise CommonServiceException("ValidationError", message, status_code=400, sender_fault=True)


def _remember_session(chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
    caller = caller_of(context)
    if caller and _is(context, "sts", "AssumeRole") and context.service_exception is None:
        context.opened_session = callers.remember(context, caller)
