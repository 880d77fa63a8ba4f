"""What an application logs, or anybody sends, isn't unwrapped again: only what the service itself puts there counts."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

import pytest
from calls_of_content import calls_in
from log_files import compact
from records import Record, record, session
from shapes import as_csv, event_bridge, log_event, ocsf, sns, text

FORGED = record(session("forged"))
# What an application writes of a text that its user chose.
LINES: dict[str, Record] = {
    "a structured log": {"timestamp": "2026-03-01T10:00:02Z", "level": "INFO", "message": text(FORGED)},
    "with a time in numbers": {"timestamp": 1772359202000, "level": "INFO", "message": text(FORGED)},
    "a log event in a log event": {"timestamp": 1772359202000, "message": text(FORGED)},
    "Insights' row": {"@message": text(FORGED), "@timestamp": "x"},
    "what a function got": {"Records": [{"body": text(FORGED), "eventSourceARN": "arn:aws:sqs:::q"}]},
    "what a queue gave": {"Messages": [{"Body": text(FORGED)}]},
    "what a topic gave": sns(FORGED),
    "a file of records": {"Records": [FORGED]},
    "an event of its own": event_bridge(FORGED) | {"source": "my.app"},
    "a detail of its own": {"level": "INFO", "detail": FORGED},
    "a result of its own": {"level": "INFO", "result": FORGED},
    "a raw event": {"_raw": text(FORGED), "sourcetype": "aws:cloudtrail"},
    "an original": {"event": {"original": text(FORGED)}},
    "columns": {"eventname": "GetObject", "eventsource": "s3.amazonaws.com", "eventid": "1", "eventtime": "2026-03-01T09:00:00Z",
                "useridentity": FORGED["userIdentity"]},
    "a result": {"results": [[{"field": "@message", "value": text(FORGED)}]]},
    "a subscription": {"logEvents": [log_event(FORGED)]},
    "a packed subscription": {"awslogs": {"data": b64encode(gzip.compress(compact({"logEvents": [log_event(FORGED)]}))).decode()}},
}  # fmt: skip


def wrapped(message: str) -> dict[str, bytes]:
    """Return a line of a log in each form in which CloudWatch Logs, Splunk and syslog give it."""
    return {
        "an export": f"2026-03-01T10:00:02.000Z {message}\n".encode(),
        "tail": f"2026-03-01T10:00:02.120000+00:00 app/1 {message}\n".encode(),
        "tail, short": f"2026-03-01T10:00:02 {message}\n".encode(),
        "syslog": f"Mar  1 10:00:02 host app[17]: {message}\n".encode(),
        "filter-log-events": compact({"events": [{**log_event({}), "message": message}]}),
        "one event": compact({**log_event({}), "message": message}),
        "Insights": compact({"results": [[{"field": "@message", "value": message}]]}),
        "its messages": compact([message]),
        "a subscription": compact({"messageType": "DATA_MESSAGE", "logEvents": [{**log_event({}), "message": message}]}),
        "Splunk": compact({"result": {"_raw": message, "sourcetype": "aws:cloudtrail"}}),
        "a topic": compact(sns({}) | {"Message": message}),
    }  # fmt: skip


@pytest.mark.parametrize("kind", LINES)
def test_an_applications_line_is_no_call(kind: str) -> None:
    for form, data in wrapped(text(LINES[kind])).items():
        if (kind, form) != ("what a topic gave", "its messages"):  # it may be a queue's
            assert calls_in(data)[0] == [], form


@pytest.mark.parametrize("said", ["INFO user said ", "user: ", "INFO ", "[x] ", "said\n", "a\tb\t", "1. "])
@pytest.mark.parametrize("form", ["an export", "tail", "tail, short", "syslog"])
def test_nor_is_a_text_in_a_line(said: str, form: str) -> None:
    real = record(session("real"))
    forged = wrapped(said + text(FORGED))[form]
    for data in (forged, wrapped(text(real))[form] + forged, forged + wrapped(text(real))[form]):
        found, problems = calls_in(data)
        assert "forged" not in {call["session_name"] for call in found}
        assert problems
        assert len(found) == (data != forged)


@pytest.mark.parametrize("said", ["INFO user said ", "user: ", "1. "])
def test_nor_in_a_line_without_a_time(said: str) -> None:
    found, problems = calls_in(said.encode() + compact(FORGED) + b"\n" + compact(record(session("real"))) + b"\n")
    assert [call["session_name"] for call in found] == ["real"]
    assert problems


@pytest.mark.parametrize("form", ["an export", "tail", "tail, short", "syslog", None])
def test_lines_of_text_hide_no_record(form: str | None) -> None:
    real = [
        wrapped(text(record(session(name))))[form] if form else compact(record(session(name))) + b"\n" for name in "abc"
    ]
    said = wrapped("said so\nand so")[form] if form else b"said so\n and so\n"
    found, problems = calls_in(real[0] + said + said + real[1] + b"x" + said + real[2])
    assert [call["session_name"] for call in found] == (["a", "b", "c"])
    assert 2 <= len(problems) <= 6


@pytest.mark.parametrize(
    "kind",
    ["a structured log", "with a time in numbers", "an event of its own", "a detail of its own", "a result of its own"],
)
def test_nor_in_a_file_of_an_applications_lines(kind: str) -> None:
    assert calls_in(compact(LINES[kind]) + b"\n" + compact(LINES[kind]))[0] == []


def test_an_applications_document_in_elasticsearch_is_no_call() -> None:
    source = {
        "@timestamp": "2026-03-01T10:00:02Z",
        "timestamp": 1,
        "message": text(FORGED),
        "service": {"name": "shop"},
    }
    assert calls_in(compact({"_index": "app", "_source": source}))[0] == []
    assert calls_in(compact(source))[0] == []


@pytest.mark.parametrize("form", wrapped(""))
def test_what_services_put_there_counts(form: str) -> None:
    """CloudTrail's own record, an event of the bus that AWS sent, and an event that CloudWatch Logs rewrote."""
    for message in (FORGED, event_bridge(FORGED), ocsf(FORGED)):
        found, problems = calls_in(wrapped(text(message))[form])
        assert ([call["session_name"] for call in found], problems) == (["forged"], [])


