"""CloudTrail's event history: LookupEvents over what the recorder has recorded.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.api.core import handler

from .cloudtrail_log import CloudTrailLog
from .cloudtrail_records import Record

_PAGE = 50
_HISTORY = timedelta(days=90)


class CloudTrailProvider:
    """LookupEvents, with its page size, its one attribute a call and its two requests a second."""

    service = "cloudtrail"

    def __init__(self, log: CloudTrailLog, *, requests_per_second: int) -> None:
        self._log = log
        self._limit = _RateLimit(requests_per_second)

    @handler("LookupEvents", expand=False)
    def lookup_events(self, context: RequestContext, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of the account's management events in the region, the newest first."""
        if not self._limit.allows((context.account_id, context.region)):
            raise _error("ThrottlingException", "Rate exceeded")
        size = int(request.get("MaxResults") or _PAGE)
        if not 1 <= size <= _PAGE:
            raise _error("InvalidMaxResultsException", f"MaxResults must be between 1 and {_PAGE}.")
        attributes = request.get("LookupAttributes") or []
        if len(attributes) > 1 or any(each["AttributeKey"] not in _ATTRIBUTES for each in attributes):
            raise _error("InvalidLookupAttributesException", "Only one of the known lookup attributes is allowed.")
        start, end = _moment(request.get("StartTime")), _moment(request.get("EndTime"))
        if start and end and start > end:
            raise _error("InvalidTimeRangeException", "StartTime is after EndTime.")
        if request.get("EventCategory"):
            return {"Events": []}
        query = json.dumps([attributes, str(start), str(end), context.account_id, context.region], sort_keys=True)

        records = self._log.records()
        position = _position(request["NextToken"], query) if request.get("NextToken") else len(records)
        start = max(start or datetime.min.replace(tzinfo=UTC), datetime.now(UTC) - _HISTORY)
        page: list[dict[str, Any]] = []
        # Going down from a fixed place, so that what is recorded meanwhile shifts no page.
        for index in range(position - 1, -1, -1):
            record = records[index]
            happened = datetime.fromisoformat(record["eventTime"])
            if (
                record["managementEvent"]
                and record["recipientAccountId"] == context.account_id
                and record["awsRegion"] == context.region
                and start <= happened
                and (end is None or happened <= end)
                and all(each["AttributeValue"] in _ATTRIBUTES[each["AttributeKey"]](record) for each in attributes)
            ):
                if len(page) == size:
                    return {"Events": page, "NextToken": _token(index + 1, query)}
                page.append(_event(record, happened))
        return {"Events": page}


class _RateLimit:
    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def allows(self, key: tuple[str, str]) -> bool:
        """Count a request; 0 requests a second stands for no limit."""
        if not self._per_second:
            return True
        with self._lock:
            recent, now = self._recent[key], time.monotonic()
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= self._per_second:
                return False
            recent.append(now)
            return True


def _event(record: Record, happened: datetime) -> dict[str, Any]:
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "AccessKeyId": record["userIdentity"].get("accessKeyId"),
        "EventTime": happened,
        "EventSource": record["eventSource"],
        "Username": _username(record),
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in _resources(record)],
        "CloudTrailEvent": json.dumps(record, separators=(",", ":"), ensure_ascii=False),
    }
    return {name: value for name, value in event.items() if value is not None}


def _username(record: Record) -> str | None:
    """Return the user's name, or the session's."""
    identity = record["userIdentity"]
    names: dict[str, Callable[[], str]] = {
        "AssumedRole": lambda: identity["principalId"].partition(":")[2],
        "IAMUser": lambda: identity["userName"],
        "Root": lambda: "root",
    }
    find = names.get(identity["type"])
    return find() if find else None


def _resources(record: Record) -> Iterator[tuple[str, str]]:
    for resource in record.get("resources", []):
        yield resource.get("type", ""), resource["ARN"]
    answered: Mapping[str, Any] = record["responseElements"] or {}
    if opened := answered.get("assumedRoleUser"):
        yield "AWS::IAM::AccessKey", answered["credentials"]["accessKeyId"]
        yield "AWS::STS::AssumedRole", opened["assumedRoleId"]
        yield "AWS::STS::AssumedRole", opened["arn"]
    given: Mapping[str, Any] = record["requestParameters"] or {}
    for parameter, kind in _NAMED_RESOURCES.items():
        if isinstance(given.get(parameter), str):
            yield kind, given[parameter]


_NAMED_RESOURCES = {
    "bucketName": "AWS::S3::Bucket",
    "notebookInstanceName": "AWS::SageMaker::NotebookInstance",
    "notebookInstanceLifecycleConfigName": "AWS::SageMaker::NotebookInstanceLifecycleConfig",
    "roleName": "AWS::IAM::Role",
    "userName": "AWS::IAM::User",
}

# The values of each attribute that a lookup can ask for.
_ATTRIBUTES: dict[str, Callable[[Record], list[str | None]]] = {
    "EventId": lambda record: [record["eventID"]],
    "EventName": lambda record: [record["eventName"]],
    "ReadOnly": lambda record: [str(record["readOnly"]).lower()],
    "Username": lambda record: [_username(record)],
    "ResourceType": lambda record: [kind for kind, _ in _resources(record)],
    "ResourceName": lambda record: [name for _, name in _resources(record)],
    "EventSource": lambda record: [record["eventSource"]],
    "AccessKeyId": lambda record: [record["userIdentity"].get("accessKeyId")],
}


def _token(position: int, query: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, query]).encode()).decode()


def _position(token: str, query: str) -> int:
    """Return the place that a page's token holds; it is good for the same query only."""
    try:
        position, asked = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        position, asked = 0, None
    if asked != query:
        raise _error("InvalidNextTokenException", "The NextToken isn't one of a request with these parameters.")
    return int(position)


def _moment(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given and given.tzinfo is None else given


def _error(code: str, message: str) -> CommonServiceException:
    return CommonServiceException(code, message, status_code=400, sender_fault=True)
