"""CloudTrail records and files, made up to the pattern of real ones, for the tests of which-notebook."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

Record = dict[str, Any]

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
ROLE = "data-science-execution"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
BASE = "SageMaker"
_numbers = count(1)


def session(
    name: str = "fraud-model",
    *,
    role: str = ROLE,
    path: str = "/",
    account: str = ACCOUNT,
    key: str | None = None,
    source_identity: str | None = None,
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
        "attributes": {"creationDate": "2026-03-01T08:00:00Z", "mfaAuthenticated": "false"},
    }
    if source_identity:
        context["sourceIdentity"] = source_identity
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": key or f"ASIA{name.upper()}",
        "sessionContext": context,
    }


def record(identity: Record | None = None, *, time: str = "2026-03-01T09:00:00Z", **fields: Any) -> Record:
    """Return a record of a notebook session's call; `fields` are set as they are, and None leaves one out."""
    number = next(_numbers)
    whole: Record = {
        "eventVersion": "1.11",
        "userIdentity": session() if identity is None else identity,
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "10.9.0.10",
        "userAgent": "[Boto3/1.42.34 md/Botocore#1.42.34 lang/python#3.11.9]",
        "requestParameters": {"bucketName": "figures", "key": f"day/{number}.parquet"},
        "responseElements": {"x": None},
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


def others(time: str = "2026-03-01T09:00:00Z", **fields: Any) -> Record:
    """Return a record of somebody else's call."""
    return record(session("i-0abc", role="web-server", key="ASIAWEB"), time=time, **fields)


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
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "requestParameters": parameters,
        "responseElements": answer,
        "additionalEventData": None if granted is None else {"explicitTrustGrant": granted},
    }
    return record(by, **(made | fields))


def handshake(name: str = "fraud-model", *, base_key: str = "ASIABASE", **fields: Any) -> Record:
    """Return the record by which the base session opened a notebook session."""
    return opening(session(BASE, key=base_key), name, **fields)


def compact(value: Any) -> bytes:
    """Return JSON without white space, as CloudTrail writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def document(records: Iterable[Record]) -> bytes:
    """Return the content of a CloudTrail file."""
    return compact({"Records": list(records)})


def write(path: Path, *records: Record) -> Path:
    """Write a CloudTrail file, compressed if its name says so."""
    data = document(records)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path
