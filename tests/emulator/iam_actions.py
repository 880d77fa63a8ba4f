"""Which IAM actions an operation needs, and on which resources.

By the Service Authorization Reference, for the services that this project meets. An operation that isn't here is an
error, never allowed: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from . import engine_actions
from .iam_tables import OBJECT, ON_A_VERSION, OTHER_NAMES, RESOURCES
from .judge import ContextValue


class UnknownOperationError(Exception):
    """Nobody has said here which permission the operation needs."""


@dataclass(frozen=True)
class Permission:
    """One action on one resource, and the condition keys that speak of just this use of it."""

    action: str
    resource: str
    account_id: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A call of an AWS operation. `find_arn` gives the ARN of what only the account knows: (kind, name) to ARN."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account_id: str
    region: str
    find_arn: Callable[[str, str], str | None]
    partition: str = "aws"
    caller_name: str | None = None
    source_identity: str | None = None


def needed_permissions(request: Request) -> list[Permission]:
    """Return all permissions that a request needs; none for the few operations that need none.

    Raises UnknownOperationError where that isn't known.
    """
    if request.service in engine_actions.SERVICES and (found := _of_engine(request)):
        return found
    special = _SPECIAL.get((request.service, request.operation))
    if special:
        return list(special(request))
    for pattern, resource in RESOURCES.get(request.service, ()):
        if fnmatchcase(request.operation, pattern):
            return [*_on(request, resource), *_passed_role(request)]
    raise UnknownOperationError(f"{request.service}:{request.operation} is not among the operations in iam_tables.py")


def _of_engine(request: Request) -> list[Permission]:
    begin = f"arn:{request.partition}:{request.service}:{request.region}:{request.account_id}:"
    found = engine_actions.actions_of(
        request.service,
        request.operation,
        request.parameters,
        begin.__add__,
        lambda each: request.find_arn("query", each),
    )
    return [Permission(action, resource, request.account_id) for action, resource in found or ()]


def _on(request: Request, template: str) -> Iterator[Permission]:
    resource = template if template == "*" else _Fields(request).fill(template)
    yield Permission(_action(request), resource, _owner(request, resource), _parameter_context(request))


def _action(request: Request) -> str:
    name = OTHER_NAMES.get(request.service, {}).get(request.operation, request.operation)
    if request.service == "s3" and request.parameters.get("VersionId"):
        name = ON_A_VERSION.get(request.operation, name)
    return f"{request.service}:{name}"


def _owner(request: Request, resource: str) -> str:
    """Return the account of a resource: in its ARN, a bucket's by name, else the caller's."""
    if request.service == "s3" and "Bucket" in request.parameters:
        return request.find_arn("bucket owner", request.parameters["Bucket"]) or request.account_id
    named = resource.split(":")[4:5]
    return named[0] if named and named[0].isdigit() else request.account_id


def _parameter_context(request: Request) -> dict[str, ContextValue]:
    if request.service != "s3":
        return {}
    keys = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys", "ACL": "s3:x-amz-acl"}
    return {
        key: str(request.parameters[name]) for name, key in keys.items() if request.parameters.get(name) is not None
    }


def _passed_role(request: Request) -> Iterator[Permission]:
    """Yield iam:PassRole where the request hands a role to the service."""
    parameters, service = request.parameters, request.service
    passed = parameters.get("RoleArn") or parameters.get("ExecutionRoleArn") or parameters.get("Role")
    for settings in ("UserSettings", "DefaultUserSettings"):  # of Studio
        passed = passed or (parameters.get(settings) or {}).get("ExecutionRole")
    if (service, request.operation) == ("iam", "AddRoleToInstanceProfile"):
        passed, service = request.find_arn("role", parameters["RoleName"]), "ec2"
    if passed and service in ("sagemaker", "lambda", "ec2"):
        context = {"iam:PassedToService": f"{service}.amazonaws.com"}
        yield Permission("iam:PassRole", passed, passed.split(":")[4], context)


class _Fields(string.Formatter):
    """Fills a template from a request's parameters and from what follows from them."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def fill(self, template: str) -> str:
        return self.vformat(template, (), {})

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> str:
        request, parameters = self.request, self.request.parameters
        derived: dict[str, Callable[[], str | None]] = {
            "partition": lambda: request.partition,
            "region": lambda: request.region,
            "account": lambda: request.account_id,
            "path": lambda: parameters.get("Path") or "/",
            "role": lambda: self.found("role", parameters.get("RoleName")),
            "user": lambda: self.found("user", parameters.get("UserName") or request.caller_name),
            "group": lambda: self.found("group", parameters.get("GroupName")),
            "instance-profile": lambda: self.found("instance-profile", parameters.get("InstanceProfileName")),
            "owner": lambda: parameters.get("UserProfileName") or parameters.get("SpaceName"),
            "log_stream": lambda: parameters.get("logStreamName") or "",
            "table": lambda: self.named("dynamodb", "table/", parameters.get("TableName")),
            "index": lambda: f"/index/{parameters['IndexName']}" if parameters.get("IndexName") else "",
            "key": self.key,
            "function": self.function,
            "secret": lambda: self.secret(parameters.get("SecretId")),
            "queue": self.queue,
            "parameter": lambda: self.named("ssm", "parameter/", (parameters.get("Name") or "").lstrip("/")),
            "parameter_path": lambda: self.named("ssm", "parameter/", (parameters.get("Path") or "").strip("/")),
        }
        value = derived[key]() if key in derived else parameters.get(str(key))
        if value is None:
            raise UnknownOperationError(f"{request.service}:{request.operation} names no {key}")
        return str(value)

    def found(self, kind: str, name: str | None) -> str | None:
        return self.request.find_arn(kind, name) if name else None

    def named(self, service: str, prefix: str, name: str | None) -> str | None:
        if not name or name.startswith("arn:"):
            return name
        request = self.request
        return f"arn:{request.partition}:{service}:{request.region}:{request.account_id}:{prefix}{name}"

    def key(self) -> str | None:
        # Which key an alias or a ciphertext means, only KMS knows.
        name = self.request.parameters.get("KeyId")
        return None if not name or "alias/" in name else self.named("kms", "key/", name)

    def function(self) -> str | None:
        name = self.request.parameters.get("FunctionName")
        if match := re.fullmatch(r"(arn:[^:]+:lambda:[^:]+:\d+:function:[^:]+)(:.+)?", name or ""):
            return match[1]
        return self.named("lambda", "function:", name)

    def secret(self, name: str | None) -> str | None:
        if not name or name.startswith("arn:"):
            return name
        return self.found("secret", name) or self.named("secretsmanager", "secret:", f"{name}-??????")

    def queue(self) -> str | None:
        url = self.request.parameters.get("QueueUrl")
        if not url:
            return None
        account_id, name = url.rstrip("/").split("/")[-2:]
        return f"arn:{self.request.partition}:sqs:{self.request.region}:{account_id}:{name}"


