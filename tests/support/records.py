"""Makes CloudTrail records, to the pattern of real ones: the one maker for all tests of which-notebook."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

Record = dict[str, Any]

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
ROLE = "data-science-execution"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
BASE = "SageMaker"
IDENTITY_STORE = f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-9067028cf5"
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
_numbers = count(1)


def at_minute(number: int) -> str:
    """Return the time so many minutes after the start, as records write it."""
    return f"{START + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"


def session(
    name: str = "fraud-model",
    *,
    role: str = ROLE,
    path: str = "/",
    account: str = ACCOUNT,
    key: str | None = None,
    source_identity: str | None = None,
    on_behalf_of: str | None = None,
    started: str | None = None,
) -> Record:
    """Return the identity of a role's session; its own ARN lacks the role's path, as in real records."""
    role_id = "AROAEXAMPLEROLE000001" if role == ROLE else "AROAEXAMPLEROLE000002"
    context: Record = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role_id,
            "arn": f"arn:aws:iam::{account}:role{path}{role}",
            "accountId": account,
            "userName": role,
        },
        "attributes": {"creationDate": started or at_minute(0), "mfaAuthenticated": "false"},
    }
    if source_identity is not None:
        context["sourceIdentity"] = source_identity
    identity: Record = {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": key or f"ASIA{name.upper()}",
        "sessionContext": context,
    }
    if on_behalf_of is not None:
        identity["onBehalfOf"] = {"userId": on_behalf_of, "identityStoreArn": IDENTITY_STORE}
    return identity


def profile(name: str = "anna", *, key: str = "ASIASTUDIO", **more: Any) -> Record:
    """Return the identity of a session that Studio opens for a user profile; with `on_behalf_of`, of an Identity Center's user."""
    return session(BASE, key=key, source_identity=name, **more)


def record(
    identity: Record | None = None, event: str = "s3:GetObject", *, time: str = "09:00", **fields: Any
) -> Record:
    """Return the record of a call, which a notebook session made unless it is told whose it is.

    `time` is whole, or on the day on which all begins, as 09:00; `fields` are set as they are, and None leaves one out.
    """
    number = next(_numbers)
    service, _, name = event.partition(":")
    whole: Record = {
        "eventVersion": "1.11",
        "userIdentity": session() if identity is None else identity,
        "eventTime": f"{START:%Y-%m-%d}T{time}:00Z" if len(time) == len("09:00") else time,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "10.9.0.10",
        "userAgent": "[Boto3/1.42.34 md/Botocore#1.42.34 lang/python#3.11.9]",
        "requestParameters": {"bucketName": "figures", "key": f"day/{number}.parquet"},
        "responseElements": {"x": None},
        "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
        "requestID": f"R{number:015}",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "readOnly": True,
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::figures/day"}],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data",
    }
    return {key: value for key, value in (whole | fields).items() if value is not None}


def others(event: str = "s3:GetObject", **fields: Any) -> Record:
    """Return a record of somebody else's call."""
    return record(session("i-0abc", role="web-server", key="ASIAWEB"), event, **fields)


def opening(
    by: Record,
    name: str,
    *,
    role: str = ROLE,
    path: str = "/",
    account: str = ACCOUNT,
    key: str | None = None,
    granted: bool | None = None,
    asked: Record | None = None,
    **fields: Any,
) -> Record:
    """Return the record of an AssumeRole that succeeded."""
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
    parameters = {"roleArn": f"arn:aws:iam::{account}:role{path}{role}", "roleSessionName": name, **(asked or {})}
    answer = {
        "credentials": {"accessKeyId": key or f"ASIA{name.upper()}", "expiration": "Mar 1, 2026, 10:00:00 AM"},
        "assumedRoleUser": {"assumedRoleId": f"AROAEXAMPLEROLE000001:{name}", "arn": arn},
    }
    made: Record = {
        "event": "sts:AssumeRole",
        "requestParameters": parameters,
        "responseElements": answer,
        "additionalEventData": None if granted is None else {"explicitTrustGrant": granted},
    }
    return record(by, **(made | fields))


def handshake(name: str = "fraud-model", *, base_key: str = "ASIABASE", **fields: Any) -> Record:
    """Return the record by which the base session opened a notebook session."""
    return opening(session(BASE, key=base_key), name, **fields)
