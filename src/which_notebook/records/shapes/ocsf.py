"""OCSF's form of a record, which Security Lake and CloudWatch Logs' transformers write, from 1.0.0-rc.2 on.

Its members were renamed since: of the release candidates the session's ARN, with 1.2 `invoked_by`, with 1.6 the access key, and
1.7 put the source's own event id beside OCSF's: https://github.com/ocsf/ocsf-schema/blob/main/CHANGELOG.md. How AWS maps
CloudTrail's fields: https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS. Security Lake writes 1.1 and the
transformers 1.1 or 1.5:
https://docs.aws.amazon.com/security-lake/latest/userguide/open-cybersecurity-schema-framework.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ParseToOCSF.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Fields = Mapping[str, Any]

_MILLISECONDS = 1000


def is_event(fields: Fields) -> bool:
    """Return whether an object is an event of this schema with a call in it."""
    return "class_uid" in fields and "actor" in fields and "api" in fields


def record_of(event: Fields) -> dict[str, Any] | None:
    """Return the event as a record; None where another product than CloudTrail wrote it."""
    if _get(event, "metadata", "product", "name") not in (None, "CloudTrail"):
        return None
    user, session = _get(event, "actor", "user") or {}, _get(event, "actor", "session") or {}
    # Of the release candidates, `uid` is the principal id.
    is_old = "uuid" in user and user["uuid"] is not None
    arn, principal_id = (user["uuid"], user.get("uid")) if is_old else (user.get("uid"), user.get("uid_alt"))
    unmapped = _pairs(event.get("unmapped"))
    account = _get(user, "account", "uid") or user.get("account_uid")
    issuer, source_identity = session.get("issuer"), unmapped.get("userIdentity.sessionContext.sourceIdentity")
    on_behalf_of = {each: unmapped.get(f"userIdentity.onBehalfOf.{each}") for each in ("userId", "identityStoreArn")}
    context = {
        "sessionIssuer": issuer and {"arn": issuer},
        "sourceIdentity": source_identity,
        "attributes": {"creationDate": _moment(session.get("created_time_dt") or session.get("created_time"))},
    }
    return {
        "eventVersion": _get(event, "metadata", "product", "version") or "1.0",
        "userIdentity": {
            "type": user.get("type"),
            "principalId": principal_id,
            "arn": arn,
            "accountId": account,
            "accessKeyId": user.get("credential_uid") or _credential(user),
            "userName": user.get("name"),
            "invokedBy": _get(event, "actor", "invoked_by") or _get(event, "actor", "app_name"),
            "sessionContext": context,
            "onBehalfOf": on_behalf_of,
            "inScopeOf": _nested(unmapped, "userIdentity.inScopeOf"),
        },
        "eventTime": _time(event),
        "eventSource": _get(event, "api", "service", "name"),
        "eventName": _get(event, "api", "operation"),
        "awsRegion": _get(event, "cloud", "region") or event.get("region"),
        "sourceIPAddress": _get(event, "src_endpoint", "ip") or _get(event, "src_endpoint", "domain"),
        "userAgent": _get(event, "http_request", "user_agent"),
        "vpcEndpointId": _get(event, "src_endpoint", "uid"),
        "errorCode": _get(event, "api", "response", "error"),
        "errorMessage": _get(event, "api", "response", "error_message") or _get(event, "api", "response", "message"),
        "requestParameters": _part(event, unmapped, "request", "requestParameters"),
        "responseElements": _part(event, unmapped, "response", "responseElements"),
        "additionalEventData": _nested(unmapped, "additionalEventData"),
        "resources": [
            {"ARN": uid} for each in event.get("resources") or () if isinstance(uid := _get(each, "uid"), str)
        ],
        "requestID": _get(event, "api", "request", "uid"),
        "eventID": _get(event, "metadata", "original_event_uid") or _get(event, "metadata", "uid"),
        "eventType": _get(event, "metadata", "event_code") or unmapped.get("eventType"),
        "eventCategory": _category(event, unmapped),
        "sharedEventID": unmapped.get("sharedEventID"),
        "recipientAccountId": unmapped.get("recipientAccountId") or _get(event, "cloud", "account", "uid"),
    }


def _credential(user: Fields) -> Any:
    """Return the access key id, where it is one of a list."""
    several = user.get("programmatic_credentials")
    uids = [_get(each, "uid") for each in several] if isinstance(several, list) else []
    return next((uid for uid in uids if isinstance(uid, str)), None)


def _get(fields: Any, *names: str) -> Any:
    for name in names:
        fields = fields.get(name) if isinstance(fields, Mapping) else None
    return fields


def _pairs(value: Any) -> dict[str, Any]:
    """Return a map, which Parquet's reader gives as a list of pairs."""
    if isinstance(value, list):
        return {str(pair[0]): pair[1] for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2}
    return dict(value) if isinstance(value, Mapping) else {}


def _part(event: Fields, unmapped: dict[str, Any], side: str, name: str) -> Any:
    """Return the parameters or the answer: a text of JSON, or what the map of the rest has of it."""
    return _get(event, "api", side, "data") or _nested(unmapped, name)


def _nested(unmapped: dict[str, Any], name: str) -> Any:
    if name in unmapped:
        return unmapped[name]
    nested: dict[str, Any] = {}
    for path, value in unmapped.items():
        rest = path.removeprefix(f"{name}.").split(".")
        if not path.startswith(f"{name}."):
            continue
        inner = nested
        for part in rest[:-1]:
            following = inner.setdefault(part, {})
            if not isinstance(following, dict):
                break
            inner = following
        else:
            inner[rest[-1]] = value
    return nested or None


def _category(event: Fields, unmapped: dict[str, Any]) -> Any:
    feature = _get(event, "metadata", "product", "feature", "name")
    return feature if feature in ("Management", "Data", "NetworkActivity") else unmapped.get("eventCategory")


def _time(event: Fields) -> Any:
    return _moment(event.get("time_dt") or event.get("time"))


def _moment(at: Any) -> Any:
    if isinstance(at, (int, float)):
        try:
            at = datetime.fromtimestamp(at / _MILLISECONDS, UTC)
        except (ValueError, OverflowError, OSError):
            return str(at)
    return at.isoformat() if isinstance(at, datetime) else at
