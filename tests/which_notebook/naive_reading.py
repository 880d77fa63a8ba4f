"""A naive reading of CloudTrail logs, written from the documents, which shares nothing with the command.

It reads what is valid JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeGuard

from records import BASE, ROLE, Record

Rows = list[tuple[object, ...]]


def documents(text: str, **options: Any) -> Iterator[Any]:
    """Yield the JSON values of a text, one behind the other; ValueError where it is anything else."""
    decoder = json.JSONDecoder(parse_constant=refuse, **options)
    while text := text.lstrip(" \r\n\t"):
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


def refuse(constant: str) -> None:
    """Refuse NaN and Infinity."""
    raise ValueError(f"{constant} is no JSON")


def records_in(value: Any) -> Iterator[Record]:
    """Yield the records in a value, whatever they are wrapped in."""
    if isinstance(value, list):
        for each in value:
            yield from records_in(each)
    elif "userIdentity" in value or "eventVersion" in value or "eventName" in value:
        yield value
    elif "CloudTrailEvent" in value:
        yield from records_in(json.loads(value["CloudTrailEvent"]))
    elif "detail" in value:
        # Whoever else puts an event on the bus has to name another source, or is a partner.
        source = value.get("source")
        if isinstance(source, str) and source.startswith("aws.") and not source.startswith("aws.partner/"):
            yield from records_in(value["detail"])
    else:
        yield from records_in(value.get("Records") or value.get("Events") or [])


def naive_row(found: Record, role: str) -> tuple[object, ...] | None:
    """Return the row of a record's call, or None where it isn't the role's."""
    identity = found.get("userIdentity") or {}
    context = identity.get("sessionContext") or {}
    issuer = (context.get("sessionIssuer") or {}).get("arn")
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/(?s:.+)", issuer or "", re.ASCII):
        issuer = None
    arn, principal_id = identity.get("arn"), identity.get("principalId") or ""
    own = re.fullmatch(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/:]+)(?:/((?s:.+)))?", arn or "", re.ASCII)
    name = (own and own[4]) or principal_id.partition(":")[2] or None
    if own:
        role_arn = issuer or f"arn:{own[1]}:iam::{own[2]}:role/{own[3]}"
    else:
        role_arn = issuer if not arn and re.match(r"AROA[A-Z0-9]+:(?s:.)", principal_id) else None
    if not role_arn or (role_arn != role if role.startswith("arn:") else role_arn.split("/")[-1] != role):
        return None
    status, notebook, profile = "unknown-name", None, None
    asked = found.get("requestParameters")
    if name == BASE:
        status = "unattributed"
        asked = asked if isinstance(asked, dict) else {}
        opened = asked.get("roleArn")
        # Of one account and name; the path may be missing.
        parts = opened.split("/") if isinstance(opened, str) else [""]
        itself = (parts[0], parts[-1]) == (role_arn.split("/")[0], role_arn.split("/")[-1])
        opens = itself and asked.get("roleSessionName") != BASE
        if (found["eventSource"], found["eventName"]) == ("sts.amazonaws.com", "AssumeRole") and opens:
            status = "handshake"
        if could_be_a_name(identified := context.get("sourceIdentity")):
            status, profile = "user-profile", identified
    elif could_be_a_name(name) and name.lower() != "sagemaker":
        status, notebook = "attributed", name
    moment = datetime.fromisoformat(found["eventTime"])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (
        found["eventID"],
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        found["eventSource"],
        found["eventName"],
        found.get("awsRegion"),
        found.get("recipientAccountId") or identity.get("accountId"),
        notebook,
        status,
        name,
        role_arn,
        identity.get("accessKeyId"),
        found.get("sourceIPAddress"),
        found.get("vpcEndpointId"),
        found.get("userAgent"),
        found.get("errorCode"),
        context.get("sourceIdentity"),
        found.get("eventCategory"),
        profile,
        (identity.get("onBehalfOf") or {}).get("userId"),
    )


def could_be_a_name(text: str | None) -> TypeGuard[str]:
    """Return whether a notebook instance or a user profile could be called so."""
    return text is not None and len(text) < 64 and bool(re.fullmatch(r"[A-Za-z0-9](-*[A-Za-z0-9])*", text))


def naive(data: bytes, role: str = ROLE) -> Rows:
    """Return the rows of a log, in an order of their own."""
    text = data.decode("utf-8").removeprefix("\ufeff")
    found = (naive_row(each, role) for value in documents(text) for each in records_in(value))
    return sorted((row for row in found if row), key=repr)
