"""Studio: user profiles in every answer."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, ROLE, handshake, profile, record, session
from user_profiles import ANNA, NOBODY, USER_ID, by_sagemaker, calls

LOG = [
    handshake(),
    *(record() for _ in range(3)),
    *(record(profile(on_behalf_of=USER_ID)) for _ in range(4)),
    record(profile("ben", key="ASIABEN"), "s3:PutObject", errorCode="AccessDenied", time="2026-03-02T09:00:00Z"),
    record(session(BASE)),
    record(session("not_a_notebook")),
]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.json.gz", *LOG)


def test_the_summary_has_a_row_for_each(ask: Any, log: Path) -> None:
    found = ask("summary", log, "--role", ROLE, "--format", "json").json
    anna, ben = found["user_profiles"]
    assert anna.keys() == {*found["notebooks"][0], "user_profile"}
    assert (anna["user_profile"], anna["notebook"], anna["calls"], anna["chained"], anna["errors"]) == (
        "anna",
        None,
        4,
        0,
        0,
    )
    assert (ben["user_profile"], ben["calls"], ben["errors"], ben["event_names"]) == ("ben", 1, 1, {"s3:PutObject": 1})
    assert (found["calls"], found["unattributed"]["calls"], len(found["unknown_names"])) == (10, 1, 1)
    lines = ask("summary", log, "--role", ROLE, "--format", "table").out.splitlines()
    assert [line.split("  ")[1] for line in lines[3:8]] == ["fraud-model", "(user profile anna)", "(user profile ben)", "(unknown name) not_a_notebook", "(unattributed)"]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(ask("summary", log, "--role", ROLE, "--format", "csv").out)))
    assert [(row["status"], row["notebook"], row["user_profile"], row["calls"]) for row in rows] == [
        ("attributed", "fraud-model", "", "3"), ("user-profile", "", "anna", "4"), ("user-profile", "", "ben", "1"),
        ("unknown-name", "", "", "1"), ("unattributed", "", "", "1"),
    ]  # fmt: skip


def test_a_user_profile_and_a_notebook_of_one_name_are_two(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", record(session("anna")), record(profile()), record(session("anna", role="x")))
    found = ask("summary", path, "--role", ROLE, "--format", "json").json
    assert [(row["notebook"], row["calls"]) for row in found["notebooks"]] == [("anna", 1)]
    assert [(row["user_profile"], row["calls"]) for row in found["user_profiles"]] == [("anna", 1)]
    groups = ask("summary", path, "--role", ROLE, "--by", "event", "--format", "json").json["groups"]
    assert [(each["notebook"], each["user_profile"], each["calls"]) for each in groups] == [
        (None, "anna", 1),
        ("anna", None, 1),
    ]
    assert calls(ask, tmp_path, record(session("anna")), record(profile()), options=["--notebook", "anna"]) == [("attributed", "anna", None)]  # fmt: skip


@pytest.mark.parametrize("by", ["event", "day", "session", "resource"])
def test_by(ask: Any, log: Path, by: str) -> None:
    answer = ask("summary", log, "--role", ROLE, "--by", by, "--status", "user-profile", "--format", "json").json
    found = {(each["user_profile"], each["status"]): each for each in answer["groups"]}
    assert found.keys() == {("anna", "user-profile"), ("ben", "user-profile")}
    assert all(each["notebook"] is each["session_name"] is None for each in answer["groups"])
    assert "(user profile anna)" in ask("summary", log, "--role", ROLE, "--by", by, "--format", "table").out
    header = ask("summary", log, "--role", ROLE, "--by", by, "--format", "csv").out.splitlines()[0]
    assert header.endswith(",first_seen,last_seen,user_profile")


def test_the_status_filters(ask: Any, tmp_path: Path) -> None:
    assert set(calls(ask, tmp_path, *LOG, options=["--status", "user-profile"])) == {
        ANNA,
        ("user-profile", None, "ben"),
    }
    assert calls(ask, tmp_path, *LOG, options=["--status", "unattributed"]) == [NOBODY]
    table = ask("calls", tmp_path / "log.json.gz", "--role", ROLE, "--status", "user-profile", "--format", "table").out
    assert table.count("(user profile anna)") == 4


def test_they_are_not_unattributed(ask: Any, log: Path, tmp_path: Path) -> None:
    asked = ("--role", ROLE, "--fail-on", "unattributed")
    assert ask("summary", log, *asked).status == 3
    named = write(tmp_path / "named.json", *(each for each in LOG if each["userIdentity"] != session(BASE)))
    assert ask("summary", named, *asked).status == 0
    # An empty answer says whose calls there are.
    said = ask("summary", named, "--role", ROLE, "--notebook", "anna").err
    assert "user profiles anna, ben" in said
    assert "--status user-profile shows the calls of all user profiles" in said
    assert "--status user-profile" not in ask("summary", named, "--role", ROLE, "--region", "eu-west-3").err


def test_the_roles(ask: Any, log: Path) -> None:
    (found,) = ask("roles", log, "--format", "json").json
    assert (found["calls"], found["attributed"], found["unattributed"], found["of_user_profiles"]) == (10, 3, 1, 5)
    assert found["user_profiles"] == ["anna", "ben"]
    assert "of user profiles" in ask("roles", log, "--format", "table").out
    assert ask("roles", log, "--format", "csv").out.splitlines()[1].endswith(",5,anna ben")


def test_an_event_in_sentences(ask: Any, tmp_path: Path) -> None:
    path = write(
        tmp_path / "log.json",
        by_sagemaker(),
        record(profile(on_behalf_of=USER_ID), eventID="it", time="2026-03-01T09:10:00Z"),
    )
    out = ask("event", "it", path, "--format", "table").out
    assert out.startswith(
        "Event it was made in the base session SageMaker with the source identity anna: by the Studio user profile"
    )
    assert f"  on_behalf_of       {USER_ID}" in out
    assert "  user_profile       anna" in out
    assert "sagemaker.amazonaws.com opened SageMaker of" in out
    assert "What is not proven: Whoever opens a session may set its source identity" in out
    assert "A notebook session's name is chosen" not in out


def test_a_finding(ask: Any, tmp_path: Path) -> None:
    key = "ASIAEXAMPLE000000001"
    details = {
        "accessKeyId": key,
        "principalId": f"AROAEXAMPLEROLE000001:{BASE}",
        "userName": ROLE,
        "userType": "AssumedRole",
    }
    found = {"accountId": ACCOUNT, "id": "f", "type": "t", "title": "x", "resource": {"accessKeyDetails": details},
             "service": {"eventFirstSeen": "2026-03-01T08:00:00Z", "eventLastSeen": "2026-03-01T12:00:00Z"}}  # fmt: skip
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(found))
    (actor,) = ask("finding", path, "--role", ROLE, "--format", "json").json[0]["actors"]
    assert (actor["status"], actor["user_profile"]) == ("unattributed", None)  # a finding has no source identity
    assert "or whether it was Studio" in actor["why"][0]
    log = write(tmp_path / "log.json", by_sagemaker(key=key), record(profile(key=key), time="2026-03-01T09:10:00Z"))
    (actor,) = ask("finding", path, log, "--role", ROLE, "--format", "json").json[0]["actors"]
    assert (actor["status"], actor["notebook"], actor["user_profile"]) == ("user-profile", None, "anna")
    text = ask("finding", path, log, "--role", ROLE, "--format", "table").out
    assert f"{key}: the Studio user profile anna, or a job of its" in text
    assert "What is not proven: Whoever opens a session may set its source identity" in text


def test_the_cache_keeps_them(ask: Any, log: Path) -> None:
    first, second = (ask("calls", log, "--role", ROLE).out for _ in range(2))
    assert first == second
    assert first.count('"user_profile":"anna"') == first.count(f'"on_behalf_of":"{USER_ID}"') == 4
