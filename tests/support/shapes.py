"""One log in each shape in which people keep records."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from backports import zstd
from log_files import compact, document
from records import Record

Shape = Callable[[Sequence[Record]], bytes]


def text(value: Any) -> str:
    """Return compact JSON as text."""
    return json.dumps(value, separators=(",", ":"))


def lines(each: Callable[[Record], Any]) -> Shape:
    """Return a shape of one JSON value a line."""
    return lambda records: b"".join(compact(each(found)) + b"\n" for found in records)


def event_bridge(found: Record) -> Record:
    """Return EventBridge's event of a record."""
    return {
        "version": "0",
        "id": "x",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3",
        "detail": found,
    }


def sns(message: Any) -> Record:
    """Return SNS's notification of a message."""
    return {"Type": "Notification", "MessageId": "x", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": text(message)}


def log_event(found: Record) -> Record:
    """Return CloudWatch Logs' event of a record."""
    return {"id": "1", "logStreamName": "s", "timestamp": 1, "ingestionTime": 2, "message": text(found)}


def subscription(records: Sequence[Record]) -> Record:
    """Return what a subscription filter sends."""
    events = [{"id": "1", "timestamp": 1, "message": text(found)} for found in records]
    return {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "trail", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events}  # fmt: skip


def flat(value: Any, prefix: str = "", *, is_deep: bool = False) -> Record:
    """Return the fields of a record by their paths; `is_deep` also of what its parameters and lists hold, as Insights does."""
    found: Record = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and (is_deep or not name.endswith(("Parameters", "Elements", "Data"))):
            found |= flat(inner, f"{prefix}{name}.", is_deep=is_deep)
        elif isinstance(inner, list) and is_deep:
            found |= flat({str(number): each for number, each in enumerate(inner)}, f"{prefix}{name}.", is_deep=True)
        elif inner is not None:
            found[prefix + name] = inner if isinstance(inner, str) else text(inner)
    return found


def printed(value: Any, *, in_small_letters: bool = True) -> str:
    """Return a value as Athena and CloudTrail Lake print a struct, and Elastic a map."""
    if isinstance(value, dict):
        names = {name: name.lower() if in_small_letters else name for name in value}
        fields = [f"{names[name]}={printed(inner, in_small_letters=in_small_letters)}" for name, inner in value.items()]
        return "{" + ", ".join(fields) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(printed(each, in_small_letters=in_small_letters) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def printed_map(value: Record) -> str:
    """Return parameters as CloudTrail Lake prints a map of texts, in which what is no text is JSON."""
    return (
        "{"
        + ", ".join(f"{name}={inner if isinstance(inner, str) else text(inner)}" for name, inner in value.items())
        + "}"
    )


def printed_resources(found: Record) -> str:
    """Return a record's resources as a list of structs."""
    return printed(
        [{"arn": each["ARN"], "accountid": each.get("accountId"), "type": each["type"]} for each in found["resources"]]
    )


def athena_row(found: Record) -> Record:
    """Return a record as a row of Athena's table, whose structs are printed, and whose parameters are JSON."""
    row = {name.lower(): value if isinstance(value, str) else text(value) for name, value in found.items()}
    own = {"resources": printed_resources(found)} if found.get("resources") else {}
    return {**row, "useridentity": printed(found["userIdentity"]), **own}


def lake_row(found: Record) -> Record:
    """Return a record as a row of CloudTrail Lake's, which prints parameters too."""
    row = {name: value if isinstance(value, str) else text(value) for name, value in found.items()}
    maps = {
        name: printed_map(found[name])
        for name in ("requestParameters", "responseElements")
        if isinstance(found.get(name), dict)
    }
    own = {"resources": printed_resources(found)} if found.get("resources") else {}
    return {
        **row,
        "userIdentity": printed(found["userIdentity"]),
        "eventTime": found["eventTime"].replace("T", " ").replace("Z", ".000"),
        **maps,
        **own,
    }


def sentinel(found: Record) -> Record:
    """Return a record as a row of Sentinel's table."""
    own = {"eventID": "AwsEventId", "requestID": "AwsRequestId_", "eventType": "EventTypeName", "eventTime": "TimeGenerated",
           "awsRegion": "AWSRegion", "sourceIPAddress": "SourceIpAddress"}  # fmt: skip
    row = {}
    for name, value in flat(found).items():
        *_, last = name.split(".")
        capital = last[0].upper() + last[1:]
        if ".sessionIssuer." in name:
            row[f"SessionIssuer{capital}"] = value
        elif name.startswith("userIdentity.sessionContext.attributes"):
            row["SessionMfaAuthenticated" if "mfa" in name else "SessionCreationDate"] = value
        elif name.startswith("userIdentity."):
            row[f"UserIdentity{capital.replace('PrincipalId', 'Principalid')}"] = value
        else:
            row[own.get(name, capital)] = value
    return {**row, "Type": "AWSCloudTrail", "TenantId": "t"}


def ocsf(found: Record) -> Record:
    """Return a record as Security Lake keeps it, by OCSF 1.1."""
    identity = found["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    of_person = {
        path: value
        for path, value in flat({"userIdentity": identity}).items()
        if path.endswith(".sourceIdentity") or ".onBehalfOf." in path
    }
    seconds = f"{found['eventTime'][:19]}+00:00"
    return {
        "class_uid": 6003, "activity_id": 2, "time_dt": seconds, "cloud": {"region": found["awsRegion"], "provider": "AWS"},
        "actor": {
            "user": {"type": identity.get("type"), "uid": identity.get("arn"), "uid_alt": identity.get("principalId"),
                     "name": identity.get("userName"), "credential_uid": identity.get("accessKeyId"),
                     "account": {"uid": identity.get("accountId")}},
            "session": {"issuer": issuer.get("arn"), "created_time": _created(identity)}, "invoked_by": identity.get("invokedBy"),
        },
        "api": {"operation": found["eventName"], "service": {"name": found["eventSource"]},
                "request": {"uid": found["requestID"], "data": text(found.get("requestParameters"))},
                "response": {"error": found.get("errorCode"), "message": found.get("errorMessage"), "data": text(found.get("responseElements"))}},
        "metadata": {"uid": found["eventID"], "version": "1.1.0",
                     "product": {"name": "CloudTrail", "version": "1.11", "feature": {"name": found["eventCategory"]}}},
        "resources": [{"uid": each["ARN"], "type": each["type"]} for each in found.get("resources", ())],
        "src_endpoint": {"ip": found["sourceIPAddress"]}, "http_request": {"user_agent": found["userAgent"]},
        "unmapped": {"recipientAccountId": found["recipientAccountId"], **of_person},
    }  # fmt: skip


def _created(identity: Record) -> int | None:
    started = identity.get("sessionContext", {}).get("attributes", {}).get("creationDate")
    return started and int(datetime.fromisoformat(started).timestamp() * 1000)


def ocsf_rc2(found: Record) -> Record:
    """Return it by the release candidate of OCSF 1.0, in which the ARN is the `uuid`."""
    event = ocsf(found)
    user = event["actor"]["user"]
    event["actor"]["user"] = {
        "type": user["type"], "uuid": user["uid"], "uid": user["uid_alt"], "name": user["name"],
        "account_uid": user["account"]["uid"], "credential_uid": user["credential_uid"],
    }  # fmt: skip
    return event


def ocsf_later(found: Record) -> Record:
    """Return it by OCSF 1.7: the access key is one of a list, and OCSF's event id stands beside CloudTrail's."""
    event = ocsf(found)
    key = event["actor"]["user"].pop("credential_uid")
    event["actor"]["user"]["programmatic_credentials"] = [{"type": "Access Key", "uid": key}]
    event["actor"]["app_name"] = event["actor"].pop("invoked_by")
    event["metadata"] |= {"version": "1.7.0", "uid": "ocsf-1", "original_event_uid": found["eventID"]}
    return event


def ocsf_in_logs(found: Record) -> Record:
    """Return it as CloudWatch Logs' `parseToOCSF` writes it, by OCSF 1.5, and `filter-log-events` prints it."""
    event = ocsf(found)
    event["metadata"]["version"] = "1.5.0"
    event["actor"]["app_name"] = event["actor"].pop("invoked_by")
    return log_event(event)


def ecs(found: Record, *, original: bool) -> Record:
    """Return a record as Elastic keeps it, with the original or without."""
    identity = found["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    if original:
        return {"@timestamp": found["eventTime"], "message": "x", "event": {"original": text(found), "id": "1"}}
    return {
        "@timestamp": found["eventTime"], "source": {"address": found["sourceIPAddress"]},
        "event": {"action": found["eventName"], "provider": found["eventSource"], "id": found["eventID"]},
        "cloud": {"region": found["awsRegion"], "account": {"id": found["recipientAccountId"]}},
        "user_agent": {"original": found["userAgent"]},
        "aws": {"cloudtrail": {
            "event_version": "1.11", "request_id": found["requestID"], "error_code": found.get("errorCode"),
            "error_message": found.get("errorMessage"),
            "event_category": found["eventCategory"],
            "resources": [{"arn": each["ARN"], "type": each["type"]} for each in found.get("resources", ())],
            "request_parameters": printed(found.get("requestParameters"), in_small_letters=False),
            "response_elements": printed(found.get("responseElements"), in_small_letters=False),
            "flattened": {"request_parameters": found.get("requestParameters"), "response_elements": found.get("responseElements")},
            "user_identity": {
                "type": identity.get("type"), "arn": identity.get("arn"), "access_key_id": identity.get("accessKeyId"),
                "invoked_by": identity.get("invokedBy"),
                "session_context": {
                    "creation_date": identity.get("sessionContext", {}).get("attributes", {}).get("creationDate"),
                    "session_issuer": {"arn": issuer.get("arn"), "principal_id": issuer.get("principalId")}}},
        }},
    }  # fmt: skip


def as_csv(rows: Sequence[Record], delimiter: str = ",") -> bytes:
    """Return rows as CSV, with all columns that one of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def result_set(rows: Sequence[Record]) -> Record:
    """Return rows as Athena's GetQueryResults does."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[{"VarCharValue": name} for name in names]]
    cells += [[{"VarCharValue": row[name]} if name in row else {} for name in names] for row in rows]
    return {
        "UpdateCount": 0,
        "ResultSet": {"Rows": [{"Data": each} for each in cells], "ResultSetMetadata": {"ColumnInfo": []}},
    }


def parquet(rows: Sequence[Record]) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow
    from pyarrow import parquet as writer

    out = io.BytesIO()
    names = dict.fromkeys(name for row in rows for name in row)
    table = pyarrow.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    writer.write_table(table, out)
    return out.getvalue()


def tail(records: Sequence[Record]) -> bytes:
    """Return what `aws logs tail` prints."""
    return b"".join(
        f"2026-10-01T10:05:00.123000+00:00 111122223333_CloudTrail_eu-west-1_2 {text(found)}\n".encode()
        for found in records
    )


SHAPES: dict[str, Shape] = {
    "CloudTrail's own file": document,
    "a list of records": lambda records: compact(list(records)),
    "a record a line": lines(lambda found: found),
    "records without a line between (Firehose)": lambda records: b"".join(map(compact, records)),
    "EventBridge, a line each": lines(event_bridge),
    "EventBridge within SQS (`receive-message`)": lambda records: compact(
        {"Messages": [{"MessageId": "1", "Body": text(event_bridge(found))} for found in records]}
    ),
    "EventBridge within SNS within SQS": lambda records: compact(
        {"Messages": [{"MessageId": "1", "Body": text(sns(event_bridge(found)))} for found in records]}
    ),
    "SQS, as Lambda gets it": lambda records: compact(
        {"Records": [{"body": text(event_bridge(found)), "eventSourceARN": "arn:aws:sqs:::q"} for found in records]}
    ),
    "SNS, as Lambda gets it": lambda records: compact({"Records": [{"Sns": sns(found)} for found in records]}),
    "the event history (`lookup-events`)": lambda records: compact(
        {"Events": [{"EventId": found["eventID"], "EventName": found["eventName"], "CloudTrailEvent": text(found)} for found in records]}
    ),
    "`lookup-events --query 'Events[].CloudTrailEvent'`": lambda records: json.dumps(list(map(text, records)), indent=4).encode(),
    "the same with `--output text`": lambda records: b"\t".join(map(compact, records)) + b"\n",
    "CloudWatch Logs, exported to S3": lambda records: b"".join(
        b"2026-10-01T10:05:00.000Z " + compact(found) + b"\n" for found in records
    ),
    "CloudWatch Logs, `filter-log-events`": lambda records: json.dumps(
        {"events": list(map(log_event, records)), "searchedLogStreams": []}, indent=4
    ).encode(),
    "CloudWatch Logs, the console's CSV": lambda records: as_csv([{"timestamp": "1772359201000", "message": text(found)} for found in records]),
    "CloudWatch Logs, `aws logs tail`": tail,
    "the same with `--color on`": lambda records: b"".join(
        f"\x1b[32m2026-10-01T10:05:00.123000+00:00\x1b[0m \x1b[36mstream\x1b[0m {text(found)}\n".encode() for found in records
    ),
    "syslog": lambda records: b"".join(f"Mar  1 10:00:00 host app[7]: {text(found)}\n".encode() for found in records),
    "CloudWatch Logs Insights, `get-query-results`": lambda records: compact(
        {"results": [[{"field": "@timestamp", "value": "2026-10-01 10:05:00.000"}, {"field": "@message", "value": text(found)},
                      {"field": "@ptr", "value": "C"}] for found in records], "statistics": {"x": 1.0}, "status": "Complete"}
    ),
    "CloudWatch Logs Insights, fields of records": lambda records: compact(
        {"results": [[{"field": name, "value": value} for name, value in flat(found, is_deep=True).items()] for found in records]}
    ),
    "CloudWatch Logs Insights, CSV": lambda records: as_csv([{"@timestamp": "x", "@message": text(found)} for found in records]),
    "CloudWatch Logs, subscription filter": lambda records: compact(subscription(records)),
    "the same through Firehose (gzip within gzip)": lambda records: gzip.compress(
        b"".join(gzip.compress(compact(subscription([found]))) for found in records)
    ),
    "the same, as Lambda gets it": lambda records: compact(
        {"awslogs": {"data": base64.b64encode(gzip.compress(compact(subscription(records)))).decode()}}
    ),
    "Elasticsearch, `_search`": lambda records: compact(
        {"took": 5, "_shards": {"total": 1}, "hits": {"total": {"value": 3}, "hits": [{"_id": "1", "_source": ecs(found, original=True)} for found in records]}}
    ),
    "Elastic, a document a line": lines(lambda found: ecs(found, original=True)),
    "Elastic, without the original event": lines(lambda found: ecs(found, original=False)),
    "Logstash": lines(lambda found: {("@timestamp" if name == "eventTime" else name): value for name, value in found.items()}),
    "Splunk, exported as JSON": lines(lambda found: {"preview": False, "result": {"_raw": text(found), "sourcetype": "aws:cloudtrail"}}),
    "Splunk, CSV": lambda records: as_csv([{"_time": "x", "_raw": text(found), "eventName": "x"} for found in records]),
    "Sentinel, JSON": lambda records: compact(list(map(sentinel, records))),
    "Sentinel, CSV": lambda records: as_csv(list(map(sentinel, records))),
    "Athena, the CSV in its results' bucket": lambda records: as_csv(list(map(athena_row, records))),
    "Athena, `get-query-results`": lambda records: compact(result_set(list(map(athena_row, records)))),
    "CloudTrail Lake, `get-query-results`": lambda records: compact(
        {"QueryStatus": "FINISHED", "QueryStatistics": {"ResultsCount": 3},
         "QueryResultRows": [[{name: value} for name, value in lake_row(found).items()] for found in records]}
    ),
    "CloudTrail Lake, CSV": lambda records: as_csv(list(map(lake_row, records))),
    "CloudTrail Lake, CSV of `eventJson`": lambda records: as_csv([{"eventJson": text(found)} for found in records]),
    "Security Lake (OCSF 1.1), JSON": lines(ocsf),
    "Security Lake (OCSF 1.0 rc.2), JSON": lines(ocsf_rc2),
    "OCSF 1.5 in CloudWatch Logs (`parseToOCSF`)": lambda records: compact({"events": list(map(ocsf_in_logs, records))}),
    "OCSF 1.7, JSON": lines(ocsf_later),
    "Security Lake, Parquet": lambda records: parquet(list(map(ocsf, records))),
    "a table of records, Parquet": lambda records: parquet(list(map(athena_row, records))),
}  # fmt: skip
"""By name, as the document has it."""


def zipped(data: bytes) -> bytes:
    """Return data as a file in a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("logs")
        archive.writestr("logs/one.json", data)
    return out.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "UTF-8 with a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16 (PowerShell's `>`)": lambda data: data.decode().encode("utf-16"),
    "UTF-16, big-endian": lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
    "UTF-16 without a mark": lambda data: data.decode().encode("utf-16-le"),
}
BINARY = ("Parquet", "gzip within gzip")
