"""Records whose fields became columns: Athena's, CloudTrail Lake's, Sentinel's, Elastic's, and what people select.

A column is known by its letters alone: `userIdentity.arn`, `useridentity_arn` and `UserIdentityArn` are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from . import printed
from .members import LeftOutError

_FIELDS = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "eventType",
    "eventCategory",
    "recipientAccountId",
    "vpcEndpointId",
    "readOnly",
    "resources",
    "sharedEventID",
    "managementEvent",
    "userIdentity.type",
    "userIdentity.principalId",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.userName",
    "userIdentity.invokedBy",
    "userIdentity.onBehalfOf.userId",
    "userIdentity.onBehalfOf.identityStoreArn",
    "userIdentity.sessionContext.sourceIdentity",
    "userIdentity.sessionContext.attributes.creationDate",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.sessionIssuer.type",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.sessionIssuer.accountId",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "userIdentity.inScopeOf.sourceArn",
    "userIdentity.inScopeOf.credentialsIssuedTo",
]
# Sentinel: https://learn.microsoft.com/azure/azure-monitor/reference/tables/awscloudtrail. Elastic:
# https://www.elastic.co/docs/reference/beats/filebeat/exported-fields-aws. Athena names `SELECT useridentity.arn` so.
_OTHER_NAMES = {
    "AwsEventId": "eventID", "AwsRequestId": "requestID", "AwsRequestId_": "requestID", "TimeGenerated": "eventTime",
    "TimeGenerated [UTC]": "eventTime", "EventTypeName": "eventType",
    **{f"SessionIssuer{each}": f"userIdentity.sessionContext.sessionIssuer.{each[0].lower()}{each[1:]}"
       for each in ("Type", "PrincipalId", "Arn", "AccountId", "UserName")},
    "SessionCreationDate": "userIdentity.sessionContext.attributes.creationDate",
    "aws.cloudtrail.user_identity.session_context.creation_date": "userIdentity.sessionContext.attributes.creationDate",
    "@timestamp": "eventTime", "event.action": "eventName", "event.provider": "eventSource", "event.id": "eventID",
    "cloud.region": "awsRegion", "source.address": "sourceIPAddress", "source.ip": "sourceIPAddress",
    "user_agent.original": "userAgent", "cloud.account.id": "recipientAccountId",
    "arn": "userIdentity.arn", "principalid": "userIdentity.principalId", "accesskeyid": "userIdentity.accessKeyId",
}  # fmt: skip
_PREFIX = "awscloudtrail"
_STRUCTS = ("useridentity", "sessioncontext", "sessionissuer", "attributes", "onbehalfof")
_NAMES_OF_CALLS = frozenset(("eventname", "eventaction"))
_LONGEST_NAME = 200
_NULLS = ("", "null", "-")
_LOCAL_TIME = re.compile(r"TimeGenerated \[")
_US_TIME = "%m/%d/%Y, %I:%M:%S.%f %p"
_DEEPEST = 6
_FOLDED = ("requestParameters", "responseElements", "additionalEventData", "resources")
# Elastic's own text of these is printed; the objects stand beside it.
_ELASTIC = {
    "aws.cloudtrail.flattened.request_parameters": "requestParameters",
    "aws.cloudtrail.flattened.response_elements": "responseElements",
    "aws.cloudtrail.flattened.additional_eventdata": "additionalEventData",
}
_PRINTED: dict[str, Callable[[str], Any]] = {
    "requestParameters": printed.parameters, "responseElements": printed.parameters,
    "additionalEventData": printed.parameters, "resources": printed.resources,
}  # fmt: skip
_IS_PRINTED = re.compile(r"\{[A-Za-z_][\w.-]*=|\[\{[A-Za-z_]\w*=")


def _letters(name: str) -> str:
    return _letters_of(name[:_LONGEST_NAME])


@lru_cache(maxsize=4096)
def _letters_of(name: str) -> str:
    """Return what a column is known by."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain.removeprefix(_PREFIX) if len(plain) > len(_PREFIX) else plain


_PATHS = {_letters(path): tuple(path.split(".")) for path in _FIELDS}
_PATHS_OF_OTHERS = {_letters(name): tuple(path.split(".")) for name, path in _OTHER_NAMES.items()}


