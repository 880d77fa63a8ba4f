"""What a GuardDuty finding names: the access keys and principals that it is about, and when.

The finding's forms: GuardDuty's API (names begin with capitals), EventBridge and the console's download (small letters), and
Security Hub's ASFF. Attack sequences have several actors.
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from ..errors import CommandError, reason_of, uncapitalized

_LARGEST = 64 * 1024 * 1024
_NESTED_AT_MOST = 60
_GZIP = b"\x1f\x8b"
_ROLE_SESSION = re.compile(r"(AROA[A-Z0-9]+):(.+)", re.DOTALL)
_SESSION_ARN = re.compile(r"arn:aws[a-z-]*:sts::([0-9]{12}):assumed-role/([^/]+)/(.+)", re.DOTALL)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", re.DOTALL)
_KEY = re.compile(r"(?:.*[:/])?(A[KS]IA[A-Z0-9]{12,124})", re.DOTALL)


class FindingError(CommandError):
    """What was given is no finding; the message says what it is and what to give."""


class Actor(Struct, frozen=True):
    """Who acted, as far as a finding says it. `role` is a name, or an ARN where the finding has one."""

    access_key_id: str | None = None
    role_id: str | None = None
    session_name: str | None = None
    role: str | None = None
    account_id: str | None = None
    user_type: str | None = None


class Finding(Struct, frozen=True):
    """One finding: its id, type and title, the times as records write them, and its actors."""

    id: str
    type: str
    title: str
    first_seen: str | None
    last_seen: str | None
    actors: tuple[Actor, ...]


def read_findings(path: str) -> list[Finding]:
    """Read the findings of a file. Raises FindingError where it holds none."""
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
        if content.startswith(_GZIP):
            content = zlib.decompressobj(wbits=31).decompress(content, _LARGEST + 1)
    except OSError as error:
        raise FindingError(f"can't read the finding {path}: {reason_of(error)}") from None
    except zlib.error:
        raise FindingError(f"{path} is a damaged gzip file") from None
    if len(content) > _LARGEST:
        raise FindingError(f"{path} is larger than 64 MB, which no finding is")
    findings = [_finding(each) for value in _values(content, path) for each in _findings_in(value, _NESTED_AT_MOST)]
    if not findings:
        raise FindingError(
            f"{path} holds no GuardDuty finding: give what `aws guardduty get-findings` prints, EventBridge's event, the "
            "console's download, or the finding as Security Hub has it (ASFF)"
        )
    return findings


def _values(content: bytes, path: str) -> list[Any]:
    try:
        try:
            return [json.loads(content)]  # in UTF-16, too
        except json.JSONDecodeError:
            return [
                json.loads(line) for line in content.splitlines() if line.strip()
            ]  # as GuardDuty exports them to S3
    except (ValueError, RecursionError):
        raise FindingError(f"{path} holds no JSON: give a GuardDuty finding") from None


def _findings_in(value: Any, deeper: int) -> Iterator[dict[str, Any]]:
    """Yield the findings of a list or an envelope; what stands within a finding is none."""
    if isinstance(value, list):
        for each in value:
            yield from _findings_in(each, deeper - 1)
    elif isinstance(value, dict) and deeper > 0:
        named = {uncapitalized(name): each for name, each in value.items()}
        is_guard_duty = (
            "accessKeyDetails" in _dict(_folded(named.get("resource"))) or {"resource", "service"} <= named.keys()
        )
        if is_guard_duty or {"awsAccountId", "resources"} <= named.keys():
            yield _dict(_folded(named))
        else:
            # EventBridge's event may lie in a queue's message, or a topic's notification.
            for name in ("findings", "detail", "messages", "records", "sns", "body", "message"):
                if name in named:
                    yield from _findings_in(_of_text(named[name]), deeper - 1)
                    break


def _of_text(value: Any) -> Any:
    """Return what a text of JSON holds."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def _finding(value: dict[str, Any]) -> Finding:
    service = _dict(value.get("service"))
    sequence = _dict(_dict(service.get("detection") or value.get("detection")).get("sequence"))
    signals = [_dict(each) for each in _list(sequence.get("signals"))]
    first = [
        service.get("eventFirstSeen"),
        value.get("firstObservedAt"),
        *(each.get("firstSeenAt") for each in signals),
    ]
    last = [service.get("eventLastSeen"), value.get("lastObservedAt"), *(each.get("lastSeenAt") for each in signals)]
    account = _text(value.get("accountId")) or _text(value.get("awsAccountId"))
    types = _list(value.get("types"))
    return Finding(
        _text(value.get("id")) or "",
        _text(value.get("type")) or _text(types[0] if types else None) or "",
        _text(value.get("title")) or "",
        min(filter(None, map(_time, first)), default=_time(value.get("createdAt"))),
        max(filter(None, map(_time, last)), default=_time(value.get("updatedAt"))),
        tuple(dict.fromkeys(each for each in _actors(value, sequence, account) if each != Actor(account_id=account))),
    )