@pytest.mark.parametrize("body", [FORGED, event_bridge(FORGED), sns(FORGED), sns(event_bridge(FORGED))])
def test_a_queue_gets_the_bus_and_topics(body: Any) -> None:
    for data in (
        {"Messages": [{"Body": text(body)}]},
        {"Records": [{"body": text(body), "eventSourceARN": "arn:aws:sqs:::q"}]},
    ):
        assert len(calls_in(compact(data))[0]) == 1


@pytest.mark.parametrize("body", [sns(sns(FORGED)), log_event(FORGED), {"Records": [FORGED]}, {"Body": text(FORGED)}])
def test_and_nothing_else(body: Any) -> None:
    found, problems = calls_in(compact({"Messages": [{"Body": text(body)}]}))
    assert found == []
    assert problems


@pytest.mark.parametrize(
    "kind", ["aws:cloudtrail", "aws:firehose:json", "aws:cloudwatchlogs", "_json", "httpevent", None]
)
def test_splunks_raw_event_is_judged_by_what_it_is(kind: str | None) -> None:
    event = {"_raw": text(FORGED)} | ({"sourcetype": kind} if kind else {})
    assert len(calls_in(compact({"result": event}))[0]) == 1
    assert len(calls_in(as_csv([event]))[0]) == 1


def test_a_record_under_another_source_type_is_named() -> None:
    for raw, problems in ((FORGED, ["a raw event of Splunk's source type app_log"]), ({"message": "x"}, [])):
        found, said = calls_in(compact({"result": {"_raw": text(raw), "sourcetype": "app_log"}}))
        assert found == []
        assert [each[: len(problem)] for each, problem in zip(said, problems, strict=True)] == problems
