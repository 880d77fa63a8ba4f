"""The table of what wraps records. A new one is a row: a name, an example's members, where the wrapped stands, a source."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from .members import Members, members_of, text_of, values_of

_CLOUDTRAIL = "https://docs.aws.amazon.com/awscloudtrail/latest"
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs"
_LOGS_API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"


class Wrapper(Struct, frozen=True):
    """One wrapper.

    `members` tell it: an object that has all of them. `wrapped` gives what is in it: values, which may be objects, lists,
    or texts with such within, and may be wrapped themselves; of the last wrapper they must be records.
    """

    name: str
    members: tuple[str, ...]
    wrapped: Callable[[Members], list[bytes]]
    source: str
    is_last: bool = False


def wrapper_of(members: Members) -> Wrapper | None:
    """Return the first wrapper that an object is; None where it is none."""
    if _FIRST_MEMBERS.isdisjoint(members):
        return None
    return next((each for each in WRAPPERS if all(name in members for name in each.members)), None)


def wrapper_named(member: str) -> Wrapper:
    """Return the wrapper that this member alone tells."""
    return next(each for each in WRAPPERS if each.members == (member,))


def _value(name: str) -> Callable[[Members], list[bytes]]:
    return lambda members: [bytes(members[name])]


def _each(name: str) -> Callable[[Members], list[bytes]]:
    return lambda members: values_of(members[name])


def _detail(members: Members) -> list[bytes]:
    """Return the detail if AWS itself put the event on the bus; who else does must name another source, or is a partner."""
    source = text_of(members.get("source"))
    is_from_aws = "source" not in members or (source.startswith("aws.") and not source.startswith("aws.partner/"))
    return [bytes(members["detail"])] if is_from_aws else []


def _log_events(members: Members) -> list[bytes]:
    # Now and then CloudWatch Logs tries whether the destination can be reached.
    return [] if text_of(members.get("messageType")) == "CONTROL_MESSAGE" else values_of(members["logEvents"])


def _raw(members: Members) -> list[bytes]:
    """Return Splunk's raw event, if it is CloudTrail's: other events of an index may hold anything."""
    kind = text_of(members.get("sourcetype"))
    return [bytes(members["_raw"])] if not kind or "cloudtrail" in kind.lower() else []


def _original(members: Members) -> list[bytes]:
    event = members_of(members["event"])
    return [bytes(event["original"])] if "original" in event else []


def _within(*names: str) -> Callable[[Members], list[bytes]]:
    """Return what gets the values of a list some objects down."""

    def wrapped(members: Members) -> list[bytes]:
        *outer, last = names
        for name in outer:
            members = members_of(members[name])
        return values_of(members.get(last, Raw(b"[]")))

    return wrapped


def _data(members: Members) -> list[bytes]:
    return [msgspec.json.encode(text_of(members_of(members["awslogs"]).get("data")))]


WRAPPERS = (
    Wrapper("CloudTrail's file", ("Records",), _each("Records"),
        f"{_CLOUDTRAIL}/userguide/cloudtrail-log-file-examples.html"),
    Wrapper("LookupEvents", ("Events",), _each("Events"),
        f"{_CLOUDTRAIL}/APIReference/API_LookupEvents.html"),
    Wrapper("LookupEvents, one event", ("CloudTrailEvent",), _value("CloudTrailEvent"),
        f"{_CLOUDTRAIL}/APIReference/API_Event.html", is_last=True),
    Wrapper("EventBridge", ("detail",), _detail,
        "https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html", is_last=True),
    Wrapper("SQS, ReceiveMessage", ("Messages",), _each("Messages"),
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"),
    Wrapper("SQS, one message", ("Body",), _value("Body"),
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html"),
    Wrapper("SQS, as Lambda gets it", ("body", "eventSourceARN"), _value("body"),
        "https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"),
    Wrapper("SNS", ("Message", "TopicArn"), _value("Message"),
        "https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html"),
    Wrapper("SNS, as Lambda gets it", ("Sns",), _value("Sns"),
        "https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"),
    Wrapper("CloudWatch Logs, subscription filter", ("logEvents",), _log_events,
        f"{_LOGS}/SubscriptionFilters.html"),
    Wrapper("CloudWatch Logs, subscription filter, as Lambda gets it", ("awslogs",), _data,
        "https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html"),
    Wrapper("CloudWatch Logs, filter-log-events and get-log-events", ("events",), _each("events"),
        f"{_LOGS_API}/API_FilterLogEvents.html"),
    Wrapper("CloudWatch Logs, one event", ("message", "timestamp"), _value("message"),
        f"{_LOGS_API}/API_FilteredLogEvent.html"),
    Wrapper("CloudWatch Logs, a row of Insights", ("@message",), _value("@message"),
        f"{_LOGS}/CWL_AnalyzeLogData-discoverable-fields.html"),
    Wrapper("CloudWatch Logs Insights, and Splunk's JSON", ("results",), _each("results"),
        f"{_LOGS_API}/API_GetQueryResults.html"),
    Wrapper("Splunk, one result", ("result",), _value("result"),
        "https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch"),
    Wrapper("Splunk, its raw event", ("_raw",), _raw,
        "https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch"),
    Wrapper("Elasticsearch, a search's hits", ("hits",), _within("hits", "hits"),
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/search-search.html"),
    Wrapper("Elasticsearch, one hit", ("_source",), _value("_source"),
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/mapping-source-field.html"),
    Wrapper("Elastic, the original event", ("event.original",), _value("event.original"),
        "https://www.elastic.co/guide/en/ecs/current/ecs-event.html", is_last=True),
    Wrapper("Elastic, the original event in an object", ("event",), _original,
        "https://www.elastic.co/guide/en/ecs/current/ecs-event.html", is_last=True),
    Wrapper("Athena, GetQueryResults", ("ResultSet",), _within("ResultSet", "Rows"),
        "https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html"),
    Wrapper("CloudTrail Lake, GetQueryResults", ("QueryResultRows",), _each("QueryResultRows"),
        f"{_CLOUDTRAIL}/APIReference/API_GetQueryResults.html"),
    Wrapper("CloudTrail Lake, an event as text", ("eventJson",), _value("eventJson"),
        f"{_CLOUDTRAIL}/userguide/query-supported-event-schemas.html", is_last=True),
    Wrapper("CloudTrail Lake, an event as text, by the column's own name", ("eventjson",), _value("eventjson"),
        f"{_CLOUDTRAIL}/userguide/query-supported-event-schemas.html", is_last=True),
)  # fmt: skip
_FIRST_MEMBERS = frozenset(wrapper.members[0] for wrapper in WRAPPERS)
