"""A record counts once, however often it is delivered and in however many sources it lies; the oldest call comes first."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_files import compact, document, write
from records import ACCOUNT, OTHER_ACCOUNT, ROLE, opening, record, session

from which_notebook.calls.call import Call
from which_notebook.calls.order import in_order
from which_notebook.limits import Limits
from which_notebook.records.cloudtrail import call_of

CALLS = [record(session(f"n{n % 7}"), time=f"2026-03-01T{n % 24:02}:00:{n % 60:02}Z") for n in range(500)]


def shuffled(tmp_path: Path) -> Path:
    """Return a folder with each record twice: in several files, forms and orders."""
    chance = random.Random(1)  # noqa: S311 - an order, no secret
    for number in range(6):
        write(tmp_path / f"logs/{number}.json.gz", *chance.sample(CALLS[number::6], len(CALLS[number::6])))
    write(tmp_path / "logs/again/some.json", *CALLS[:100], *CALLS[:50])
    (tmp_path / "logs/lines.jsonl").write_bytes(b"".join(compact(each) + b"\n" for each in CALLS[100:300]))
    wrapped = [{"CloudTrailEvent": json.dumps(each, sort_keys=True)} for each in CALLS[300:]]
    (tmp_path / "logs/events.json.gz").write_bytes(gzip.compress(compact({"Events": wrapped})))
    return tmp_path / "logs"


EXPECTED = sorted((each["eventTime"], each["eventID"]) for each in CALLS)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("held", [50_000, 64, 7])
def test_once_and_in_order(ask: Any, tmp_path: Path, jobs: int, held: int) -> None:
    limits = Limits(sorted_calls=held, worth_workers_bytes=0)
    folder = shuffled(tmp_path)
    found = ask("calls", folder, folder / "again", folder / "0.json.gz", "--role", ROLE, "--jobs", jobs, limits=limits)
    assert [(call["event_time"], call["event_id"]) for call in found.calls] == EXPECTED


def test_the_summary_counts_once_over_overlapping_sources(ask: Any, tmp_path: Path) -> None:
    folder = shuffled(tmp_path)
    once = ask("summary", folder, "--role", ROLE).json
    more = ask("summary", folder, folder / "again/some.json", folder, "--role", ROLE, "--no-cache").json
    assert once["calls"] == more["calls"] == len(CALLS)
    assert once["files"] == more["files"] == 9


@pytest.mark.parametrize("damage", [b'{"x":1}', compact(record())[:-10], b"]"])
def test_a_file_that_has_to_be_read_a_second_time(ask: Any, tmp_path: Path, damage: bytes) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "log.json").write_bytes(document(CALLS)[:-2] + b"," + damage)
    for _ in range(2):
        answer = ask("summary", folder, "--role", ROLE, limits=Limits(parsed_bytes=3_000, found_calls=10))
        assert (answer.status, answer.json["calls"], answer.json["files"]) == (1, len(CALLS), 1)
        assert answer.json["bytes"] == (folder / "log.json").stat().st_size


def test_the_same_event_id_at_another_time_is_another_call(ask: Any, tmp_path: Path) -> None:
    two = [record(eventID="e", time=f"2026-03-0{day}T09:00:00Z") for day in (1, 2)]
    assert len(ask("calls", write(tmp_path / "log.json", *two), "--role", ROLE).calls) == 2


def test_one_time_written_in_two_ways_is_one(ask: Any, tmp_path: Path) -> None:
    two = [
        record(eventID="e", requestID="r", time=time)
        for time in ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00.25+01:00")
    ]
    found = ask("calls", write(tmp_path / "log.json", *two), "--role", ROLE).calls
    assert [call["event_time"] for call in found] == ["2026-03-01T09:00:00Z"]


@pytest.mark.parametrize("held", [50_000, 2])
def test_calls_of_one_event_id_are_told_apart(ask: Any, tmp_path: Path, held: int) -> None:
    """Whoever hands logs on may have put one text in the place of all ids."""
    calls = [record(event=f"s3:{name}", eventID="hidden") for name in ("GetObject", "PutObject", "PutObject")]
    write(tmp_path / "logs/a.json", *calls)
    write(tmp_path / "logs/again.json", *calls)
    assert len(ask("calls", tmp_path / "logs", "--role", ROLE, limits=Limits(sorted_calls=held)).calls) == 3


@pytest.mark.parametrize("held", [50_000, 2])
def test_fields_that_read_alike_in_a_row_are_told_apart(ask: Any, tmp_path: Path, held: int) -> None:
    names = [("GetObject", "Tagging7"), ("GetObjectTagging", "7"), ("Y", None), ("X", "None"), ("X", "")]
    calls = [record(event=f"s3:{name}", eventID="e", requestID=request) for name, request in names]
    path = write(tmp_path / "log.json", *calls, *calls)
    found = ask("calls", path, "--role", ROLE, limits=Limits(sorted_calls=held)).calls
    assert sorted(call["event_name"] for call in found) == sorted(name for name, _ in names)


NAMELESS = {"type": "AWSAccount", "principalId": session()["principalId"], "accountId": ACCOUNT}


@pytest.mark.parametrize("owner", [NAMELESS, session()])
@pytest.mark.parametrize("held", [50_000, 1])
def test_a_call_to_another_accounts_resource_counts_once(ask: Any, tmp_path: Path, owner: Any, held: int) -> None:
    """Each account's trail has a record of it, of which only the caller's is sure to have an ARN."""
    limits = Limits(sorted_calls=held, judged_calls=held)
    own = record(sharedEventID="s", requestID="r")
    theirs = record(owner, sharedEventID="s", requestID="r", recipientAccountId=OTHER_ACCOUNT)
    alone = record(owner, sharedEventID="t", requestID="q", recipientAccountId=OTHER_ACCOUNT)
    path = write(tmp_path / "log.json", theirs, own, alone)
    of_accounts = {
        "": [own, alone],
        ACCOUNT: [own],
        OTHER_ACCOUNT: [theirs, alone],  # who asks for the owner's account alone doesn't lose the call
        f"{ACCOUNT},{OTHER_ACCOUNT}": [own, alone],
    }
    for _ in ("read", "remembered"):
        for accounts, expected in of_accounts.items():
            asked = ["--account", accounts] if accounts else []
            found = ask("calls", path, "--role", ROLE, *asked, limits=limits).calls
            assert {call["event_id"] for call in found} == {each["eventID"] for each in expected}, accounts
            assert len(found) == len(expected)


@pytest.mark.parametrize(
    "changed",
    [{"sharedEventID": "t"}, {"sharedEventID": None}, {"requestID": "q"}, {"requestID": None}, {"eventName": "X"}],
)
def test_what_differs_in_more_than_the_account_is_another_call(ask: Any, tmp_path: Path, changed: Any) -> None:
    copy = {"sharedEventID": "s", "requestID": "r", "recipientAccountId": OTHER_ACCOUNT} | changed
    path = write(tmp_path / "log.json", record(sharedEventID="s", requestID="r"), record(NAMELESS, **copy))
    assert len(ask("calls", path, "--role", ROLE).calls) == 2


FIELDS = [
    "requestParameters",
    "resources",
    "userAgent",
    "sourceIPAddress",
    "requestID",
    "awsRegion",
    "errorCode",
    "recipientAccountId",
]


@st.composite
def copies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return some of one record's copies, each without what its source left out."""
    whole = opening(session("fraud-model"), "job", role="reader", errorCode="AccessDenied")
    several = st.lists(st.sets(st.sampled_from([*FIELDS, "responseElements"])), min_size=1, max_size=4)
    left_out = draw(several)
    found = [{name: value for name, value in whole.items() if name not in names} for names in left_out]
    for each in found:
        if draw(st.booleans()) and "resources" in each:
            each["resources"] = [{"ARN": f"arn:aws:s3:::b{number}"} for number in draw(st.sets(st.integers(0, 3)))]
    return found


