"""The fields of a CloudTrail record, in its order: a table's columns have their names in small letters.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

Kind = Literal["text", "json", "boolean"]
Shape = Mapping[str, "Shape | Kind"]

_ROLE_SESSION: Shape = {
    "sessionIssuer": {"type": "text", "principalId": "text", "arn": "text", "accountId": "text", "userName": "text"},
    "webIdFederationData": {"federatedProvider": "text", "attributes": "json"},
    "attributes": {"creationDate": "text", "mfaAuthenticated": "text"},
    "sourceIdentity": "text",
    "ec2RoleDelivery": "text",
    "assumedRoot": "text",
}
FIELDS: Shape = {
    "eventVersion": "text",
    "userIdentity": {
        "type": "text",
        "principalId": "text",
        "arn": "text",
        "accountId": "text",
        "accessKeyId": "text",
        "userName": "text",
        "sessionContext": _ROLE_SESSION,
        "invokedBy": "text",
        "identityProvider": "text",
        "credentialId": "text",
        "onBehalfOf": {"userId": "text", "identityStoreArn": "text"},
        "inScopeOf": {"issuerType": "text", "credentialsIssuedTo": "text", "sourceArn": "text", "sourceAccount": "text"},
    },
    "eventTime": "text",
    "eventSource": "text",
    "eventName": "text",
    "awsRegion": "text",
    "sourceIPAddress": "text",
    "userAgent": "text",
    "errorCode": "text",
    "errorMessage": "text",
    "requestParameters": "json",
    "responseElements": "json",
    "additionalEventData": "json",
    "requestID": "text",
    "eventID": "text",
    "readOnly": "boolean",
    "resources": {"accountId": "text", "type": "text", "ARN": "text"},
    "eventType": "text",
    "apiVersion": "text",
    "managementEvent": "boolean",
    "recipientAccountId": "text",
    "serviceEventDetails": "json",
    "sharedEventID": "text",
    "vpcEndpointId": "text",
    "vpcEndpointAccountId": "text",
    "eventCategory": "text",
    "addendum": {"reason": "text", "updatedFields": "text", "originalRequestID": "text", "originalEventID": "text"},
    "sessionCredentialFromConsole": "text",
    "edgeDeviceDetails": "json",
    "tlsDetails": {"tlsVersion": "text", "cipherSuite": "text", "clientProvidedHostHeader": "text"},
}  # fmt: skip
"""Each field with its kind, or its own fields; `resources` is a list of such. Of a field of the kind `json` the form differs from service to service."""


class _Field(Struct, frozen=True):
    name: str
    kind: Kind
    inner: dict[str, _Field]


def _by_column(shape: Shape) -> dict[str, _Field]:
    return {
        name.lower(): _Field(name, each, {}) if isinstance(each, str) else _Field(name, "text", _by_column(each))
        for name, each in shape.items()
    }


_FIELDS = _by_column(FIELDS)
COLUMNS = tuple(_FIELDS)
"""The columns of a table with all fields."""


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row as a record: its fields under their own names, without those that are null."""
    return _named(row, _FIELDS)


def _named(values: Mapping[str, Any], fields: dict[str, _Field]) -> dict[str, Any]:
    found = {}
    for column, value in values.items():
        if value is not None:
            field = fields.get(column.lower())
            found[field.name if field else column] = _value(value, field) if field else value
    return found


def _value(value: Any, field: _Field) -> Any:
    if isinstance(value, Mapping) and field.inner:
        return _named(value, field.inner)
    if isinstance(value, list):
        return [_value(each, field) for each in value]
    if isinstance(value, str) and field.kind == "json" and value.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    if isinstance(value, str) and field.kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    return value
