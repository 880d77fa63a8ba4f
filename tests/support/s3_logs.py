"""Small CloudTrail logs, and the keys under which CloudTrail would deliver them."""

from __future__ import annotations

import gzip
import itertools
import json
import uuid
from typing import Any

ROLE = "data-science"
ACCOUNT = "111122223333"
_numbers = itertools.count()


def record(
    moment: str, session: str = "fraud-model", *, role: str = ROLE, account: str = ACCOUNT, region: str = "eu-central-1",
    key: str = "ASIAFRAUDMODEL", name: str = "DescribeNotebookInstance", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return the record of a call that a session of a role made; each has an id of its own."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{session}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            "accountId": account,
            "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{account}:role/{role}"}},
        },
        "eventTime": moment,
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "aws-cli",
        "eventID": str(uuid.uuid4()),
        "recipientAccountId": account,
    } | more


def opening(moment: str, session: str, *, key: str, opened: str, role: str, name: str) -> dict[str, Any]:
    """Return the record of an AssumeRole by which a session opened another one."""
    return record(
        moment, session, key=key, name="AssumeRole", eventSource="sts.amazonaws.com",
        requestParameters={"roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "roleSessionName": name},
        responseElements={"credentials": {"accessKeyId": opened}},
    )  # fmt: skip


def log(*records: dict[str, Any]) -> bytes:
    """Return a log file as CloudTrail writes it."""
    return gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), 1)


def key(day: str, *, account: str = ACCOUNT, region: str = "eu-central-1", below: str = "") -> str:
    """Return the key of a log file of that day (2026-03-01); `below` is the trail's key prefix, or ends in AWSLogs/o-…/."""
    below = below if "AWSLogs/" in below else f"{below}AWSLogs/"
    name = f"{account}_CloudTrail_{region}_{day.replace('-', '')}T1000Z_{next(_numbers):016}.json.gz"
    return f"{below}{account}/CloudTrail/{region}/{day.replace('-', '/')}/{name}"
