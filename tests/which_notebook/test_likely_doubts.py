"""--likely where a name could be wrong: whose call lacks a key, what isn't remembered, how a name is spelled, whose ARN and address it is."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import pytest
from base_sessions import (
    PUBLIC,
    about,
    base,
    call,
    call_at,
    interface,
    interface_deleted,
    keyless,
    notebook_arn,
    refused,
    stream,
)
from log_files import compact, write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, Record, handshake, opening, record, session

from which_notebook.calls.table import CallTable
from which_notebook.judging.attribution import Judge
from which_notebook.judging.evidence.address import Addresses
from which_notebook.judging.likely import Evidence
from which_notebook.limits import Limits
from which_notebook.records.cloudtrail import call_of


def named(ask: Any, tmp_path: Path, *records: Record, **options: Any) -> dict[str | None, str | None]:
    """Return what is likely of each session, by its key."""
    path = write(tmp_path / "log.json.gz", *records)
    answer = ask("calls", path, "--role", ROLE, "--likely", "--status", "unattributed", **options)
    assert answer.status == 0
    return {each["access_key_id"]: each["likely_notebook"] for each in answer.calls}


# Calls without a key


def without_start(found: Record) -> Record:
    identity = found["userIdentity"]
    context = {name: value for name, value in identity["sessionContext"].items() if name != "attributes"}
    return found | {"userIdentity": identity | {"sessionContext": context}}


KEYLESS = keyless(call("", time="09:30"))
OF_ALPHA = stream("A", "alpha/x", time="09:00")


@pytest.mark.parametrize(
    ("records", "name"),
    [
        ([OF_ALPHA], "alpha"),
        ([OF_ALPHA, stream("B", "alpha/x")], "alpha"),
        ([OF_ALPHA, call("B")], None),
        ([OF_ALPHA, stream("B", "beta/x")], None),
        ([OF_ALPHA, stream("B", "alpha/x"), about("B", "beta")], None),
        ([OF_ALPHA, stream("B", "job/x", "/aws/sagemaker/TrainingJobs")], None),
        ([OF_ALPHA, opening(session("evil"), BASE, key="A", time="08:00")], None),
        ([OF_ALPHA, without_start(stream("B", "beta/x"))], None),
        ([interface("beta", "10.0.0.5", time="08:00"), OF_ALPHA | {"sourceIPAddress": "10.0.0.5"}], None),
    ],
    ids=["one", "two of one name", "one that nothing names", "another name", "a disputed one", "a job", "opened by somebody",
         "one of which no start is known", "disputed by its address"],
)  # fmt: skip
def test_a_call_without_a_key_has_a_name_only_if_all_that_began_with_it_have_the_same(
    ask: Any, tmp_path: Path, records: list[Record], name: str | None
) -> None:
    assert named(ask, tmp_path, *records, KEYLESS)[None] == name


# What there is no room for


def named_within(limits: Limits, *records: Record, at_once: int) -> dict[str | None, str | None]:
    """Return what is likely of each session, by its key, where so many calls are looked at in one go."""
    calls = sorted((call_of(compact(each), with_clues=True) for each in records), key=lambda each: each.event_time)
    tables = [CallTable.of(calls[number : number + at_once]) for number in range(0, len(calls), at_once)]
    evidence = Evidence(Judge(ROLE), limits=limits)
    for table in tables:
        evidence.see(table)
    found = evidence.conclude()
    for table in tables:
        found.mark(table)
    return {
        each.access_key_id: each.likely_notebook
        for table in tables
        for each in table.calls()
        if each.status == "unattributed"
    }


def flood(count: int) -> list[Record]:
    """Return openings of as many base sessions by somebody else, from ten o'clock on."""
    return [opening(session("evil"), BASE, key=f"FLOOD{number}", time="10:00") for number in range(count)]


OPENED = opening(session("evil"), BASE, key="FORGED", time="09:00")
FORGED = [stream("FORGED", "beta/x", time="11:00"), call("FORGED", time="11:01")]


def calls_of_many(count: int) -> list[Record]:
    return [call(f"MANY{number}", time="10:00") for number in range(count)]


