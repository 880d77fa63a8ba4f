"""Amazon S3's server access logs: a line reports a request as a data event does, without the access key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html. AWS may add columns at the end. The caller chose the
texts in quotation marks, and S3 doesn't escape them; the requester stands before all of them, where no text has a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec
import stringzilla

from ..calls.call import Call
from ..calls.search import Search
from ..calls.twins import ACCESS_LOG
from .cloudtrail import RecordError, call_of
from .content import Content, Problems
from .whole_lines import in_whole_lines

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEAD = (
    rb'(?P<owner>\S+) (?P<bucket>\S+) \[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):(?P<time>\d\d:\d\d:\d\d)'
    rb' (?P<zone>[+-]\d{4})\] (?P<address>\S+) (?P<requester>\S+) (?P<request>\S+) (?P<operation>[A-Z0-9]+\.\S+) (?P<key>\S+) '
)  # fmt: skip
_LINE = re.compile(
    _HEAD + rb'(?:"(?P<uri>\S+ \S+ [^ "]+|.*?)"|-) (?P<code>\d{3}|-) (?P<error>\S+)(?: (?:\d+|-)){4}'
    rb'(?: (?:"(?P<texts>.*)"|(?:-|".*") -)(?P<rest>(?: [^" ]+)*?)\s*)?$'
)  # fmt: skip
# The caller's texts end before what S3 writes since 2019, whatever columns follow: the host id, the signature's version, …
_SIGNED_LINE = re.compile(
    _HEAD + rb'(?:"(?P<uri>\S+ \S+ [^ "]+|.*?)"|-) (?P<code>\d{3}|-) (?P<error>\S+)(?: (?:\d+|-)){4}'
    rb' (?:"(?P<texts>.*)"|(?:-|".*") -)(?P<rest> [^ "]+ [^ "]+ (?:SigV\d\w*|-) [^ "]+ (?:AuthHeader|QueryString|-)(?: .*)?)$'
)
_FIRST_LINE = re.compile(rb"\s*" + _HEAD)
_REGION = re.compile(r"(?:^|\.)s3[.-](?:fips\.|dualstack\.)*([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com")
_ARN = re.compile(r"arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):")
# What the operation is called by CloudTrail: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
_EVENTS = {
    "REST.GET.BUCKET": "ListObjects", "REST.GET.BUCKETVERSIONS": "ListObjectVersions", "REST.GET.SERVICE": "ListBuckets",
    "REST.PUT.BUCKET": "CreateBucket", "REST.DELETE.BUCKET": "DeleteBucket", "REST.HEAD.BUCKET": "HeadBucket",
    "REST.POST.MULTI_OBJECT_DELETE": "DeleteObjects", "BATCH.DELETE.OBJECT": "DeleteObjects", "REST.COPY.OBJECT": "CopyObject", "REST.COPY.OBJECT_GET": "CopyObject",
    "REST.COPY.PART": "UploadPartCopy", "REST.COPY.PART_GET": "UploadPartCopy", "REST.PUT.PART": "UploadPart",
    "REST.POST.UPLOADS": "CreateMultipartUpload", "REST.GET.UPLOADS": "ListMultipartUploads", "REST.GET.UPLOAD": "ListParts",
    "REST.POST.UPLOAD": "CompleteMultipartUpload", "REST.DELETE.UPLOAD": "AbortMultipartUpload",
    "REST.POST.OBJECT": "PostObject", "REST.GET.ACL": "GetBucketAcl", "REST.PUT.ACL": "PutBucketAcl",
    "REST.SELECT.OBJECT": "SelectObjectContent", "REST.SELECT_POST.OBJECT": "SelectObjectContent",
    "REST.OPTIONS.PREFLIGHT": "PreflightRequest", "REST.POST.RESTORE": "RestoreObject",
    "REST.GET.BUCKETPOLICY": "GetBucketPolicy", "REST.PUT.BUCKETPOLICY": "PutBucketPolicy",
    "REST.DELETE.BUCKETPOLICY": "DeleteBucketPolicy", "REST.GET.LOGGING_STATUS": "GetBucketLogging",
    "REST.PUT.LOGGING_STATUS": "PutBucketLogging", "REST.GET.LOCATION": "GetBucketLocation",
    "REST.GET.OBJECT_TAGGING": "GetObjectTagging", "REST.PUT.OBJECT_TAGGING": "PutObjectTagging",
    "REST.DELETE.OBJECT_TAGGING": "DeleteObjectTagging", "REST.GET.ACCELERATE": "GetAccelerateConfiguration",
    "REST.PUT.ACCELERATE": "PutAccelerateConfiguration", "REST.GET.POLICY_STATUS": "GetBucketPolicyStatus",
    "REST.GET.OBJECT_LOCK_CONFIGURATION": "GetObjectLockConfiguration",
    "REST.PUT.OBJECT_LOCK_CONFIGURATION": "PutObjectLockConfiguration",
    **{f"REST.{verb}.{operation}": f"{verb.capitalize()}Bucket{name}" for verb in ("GET", "PUT", "DELETE") for operation, name in {
        "VERSIONING": "Versioning", "PUBLIC_ACCESS_BLOCK": "PublicAccessBlock", "ENCRYPTION": "Encryption", "CORS": "Cors",
        "LIFECYCLE": "Lifecycle", "NOTIFICATION": "Notification", "REPLICATION": "Replication", "TAGGING": "Tagging",
        "WEBSITE": "Website", "REQUEST_PAYMENT": "RequestPayment", "OWNERSHIP_CONTROLS": "OwnershipControls",
        "ANALYTICS": "AnalyticsConfiguration", "INVENTORY": "InventoryConfiguration", "METRICS": "MetricsConfiguration",
    }.items()},
}  # fmt: skip
_OF_OBJECTS = {"GetBucketAcl": "GetObjectAcl", "PutBucketAcl": "PutObjectAcl"}


def begins_as_access_log(head: bytes) -> bool:
    """Return whether a file that begins so is an access log."""
    return _FIRST_LINE.match(head) is not None


def calls_in(content: Content, search: Search, problems: Problems) -> Iterator[Call]:
    """Yield the matching calls of an access log; only lines with a searched text are looked at."""
    for at, lines in in_whole_lines(content, problems):
        yield from _calls(lines, at, search, problems)


def _calls(text: bytes, offset: int, search: Search, problems: Problems) -> Iterator[Call]:
    starts: set[int] = set()
    for needle in search.needles:
        at = stringzilla.find(text, needle)
        while at >= 0:
            starts.add(text.rfind(b"\n", 0, at) + 1)
            line_end = text.find(b"\n", at)
            at = stringzilla.find(text, needle, line_end) if line_end >= 0 else -1
    for start in sorted(starts):
        line_end = text.find(b"\n", start)
        line = text[start : line_end if line_end >= 0 else len(text)].rstrip()
        try:
            call = call_of(_record(line), keep_record=search.keeps_record, with_resources=search.with_resources)
        except (RecordError, ValueError) as error:
            problems.add(f"the line at byte {offset + start:,}: {error}")
        else:
            if search.matches(call):
                yield call


def _record(line: bytes) -> bytes:
    """Return a line as a record; raises ValueError for no line.

    Lines of one request have one event id and name, and so they are one call, about the resources of all of them: a copy has a line in
    the bucket that it reads from, and a deletion of several objects one for each key. A line without a request id is known
    by what it says.
    """
    match = _SIGNED_LINE.match(line) or _LINE.match(line)
    if match is None:
        raise ValueError("no line of an S3 server access log, or half of one")
    field = {
        name: text.decode("utf-8", "replace") for name, text in match.groupdict().items() if text not in (None, b"-")
    }
    operation, requester = field["operation"], field.get("requester", "")
    key = field.get("key")
    parameters = {"bucketName": field.get("bucket"), **({"key": unquote(unquote(key))} if key else {})}
    texts = field.get("texts", "").split('" "', 1)
    rest = field.get("rest", "").split()
    account = _ARN.match(requester)
    host = rest[5] if len(rest) > 5 else ""
    access_point = rest[7] if len(rest) > 7 and rest[7].startswith("arn:") else None
    record: dict[str, Any] = {
        "eventVersion": "1.0",
        "userIdentity": {
            "type": "AssumedRole" if ":assumed-role/" in requester else "Unknown",
            "arn": requester or None,
            "accountId": account and account[1],
        },
        "eventTime": _time(field),
        "eventSource": "s3.amazonaws.com",
        "eventName": _event(operation, key),
        "awsRegion": region[1] if (region := _REGION.search(host)) else None,
        "sourceIPAddress": field.get("address"),
        "userAgent": texts[-1] if len(texts) == 2 and texts[-1] != "-" else None,
        "errorCode": field.get("error"),
        "requestParameters": parameters,
        "resources": [{"ARN": access_point}] if access_point else None,
        "requestID": field.get("request"),
        "eventID": field.get("request") or _id_of(line),
        "eventType": "AwsApiCall",
        "eventCategory": ACCESS_LOG,
        "line": line.decode("utf-8", "replace"),
    }
    return msgspec.json.encode({name: value for name, value in record.items() if value is not None})


def _id_of(line: bytes) -> str:
    from hashlib import sha256

    return f"line-{sha256(line).hexdigest()[:32]}"


def _event(operation: str, key: str | None) -> str:
    event = _EVENTS.get(operation)
    if event is None:
        _, verb, *what = operation.split(".")
        # REST.GET.OBJECT, and of what has no name of its own REST.GET.VERSIONING.
        event = verb.capitalize() + "".join(word.capitalize() for part in what for word in part.split("_"))
    return _OF_OBJECTS.get(event, event) if key else event


def _time(field: dict[str, str]) -> str:
    month = _MONTHS.index(field["month"]) + 1 if field["month"] in _MONTHS else 0
    zone = field["zone"]
    suffix = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return f"{field['year']}-{month:02}-{field['day']}T{field['time']}{suffix}"