def known(names: Iterable[str]) -> int:
    """Return how many of these columns are a record's."""
    return sum(
        _letters(name) in _PATHS or _letters(name) in _PATHS_OF_OTHERS or _letters(name) in _STRUCTS for name in names
    )


def is_row(names: Iterable[str]) -> bool:
    """Return whether columns tell of a call: its name, and something of its caller."""
    letters = {_letters(name) for name in names}
    if letters.isdisjoint(_NAMES_OF_CALLS):
        return False
    return any(name.startswith(("useridentity", "aws", "arn", "principalid", "sessionissuer")) for name in letters)


def record_of(columns: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Return a row as a record; what is no field of a record is left out, and so is what can't be told for sure, which is reported."""
    record: dict[str, Any] = {"eventVersion": "1.0"}
    flat = list(_flat(columns, ""))
    _fold(record, columns)
    # A field's own name goes before another product's.
    for paths in (_PATHS, _PATHS_OF_OTHERS):
        for name, value in flat:
            path = paths.get(name)
            if path is None or value is None or (isinstance(value, str) and value in _NULLS):
                continue
            inner = record
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            inner.setdefault(path[-1], _time(value) if path == ("eventTime",) else value)
    for name, read in _PRINTED.items():
        if isinstance(text := record.get(name), str) and _IS_PRINTED.match(text):
            try:
                record[name] = read(text)
            except printed.AmbiguousError as error:
                del record[name]
                report(f"record {record.get('eventID')}: {name} left out ({error})")
    if "eventTime" not in record and (local := next((name for name in columns if _LOCAL_TIME.match(name)), None)):
        raise LeftOutError(f"a row of Sentinel's in local time ({local[:60]}): export it in UTC")
    if "userIdentity" not in record and (unread := dict(flat).get("useridentity")):
        record["userIdentity"] = unread  # so that the record is named
    if record["eventVersion"] == "1.0":
        record["eventVersion"] = next((value for name, value in flat if name == "eventversion" and value), "1.0")
    return record


def _fold(record: dict[str, Any], columns: Mapping[str, Any]) -> None:
    """Put back what stands by its path: `requestParameters.bucketName`, `resources.0.ARN`."""
    for column, value in columns.items():
        for name in (*_FOLDED, *_ELASTIC):
            field = _ELASTIC.get(name, name)
            path = column[len(name) + 1 :].split(".") if column.startswith(f"{name}.") else []
            if not path or len(path) > _DEEPEST or value is None or not isinstance(record.get(field, {}), dict):
                continue
            inner = record.setdefault(field, {})
            for part in path[:-1]:
                following = inner.setdefault(part, {})
                if not isinstance(following, dict):
                    break
                inner = following
            else:
                inner.setdefault(path[-1], value)
    for field in _FOLDED:
        if isinstance(record.get(field), dict):
            record[field] = _with_lists(record[field])


def _with_lists(value: Any) -> Any:
    """Return an object whose members are all numbers as a list."""
    if not isinstance(value, dict):
        return value
    members = {name: _with_lists(inner) for name, inner in value.items()}
    if members and all(name.isdecimal() for name in members):
        return [members[name] for name in sorted(members, key=int)]
    return members


def _flat(columns: Mapping[str, Any], prefix: str, depth: int = 0) -> Iterable[tuple[str, Any]]:
    """Yield each column by its letters, those of structs within too."""
    for name, value in columns.items():
        own = _letters(name)
        path = _letters(prefix + own)
        is_part_of_record = path in _PATHS or path in _PATHS_OF_OTHERS
        inner = None if is_part_of_record or depth > _DEEPEST else _struct(value)
        if inner is None:
            yield path, value
        else:
            yield from _flat(inner, path, depth + 1)


def _struct(value: Any) -> Mapping[str, Any] | None:
    """Return a struct's fields: an object, its JSON, or what Athena and Lake print of one."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        fields = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        try:
            fields = printed.struct(value)
        except printed.AmbiguousError:
            fields = None
    return fields if isinstance(fields, dict) else None


def _time(value: Any) -> Any:
    """Return a time as text, of an export of Sentinel's too, which is in UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    try:
        return datetime.strptime(value, _US_TIME).replace(tzinfo=UTC).isoformat()
    except (ValueError, TypeError):
        return value.removesuffix(" UTC") if isinstance(value, str) else value
