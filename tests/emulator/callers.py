"""Who makes a request: an account's root, an IAM user, a session of a role, or an AWS service.

moto keeps neither source identity nor tags of a session, and refuses no expired or made-up key. So the sessions are
remembered here, from the AssumeRole answers that opened them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

from . import emulated_account
from .judge import ContextValue, Session


@dataclass(frozen=True, kw_only=True)
class Root:
    """The root user of an account: the access key is the account's id, or one that nobody was given."""

    account_id: str
    access_key_id: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        """The ARN of the account's root."""
        return f"arn:{self.partition}:iam::{self.account_id}:root"


@dataclass(frozen=True, kw_only=True)
class User:
    """An IAM user with an access key of its own."""

    account_id: str
    access_key_id: str
    name: str
    user_id: str
    arn: str

    @property
    def context(self) -> dict[str, ContextValue]:
        """The condition keys that speak of the principal."""
        return {
            "aws:PrincipalArn": self.arn,
            "aws:PrincipalAccount": self.account_id,
            "aws:PrincipalType": "User",
            "aws:userid": self.user_id,
            "aws:username": self.name,
        }


@dataclass(frozen=True, kw_only=True)
class RoleSession(Session):
    """A session that STS opened on a role, with its credentials."""

    access_key_id: str
    session_token: str
    created: datetime
    expires: datetime
    session_policy: Mapping[str, Any] | None = None
    transitive_tags: Mapping[str, str]


@dataclass(frozen=True)
class Service:
    """An AWS service, on its own behalf."""

    principal: str

    @property
    def arn(self) -> str:
        """What stands for an ARN in policies and messages."""
        return self.principal

    @property
    def context(self) -> dict[str, ContextValue]:
        """The condition keys that speak of the principal."""
        return {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": self.principal}


Caller = Root | User | RoleSession | Service

_sessions: dict[str, RoleSession] = {}


def identify(context: RequestContext) -> Caller | None:
    """Return who makes the request, or None where LocalStack calls itself, which AWS has no counterpart for.

    Raises CommonServiceException, as AWS refuses it, where the credentials are none, unknown or expired.
    """
    if (internal := context.internal_request_params) is not None:
        return Service("sagemaker.amazonaws.com") if internal.get("service_principal") == "sagemaker" else None
    access_key_id, session_token = _credentials(context)
    if access_key_id == _NOT_SIGNED:
        raise _refusal(context, "MissingAuthenticationToken", "Request is missing Authentication Token")
    # LocalStack's own prefix for a key is L in the place of A, unless it is told to keep to AWS's.
    if access_key_id.startswith(("ASIA", "LSIA")):
        return _session(context, access_key_id, session_token)
    if user := emulated_account.user_of_access_key(context.account_id, context.partition, access_key_id):
        return User(
            account_id=context.account_id,
            access_key_id=access_key_id,
            name=user.name,
            user_id=user.id,
            arn=user.arn,
        )
    return Root(account_id=context.account_id, access_key_id=access_key_id, partition=context.partition)


def remember(context: RequestContext, caller: Caller) -> RoleSession | None:
    """Remember the session that an answered AssumeRole opened; return it."""
    request: Mapping[str, Any] = context.service_request or {}
    credentials = (context.service_response or {}).get("Credentials")
    role = emulated_account.role(request["RoleArn"])
    if not credentials or not role:
        return None
    chained = caller if isinstance(caller, RoleSession) else None
    requested_tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}
    inherited_tags = chained.transitive_tags if chained else {}
    transitive = {key: requested_tags[key] for key in request.get("TransitiveTagKeys") or []} | dict(inherited_tags)
    created = datetime.now(UTC)
    session = RoleSession(
        account_id=role.account_id,
        role_name=role.name,
        role_path=role.path,
        role_id=role.id,
        session_name=request["RoleSessionName"],
        source_identity=source_identity(request, caller),
        partition=context.partition,
        tags=emulated_account.tags(role) | requested_tags | dict(inherited_tags),
        access_key_id=credentials["AccessKeyId"],
        session_token=credentials["SessionToken"],
        created=created,
        expires=created + timedelta(seconds=int(request.get("DurationSeconds") or 3600)),
        session_policy=_session_policy(context, request),
        transitive_tags=transitive,
    )
    _sessions[session.access_key_id] = session
    return session


def source_identity(request: Mapping[str, Any], caller: Caller) -> str | None:
    """Return the source identity of the session that an AssumeRole would open: set once, kept through chaining.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    inherited = caller.source_identity if isinstance(caller, RoleSession) else None
    return inherited or request.get("SourceIdentity")


_NOT_SIGNED = "injectedaccesskey"
"""What LocalStack's MissingAuthHeaderInjector puts into a request that isn't signed."""


def _credentials(context: RequestContext) -> tuple[str, str | None]:
    """Return the access key id and the session token, from a presigned URL's query or the headers."""
    query, headers = context.request.args, context.request.headers
    if presigned := query.get("X-Amz-Credential"):
        return presigned.split("/")[0], query.get("X-Amz-Security-Token")
    # Headers as they are, whatever their case: an HTTP/2 client writes them small.
    return extract_access_key_id_from_auth_header(cast(dict[str, str], headers)) or _NOT_SIGNED, headers.get(
        "X-Amz-Security-Token"
    )


def _session(context: RequestContext, access_key_id: str, session_token: str | None) -> RoleSession:
    session = _sessions.get(access_key_id)
    if not session or session.session_token != session_token:
        raise _refusal(context, "InvalidClientTokenId", "The security token included in the request is invalid.")
    if session.expires <= datetime.now(UTC):
        raise _refusal(context, "ExpiredToken", "The security token included in the request is expired")
    return session


def _session_policy(context: RequestContext, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return one policy that allows what any of the session's policies allows."""
    documents = [json.loads(request["Policy"])] if request.get("Policy") else []
    for attached in request.get("PolicyArns") or []:
        documents.append(emulated_account.managed_policy(context.account_id, attached["arn"]))
    statements: list[Any] = []
    for document in documents:
        stated = document["Statement"]
        statements += stated if isinstance(stated, list) else [stated]
    return {"Version": "2012-10-17", "Statement": statements} if documents else None


# The codes as the services' protocols have them; each is documented among the errors common to the service's actions.
_CODES: dict[str, dict[str, tuple[str, int]]] = {
    "query": {
        "InvalidClientTokenId": ("InvalidClientTokenId", 403),
        "ExpiredToken": ("ExpiredToken", 403),
        "MissingAuthenticationToken": ("MissingAuthenticationToken", 403),
    },
    "rest-xml": {
        "InvalidClientTokenId": ("InvalidToken", 400),
        "ExpiredToken": ("ExpiredToken", 400),
        "MissingAuthenticationToken": ("AccessDenied", 403),
    },
    "json": {
        "InvalidClientTokenId": ("UnrecognizedClientException", 400),
        "ExpiredToken": ("ExpiredTokenException", 400),
        "MissingAuthenticationToken": ("MissingAuthenticationTokenException", 400),
    },
}


def _refusal(context: RequestContext, code: str, message: str) -> CommonServiceException:
    family = _CODES.get(str(context.protocol), _CODES["json"])
    sent, status = family[code]
    return CommonServiceException(sent, message, status_code=status, sender_fault=True)