@settings(max_examples=60)
@given(copies(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_of_copies_makes_no_difference(found: list[dict[str, Any]], chance: random.Random, held: int) -> None:
    def called(records: list[dict[str, Any]]) -> list[Any]:
        others = [record(session("other"), eventID=f"o{held}", eventTime=each["eventTime"]) for each in records[:1]]
        batches = [[call_of(compact(each), with_resources=True)] for each in [*records, *others, *records[:1]]]
        limits = Limits(sorted_calls=held, judged_calls=1)
        return [call for batch in in_order(batches, limits) for call in batch if call.session_name == "fraud-model"]

    expected = called(found)
    chance.shuffle(found)
    assert called(found) == expected
    (call,) = expected
    assert call.request_id == next((each["requestID"] for each in found if "requestID" in each), None)
    assert call.user_agent == next((each["userAgent"] for each in found if "userAgent" in each), None)
    resources = {arn for each in found for arn in call_of(compact(each), with_resources=True).resources}
    assert set(call.resources) == resources
    assert (
        call.opening is None
        or call.opening.access_key_id
        or all("responseElements" not in each for each in found if "requestParameters" in each)
    )


def test_two_requests_of_one_event_id_stay_two_beside_a_copy_without_the_request_id(ask: Any, tmp_path: Path) -> None:
    """Who hands logs on may have made all event ids the same."""
    one, other = (record(session(), eventID="x", requestID=name) for name in "AB")
    copy = {name: value for name, value in one.items() if name != "requestID"}
    write(tmp_path / "log.json", copy, one, copy, other, {**copy, "eventTime": "2026-03-01T10:00:00Z"})
    assert len(ask("calls", tmp_path, "--role", ROLE).calls) == 3


def test_of_copies_with_more_resources_than_are_joined_the_larger_one_stays() -> None:
    def copy(count: int, first: int) -> Call:
        resources = tuple(f"arn:aws:s3:::b/{first + number}" for number in range(count))
        return Call("e", "2026-03-01T09:00:00Z", "s3.amazonaws.com", "DeleteObjects", resources=resources)

    joined = [
        [call for batch in in_order([[copy(*one)], [copy(*other)]], Limits()) for call in batch]
        for one, other in (((5_002, 0), (3, 9_000)), ((3, 9_000), (5_002, 0)))
    ]
    assert joined[0] == joined[1]
    assert [len(call.resources) for call in joined[0]] == [5_002]


@pytest.mark.parametrize("turned", [1, -1])
def test_a_roles_path_is_known_whichever_file_comes_first(ask: Any, tmp_path: Path, turned: int) -> None:
    whole = session("a", path="/team/")
    without = {key: value for key, value in session("b", path="/team/").items() if key != "sessionContext"}
    names = ["1.json", "2.json"][::turned]
    write(tmp_path / names[0], record(whole, eventID="1"))
    write(tmp_path / names[1], record(without, eventID="2"))
    unnamed = {"type": "AWSAccount", "principalId": whole["principalId"], "accountId": ACCOUNT}
    write(tmp_path / "3.json", record(unnamed, eventID="3"))
    calls = ask("calls", tmp_path, "--role", ROLE).calls
    assert {call["event_id"]: call["role_arn"] for call in calls}["3"] == f"arn:aws:iam::{ACCOUNT}:role/team/{ROLE}"


@pytest.mark.parametrize("command", [["summary"], ["calls"], ["report", "-o", "report.html"]], ids=" ".join)
def test_where_temporary_files_have_no_room_that_is_said(tmp_path: Path, command: list[str]) -> None:
    """Here no file may have over 2,000 bytes; the output is a pipe, or is written in the end."""
    program = (
        "import resource, sys\n"
        "from which_notebook.cli import main\n"
        "from which_notebook.limits import Limits\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "sys.exit(main(sys.argv[1:], limits=Limits(sorted_calls=100, judged_calls=10)))\n"
    )
    asked = [sys.executable, "-c", program, *command, str(shuffled(tmp_path)), "--role", ROLE, "--no-cache"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    expected = "which-notebook: can't write a temporary file: file too large; set TMPDIR to a folder with room\n"
    assert done.stderr == expected
