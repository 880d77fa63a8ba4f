"""`summary --by`: counts by resource, event, day or session."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, handshake, record, session

from which_notebook.limits import LIMITS


def get(bucket: str, key: str = "k", name: str = "fraud-model", **fields: Any) -> dict[str, Any]:
    return record(session(name), requestParameters={"bucketName": bucket, "key": key}, resources=None, **fields)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(
        tmp_path / "log.json.gz",
        handshake(),
        *(get("patient-data", f"{number}") for number in range(24)),
        get("patient-data", name="churn-model", time="2026-03-02T09:00:00Z", errorCode="AccessDenied"),
        get("lake", name=BASE, time="2026-03-03T09:00:00Z"),
        get("lake", name="not_a_notebook", time="2026-03-03T09:00:00Z", event="s3:PutObject"),
        record(event="s3:ListBuckets", requestParameters=None, resources=None),
    )


def groups(ask: Any, log: Path, by: str, *options: object) -> list[tuple[Any, ...]]:
    answer = ask("summary", log, "--role", ROLE, "--by", by, *options)
    assert answer.status == 0
    return [(each["notebook"], each["status"], each[by], each["calls"]) for each in answer.json["groups"]]


def test_who_read_a_bucket_and_how_often(ask: Any, log: Path) -> None:
    found = groups(ask, log, "resource", "--resource", "patient-data")
    assert found[0] == ("fraud-model", "attributed", "arn:aws:s3:::patient-data", 24)
    assert ("churn-model", "attributed", "arn:aws:s3:::patient-data", 1) in found
    assert ("fraud-model", "attributed", "arn:aws:s3:::patient-data/7", 1) in found
    assert all("lake" not in each[2] for each in found)
    assert len(found) == 1 + 24 + 2
    everything = groups(ask, log, "resource")
    assert ("fraud-model", "attributed", "-", 1) in everything
    assert (None, "unattributed", "arn:aws:s3:::lake", 1) in everything
    assert [each[3] for each in everything] == sorted((each[3] for each in everything), reverse=True)


def test_by_event_day_and_session(ask: Any, log: Path) -> None:
    assert groups(ask, log, "event") == [
        ("fraud-model", "attributed", "s3:GetObject", 24),
        (None, "unattributed", "s3:GetObject", 1),
        ("churn-model", "attributed", "s3:GetObject", 1),
        ("fraud-model", "attributed", "s3:ListBuckets", 1),
        (None, "unknown-name", "s3:PutObject", 1),
    ]
    assert groups(ask, log, "day")[:2] == [
        ("fraud-model", "attributed", "2026-03-01", 25), ("churn-model", "attributed", "2026-03-02", 1),
    ]  # fmt: skip
    assert groups(ask, log, "session")[0] == ("fraud-model", "attributed", "ASIAFRAUD-MODEL", 25)


@pytest.mark.parametrize("by", ["resource", "event", "day"])
def test_notebooks_of_one_name_in_two_accounts_are_two(ask: Any, tmp_path: Path, by: str) -> None:
    """And names that aren't known have one."""
    there = session("fraud-model", account=OTHER_ACCOUNT)
    unknown = [get("lake", name="no_notebook"), get("lake", name="nor_this")]
    path = write(
        tmp_path / "log.json",
        get("lake"),
        *(record(there) | get("lake") | {"userIdentity": there} for _ in "ab"),
        *unknown,
    )
    answer = ask("summary", path, "--role", ROLE, "--by", by).json["groups"]
    text = {"resource": "arn:aws:s3:::lake", "event": "s3:GetObject", "day": "2026-03-01"}[by]
    found = [
        (each["notebook"], each["session_name"], each["role_arn"], each["calls"]) for each in answer if each[by] == text
    ]
    assert sorted(found, key=repr) == sorted([
        ("fraud-model", None, f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", 1),
        ("fraud-model", None, f"arn:aws:iam::{OTHER_ACCOUNT}:role/{ROLE}", 2),
        (None, "no_notebook", f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", 1),
        (None, "nor_this", f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", 1),
    ], key=repr)  # fmt: skip
    lines = ask("summary", path, "--role", ROLE, "--by", by, "--format", "table").out.splitlines()
    assert lines[0].endswith("role")
    assert sum(line.endswith(f"{OTHER_ACCOUNT}:role/{ROLE}") for line in lines) >= 1


def test_limit_and_each_format(ask: Any, log: Path) -> None:
    asked = ["summary", log, "--role", ROLE, "--by", "event", "--limit", "2"]
    answer = ask(*asked).json
    assert (len(answer["groups"]), answer["more"], answer["by"]) == (2, 3, "event")
    rows = list(csv.DictReader(io.StringIO(ask(*asked, "--format", "csv").out)))
    assert [(row["notebook"], row["event"], row["calls"], row["errors"]) for row in rows] == [
        ("fraud-model", "s3:GetObject", "24", "0"), ("", "s3:GetObject", "1", "0"),
    ]  # fmt: skip
    lines = ask(*asked, "--format", "table").out.splitlines()
    assert lines[0].split() == ["notebook", "event", "calls", "errors", "first", "seen", "last", "seen"]
    assert lines[1].split()[:4] == ["fraud-model", "s3:GetObject", "24", "0"]
    assert lines[3] == "and 3 more (--limit)"


def test_the_calls_are_the_summarys(ask: Any, log: Path) -> None:
    whole = ask("summary", log, "--role", ROLE).json
    for by in ("event", "day", "session"):
        assert sum(each[3] for each in groups(ask, log, by)) == whole["calls"] == 28


def test_groups_are_bounded(ask: Any, log: Path) -> None:
    answer = ask(
        "summary",
        log,
        "--role",
        ROLE,
        "--by",
        "resource",
        limits=LIMITS.__class__(groups=3, sorted_calls=5, judged_calls=2),
    )
    found = answer.json["groups"]
    assert len(found) <= 3 + 3
    assert {each["resource"] for each in found} >= {"(others)"}


def test_hostile_text_is_shown_and_not_obeyed(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", get("lake", "a\x1b[2J\nb"), get("lake", "=1+1"))
    out = ask("summary", path, "--role", ROLE, "--by", "resource", "--format", "table").out
    assert "\x1b" not in out
    assert "a\\x1b[2J\\nb" in out


DATA, MANAGEMENT = {"eventCategory": "Data"}, {"eventCategory": "Management", "eventName": "CreateBucket"}


@pytest.mark.parametrize("command", ["calls", "summary", "by"])
@pytest.mark.parametrize(("kind", "is_said"), [(DATA, False), (MANAGEMENT, True)])
def test_an_empty_answer_says_how_to_switch_data_events_on(
    ask: Any, tmp_path: Path, command: str, kind: dict[str, str], is_said: bool
) -> None:
    path = write(tmp_path / "log.json", get("lake", **kind))
    asked = ["summary", "--by", "resource"] if command == "by" else [command]
    answer = ask(*asked, path, "--role", ROLE, "--resource", "patient-data")
    assert ("aws cloudtrail put-event-selectors" in answer.err) is is_said
    assert "put-event-selectors" not in ask(*asked, path, "--role", ROLE, "--resource", "lake").err
    assert "put-event-selectors" not in ask(*asked, path, "--role", ROLE, "--event-name", "X").err


def test_one_long_key_makes_no_column_wide(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", get("lake", "k" * 5000))
    out = ask("summary", path, "--role", ROLE, "--by", "resource", "--format", "table").out
    assert max(map(len, out.splitlines()[:4])) < 300
    assert "k…" in out
    assert "k" * 5000 in ask("summary", path, "--role", ROLE, "--by", "resource", "--format", "csv").out