@pytest.mark.parametrize("before", [flood(30), calls_of_many(30), flood(15) + calls_of_many(15)])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_a_session_cannot_make_what_speaks_against_it_forgotten(before: list[Record], at_once: int) -> None:
    both = [stream("BOTH", "alpha/x", time="09:10"), stream("BOTH", "beta/x", time="11:02"), call("BOTH", time="11:03")]
    found = named_within(Limits(evidence_sessions=10), OPENED, *both, *before, *FORGED, at_once=at_once)
    assert (found["FORGED"], found["BOTH"]) == (None, None)


def test_what_others_open_takes_no_room_from_sessions_that_call() -> None:
    own = stream("A", "alpha/x", time="11:00")
    few = Limits(evidence_sessions=10)
    assert named_within(few, *flood(9), *calls_of_many(9), own, at_once=3)["A"] == "alpha"


@pytest.mark.parametrize("room", [3, 9, 10, 11, 100])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_an_address_that_there_was_no_room_for_leaves_its_session_without_a_name(room: int, at_once: int) -> None:
    place = {"vpcEndpointId": "vpce-1"}
    mine = [
        record(session("me"), sourceIPAddress="10.0.0.5", **place, time="08:00"),
        *(call("MANY", sourceIPAddress=f"10.1.0.{number}", **place, time="08:10") for number in range(9)),
        stream("ME", "beta/x", sourceIPAddress="10.0.0.5", **place, time="08:20"),
        record(session("me"), sourceIPAddress="10.0.0.5", **place, time="08:30"),
        stream("A", "alpha/x", time="09:30"),
    ]
    found = named_within(Limits(evidence_addresses=room), *mine, at_once=at_once)
    assert (found["ME"], found["A"]) == (None, "alpha")


# How a name is spelled


@pytest.mark.parametrize(
    "others",
    [
        [stream("EVIL", "FRAUD-model/x")],
        [handshake("FRAUD-model", base_key="EVIL", sourceIPAddress=PUBLIC)],
        [record(session("FRAUD-model"), sourceIPAddress=PUBLIC)],
        [stream("EVIL", "FRAUD-model/x"), stream("EVIL", "fraud-MODEL/x")],
    ],
)  # fmt: skip
def test_no_other_session_changes_how_a_name_is_spelled(ask: Any, tmp_path: Path, others: list[Record]) -> None:
    own = refused(about("A", "x"), notebook_arn("fraud-model"))
    assert named(ask, tmp_path, own, *others)["A"] == "fraud-model"


def test_a_sessions_own_evidence_spells_its_name(ask: Any, tmp_path: Path) -> None:
    own = [refused(about("A", "x"), notebook_arn("fraud-model")), stream("A", "Fraud-Model/x")]
    assert named(ask, tmp_path, *own)["A"] == "Fraud-Model"


# Whose ARN it is


def scoped(**scope: str) -> Record:
    return record(base("A", inScopeOf=scope), sourceIPAddress=PUBLIC)


FOREIGN = [notebook_arn("beta").replace(ACCOUNT, OTHER_ACCOUNT), notebook_arn("beta").replace(":aws:", ":aws-cn:")]
STREAM = f"arn:aws:logs:eu-central-1:{OTHER_ACCOUNT}:log-group:/aws/sagemaker/NotebookInstances:log-stream:beta/x"


@pytest.mark.parametrize(
    "evidence",
    [
        *(scoped(sourceArn=arn) for arn in FOREIGN),
        *(about("A", "", "ListTags", requestParameters={"resourceArn": arn}) for arn in FOREIGN),
        *(refused(about("A", "x", event), arn) for arn in FOREIGN for event in ("ListTags", "DescribeNotebookInstance")),
        refused(stream("A", ""), STREAM),
        scoped(sourceArn=notebook_arn("beta"), credentialsIssuedTo=notebook_arn("job", "training-job")),
        scoped(sourceArn=notebook_arn("beta"), credentialsIssuedTo=notebook_arn("alpha")),
        *(stream("A", "beta/x", errorCode=code) for code in ("ResourceNotFoundException", "ThrottlingException", "InvalidParameterException")),
    ],
)  # fmt: skip
def test_what_is_not_of_the_roles_account_or_not_one_or_failed_names_nothing(
    ask: Any, tmp_path: Path, evidence: Record
) -> None:
    assert named(ask, tmp_path, evidence, call("A"))["A"] is None


