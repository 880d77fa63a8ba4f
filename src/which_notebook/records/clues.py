"""Clues in records: what tells whose session a base session is, and which notebook instance has which network interface.

The first are read only from calls of base sessions. The second are read only from SageMaker's own calls: anyone else can
give a network interface any description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Raw

from ..calls.clues import Clues, Interface
from .particulars import decoded, member_of, object_of, text_or_none

# IAM's text of a refusal, in which nothing but the resource is the caller's. The rest says which policy refused.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_REFUSED = re.compile(
    r"User: (?P<user>\S+) is not authorized to perform: (?P<action>[a-z]+:[A-Za-z]+) on resource: (?P<resource>\S+)"
    r"(?: (?:because|with an explicit deny)[^\r\n]*)?"
)
_THERE_ALREADY = "ResourceAlreadyExistsException"
_REFUSALS = frozenset(("AccessDenied", "AccessDeniedException"))
_STREAM = re.compile(
    r"(?P<of>arn:[a-z-]+:)logs:[a-z0-9-]*:(?P<account>[0-9]{12}):log-group:(?P<group>[^:]+):log-stream:(?P<stream>[^:*]+)"
)
_ASKS_ABOUT = {
    "DescribeNotebookInstance": "notebookInstanceName",
    "StopNotebookInstance": "notebookInstanceName",
    "ListTags": "resourceArn",
}
_NOTEBOOK_ARN = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{12}:notebook-instance/(.+)")

# As programs that list network interfaces know these. What stands behind the name isn't known.
_DESCRIPTION = re.compile(
    r"\[Do not delete\] Network Interface created to access resources in your VPC for SageMaker Notebook Instance "
    r"(?P<name>[a-zA-Z0-9](?:-*[a-zA-Z0-9])*)(?![a-zA-Z0-9-]).*",
    re.DOTALL,
)
_SAGEMAKER = "sagemaker.amazonaws.com"
_ROLE_OF_SAGEMAKER = ":role/aws-service-role/sagemaker.amazonaws.com/"


def session_clues(
    event_source: str,
    event_name: str,
    caller: str | None,
    error: tuple[str | None, object],
    parameters: Raw,
    in_scope_of: Raw,
) -> Clues | None:
    """Return what a base session's record names; None where it names nothing. `error` is the error's code and message."""
    clues = Clues(in_scope_of=_in_scope_of(in_scope_of))
    code, message = error
    if (event_source, event_name) == ("logs.amazonaws.com", "CreateLogStream"):
        request = object_of(decoded(parameters))
        group, stream = (text_or_none(member_of(request, name)) for name in ("logGroupName", "logStreamName"))
        if group and stream and (code is None or code in _REFUSALS or code == _THERE_ALREADY):
            clues.log_stream = group, stream
        refusal = _STREAM.fullmatch(_refused(code, message, caller, "logs:CreateLogStream"))
        if refusal and (caller or "").startswith(f"{refusal['of']}sts::{refusal['account']}:"):
            clues.log_stream = refusal["group"], refusal["stream"]
    elif event_source == _SAGEMAKER and event_name in _ASKS_ABOUT:
        name = text_or_none(member_of(object_of(decoded(parameters)), _ASKS_ABOUT[event_name]))
        if name and code and code not in _REFUSALS:
            name = None  # there may be no such notebook instance
        name = name or _refused(code, message, caller, f"sagemaker:{event_name}")
        if name and (event_name != "ListTags" or _NOTEBOOK_ARN.fullmatch(name)):
            clues.notebooks = (name,)
    return None if clues == Clues() else clues


def interface_clues(
    event_name: str, maker: tuple[str | None, str | None], parameters: Raw, answer: Raw
) -> Clues | None:
    """Return which network interface an EC2 call that succeeded made for a notebook instance, or deleted.

    `maker` is the service that made the call for its caller, and the ARN of the role whose session called.
    """
    invoked_by, issuer_arn = maker
    if event_name == "DeleteNetworkInterface":
        deleted = text_or_none(member_of(object_of(decoded(parameters)), "networkInterfaceId"))
        return Clues(interface=Interface(deleted)) if deleted else None
    if event_name != "CreateNetworkInterface":
        return None
    if invoked_by != _SAGEMAKER and _ROLE_OF_SAGEMAKER not in (issuer_arn or ""):
        return None
    made = member_of(object_of(decoded(answer)), "networkInterface")
    identifier, address, description = (
        text_or_none(member_of(made, name)) for name in ("networkInterfaceId", "privateIpAddress", "description")
    )
    named = _DESCRIPTION.fullmatch(description or "")
    if not (named and identifier and address):
        return None
    return Clues(interface=Interface(identifier, named["name"], address))


def _refused(code: str | None, message: object, caller: str | None, action: str) -> str:
    """Return the resource on which IAM refused the caller this action; nothing where the message isn't IAM's own."""
    match = _REFUSED.fullmatch(message) if code in _REFUSALS and isinstance(message, str) else None
    is_callers = match is not None and match["user"] == caller and match["action"] == action
    return match["resource"] if match and is_callers else ""


def _in_scope_of(field: Raw) -> tuple[str, ...]:
    """Return the ARNs of what the session's credentials were issued to."""
    return tuple(dict.fromkeys(_arns(object_of(decoded(field)))))


def _arns(scope: object) -> Iterator[str]:
    for name in ("sourceArn", "credentialsIssuedTo"):
        arn = text_or_none(member_of(scope, name))
        if arn and arn.startswith("arn:"):
            yield arn
