"""Which notebook made a call: judged by the record's userIdentity, and by nothing else in it."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, ROLE_ARN, Record, handshake, opening, others, record, session

from which_notebook.judging.attribution import Judge, RoleError

USER = {"type": "IAMUser", "userName": ROLE, "arn": f"arn:aws:iam::{ACCOUNT}:user/{ROLE}", "accountId": ACCOUNT}


def judged(ask: Any, tmp_path: Path, *records: Record, role: str = ROLE) -> list[tuple[str, str | None]]:
    answer = ask("calls", write(tmp_path / "log.json.gz", *records), "--role", role)
    assert answer.status == (0 if answer.calls else 4)  # 4: no call of the role
    assert (answer.err == "") is bool(answer.calls)
    return [(call["status"], call["notebook"]) for call in answer.calls]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (record(session("fraud-model")), ("attributed", "fraud-model")),
        (record(session(BASE)), ("unattributed", None)),
        (handshake(), ("handshake", None)),
        (record(session("not_a_notebook's")), ("unknown-name", None)),
        (record(session("sagemaker")), ("unknown-name", None)),
        (record(session("ends-in-hyphen-")), ("unknown-name", None)),
        (record(session("a" * 63)), ("attributed", "a" * 63)),
        (record(session("a" * 64)), ("unknown-name", None)),
    ],
)
def test_each_status(ask: Any, tmp_path: Path, found: Record, verdict: tuple[str, str | None]) -> None:
    assert judged(ask, tmp_path, others(), found) == [verdict]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("another role's session", handshake(role="another")),
        ("the same name in another account", handshake(account=OTHER_ACCOUNT)),
        ("the base session again", handshake(BASE)),
        ("no AssumeRole", record(session(BASE), "sts:GetSessionToken")),
        # CloudTrail leaves a refused call's parameters out.
        (
            "refused",
            handshake(
                requestParameters=None, responseElements=None, errorCode="AccessDenied", errorMessage=f"no {ROLE_ARN}"
            ),
        ),
        ("odd parameters", handshake(requestParameters="roleArn")),
    ],
)
def test_what_the_base_session_does_besides_is_no_handshake(ask: Any, tmp_path: Path, what: str, found: Record) -> None:
    assert judged(ask, tmp_path, found) == [("unattributed", None)], what


def test_a_session_that_another_principal_opens_is_no_call_of_the_roles(ask: Any, tmp_path: Path) -> None:
    assert judged(ask, tmp_path, opening(USER, "fraud-model")) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"errorMessage": f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model is not authorized"},
        {"requestParameters": {"roleName": ROLE, "userIdentity": session()}},
        {"userAgent": f"assumed-role/{ROLE}/fraud-model"},
        {"resources": [{"ARN": ROLE_ARN}]},
        {"responseElements": session()},
        {"eventName": ROLE, "additionalEventData": {"arn": session()["arn"]}},
    ],
)
def test_text_that_only_mentions_the_role_never_counts(ask: Any, tmp_path: Path, fields: Record) -> None:
    assert judged(ask, tmp_path, others(**fields), others(**fields)) == []


@pytest.mark.parametrize(
    "identity",
    [
        {"type": "AWSService", "invokedBy": f"{ROLE}.amazonaws.com"},
        {"invokedBy": ROLE},
        USER,
        session(role=f"{ROLE}-2"),
        session(role=f"my-{ROLE}"),
        session(ROLE, role="another"),
        session(role="another", path=f"/{ROLE}/"),
        {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/{ROLE}/x"},
        {"type": "AssumedRole", "principalId": f"AROA:{ROLE}"},
        {**session(), "arn": session()["arn"].replace("arn:", "asn:")},
        {**session(), "arn": ROLE_ARN},
        {**session(), "arn": f"arn:aws:sts::12:assumed-role/{ROLE}/fraud-model"},
        {**session(), "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/{ROLE}"},
    ],
)
def test_other_identities_that_hold_the_roles_name_are_not_the_role(ask: Any, tmp_path: Path, identity: Record) -> None:
    assert judged(ask, tmp_path, record(identity)) == []


@pytest.mark.parametrize("kind", ["Unknown", "FederatedUser", "AWSAccount", "SAMLUser", None])
@pytest.mark.parametrize("context", ["sessionContext", "no context"])
def test_the_sessions_arn_tells_whatever_the_type_of_identity(
    ask: Any, tmp_path: Path, kind: str | None, context: str
) -> None:
    found = [
        record({**session(name), "type": kind}, time=f"2026-03-01T0{n}:00:00Z") for n, name in enumerate(["a", BASE])
    ]
    for each in found:
        if context == "no context":
            del each["userIdentity"]["sessionContext"]
        if kind is None:
            del each["userIdentity"]["type"]
    assert judged(ask, tmp_path, *found) == [("attributed", "a"), ("unattributed", None)]
    answer = ask("summary", tmp_path / "log.json.gz", "--role", ROLE, "--fail-on", "unattributed")
    assert answer.status == 3


ROLE_ID = session()["principalId"].partition(":")[0]


def nameless(name: str, kind: str = "AWSAccount", role_id: str = ROLE_ID) -> Record:
    """Return an identity as the trail of another account than the caller's has it."""
    return {"type": kind, "principalId": f"{role_id}:{name}", "accountId": ACCOUNT}


