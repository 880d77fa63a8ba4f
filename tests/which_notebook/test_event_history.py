"""The source `cloudtrail:`, against the emulator's LookupEvents: which lookups, at what rate, and what is said when one fails."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import s3_logs
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from emulator.server import Emulator
from history_and_s3 import forget_clients, use

from which_notebook import cli
from which_notebook.calls.scope import Scope
from which_notebook.calls.search import Search
from which_notebook.sources.coverage import Coverage
from which_notebook.sources.event_history import NAME, EventHistory, Pace, history_client, lookups

# A region in which no other test calls.
REGION = "eu-west-3"
ROLE = "history-notebooks"
OTHER_ROLE = "history-etl"
CALLS = 120


@dataclass
class Scene:
    """What happened in the account: when it began, and whose keys the sessions have."""

    since: str
    base_key: str
    notebook_key: str


@pytest.fixture(scope="module")
def scene(emulator: Emulator) -> Scene:
    """A notebook that makes many calls, one to a global service, and one in another role's session."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = emulator.client("sts", region=REGION)
    arns = {role: make_role(emulator, role) for role in (ROLE, OTHER_ROLE)}
    base = root.assume_role(RoleArn=arns[ROLE], RoleSessionName="SageMaker")["Credentials"]
    base_session = emulator.session_client("sts", base, region=REGION)
    base_session.get_caller_identity()
    notebook = base_session.assume_role(RoleArn=arns[ROLE], RoleSessionName="fraud-model")["Credentials"]
    notebook_session = emulator.session_client("sts", notebook, region=REGION)
    for _ in range(CALLS):
        notebook_session.get_caller_identity()
    emulator.session_client("iam", notebook).list_roles()
    # STS's global endpoint is in us-east-1.
    global_sts = emulator.session_client("sts", notebook, region="us-east-1")
    job = global_sts.assume_role(RoleArn=arns[OTHER_ROLE], RoleSessionName="job")["Credentials"]
    emulator.session_client("sts", job, region=REGION).get_caller_identity()
    return Scene(since, base["AccessKeyId"], notebook["AccessKeyId"])


def make_role(emulator: Emulator, name: str, action: str = "*") -> str:
    """Return the ARN of a new role that the account may assume, and that may do something."""
    iam = emulator.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="some", PolicyDocument=document)
    return str(role["Arn"])


