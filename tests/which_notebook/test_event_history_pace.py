"""The source `cloudtrail:`: at what rate lookups are made, and of what time, with a service that only tells what it was asked."""

from __future__ import annotations

import io
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from records import ROLE, record

from which_notebook.aws import forget_clients
from which_notebook.calls.scope import Scope
from which_notebook.calls.search import Search
from which_notebook.limits import LIMITS
from which_notebook.sources.coverage import Coverage
from which_notebook.sources.event_history import NAME, EventHistory, Pace, history_client


class Service:
    """A LookupEvents that answers with one page, after some failures; it takes the place of the network."""

    def __init__(self, *records: str, failures: int = 0) -> None:
        self.records, self.failures = records, failures
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: AWSPreparedRequest, **event: Any) -> AWSResponse:
        self.asked.append(json.loads(cast(bytes, request.body)))
        if len(self.asked) <= self.failures:
            return self.answer(400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
        return self.answer(200, {"Events": [{"CloudTrailEvent": each} for each in self.records]})

    def answer(self, status: int, content: dict[str, Any]) -> AWSResponse:
        return AWSResponse("http://service", status, HTTPHeaders(), Body(json.dumps(content).encode()))


class Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Service]]:
    """Each region's service; and no waiting."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    forget_clients()
    services: defaultdict[str, Service] = defaultdict(Service)

    def ask(region: str, request: AWSPreparedRequest, **event: Any) -> AWSResponse:
        return services[region](request)

    for region in (
        "us-east-1",
        "eu-west-1",
        "eu-west-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "cn-northwest-1",
        "cn-north-1",
    ):
        history_client(region).meta.events.register("before-send.cloudtrail.LookupEvents", partial(ask, region))
    yield services
    forget_clients()


def read(scope: Scope, *, source: EventHistory | None = None) -> tuple[list[str], Coverage]:
    coverage = Coverage()
    source = source or EventHistory(NAME, LIMITS)
    calls = []
    for found in source.calls(Search(role_names=(ROLE,)), scope, coverage):
        coverage.size += found.size
        calls.extend(found.calls)
    return [call.event_id for call in calls], coverage


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_time_range_is_asked_for(services: dict[str, Service]) -> None:
    since, until = ago(2), ago(1)
    _, coverage = read(Scope(since=since, until=until, regions=("us-east-1",)))
    (asked,) = services["us-east-1"].asked
    times = {"StartTime": since, "EndTime": until}
    assert asked == {name: datetime.fromisoformat(time).timestamp() for name, time in times.items()}
    assert list(coverage.notes) == [
        "cloudtrail: has only management events, of the last 90 days. It has no data events, such as S3's GetObject"
    ]


def test_what_lies_before_the_history_is_not_asked_for_but_said(services: dict[str, Service]) -> None:
    since = ago(200)
    _, coverage = read(Scope(since=since, regions=("us-east-1",)))
    assert services["us-east-1"].asked == [{}]
    assert next(iter(coverage.notes)).endswith(f"--since {since} goes back further")
    read(Scope(since=since, until=ago(100), regions=("us-east-1",)))
    assert len(services["us-east-1"].asked) == 1


@pytest.mark.parametrize(
    ("region", "of_global_services"),
    [("us-gov-east-1", "us-gov-west-1"), ("cn-northwest-1", "cn-north-1"), ("us-east-1", "us-east-1")],
)
def test_each_partition_has_a_region_for_global_services(
    services: dict[str, Service], region: str, of_global_services: str
) -> None:
    read(Scope(regions=(region,)))
    assert set(services) == {region, of_global_services}


def test_regions_are_asked_at_the_same_time(services: dict[str, Service]) -> None:
    all_there = threading.Barrier(3, timeout=20)

    class Waiting(Service):
        def __call__(self, request: AWSPreparedRequest, **event: Any) -> AWSResponse:
            all_there.wait()
            return super().__call__(request)

    for region in ("us-east-1", "eu-west-1", "eu-west-2"):
        services[region] = Waiting()
    _, coverage = read(Scope(regions=("eu-west-1", "eu-west-2")))
    assert not coverage.skipped


def test_a_bad_record_hides_no_good_ones(services: dict[str, Service]) -> None:
    good = record(time="10:00")
    services["us-east-1"] = Service("no JSON", json.dumps(good))
    ids, coverage = read(Scope(regions=("us-east-1",)))
    assert ids == [good["eventID"]]
    ((name, reason),) = coverage.skipped
    assert name == "cloudtrail: us-east-1"
    assert reason.startswith("record without eventID")


def test_throttling_is_waited_out_but_not_without_end(services: dict[str, Service]) -> None:
    good = record(time="10:00")
    services["us-east-1"] = Service(json.dumps(good), failures=7)
    assert read(Scope(regions=("us-east-1",)))[0] == [good["eventID"]]
    services["us-east-1"] = Service(json.dumps(good), failures=1000)
    services["eu-west-1"] = Service(json.dumps(good))
    ids, coverage = read(Scope(regions=("us-east-1", "eu-west-1")))
    assert ids == [good["eventID"]]
    assert list(coverage.skipped) == [("cloudtrail: us-east-1", "ThrottlingException: Rate exceeded")]
    assert len(services["us-east-1"].asked) == 8


def test_what_is_kept_answers_again(services: dict[str, Service]) -> None:
    good = record(time="10:00")
    services["us-east-1"] = Service(json.dumps(good))
    source = EventHistory(NAME, LIMITS, again=True)
    first, before = read(Scope(regions=("us-east-1",)), source=source)
    second, after = read(Scope(regions=("us-east-1",)), source=source)
    source.close()
    assert first == second == [good["eventID"]]
    assert before.size == after.size > 0
    assert len(services["us-east-1"].asked) == 1


def test_no_second_has_more_than_two_requests_nor_needlessly_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    times = []

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "sleep", wait)
    pace = Pace(clock=lambda: now)
    for answered_after in (0.0, 0.1, 0.7, 0.0, 3.0, 0.2, 0.0):
        pace(request=None)
        times.append(now)
        now += answered_after
    assert all(third - first > 1 for first, third in zip(times, times[2:], strict=False))
    assert times[-1] - times[0] < 0.6 + 0.6 + 0.7 + 0.6 + 3.0 + 0.6