def _actors(value: dict[str, Any], sequence: dict[str, Any], account: str | None) -> Iterator[Actor]:
    details = _dict(_dict(value.get("resource")).get("accessKeyDetails"))
    if details:
        yield _actor(
            details.get("accessKeyId"),
            [details.get("principalId")],
            details.get("userName"),
            account,
            details.get("userType"),
        )
    for resource in map(_dict, _list(value.get("resources"))):
        key = _dict(_dict(resource.get("details")).get("awsIamAccessKey"))
        if key or resource.get("type") == "AwsIamAccessKey":
            issuer = _dict(_dict(key.get("sessionContext")).get("sessionIssuer"))
            yield _actor(
                key.get("accessKeyId") or resource.get("id"),
                [issuer.get("arn"), key.get("principalId")],
                key.get("principalName") or key.get("userName") or issuer.get("userName"),
                _text(key.get("accountId")) or account,
                key.get("principalType"),
            )
    # Of a sequence the session's name may stand with the access key only, which is one of its resources.
    keys = {
        _text(each.get("uid")): (_dict(_dict(each.get("data")).get("accessKey")), _text(each.get("accountId")))
        for each in map(_dict, _list(sequence.get("resources")))
        if _dict(each.get("data")).get("accessKey")
    }
    for actor in map(_dict, _list(sequence.get("actors"))):
        user, session = _dict(actor.get("user")), _dict(actor.get("session"))
        key, _ = keys.pop(_text(user.get("credentialUid")), ({}, None))
        yield _actor(
            user.get("credentialUid"),
            [session.get("issuer"), user.get("uid"), session.get("uid"), key.get("principalId")],
            user.get("name") or key.get("userName"),
            _text(_dict(user.get("account")).get("uid")) or account,
            user.get("type"),
        )
    for uid, (key, key_account) in keys.items():
        texts = [key.get("principalId")]
        yield _actor(uid, texts, key.get("userName"), key_account or account, key.get("userType"))


def _actor(key: object, texts: list[object], name: object, account: str | None, user_type: object) -> Actor:
    role, role_id, session_name = _text(name), None, None
    for text in filter(None, map(_text, [*texts, name])):
        if match := _SESSION_ARN.fullmatch(text):
            account, session_name = match[1], match[3]
            role = role if role and _ROLE_ARN.fullmatch(role) else match[2]
        elif match := _ROLE_SESSION.fullmatch(text):
            role_id, session_name = match[1], match[2]
        elif _ROLE_ARN.fullmatch(text):
            role = text
    if role and not _ROLE_ARN.fullmatch(role) and "/" in role:
        role, _, ends = role.partition("/")  # ROLE/SESSION
        session_name = session_name or ends
    key_found = _KEY.fullmatch(_text(key) or "")
    return Actor(key_found[1] if key_found else None, role_id, session_name, role, account, _text(user_type))


def _folded(value: Any, deeper: int = _NESTED_AT_MOST) -> Any:
    """Return a value with the names as EventBridge writes them."""
    if deeper == 0:
        return None
    if isinstance(value, list):
        return [_folded(each, deeper - 1) for each in value]
    if isinstance(value, dict):
        return {uncapitalized(name): _folded(each, deeper - 1) for name, each in value.items()}
    return value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> str | None:
    """Return a time as records write it; numbers are seconds or milliseconds since 1970."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