@pytest.fixture
def account(emulator: Emulator, scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    """The emulated account, which the command finds in its environment, with REGION configured."""
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    yield emulator
    forget_clients()


Lookups = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def made(account: Emulator) -> Lookups:
    """The lookups that this process makes: the region, and what is asked."""
    made: Lookups = []

    def watch(region: str) -> None:
        def note(params: dict[str, Any], **event: Any) -> None:
            made.append((region, dict(params)))

        history_client(region).meta.events.register("provide-client-params.cloudtrail", note)

    watch(REGION)
    watch("us-east-1")
    return made


def begun(made: Lookups) -> list[tuple[str, str | None]]:
    """Return each lookup's region and attribute, its further pages aside."""
    attributes = [
        (region, asked.get("LookupAttributes", [None])[0]) for region, asked in made if "NextToken" not in asked
    ]
    return [
        (region, each and f"{each['AttributeKey']}={each['AttributeValue']}") for region, each in attributes
    ]  # fmt: skip


def summary(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    """Run the command on the event history; return what `summary` says as JSON, and on standard error as `said`."""
    assert cli.main(["summary", "cloudtrail:", *arguments, "--role", ROLE, "--format", "json"]) == status
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    return json.loads(said.out) | {"said": said.err}


def throttled(emulator: Emulator, since: int) -> int:
    return sum(
        record["eventName"] == "LookupEvents" and record.get("errorCode") == "ThrottlingException"
        for record in emulator.records()[since:]
    )


# What is asked


def test_who_made_which_call(account: Emulator, scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]) -> None:
    before = len(account.records())
    answer = summary(capfd, "--since", scene.since)
    (notebook,) = answer["notebooks"]
    assert notebook["notebook"] == "fraud-model"
    # In REGION, and in us-east-1 a call to IAM and one to STS's global endpoint.
    assert notebook["event_names"] == {"sts:GetCallerIdentity": CALLS, "iam:ListRoles": 1, "sts:AssumeRole": 1}
    assert (answer["unattributed"]["calls"], answer["handshakes"]) == (1, 1)
    assert (answer["files"], answer["skipped"]) == (0, [])
    assert answer["bytes"] > CALLS * 500
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", None)]
    # Three pages in REGION at least, and none of them too early.
    assert len(made) >= 4
    assert throttled(account, before) == 0


def test_a_region_filter_leaves_only_openings_in_us_east_1(
    scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = summary(capfd, "--since", scene.since, "--region", REGION, "--follow")
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", "EventName=AssumeRole")]
    (notebook,) = answer["notebooks"]
    # The session was opened in us-east-1, the call made in REGION.
    assert (notebook["calls"], notebook["chained"]) == (CALLS + 1, 1)


def test_following_looks_up_once(scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]) -> None:
    answer = summary(capfd, "--since", scene.since, "--follow")
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", None)]
    (notebook,) = answer["notebooks"]
    assert (notebook["calls"], notebook["chained"]) == (CALLS + 3, 1)
    assert answer["bytes"] > CALLS * 500
    assert answer["said"].count("data events") == 1


def test_one_event_is_looked_up_by_what_names_it(
    account: Emulator, scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]
) -> None:
    call = next(
        record
        for record in account.records()
        if record["userIdentity"].get("accessKeyId") == scene.notebook_key and record["awsRegion"] == REGION
    )
    assert cli.main(["event", call["eventID"], "cloudtrail:", "--since", scene.since, "--format", "json"]) == 0
    explained = json.loads(capfd.readouterr().out)
    assert (explained["notebook"], explained["record"]) == ("fraud-model", call)
    assert [each["opened_access_key_id"] for each in explained["opened_by"]] == [scene.notebook_key, scene.base_key]
    asked = [attribute for region, attribute in begun(made) if region == REGION]
    assert asked[:3] == [
        f"EventId={call['eventID']}",
        f"ResourceName={scene.notebook_key}",
        f"ResourceName={scene.base_key}",
    ]
    # What speaks against it is in the role's other calls.
    assert asked[-1] is None


@pytest.mark.parametrize(
    ("search", "attributes"),
    [
        (Search(role_names=("x",)), [None]),
        (Search(role_names=("x",), access_keys=frozenset({"ASIAA"})), [None]),
        (Search(source_identities=frozenset({"x"})), [None]),
        (Search(event_id="e"), [("EventId", "e")]),
        (Search(opened_keys=frozenset({"ASIAB", "ASIAA"})), [("ResourceName", "ASIAA"), ("ResourceName", "ASIAB")]),
        (Search(access_keys=frozenset({"ASIAA"})), [("AccessKeyId", "ASIAA")]),
    ],
)
def test_the_lookups_of_a_question(search: Search, attributes: list[Any]) -> None:
    assert lookups(search) == attributes


def test_as_a_program_of_its_own(account: Emulator, scene: Scene) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "which_notebook", "calls", "cloudtrail:", "--role", ROLE, "--since", scene.since, "--status", "unattributed,handshake", "--format", "jsonl"],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    calls = [json.loads(line) for line in ran.stdout.splitlines()]
    assert sorted((call["event_name"], call["status"]) for call in calls) == [
        ("AssumeRole", "handshake"),
        ("GetCallerIdentity", "unattributed"),
    ]
    assert "data events" in ran.stderr


