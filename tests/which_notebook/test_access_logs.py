"""S3 server access logs: each line is a call, found by the names of the files, and counted once beside its data event."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_files import compact, write
from records import ACCOUNT, ROLE, record, session

from which_notebook.calls.scope import Scope
from which_notebook.calls.search import Search
from which_notebook.limits import LIMITS, Limits
from which_notebook.records.scan import scan
from which_notebook.sources.log_paths import may_answer

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model"
WANTED = Search(role_names=(ROLE,), event_id="3E57427F3EXAMPLE")


def line(
    operation: str = "REST.GET.OBJECT", *, who: str = ARN, request: str = "3E57427F3EXAMPLE", key: str = "data/train.csv",
    uri: str = "GET /data/train.csv HTTP/1.1", status: str = "200", error: str = "-", agent: str = "Boto3/1.42",
    referer: str = "-", access_point: str = "-", time: str = "01/Mar/2026:09:00:00 +0000", bucket: str = "figures", more: str = "",
) -> str:  # fmt: skip
    return (
        f'{OWNER} {bucket} [{time}] 10.0.0.7 {who} {request} {operation} {key} "{uri}" {status} {error} 113 - 7 - "{referer}" "{agent}" '
        f"- s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 "
        f"AuthHeader {bucket}.s3.eu-west-1.amazonaws.com TLSv1.2 {access_point} -{more}\n"
    )


def read(text: str | bytes, wanted: Search = WANTED) -> tuple[list[Any], list[str]]:
    data = text.encode() if isinstance(text, str) else text
    parts = list(scan(io.BytesIO(data), wanted, LIMITS))
    return [call for part in parts for call in part.calls], [problem for part in parts for problem in part.problems]


def test_a_line_is_a_call(ask: Any, tmp_path: Path) -> None:
    path = tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF"
    path.write_text(line(who=OWNER) + line(key="day+1/a%2520b.csv", error="AccessDenied", status="403"))
    (call,) = ask("calls", path, "--role", ROLE).calls
    assert {name: value for name, value in call.items() if value is not None} == {
        "event_id": "3E57427F3EXAMPLE", "event_time": "2026-03-01T09:00:00Z", "event_source": "s3.amazonaws.com",
        "event_name": "GetObject", "aws_region": "eu-west-1", "account_id": ACCOUNT, "notebook": "fraud-model",
        "status": "attributed", "session_name": "fraud-model", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
        "source_ip_address": "10.0.0.7", "user_agent": "Boto3/1.42", "error_code": "AccessDenied", "event_category": "S3AccessLog",
        "resources": ["arn:aws:s3:::figures", "arn:aws:s3:::figures/day+1/a b.csv"],
    }  # fmt: skip
    shown = ask("event", "3E57427F3EXAMPLE", path).out
    assert '"key": "day+1/a b.csv"' in shown
    assert '"bucketName": "figures"' in shown
    assert ask("summary", tmp_path, "--role", ROLE).json["calls"] == 1


@pytest.mark.parametrize(
    ("operation", "key", "event"),
    [
        ("REST.PUT.OBJECT", "k", "PutObject"),
        ("REST.HEAD.OBJECT", "k", "HeadObject"),
        ("REST.DELETE.OBJECT", "k", "DeleteObject"),
        ("REST.GET.BUCKET", "-", "ListObjects"),
        ("REST.POST.MULTI_OBJECT_DELETE", "-", "DeleteObjects"),
        ("REST.COPY.OBJECT_GET", "k", "CopyObject"),
        ("REST.PUT.PART", "k", "UploadPart"),
        ("REST.GET.ACL", "-", "GetBucketAcl"),
        ("REST.GET.ACL", "k", "GetObjectAcl"),
        ("REST.GET.NEW_THING", "-", "GetNewThing"),
        ("REST.GET.VERSIONING", "-", "GetBucketVersioning"),
        ("REST.PUT.ENCRYPTION", "-", "PutBucketEncryption"),
        ("REST.GET.PUBLIC_ACCESS_BLOCK", "-", "GetBucketPublicAccessBlock"),
        ("REST.DELETE.LIFECYCLE", "-", "DeleteBucketLifecycle"),
        ("REST.GET.OBJECT_LOCK_CONFIGURATION", "-", "GetObjectLockConfiguration"),
    ],
)
def test_what_an_operation_is_called(operation: str, key: str, event: str) -> None:
    (call,), problems = read(line(operation, key=key))
    assert (call.event_name, problems) == (event, [])


@pytest.mark.parametrize(
    ("odd", "agent", "error"),
    [
        ({"agent": 'a "quoted" agent'}, 'a "quoted" agent', None),
        ({"agent": '" "'}, '" "', None),
        ({"agent": "-"}, None, None),
        ({"more": " us-east-1 one two three"}, "Boto3/1.42", None),
        ({"more": ' "a new column" x'}, "Boto3/1.42", None),
        ({"more": ' "a new column"', "agent": 'x" - h= SigV4 c AuthHeader "y'}, 'x" - h= SigV4 c AuthHeader "y', None),
        ({"uri": 'GET /x?y="z" HTTP/1.1'}, "Boto3/1.42", None),
        ({"uri": "-"}, "Boto3/1.42", None),
        ({"uri": 'GET /" 200 - HTTP/1.1', "status": "403", "error": "AccessDenied"}, "Boto3/1.42", "AccessDenied"),
        ({"time": "01/Mar/2026:11:00:00 +0200"}, "Boto3/1.42", None),
        ({"key": "%2522x%2522"}, "Boto3/1.42", None),
    ],
)
def test_odd_lines(odd: dict[str, str], agent: str | None, error: str | None) -> None:
    (call,), problems = read(line(who=OWNER) + line(**odd) + line(who="-"), Search(role_names=(ROLE,)))
    assert problems == []
    assert (call.user_agent, call.error_code, call.event_time) == (agent, error, "2026-03-01T09:00:00Z")


@given(
    st.text(max_size=60).filter(lambda text: "\n" not in text and "\r" not in text),
    st.sampled_from(["agent", "referer", "uri"]),
)
def test_no_text_of_a_caller_makes_another_the_requester(text: str, place: str) -> None:
    forged = f'{text}" {ARN} - x HTTP/1.1" 200 - 1 1 1 1 "-" "{ARN}'
    found, _ = read(line(who=OWNER, request="R1", **{place: forged}) + line(who="-", request="R2", key=f"x{ARN}"))
    assert [call for call in found if WANTED.matches(call)] == []


def test_half_a_line_is_named_and_hides_none() -> None:
    found, (problem,) = read(line() + f"{OWNER} figures [01/Mar {ARN}\n" + line(request="R2"))
    assert [call.request_id for call in found] == ["3E57427F3EXAMPLE", "R2"]
    assert problem == f"the line at byte {len(line()):,}: no line of an S3 server access log, or half of one"


def shown(ask: Any, tmp_path: Path, *lines: str, options: tuple[str, ...] = ()) -> list[Any]:
    path = tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF"
    path.write_text("".join(lines))
    return ask("calls", path, "--role", ROLE, "--no-cache", *options).calls  # type: ignore[no-any-return]


@pytest.mark.parametrize("turned", [1, -1])
def test_a_deletion_of_several_objects_is_one_call_about_all_of_them(ask: Any, tmp_path: Path, turned: int) -> None:
    lines = [
        line("REST.POST.MULTI_OBJECT_DELETE", key="-"),
        line("BATCH.DELETE.OBJECT", key="b"),
        line("BATCH.DELETE.OBJECT", key="a"),
    ]
    (call,) = shown(ask, tmp_path, *lines[::turned])
    assert (call["event_name"], call["resources"]) == (
        "DeleteObjects", ["arn:aws:s3:::figures", "arn:aws:s3:::figures/a", "arn:aws:s3:::figures/b"],
    )  # fmt: skip
    (call,) = shown(ask, tmp_path, *lines, options=("--resource", "s3://figures/b"))
    assert call["event_name"] == "DeleteObjects"


@pytest.mark.parametrize("limits", [Limits(), Limits(sorted_calls=3, judged_calls=2)])
@pytest.mark.parametrize("second", [0, 30, 59])
def test_the_keys_that_cloudtrail_leaves_out_come_from_the_access_log(
    ask: Any, tmp_path: Path, limits: Limits, second: int
) -> None:
    bucket = {"requestParameters": {"bucketName": "figures"}, "resources": [{"ARN": "arn:aws:s3:::figures"}]}
    deletions = [
        record(
            session(),
            "s3:DeleteObjects",
            requestID=f"R{number}",
            time=f"2026-03-01T09:00:{second:02}Z",
            **bucket,
        )
        for number in range(8)
    ]
    around = [record(session(), time=f"2026-03-01T09:{minute:02}:00Z") for minute in range(5)]
    write(tmp_path / "log.json", *deletions, *around)
    lines = [line("BATCH.DELETE.OBJECT", key=f"k{number}", request=f"R{number}") for number in range(8)]
    (tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF").write_text("".join(lines))
    calls = ask("calls", tmp_path, "--role", ROLE, "--no-cache", limits=limits).calls
    assert len(calls) == 8 + 5
    found = [call["resources"] for call in calls if call["event_name"] == "DeleteObjects"]
    assert sorted(found) == [["arn:aws:s3:::figures", f"arn:aws:s3:::figures/k{number}"] for number in range(8)]


@pytest.mark.parametrize("limits", [Limits(), Limits(judged_calls=2), Limits(sorted_calls=3, judged_calls=1)])
@pytest.mark.parametrize(
    ("second", "is_one"), [(40, True), (-20, True), (-60, True), (60, True), (61, False), (-61, False)]
)
def test_a_line_and_its_event_are_one_within_a_minute_however_many_calls_come_between(
    ask: Any, tmp_path: Path, limits: Limits, second: int, is_one: bool
) -> None:
    """Also where the reader hands on fewer calls at once."""
    start = datetime(2026, 3, 1, 9, 2, tzinfo=UTC)
    event = record(
        session(), "s3:DeleteObjects", requestID="R", time=f"{start:%Y-%m-%dT%H:%M:%SZ}",
        requestParameters={"bucketName": "figures"}, resources=[{"ARN": "arn:aws:s3:::figures"}],
    )  # fmt: skip
    around = [record(session(), time=f"2026-03-01T09:{at // 60:02}:{at % 60:02}Z") for at in range(240)]
    write(tmp_path / "log.json", event, *around)
    of_line = start + timedelta(seconds=second)
    (tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF").write_text(
        line("BATCH.DELETE.OBJECT", key="k", request="R", time=f"{of_line:%d/%b/%Y:%H:%M:%S +0000}")
    )
    calls = ask("calls", tmp_path, "--role", ROLE, "--no-cache", limits=limits).calls
    deletions = [call["resources"] for call in calls if call["event_name"] == "DeleteObjects"]
    assert len(calls) == 241 + (not is_one)
    if is_one:
        assert deletions == [["arn:aws:s3:::figures", "arn:aws:s3:::figures/k"]]


@pytest.mark.parametrize("operation", ["COPY.OBJECT", "COPY.PART"])
@pytest.mark.parametrize("turned", [1, -1])
def test_who_copied_from_a_bucket_is_found(ask: Any, tmp_path: Path, operation: str, turned: int) -> None:
    lines = [
        line(f"REST.{operation}_GET", bucket="patients", key="p.csv"),
        line(f"REST.{operation}", bucket="mine", key="m.csv"),
    ]
    (call,) = shown(ask, tmp_path, *lines[::turned])
    assert {"arn:aws:s3:::patients/p.csv", "arn:aws:s3:::mine/m.csv"} <= set(call["resources"])
    for asked in ("patients", "s3://patients/p.csv", "mine"):
        assert len(shown(ask, tmp_path, *lines[::turned], options=("--resource", asked))) == 1, asked


@pytest.mark.parametrize("asked", ["my-ap", "arn:aws:s3:eu-west-1:111122223333:accesspoint/my-ap", "figures"])
def test_an_access_point_is_a_resource(ask: Any, tmp_path: Path, asked: str) -> None:
    arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/my-ap"
    (call,) = shown(ask, tmp_path, line(access_point=arn), options=("--resource", asked))
    assert call["resources"] == [arn, "arn:aws:s3:::figures", "arn:aws:s3:::figures/data/train.csv"]


def test_lines_without_a_request_id_are_told_apart_by_what_they_say(ask: Any, tmp_path: Path) -> None:
    lines = [line(request="-", key=key) for key in "abca"]
    calls = shown(ask, tmp_path, *lines)
    assert sorted(call["resources"][1] for call in calls) == [f"arn:aws:s3:::figures/{key}" for key in "abc"]


@pytest.mark.parametrize("limits", [Limits(), Limits(sorted_calls=3, judged_calls=2)])
@pytest.mark.parametrize("second", [0, 1, 59])
def test_a_data_event_and_a_line_of_one_request_count_once(
    ask: Any, tmp_path: Path, limits: Limits, second: int
) -> None:
    events = [record(session("fraud-model"), requestID=f"REQ{number}") for number in range(20)]
    write(tmp_path / "log.json", *events)
    lines = [line(request=f"REQ{number}", time=f"01/Mar/2026:09:00:{second:02} +0000") for number in range(25)]
    random.Random(second).shuffle(lines)  # noqa: S311 - an order, no secret
    (tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF").write_text("".join(lines))
    calls = ask("calls", tmp_path, "--role", ROLE, limits=limits).calls
    assert len(calls) == 25
    assert [call["event_category"] for call in calls].count("S3AccessLog") == 5


@pytest.mark.parametrize("prefix", ["", "access/", "access/figures-"])
@pytest.mark.parametrize("layout", ["", f"{ACCOUNT}/eu-west-1/figures/%s/"])
def test_files_of_other_days_arent_opened(prefix: str, layout: str) -> None:
    scope = Scope(since="2026-03-02T00:00:00Z", until="2026-03-03T00:00:00Z", delivered_within_days=1)
    fitting = []
    for day in range(1, 8):
        folders = layout % f"2026/03/{day:02}" if layout else ""
        if may_answer(f"{prefix}{folders}2026-03-{day:02}-00-00-00-0123456789ABCDEF", scope):
            fitting.append(day)
    assert fitting == [2, 3, 4]
    elsewhere = Scope(regions=("us-east-1",))
    path = f"{prefix}{layout % '2026/03/02' if layout else ''}2026-03-02-00-00-00-0123456789ABCDEF"
    assert may_answer(path, elsewhere) is not bool(layout)


def test_a_log_of_many_requests_of_others(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text((line(who=OWNER) * 5000 + line(request="X")) * 3 + line(request="Y").rstrip())
    assert ask("summary", tmp_path, "--role", ROLE).json["calls"] == 2


def test_a_record_line_isnt_taken_for_one(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(compact(record(userAgent=line())))
    assert len(ask("calls", tmp_path, "--role", ROLE).calls) == 1


@pytest.mark.parametrize("options", [[], ["--role", ROLE[:-2]]])
def test_without_a_base_session_the_roles_that_are_there_are_named(
    ask: Any, tmp_path: Path, options: list[str]
) -> None:
    """S3 access logs hardly ever hold a base session."""
    path = tmp_path / "2026-03-01-10-15-00-0123456789ABCDEF"
    path.write_text(line())
    answer = ask("roles", path, *options, "--format", "table")
    assert answer.status == 4
    assert f"Roles in these logs: {ROLE}" in answer.err
    which = f"No role that fits {ROLE[:-2]}" if options else "No role"
    assert answer.out == f"{which} has a session called SageMaker in what was read.\n"
    if not options:
        answer = ask("calls", path)
        assert (answer.status, f"Roles in these logs: {ROLE}. Give --role" in answer.err) == (2, True)
