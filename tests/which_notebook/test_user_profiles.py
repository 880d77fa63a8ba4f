"""Studio: base sessions that carry a user profile's name as their source identity, and IAM Identity Center's users.

The records have the form that AWS documents; none of a real domain was at hand:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access.html
https://docs.aws.amazon.com/sagemaker/latest/dg/trustedidentitypropagation-auditing.html
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import (
    ACCOUNT,
    BASE,
    IDENTITY_STORE,
    ROLE,
    ROLE_ARN,
    Record,
    handshake,
    opening,
    others,
    profile,
    record,
    session,
)
from shapes import SHAPES

from .conftest import kinds

STUDIO = "SageMaker Studio"
USER_ID = "d2b5e2a4-c0d1-7033-4f5e-5a1b9f9b0c11"


def by_sagemaker(name: str = "anna", *, key: str = "ASIASTUDIO", **fields: Any) -> Record:
    """Return the record by which SageMaker opens such a session."""
    service = {"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}
    return opening(
        service, BASE, key=key, asked={"sourceIdentity": name}, sourceIPAddress="sagemaker.amazonaws.com", **fields
    )


def calls(ask: Any, tmp_path: Path, *records: Record, options: Any = ()) -> list[tuple[str, str | None, str | None]]:
    answer = ask("calls", write(tmp_path / "log.json.gz", *records), "--role", ROLE, *options)
    return [(call["status"], call["notebook"], call["user_profile"]) for call in answer.calls]


def inventory(tmp_path: Path, *names: str) -> Path:
    arns = {name: f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{name}" for name in names}
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"role_arn": ROLE_ARN, "session_arns": arns}))
    return path


ANNA, NOBODY, FRAUD = ("user-profile", None, "anna"), ("unattributed", None, None), ("attributed", "fraud-model", None)


# Which calls are a user profile's


def test_a_call_of_a_user_profile(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json.gz", by_sagemaker(), record(profile(on_behalf_of=USER_ID)), record(session(BASE)))
    found, shared = ask("calls", path, "--role", ROLE).calls
    assert (found["status"], found["user_profile"], found["notebook"], found["source_identity"]) == ("user-profile", "anna", None, "anna")  # fmt: skip
    assert (found["session_name"], found["on_behalf_of"]) == (BASE, USER_ID)
    # A shared space's session, and one of a domain that isn't switched on, carry none.
    assert (shared["status"], shared["user_profile"], shared["on_behalf_of"]) == ("unattributed", None, None)
    assert calls(ask, tmp_path, record(profile()), options=["--parse-all"]) == [ANNA]


@pytest.mark.parametrize(
    "name",
    ["anna@example.com", "anna.b", "anna_b", "-anna", "anna-", "a" * 64, "anna\n", "an na", "x\x1b[2J", "änna", "anna,b=c", ""],
)  # fmt: skip
def test_what_no_user_profile_can_be_called_is_none(ask: Any, tmp_path: Path, name: str) -> None:
    assert calls(ask, tmp_path, record(profile(name))) == [NOBODY]


@pytest.mark.parametrize("name", ["a", "a" * 63, "A-1--b", "SageMaker"])
def test_what_one_can_be_called_is_one(ask: Any, tmp_path: Path, name: str) -> None:
    assert calls(ask, tmp_path, record(profile(name))) == [("user-profile", None, name)]


def test_another_session_that_carries_a_source_identity_keeps_its_status(ask: Any, tmp_path: Path) -> None:
    own = record(session("fraud-model", source_identity="fraud-model"))
    of_another = record(session("fraud-model", source_identity="anna"))
    unknown = record(session("not_a_notebook", source_identity="anna"))
    found = calls(ask, tmp_path, own, of_another, unknown, others())
    assert found == [FRAUD, FRAUD, ("unknown-name", None, None)]


@pytest.mark.parametrize("value", [1, ["anna"], {"userId": 1}, {"userId": ["x"]}])
def test_odd_members_are_named_and_never_half_read(ask: Any, tmp_path: Path, value: object) -> None:
    answer = ask(
        "calls", write(tmp_path / "log.json", record({**profile(), "onBehalfOf": value}), record()), "--role", ROLE
    )
    assert (answer.status, len(answer.calls)) == (1, 1)
    assert "onBehalfOf" in answer.err


@pytest.mark.parametrize("value", [None, {}, {"userId": None}, {"identityStoreArn": IDENTITY_STORE}])
def test_a_user_that_is_not_said_is_none(ask: Any, tmp_path: Path, value: object) -> None:
    path = write(tmp_path / "log.json", record({**profile(), "onBehalfOf": value}))
    assert [each["on_behalf_of"] for each in ask("calls", path, "--role", ROLE).calls] == [None]


def test_on_behalf_of_stands_in_notebooks_calls_too(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", record(session(on_behalf_of=USER_ID)))
    (found,) = ask("calls", path, "--role", ROLE).calls
    assert (found["status"], found["on_behalf_of"]) == ("attributed", USER_ID)


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


# In every answer


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
    assert "Sign: Whoever opens a session may set its source identity" in out
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
    assert "Sign: Whoever opens a session may set its source identity" in text


# In every form of records


LACKING = {"Sentinel, JSON", "Sentinel, CSV", "Elastic, without the original event"}
"""What these keep of an identity has neither; the calls are unattributed there."""


@pytest.mark.parametrize("name", SHAPES)
def test_in_every_form(ask: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / ("log.parquet" if "Parquet" in name else "log")
    path.write_bytes(SHAPES[name]([record(profile(on_behalf_of=USER_ID)), record()]))
    answer = ask("calls", path, "--role", ROLE, "--format", "jsonl")
    found = {
        (call["status"], call["user_profile"], call["source_identity"], call["on_behalf_of"]) for call in answer.calls
    }
    studios = NOBODY[:1] + (None,) * 3 if name in LACKING else ("user-profile", "anna", "anna", USER_ID)
    assert found == {("attributed", None, None, None), studios}


def test_the_cache_keeps_them(ask: Any, log: Path) -> None:
    first, second = (ask("calls", log, "--role", ROLE).out for _ in range(2))
    assert first == second
    assert first.count('"user_profile":"anna"') == first.count(f'"on_behalf_of":"{USER_ID}"') == 4


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "x\x1b[2J\u202e", "</script>", "a\nb"])
def test_whom_a_call_is_made_for_is_shown_and_not_obeyed(ask: Any, tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "log.json", record(profile(on_behalf_of=text), eventID="it"))
    (row,) = csv.DictReader(io.StringIO(ask("calls", path, "--role", ROLE, "--format", "csv").out))
    assert not row["on_behalf_of"].startswith(("=", "@"))
    assert [each["on_behalf_of"] for each in ask("calls", path, "--role", ROLE).calls] == [text]
    out = ask("event", "it", path, "--role", ROLE, "--format", "table").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\nb" not in out
