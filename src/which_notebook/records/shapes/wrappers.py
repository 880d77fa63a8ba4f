"""The table of what wraps records. A new one is a row: a name, an example's members, where the wrapped stands, a source."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from .members import LeftOutError, Members, members_of, text_of, values_of

_CLOUDTRAIL = "https://docs.aws.amazon.com/awscloudtrail/latest"
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs"
_LOGS_API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"


Held = frozenset[str] | None
"""The names of wrappers that may stand somewhere; None for all."""
OCSF, _BUS, _SNS, _ONE_LOG_EVENT, _SUBSCRIPTION = (
    "OCSF", "EventBridge", "SNS", "CloudWatch Logs, one event", "CloudWatch Logs, subscription filter",
)  # fmt: skip
NOTHING_ELSE: Held = frozenset()
"""Only a record."""
LOGGED: Held = frozenset((OCSF, _BUS))
"""What the message of a log's event may hold."""
IN_A_TEXT: Held = frozenset((OCSF, _BUS, _SNS))
"""What a queue's message may hold: an event of the bus, or a topic's notification of one."""


class Wrapper(Struct, frozen=True):
    """One wrapper.

    `members` tell it: an object that has all of them. `wrapped` gives what is in it: values, which may be objects, lists,
    or texts with such within. `holds` names the wrappers that the service itself puts there, and `OCSF` for events of that
    schema: other than these and records nothing counts in a text that somebody sent or logged. None is for what a tool prints.
    """

    name: str
    members: tuple[str, ...]
    wrapped: Callable[[Members], list[bytes]]
    source: str
    holds: Held = None
    fits: Callable[[Members], bool] = lambda members: True


def wrapper_of(members: Members, held: Held) -> Wrapper | None:
    """Return the first wrapper that an object is, of those that may be held; None where it is none."""
    if _FIRST_MEMBERS.isdisjoint(members):
        return None
    return next(
        (
            each
            for each in WRAPPERS
            if (held is None or each.name in held)
            and all(name in members for name in each.members)
            and each.fits(members)
        ),
        None,
    )


def wrapper_named(member: str) -> Wrapper:
    """Return the wrapper that this member alone tells."""
    return next(each for each in WRAPPERS if each.members == (member,))


def _value(name: str) -> Callable[[Members], list[bytes]]:
    return lambda members: [bytes(members[name])]


def _each(name: str) -> Callable[[Members], list[bytes]]:
    return lambda members: values_of(members[name])


def _detail(members: Members) -> list[bytes]:
    """Return the detail if AWS itself put the event on the bus; who else does must name another source, or is a partner."""
    if "source" not in members:
        raise LeftOutError("an event without the source that EventBridge writes")
    source = text_of(members["source"])
    is_from_aws = source.startswith("aws.") and not source.startswith("aws.partner/")
    return [bytes(members["detail"])] if is_from_aws else []


def _log_events(members: Members) -> list[bytes]:
    # Now and then CloudWatch Logs tries whether the destination can be reached.
    return [] if text_of(members.get("messageType")) == "CONTROL_MESSAGE" else values_of(members["logEvents"])


# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html, API_OutputLogEvent.html;
# and what a subscription filter sends.
_OF_A_LOG_EVENT = frozenset(
    ("logStreamName", "timestamp", "message", "ingestionTime", "eventId", "id", "extractedFields")
)


# What `search` and its exports put around a result.
_BESIDE_A_RESULT = frozenset(("preview", "offset", "lastrow", "init_offset", "messages", "fields", "result"))


def _is_result(members: Members) -> bool:
    """Return whether Splunk wrote it, and not an application about a result of its own."""
    return members.keys() <= _BESIDE_A_RESULT


def _is_log_event(members: Members) -> bool:
    """Return whether CloudWatch Logs wrote it: an application's own line has other members, or a time as text."""
    return members.keys() <= _OF_A_LOG_EVENT and bytes(members["timestamp"]).isdigit()


# https://docs.splunk.com/Documentation/AddOns/released/AWS/DataTypes, and what the HTTP Event Collector and an upload of JSON set.
_SOURCE_TYPES = re.compile(r"(?:.*cloudtrail.*|aws:.*|_json|httpevent|)", re.IGNORECASE)


