"""--follow: calls in other roles' sessions that lead back to a notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, Record, handshake, opening, others, record, session

NOTEBOOK = session("fraud-model", key="ASIANB")
STEPS = [
    opening(NOTEBOOK, "one", role="etl", key="ASIA1", time="2026-03-01T09:00:01Z"),
    opening(
        session("one", role="etl", key="ASIA1"), "two", role="lake", account=OTHER_ACCOUNT, key="ASIA2",
        time="2026-03-01T09:00:02Z",
    ),
]  # fmt: skip
IN_ONE = record(session("one", role="etl", key="ASIA1"), time="2026-03-01T09:10:00Z")
IN_TWO = record(
    session("two", role="lake", account=OTHER_ACCOUNT, key="ASIA2"),
    time="2026-03-01T09:20:00Z", recipientAccountId=OTHER_ACCOUNT, awsRegion="us-west-2",
)  # fmt: skip
NOT_ITS = [
    record(session("one", role="etl", key="ASIAOTHER"), time="2026-03-01T09:30:00Z"),
    opening(session("x", role="web-server", key="ASIAWEB"), "three", role="lake", key="ASIA3"),
    record(session("three", role="lake", key="ASIA3"), time="2026-03-01T09:30:00Z"),
]
ALL = [handshake(key="ASIANB"), *STEPS, IN_ONE, IN_TWO, *NOT_ITS]


def chained(ask: Any, source: Path, *options: str) -> list[tuple[str, str, str]]:
    found = ask("calls", source, "--role", ROLE, "--follow", "--status", "chained", *options).calls
    return [(call["event_id"], call["notebook"], call["via"]) for call in found]


VIA_ONE = f"{ROLE}/fraud-model > etl/one"
VIA_TWO = f"{VIA_ONE} > lake/two"
EXPECTED = [
    (STEPS[1]["eventID"], "fraud-model", VIA_ONE),
    (IN_ONE["eventID"], "fraud-model", VIA_ONE),
    (IN_TWO["eventID"], "fraud-model", VIA_TWO),
]


def with_texts(found: Record) -> Record:
    """Return the record as tables keep it: what differs from service to service is a JSON text."""
    fields = {"requestParameters", "responseElements", "additionalEventData"} & found.keys()
    return found | {name: json.dumps(found[name]) for name in fields}


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_parameters_may_be_texts(ask: Any, tmp_path: Path, options: list[str]) -> None:
    implicit = handshake("churn-model", granted=False)
    objects = write(tmp_path / "objects.json.gz", *ALL, implicit)
    texts = write(tmp_path / "texts.json.gz", *map(with_texts, [*ALL, implicit]))
    assert chained(ask, texts, *options) == chained(ask, objects, *options) == EXPECTED
    for command in (["calls"], ["calls", "--follow"], ["summary", "--follow"]):
        asked = [ask(*command, path, "--role", ROLE, *options) for path in (texts, objects)]
        assert [answer.status for answer in asked] == [0, 0]
        # The texts take more bytes.
        plain = [re.sub(r'"bytes": [0-9]+', "", answer.out) for answer in asked]
        assert plain[0] == plain[1] != ""


def test_several_steps_and_accounts(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json.gz", *ALL)
    assert chained(ask, path) == EXPECTED
    assert chained(ask, path, "--parse-all") == EXPECTED


def test_without_follow_none_of_it_counts(ask: Any, tmp_path: Path) -> None:
    found = ask("calls", write(tmp_path / "log.json", *ALL), "--role", ROLE).calls
    assert {call["status"] for call in found} == {"handshake", "attributed"}
    assert "via" not in found[0]


def test_the_steps_may_fall_into_one_second_in_any_order(ask: Any, tmp_path: Path) -> None:
    same = [{**each, "eventTime": "2026-03-01T09:00:01Z"} for each in STEPS]
    same[0]["eventID"], same[1]["eventID"] = "z", "a"
    vias = {via for _, _, via in chained(ask, write(tmp_path / "log.json", *same, IN_TWO))}
    assert vias == {VIA_ONE, VIA_TWO}


def test_a_circle_of_roles_ends(ask: Any, tmp_path: Path) -> None:
    back = opening(
        session("two", role="lake", key="ASIA2"), "one", role="etl", key="ASIA1", time="2026-03-01T09:00:03Z"
    )
    forth = opening(
        session("one", role="etl", key="ASIA1"), "one", role="etl", key="ASIA1", time="2026-03-01T09:00:04Z"
    )
    assert len(chained(ask, write(tmp_path / "log.json", *ALL, back, forth))) == 5


def test_a_session_of_the_role_itself_that_a_chain_leads_to(ask: Any, tmp_path: Path) -> None:
    back = opening(session("one", role="etl", key="ASIA1"), BASE, key="ASIABACK", time="2026-03-01T09:01:00Z")
    call = record(session(BASE, key="ASIABACK"), time="2026-03-01T09:02:00Z")
    assert chained(ask, write(tmp_path / "log.json", *STEPS, back, call))[-1][0] == call["eventID"]


def test_source_identity_is_followed(ask: Any, tmp_path: Path) -> None:
    own = record(session("fraud-model", source_identity="fraud-model"))
    job = record(session("job", role="training", source_identity="fraud-model"), time="2026-03-01T10:00:00Z")
    other = record(session("job", role="training", source_identity="jane"), time="2026-03-01T10:00:00Z")
    found = chained(ask, write(tmp_path / "log.json", own, job, other))
    assert found == [(job["eventID"], "fraud-model", "source identity fraud-model")]


def test_a_source_identity_that_no_notebook_session_carries_is_no_sign(ask: Any, tmp_path: Path) -> None:
    job = record(session("job", role="training", source_identity="fraud-model"))
    assert chained(ask, write(tmp_path / "log.json", record(), job)) == []


def test_a_refused_step_opens_nothing(ask: Any, tmp_path: Path) -> None:
    refused = {**STEPS[0], "responseElements": None, "errorCode": "AccessDenied"}
    assert chained(ask, write(tmp_path / "log.json", refused, IN_ONE)) == []


def in_folders(tmp_path: Path, *records: Record) -> Path:
    for each in records:
        day = each["eventTime"][:10].replace("-", "/")
        account, region = each["recipientAccountId"], each["awsRegion"]
        folder = tmp_path / f"AWSLogs/{account}/CloudTrail/{region}/{day}"
        write(folder / f"{each['eventID']}.json.gz", each)
    return tmp_path / "AWSLogs"


@pytest.mark.parametrize(
    "options", [["--account", OTHER_ACCOUNT], ["--region", "us-west-2"], ["--since", "2026-03-01T09:15:00Z"]]
)
def test_sessions_are_found_outside_of_what_is_asked_for(ask: Any, tmp_path: Path, options: list[str]) -> None:
    assert chained(ask, in_folders(tmp_path, *ALL), *options) == EXPECTED[2:]


def test_a_session_that_was_opened_the_day_before(ask: Any, tmp_path: Path) -> None:
    before = [{**each, "eventTime": "2026-02-28T23:30:00Z"} for each in STEPS]
    found = chained(ask, in_folders(tmp_path, *before, IN_TWO, others()), "--since", "2026-03-01")
    assert found == EXPECTED[2:]


def test_the_summary_counts_chained_calls_to_the_notebook(ask: Any, tmp_path: Path) -> None:
    (row,) = ask("summary", write(tmp_path / "log.json", *ALL), "--role", ROLE, "--follow").json["notebooks"]
    assert (row["notebook"], row["calls"], row["chained"], row["role_arn"].split(":")[4]) == (
        "fraud-model",
        4,
        3,
        ACCOUNT,
    )