# Operations that need more than one permission, none, or one on something that no template says.


def _nothing(request: Request) -> Iterable[Permission]:
    return ()


def _assume_role(request: Request) -> Iterator[Permission]:
    """Yield sts:AssumeRole, and what comes with source identity and session tags.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts
    """
    role, parameters = request.parameters["RoleArn"], request.parameters
    tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags") or []}
    context: dict[str, ContextValue] = {"sts:RoleSessionName": parameters["RoleSessionName"]}
    if parameters.get("ExternalId"):
        context["sts:ExternalId"] = parameters["ExternalId"]
    if request.source_identity:
        context["sts:SourceIdentity"] = request.source_identity
    if tags:
        context |= {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}
    if parameters.get("TransitiveTagKeys"):
        context["sts:TransitiveTagKeys"] = parameters["TransitiveTagKeys"]
    actions = ["sts:AssumeRole"]
    if request.source_identity:
        actions.append("sts:SetSourceIdentity")
    if tags:
        actions.append("sts:TagSession")
    account_id = role.split(":")[4] if role.count(":") == 5 else request.account_id
    return (Permission(action, role, account_id, context) for action in actions)


def _copy(request: Request) -> Iterator[Permission]:
    source = request.parameters["CopySource"]
    if isinstance(source, Mapping):
        bucket, key, version = source["Bucket"], source["Key"], source.get("VersionId")
    else:
        path, _, version = source.removeprefix("/").partition("?versionId=")
        bucket, _, key = path.partition("/")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    owner = request.find_arn("bucket owner", bucket) or request.account_id
    yield Permission(action, f"arn:{request.partition}:s3:::{bucket}/{key}", owner)
    resource = _Fields(request).fill(OBJECT)
    yield Permission("s3:PutObject", resource, _owner(request, resource), _parameter_context(request))


def _delete_objects(request: Request) -> Iterator[Permission]:
    for each in request.parameters["Delete"]["Objects"]:
        resource = f"arn:{request.partition}:s3:::{request.parameters['Bucket']}/{each['Key']}"
        action = "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject"
        yield Permission(action, resource, _owner(request, resource))


def _object_attributes(request: Request) -> Iterator[Permission]:
    resource = _Fields(request).fill(OBJECT)
    for action in ("s3:GetObject", "s3:GetObjectAttributes"):
        yield Permission(action, resource, _owner(request, resource))


def _batch_of_tables(request: Request) -> Iterator[Permission]:
    for table in request.parameters["RequestItems"]:
        resource = str(_Fields(request).named("dynamodb", "table/", table))
        yield Permission(_action(request), resource, _owner(request, resource))


def _several_parameters(request: Request) -> Iterator[Permission]:
    for name in request.parameters["Names"]:
        resource = str(_Fields(request).named("ssm", "parameter/", name.lstrip("/")))
        yield Permission(_action(request), resource, request.account_id)


def _invoke(request: Request) -> Iterator[Permission]:
    return _on(request, "{function}")


_SPECIAL: dict[tuple[str, str], Callable[[Request], Iterable[Permission]]] = {
    # "No permissions are required": https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    ("sts", "GetCallerIdentity"): _nothing,
    ("sts", "AssumeRole"): _assume_role,
    ("s3", "CopyObject"): _copy,
    ("s3", "UploadPartCopy"): _copy,
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "GetObjectAttributes"): _object_attributes,
    ("dynamodb", "BatchGetItem"): _batch_of_tables,
    ("dynamodb", "BatchWriteItem"): _batch_of_tables,
    ("ssm", "GetParameters"): _several_parameters,
    ("ssm", "DeleteParameters"): _several_parameters,
    ("lambda", "Invoke"): _invoke,
}
