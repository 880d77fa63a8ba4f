"""Studio: who opened a user profile's session, what it opened, and what may be a notebook's job instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, Record, handshake, opening, profile, record, session
from user_profiles import ANNA, FRAUD, NOBODY, by_sagemaker, calls

from .conftest import kinds


def inventory(tmp_path: Path, *names: str) -> Path:
    arns = {name: f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{name}" for name in names}
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"role_arn": ROLE_ARN, "session_arns": arns}))
    return path


# A notebook instance's job in imds mode, which has the notebook's name as its source identity


JOB = record(session(BASE, key="ASIAJOB", source_identity="fraud-model"), time="2026-03-01T10:00:00Z", eventID="job")
OWN = record(session("fraud-model", source_identity="fraud-model"), time="2026-03-01T09:30:00Z")


def test_with_an_inventory_a_notebooks_job_is_no_user_profiles(ask: Any, tmp_path: Path) -> None:
    path = inventory(tmp_path, "fraud-model")
    found = calls(
        ask, tmp_path, OWN, JOB, record(profile(), time="2026-03-01T11:00:00Z"), options=["--inventory", path]
    )
    assert found == [FRAUD, NOBODY, ANNA]


def test_followed_it_is_the_notebooks(ask: Any, tmp_path: Path) -> None:
    before = {**JOB, "eventTime": "2026-03-01T08:00:00Z"}
    for job in (JOB, before):  # also where the job's call comes first
        assert ("chained", "fraud-model", None) in calls(ask, tmp_path, OWN, job, options=["--follow"])


@pytest.mark.parametrize("time", ["2026-03-01T08:00:00Z", "2026-03-01T10:00:00Z"])
def test_else_a_warning_says_that_it_may_be(ask: Any, tmp_path: Path, time: str) -> None:
    job = {**JOB, "eventTime": time}
    path = write(tmp_path / "log.json", OWN, job, record(profile(), time="2026-03-01T11:00:00Z"))
    summary = ask("summary", path, "--role", ROLE, "--format", "json").json
    found = {row["user_profile"]: row["warnings"] for row in summary["user_profiles"]}
    assert found == {"anna": {}, "fraud-model": {"notebooks-identity": 1}}
    assert summary["notebooks"][0]["warnings"] == {}
    explained = ask("event", "job", path, "--role", ROLE, "--format", "json").json
    assert (explained["status"], kinds(explained)) == ("user-profile", ["notebooks-identity"])


def test_a_notebook_of_that_name_without_source_identity_is_no_reason_to_doubt(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", record(session("anna")), record(profile()))
    summary = ask("summary", path, "--role", ROLE, "--format", "json").json
    assert [summary[each][0]["warnings"] for each in ("notebooks", "user_profiles")] == [{}, {}]


# Who opened it


def test_what_sagemaker_opens_has_no_warning(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", by_sagemaker(), record(profile(), eventID="it", time="2026-03-01T09:10:00Z"))
    found = ask("event", "it", path, "--format", "json").json
    assert (found["status"], found["user_profile"], found["warnings"]) == ("user-profile", "anna", [])
    assert [each["principal"] for each in found["opened_by"]] == ["sagemaker.amazonaws.com"]


ADMIN = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory", "accountId": ACCOUNT, "accessKeyId": "AKIA1"}


@pytest.mark.parametrize(
    "forged",
    [
        opening(ADMIN, BASE, key="ASIASTUDIO", asked={"sourceIdentity": "anna"}),
        # The source identity came with the session that opened it.
        opening(session("x", role="admin", key="ASIAX", source_identity="anna"), BASE, key="ASIASTUDIO"),
        *(
            opening(
                {"type": kind, "principalId": "provider:mallory", "userName": "mallory"},
                BASE,
                event=f"sts:AssumeRoleWith{name}",
                responseElements={"credentials": {"accessKeyId": "ASIASTUDIO"}, "sourceIdentity": "anna"},
            )
            for kind, name in (("SAMLUser", "SAML"), ("WebIdentityUser", "WebIdentity"))
        ),
    ],
)
def test_a_source_identity_that_somebody_else_set_has_one(ask: Any, tmp_path: Path, forged: Record) -> None:
    path = write(tmp_path / "log.json", forged, record(profile(), eventID="it", time="2026-03-01T09:10:00Z"))
    found = ask("event", "it", path, "--role", ROLE, "--format", "json").json
    assert (found["status"], kinds(found)) == ("user-profile", ["opened-by-another"])
    (row,) = ask("summary", path, "--role", ROLE, "--format", "json").json["user_profiles"]
    assert row["warnings"] == {"opened-by-another": 1}


def test_a_notebook_session_that_studio_opens_is_no_handshake(ask: Any, tmp_path: Path) -> None:
    opened = opening(profile(), "fraud-model", key="ASIANB", eventID="open")
    call = record(
        session("fraud-model", key="ASIANB", source_identity="anna"), eventID="it", time="2026-03-01T09:10:00Z"
    )
    path = write(tmp_path / "log.json", handshake("churn-model"), opened, call)
    statuses = {each["event_id"]: each["status"] for each in ask("calls", path, "--role", ROLE).calls}
    assert (statuses["open"], statuses["it"]) == ("user-profile", "attributed")
    found = ask("event", "it", path, "--role", ROLE, "--format", "json").json
    assert kinds(found) == ["opened-by-another"]
    assert "(user profile anna)" in found["warnings"][0]["text"]


# Followed


def test_jobs_and_roles_that_took_the_source_identity_along(ask: Any, tmp_path: Path) -> None:
    job = record(
        session(BASE, role="jobs", key="ASIAJ", source_identity="anna"), eventID="job", time="2026-03-01T10:00:00Z"
    )
    step = opening(profile(), "one", role="etl", key="ASIA1", time="2026-03-01T09:05:00Z")
    there = record(session("one", role="etl", key="ASIA1"), eventID="there", time="2026-03-01T09:40:00Z")
    stranger = record(session(BASE, role="jobs", key="ASIAK", source_identity="ben"), time="2026-03-01T10:00:00Z")
    path = write(tmp_path / "log.json", record(profile()), step, there, job, stranger)
    found = ask("calls", path, "--role", ROLE, "--follow").calls
    chained = {each["event_id"]: (each["notebook"], each["user_profile"], each["via"]) for each in found if each["status"] == "chained"}  # fmt: skip
    assert chained == {
        "there": (None, "anna", f"{ROLE}/SageMaker (user profile anna) > etl/one"),
        "job": (None, "anna", "source identity anna"),
    }
    assert [each["status"] for each in found].count("user-profile") == 2
    (row,) = ask("summary", path, "--role", ROLE, "--follow", "--format", "json").json["user_profiles"]
    assert (row["calls"], row["chained"], row["role_arn"]) == (4, 2, ROLE_ARN)
    said = ask("summary", path, "--role", ROLE, "--follow", "--format", "table").out
    assert "2 of the calls were made in other sessions that notebooks and user profiles opened (chained)." in said
    groups = ask("summary", path, "--role", ROLE, "--follow", "--by", "event", "--format", "table").out
    assert (groups.count("(user profile anna)"), groups.count("(unknown name)")) == (3, 0)
    explained = ask("event", "there", path, "--format", "table").out
    assert "which comes from the session of the user profile anna" in explained
    assert ask("event", "there", path, "--format", "json").json["user_profile"] == "anna"


def test_a_notebook_that_gives_its_name_to_its_jobs_goes_before_a_user_profile_of_that_name(
    ask: Any, tmp_path: Path
) -> None:
    first = record(profile("fraud-model"), time="2026-03-01T08:00:00Z")
    step = opening(profile("fraud-model"), "one", role="etl", key="ASIA1", time="2026-03-01T08:05:00Z")
    there = record(session("one", role="etl", key="ASIA1"), time="2026-03-01T08:10:00Z")
    found = calls(ask, tmp_path, first, step, there, OWN, options=["--follow"])
    assert found == [*[("chained", "fraud-model", None)] * 3, FRAUD]