def test_all_that_in_scope_of_says_counts(ask: Any, tmp_path: Path) -> None:
    evidence = scoped(sourceArn="arn:aws:ec2:eu-central-1:1:instance/i-1", credentialsIssuedTo=notebook_arn("alpha"))
    assert named(ask, tmp_path, evidence)["A"] == "alpha"


# Whose address it is

MADE = interface("alpha", "10.0.0.5", time="07:00")


def there(key: str, time: str, endpoint: str | None, **fields: Any) -> Record:
    return call_at(key, time, sourceIPAddress="10.0.0.5", vpcEndpointId=endpoint, **fields)


@pytest.mark.parametrize("endpoint", ["vpce-2", None])
@pytest.mark.parametrize("time", ["08:05", "19:00"])
def test_an_interface_names_nobody_where_calls_come_through_two_endpoints(
    ask: Any, tmp_path: Path, endpoint: str | None, time: str
) -> None:
    records = [MADE, there("A", "08:00", "vpce-1"), there("B", time, endpoint)]
    assert named(ask, tmp_path, *records) == {"A": None, "B": None}
    deleted = interface_deleted(time="08:02")
    assert named(ask, tmp_path, *records, deleted) == {"A": "alpha", "B": None}


def test_it_speaks_against_another_name_all_the_same(ask: Any, tmp_path: Path) -> None:
    records = [MADE, there("A", "08:00", "vpce-1"), there("A", "08:05", None), stream("A", "beta/x")]
    assert named(ask, tmp_path, *records) == {"A": None}


def test_event_says_since_when_the_address_was_its(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", MADE, there("A", "08:00", "vpce-1", eventID="it"))
    text = ask("event", "it", path, "--role", ROLE, "--likely", "--format", "table").out
    assert "SageMaker made its network interface at 2026-03-01T07:00:00Z, and no end of it was seen" in text


def test_event_says_that_nothing_tells_whose_address_it_was(ask: Any, tmp_path: Path) -> None:
    path = write(
        tmp_path / "log.json",
        stream("A", "beta/x"),
        there("A", "08:00", "vpce-1", eventID="it"),
        call("A", time="08:00", eventID="out"),
    )
    said = "Nothing tells whose private address the call came from"
    for event, is_said in (("it", True), ("out", False)):
        text = ask("event", event, path, "--role", ROLE, "--likely", "--format", "table").out
        assert (said in text) == is_said


def test_event_says_what_there_was_no_room_for(ask: Any, tmp_path: Path) -> None:
    path = write(
        tmp_path / "log.json",
        call("B", time="08:00"),
        stream("A", "beta/x", time="08:10"),
        call("A", time="08:20", eventID="it"),
    )
    answer = ask("event", "it", path, "--role", ROLE, "--likely", limits=Limits(evidence_sessions=1))
    assert answer.json["likely_notebook"] is None
    assert "more than 1 base sessions" in answer.err


def test_addresses_take_time_and_memory_by_their_number_only() -> None:
    """A notebook instance that is used once in two hours makes a span each time."""

    def seconds(hours: int, names: int) -> float:
        addresses = Addresses((), Limits(evidence_spans=10**9))
        start = process_time()
        for hour in range(0, hours, 2):
            time = f"20{hour // 8064:02}-{hour // 672 % 12 + 1:02}-{hour // 24 % 28 + 1:02}T{hour % 24:02}:00:00Z"
            for name in range(names):
                assert addresses.see(
                    ("1", "r", None, "10.0.0.5"), f"n{name}", is_name=name == 0, time=time, event_id="e"
                )
        assert len(list(addresses.evidence({f"n{name}": f"n{name}" for name in range(1, names)}))) == 0
        return process_time() - start

    few = max(seconds(4_000, 20), 0.01)
    assert seconds(32_000, 20) < 8 * few * 4
    addresses = Addresses((), Limits(evidence_spans=2))
    seen = [
        addresses.see(
            ("1", "r", None, "10.0.0.5"), "n", is_name=True, time=f"2026-03-01T{hour:02}:00:00Z", event_id="e"
        )
        for hour in range(2, 12, 2)
    ]
    assert seen == [True, True, True, False, False]