@pytest.mark.emulated
def test_a_throttled_question_is_answered_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Emulator(tmp_path / "emulator", lookups_per_second=1) as slow:
        arn = make_role(slow, ROLE)
        session = slow.client("sts").assume_role(RoleArn=arn, RoleSessionName="fraud-model")["Credentials"]
        notebook = slow.session_client("sts", session)
        for _ in range(CALLS):
            notebook.get_caller_identity()
        use(slow, monkeypatch, tmp_path)
        answer = summary(capfd)
        forget_clients()
        assert [each["calls"] for each in answer["notebooks"]] == [CALLS]
        assert throttled(slow, 0) > 0


# At what rate, and of what time: with a service that only tells what it was asked


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
    source = source or EventHistory(NAME)
    calls = []
    for found in source.calls(Search(role_names=(s3_logs.ROLE,)), scope, coverage):
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
        "cloudtrail: holds management events only, no data events (such as S3's GetObject), and 90 days of them"
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
    good = s3_logs.record("2026-03-01T10:00:00Z")
    services["us-east-1"] = Service("no JSON", json.dumps(good))
    ids, coverage = read(Scope(regions=("us-east-1",)))
    assert ids == [good["eventID"]]
    ((name, reason),) = coverage.skipped
    assert name == "cloudtrail: us-east-1"
    assert reason.startswith("record without eventID")


def test_throttling_is_waited_out_but_not_without_end(services: dict[str, Service]) -> None:
    good = s3_logs.record("2026-03-01T10:00:00Z")
    services["us-east-1"] = Service(json.dumps(good), failures=7)
    assert read(Scope(regions=("us-east-1",)))[0] == [good["eventID"]]
    services["us-east-1"] = Service(json.dumps(good), failures=1000)
    services["eu-west-1"] = Service(json.dumps(good))
    ids, coverage = read(Scope(regions=("us-east-1", "eu-west-1")))
    assert ids == [good["eventID"]]
    assert list(coverage.skipped) == [("cloudtrail: us-east-1", "ThrottlingException: Rate exceeded")]
    assert len(services["us-east-1"].asked) == 8


def test_what_is_kept_answers_again(services: dict[str, Service]) -> None:
    good = s3_logs.record("2026-03-01T10:00:00Z")
    services["us-east-1"] = Service(json.dumps(good))
    source = EventHistory(NAME, again=True)
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


# What is said when something fails


def test_a_missing_permission_is_named(
    emulator: Emulator,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    arn = make_role(emulator, "history-reader", "s3:ListBucket")
    session = emulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="auditor")["Credentials"]
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    answer = summary(capfd, "--region", REGION, status=1)
    forget_clients()
    assert {each["file"] for each in answer["skipped"]} == {f"cloudtrail: {REGION}", "cloudtrail: us-east-1"}
    assert all(
        each["reason"].startswith("access denied: cloudtrail:LookupEvents is missing") for each in answer["skipped"]
    )


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials: set AWS_PROFILE"),
        ({"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, "no AWS region: give --region, or set AWS_REGION"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "could not connect to the endpoint URL"),
        ({"AWS_PROFILE": "of-nobody"}, "the config profile (of-nobody) could not be found"),
    ],
)
def test_a_client_that_cannot_work(
    account: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variables: dict[str, str | None],
    reason: str,
) -> None:
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    forget_clients()
    answer = summary(capfd, status=1)
    assert answer["skipped"]
    assert all(each["reason"].startswith(reason) for each in answer["skipped"]), answer["skipped"]


@pytest.mark.parametrize("region", ["eu-centrl-1", "nowhere"])
def test_a_region_that_does_not_exist(
    account: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], region: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_clients()
    said = {each["file"]: each["reason"] for each in summary(capfd, "--region", region, status=1)["skipped"]}
    assert said[f"cloudtrail: {region}"].endswith(f"; boto3 knows no region {region}")


def test_without_boto3(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    forget_clients()
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert cli.main(["summary", "cloudtrail:", "--role", ROLE]) == 2
    assert "pip install boto3" in capfd.readouterr().err