def _raw(members: Members) -> list[bytes]:
    """Return Splunk's raw event, if its source type is one that CloudTrail's records come with."""
    kind = text_of(members.get("sourcetype"))
    if _SOURCE_TYPES.fullmatch(kind):
        return [bytes(members["_raw"])]
    if b"userIdentity" not in bytes(members["_raw"]):
        return []
    raise LeftOutError(f"a raw event of Splunk's source type {kind[:60]}, with which no record of CloudTrail's comes")


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
        f"{_CLOUDTRAIL}/APIReference/API_Event.html", holds=NOTHING_ELSE),
    Wrapper(_BUS, ("detail",), _detail,
        "https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html", holds=NOTHING_ELSE),
    Wrapper("SQS, ReceiveMessage", ("Messages",), _each("Messages"),
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"),
    Wrapper("SQS, one message", ("Body",), _value("Body"),
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html", holds=IN_A_TEXT),
    Wrapper("SQS, as Lambda gets it", ("body", "eventSourceARN"), _value("body"),
        "https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html", holds=IN_A_TEXT),
    Wrapper(_SNS, ("Message", "TopicArn"), _value("Message"),
        "https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html", holds=LOGGED),
    Wrapper("SNS, as Lambda gets it", ("Sns",), _value("Sns"),
        "https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html", holds=frozenset((_SNS,))),
    Wrapper(_SUBSCRIPTION, ("logEvents",), _log_events,
        f"{_LOGS}/SubscriptionFilters.html", holds=frozenset((_ONE_LOG_EVENT,))),
    Wrapper("CloudWatch Logs, subscription filter, as Lambda gets it", ("awslogs",), _data,
        "https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html", holds=frozenset((_SUBSCRIPTION,))),
    Wrapper("CloudWatch Logs, filter-log-events and get-log-events", ("events",), _each("events"),
        f"{_LOGS_API}/API_FilterLogEvents.html", holds=frozenset((_ONE_LOG_EVENT,))),
    Wrapper(_ONE_LOG_EVENT, ("message", "timestamp"), _value("message"),
        f"{_LOGS_API}/API_FilteredLogEvent.html", holds=LOGGED, fits=_is_log_event),
    Wrapper("CloudWatch Logs, a row of Insights", ("@message",), _value("@message"),
        f"{_LOGS}/CWL_AnalyzeLogData-discoverable-fields.html", holds=LOGGED),
    Wrapper("CloudWatch Logs Insights, and Splunk's JSON", ("results",), _each("results"),
        f"{_LOGS_API}/API_GetQueryResults.html"),
    Wrapper("Splunk, one result", ("result",), _value("result"),
        "https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch", fits=_is_result),
    Wrapper("Splunk, its raw event", ("_raw",), _raw,
        "https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch", holds=LOGGED),
    Wrapper("Elasticsearch, a search's hits", ("hits",), _within("hits", "hits"),
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/search-search.html"),
    Wrapper("Elasticsearch, one hit", ("_source",), _value("_source"),
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/mapping-source-field.html"),
    Wrapper("Elastic, the original event", ("event.original",), _value("event.original"),
        "https://www.elastic.co/guide/en/ecs/current/ecs-event.html", holds=NOTHING_ELSE),
    Wrapper("Elastic, the original event in an object", ("event",), _original,
        "https://www.elastic.co/guide/en/ecs/current/ecs-event.html", holds=NOTHING_ELSE),
    Wrapper("Athena, GetQueryResults", ("ResultSet",), _within("ResultSet", "Rows"),
        "https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html"),
    Wrapper("CloudTrail Lake, GetQueryResults", ("QueryResultRows",), _each("QueryResultRows"),
        f"{_CLOUDTRAIL}/APIReference/API_GetQueryResults.html"),
    Wrapper("CloudTrail Lake, an event as text", ("eventJson",), _value("eventJson"),
        f"{_CLOUDTRAIL}/userguide/query-supported-event-schemas.html", holds=NOTHING_ELSE),
    Wrapper("CloudTrail Lake, an event as text, by the column's own name", ("eventjson",), _value("eventjson"),
        f"{_CLOUDTRAIL}/userguide/query-supported-event-schemas.html", holds=NOTHING_ELSE),
)  # fmt: skip
_FIRST_MEMBERS = frozenset(wrapper.members[0] for wrapper in WRAPPERS)