def of_nameless(ask: Any, *arguments: object) -> list[tuple[str, str | None, str]]:
    answer = ask("calls", *arguments)
    assert (answer.status, answer.err) == (0, "")
    return [(call["status"], call["notebook"], call["role_arn"]) for call in answer.calls]


@pytest.mark.parametrize("own_time", ["2026-03-01T07:00:00Z", "2026-03-01T12:00:00Z"])
@pytest.mark.parametrize("options", [[], ["--follow"], ["--parse-all"]])
def test_a_record_with_only_the_roles_unique_id_counts_where_that_is_known(
    ask: Any, tmp_path: Path, own_time: str, options: list[str]
) -> None:
    own = record(session("fraud-model", path="/team/"), time=own_time)
    write(tmp_path / "own.json", own, others())
    elsewhere = [record(nameless(name), recipientAccountId=OTHER_ACCOUNT) for name in ("churn-model", BASE)]
    write(tmp_path / "data/elsewhere.json.gz", *elsewhere, record(nameless("x", role_id="AROAANOTHER")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/{ROLE}"
    expected = [("attributed", "fraud-model", arn), ("attributed", "churn-model", arn), ("unattributed", None, arn)]
    for _ in ("read", "remembered"):
        assert sorted(of_nameless(ask, tmp_path, "--role", ROLE, *options), key=repr) == sorted(expected, key=repr)
    assert len(of_nameless(ask, tmp_path, "--role", arn, *options)) == 3
    event = ask("event", elsewhere[0]["eventID"], tmp_path, "--role", ROLE).json
    assert (event["status"], event["notebook"]) == ("attributed", "churn-model")


@pytest.mark.parametrize("kind", ["AWSAccount", "Unknown"])
def test_the_inventory_may_know_the_roles_unique_id(ask: Any, tmp_path: Path, kind: str) -> None:
    outputs = {
        "role_arn": ROLE_ARN,
        "session_arns": {"churn-model": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/churn-model"},
        "role_unique_id": ROLE_ID,
    }
    inventory = tmp_path / "outputs.json"
    inventory.write_text(json.dumps({name: {"value": value, "sensitive": False} for name, value in outputs.items()}))
    found = record(nameless("churn-model", kind))
    path = write(tmp_path / "log.json", others(), found, record(nameless("x", kind, "AROAANOTHER")))
    assert of_nameless(ask, path, "--inventory", inventory) == [("attributed", "churn-model", ROLE_ARN)]
    event = ask("event", found["eventID"], path, "--inventory", inventory).json
    assert (event["status"], event["notebook"]) == ("attributed", "churn-model")


def test_where_the_roles_unique_id_isnt_known_such_a_record_is_named(ask: Any, tmp_path: Path) -> None:
    found = record(nameless("churn-model"))
    path = write(tmp_path / "log.json", found, record(nameless("a", role_id="AROAANOTHER")), others())
    answer = ask("calls", path, "--role", ROLE)
    assert answer.calls == []
    assert "not counted: calls whose records have no ARN" in answer.err
    assert f"{ROLE_ID} (1)" in answer.err
    assert "AROAANOTHER (1)" in answer.err
    assert "role_unique_id" in answer.err
    text = ask("event", found["eventID"], path, "--format", "table").out
    assert f"the record has only its unique id, {ROLE_ID}" in text


def test_a_role_with_a_long_path_takes_no_time() -> None:
    began = time.process_time()
    for count in (30, 250):
        for last in ("a", "", "!", "a" * 65):
            with contextlib.suppress(RoleError):
                Judge(f"arn:aws:iam::{ACCOUNT}:role/{'p/' * count}{last}")
    assert time.process_time() - began < 1
    assert Judge(f"arn:aws:iam::{ACCOUNT}:role/{'p/' * 250}a").role_names == ("a",)


HERE, WITH_PATH, ELSEWHERE = (
    record(session("here")),
    record(session("with-path", path="/service-role/")),
    record(session("elsewhere", account=OTHER_ACCOUNT)),
)


@pytest.mark.parametrize(
    ("role", "found"),
    [
        (ROLE, {"here", "with-path", "elsewhere"}),
        (ROLE_ARN, {"here"}),
        (f"arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}", {"with-path"}),
        (f"arn:aws:iam::{OTHER_ACCOUNT}:role/{ROLE}", {"elsewhere"}),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/{ROLE}", set()),
    ],
)
def test_a_name_fits_all_accounts_and_paths_and_an_arn_one(
    ask: Any, tmp_path: Path, role: str, found: set[str]
) -> None:
    answer = ask("calls", write(tmp_path / "log.json.gz", HERE, WITH_PATH, ELSEWHERE), "--role", role)
    assert {call["notebook"] for call in answer.calls} == found


def test_a_name_that_only_holds_the_roles_is_another() -> None:
    judge = Judge(ROLE)
    assert judge.is_role(ROLE_ARN)
    assert not any(map(judge.is_role, (f"{ROLE_ARN}-2", ROLE_ARN.replace(ROLE, f"my-{ROLE}"), f"{ROLE_ARN}/x", None)))


def test_without_a_session_issuer_the_sessions_own_arn_tells_the_role(ask: Any, tmp_path: Path) -> None:
    identity = {key: value for key, value in session().items() if key != "sessionContext"}
    assert judged(ask, tmp_path, record(identity), role=ROLE_ARN) == [("attributed", "fraud-model")]


def test_without_a_session_in_the_arn_the_principal_id_tells_its_name(ask: Any, tmp_path: Path) -> None:
    identity = {**session(), "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}"}
    nameless = {**identity, "principalId": "AROAEXAMPLEROLE000001"}
    found = judged(ask, tmp_path, record(identity), record(nameless, time="2026-03-01T10:00:00Z"))
    assert found == [("attributed", "fraud-model"), ("unknown-name", None)]


def test_a_handshake_of_a_role_with_a_path(ask: Any, tmp_path: Path) -> None:
    found = opening(session(BASE, path="/team/"), "fraud-model", path="/team/")
    assert judged(ask, tmp_path, found) == [("handshake", None)]


def test_the_fields_come_from_where_cloudtrail_keeps_them(ask: Any, tmp_path: Path) -> None:
    identity = session("fraud-model", path="/team/", source_identity="jane", key="ASIA1")
    found = record(
        identity, eventID="e-1", vpcEndpointId="vpce-1", errorCode="AccessDenied", recipientAccountId=OTHER_ACCOUNT,
        resources=[{"ARN": "arn:aws:s3:::lake"}], requestParameters={"bucketName": "lake", "key": "day"},
    )  # fmt: skip
    (call,) = ask("calls", write(tmp_path / "log.json", found), "--role", ROLE).calls
    assert call == {
        "event_id": "e-1",
        "event_time": "2026-03-01T09:00:00Z",
        "event_source": "s3.amazonaws.com",
        "event_name": "GetObject",
        "aws_region": "eu-central-1",
        "account_id": OTHER_ACCOUNT,
        "notebook": "fraud-model",
        "status": "attributed",
        "session_name": "fraud-model",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/team/{ROLE}",
        "access_key_id": "ASIA1",
        "source_ip_address": "10.9.0.10",
        "vpc_endpoint_id": "vpce-1",
        "user_agent": "[Boto3/1.42.34 md/Botocore#1.42.34 lang/python#3.11.9]",
        "error_code": "AccessDenied",
        "source_identity": "jane",
        "resources": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/day"],
        "event_category": "Data",
        "user_profile": None,
        "on_behalf_of": None,
    }


def test_a_role_whose_name_json_writers_escape(ask: Any, tmp_path: Path) -> None:
    role = "a+b=c"
    path = write(tmp_path / "log.json", record(session(role=role)))
    path.write_bytes(path.read_bytes().replace(b"+", rb"\u002b").replace(b"=", rb"\u003d"))
    assert [call["notebook"] for call in ask("calls", path, "--role", role).calls] == ["fraud-model"]


# Records as other tools hand them on


def test_an_empty_arn_is_none(ask: Any, tmp_path: Path) -> None:
    of_table = session("alpha") | {"arn": ""}
    assert judged(ask, tmp_path, record(), record(of_table)) == [("attributed", "fraud-model"), ("attributed", "alpha")]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_parameters_that_were_made_a_text_more_than_once(ask: Any, tmp_path: Path, times: int) -> None:
    found = handshake()
    for _ in range(times):
        for name in ("requestParameters", "responseElements"):
            found[name] = json.dumps(found[name])
    assert judged(ask, tmp_path, found) == [("handshake", None)]


def test_a_base_session_without_its_issuer_opens_by_a_handshake_too(ask: Any, tmp_path: Path) -> None:
    base = {name: value for name, value in session(BASE).items() if name != "sessionContext"}
    assert judged(ask, tmp_path, opening(base, "fraud-model", path="/team/")) == [("handshake", None)]
    assert judged(ask, tmp_path, opening(base, "fraud-model", account=OTHER_ACCOUNT)) == [("unattributed", None)]


def test_calls_that_lack_the_path_of_an_arn_are_said_not_to_be_counted(ask: Any, tmp_path: Path) -> None:
    without = {name: value for name, value in session("alpha").items() if name != "sessionContext"}
    log = write(tmp_path / "log.json", record(session("alpha", path="/team/")), record(without))
    answer = ask("calls", log, "--role", f"arn:aws:iam::{ACCOUNT}:role/team/{ROLE}")
    assert (answer.status, len(answer.calls)) == (0, 1)
    assert f"not counted: 1 call of {ROLE_ARN}, which has another path" in answer.err
    both = ask("calls", log, "--role", ROLE)
    assert (len(both.calls), both.err) == (2, "")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"])
def test_other_partitions(ask: Any, tmp_path: Path, partition: str) -> None:
    calls = [record(), handshake(), record(session(BASE))]
    there = json.loads(json.dumps(calls).replace("arn:aws:", f"arn:{partition}:"))
    arn = ROLE_ARN.replace("arn:aws:", f"arn:{partition}:")
    assert [status for status, _ in judged(ask, tmp_path, *there, role=arn)] == [
        "attributed",
        "handshake",
        "unattributed",
    ]


def test_a_role_whose_name_begins_anothers(ask: Any, tmp_path: Path) -> None:
    roles = (ROLE, f"{ROLE}-2", ROLE.removesuffix("-execution"))
    calls = [record(session(f"of-{number}", role=role)) for number, role in enumerate(roles)]
    for number, role in enumerate(roles):
        assert judged(ask, tmp_path, *calls, role=role) == [("attributed", f"of-{number}")]
