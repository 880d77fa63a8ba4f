"""Which notebook made a call: judged by the record's userIdentity, and by nothing else in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from logs import (
    ACCOUNT,
    BASE,
    OTHER_ACCOUNT,
    ROLE,
    ROLE_ARN,
    Record,
    handshake,
    opening,
    others,
    record,
    session,
    write,
)

from which_notebook.attribution import Judge

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
        ("no AssumeRole", record(session(BASE), eventName="GetSessionToken", eventSource="sts.amazonaws.com")),
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
        {**session(), "type": None},
        {key: value for key, value in session().items() if key != "type"},
        USER,
        {**session(), "type": "FederatedUser"},
        session(role=f"{ROLE}-2"),
        session(role=f"my-{ROLE}"),
        session(ROLE, role="another"),
        session(role="another", path=f"/{ROLE}/"),
        {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/{ROLE}/x"},
        {"type": "AssumedRole", "principalId": f"AROA:{ROLE}"},
    ],
)
def test_other_identities_that_hold_the_roles_name_are_not_the_role(ask: Any, tmp_path: Path, identity: Record) -> None:
    assert judged(ask, tmp_path, record(identity)) == []


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
    assert {name for _, name in judged(ask, tmp_path, HERE, WITH_PATH, ELSEWHERE, role=role)} == found


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
        identity, eventID="e-1", vpcEndpointId="vpce-1", errorCode="AccessDenied", recipientAccountId=OTHER_ACCOUNT
    )
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
    }


def test_a_role_whose_name_json_writers_escape(ask: Any, tmp_path: Path) -> None:
    role = "a+b=c"
    path = write(tmp_path / "log.json", record(session(role=role)))
    path.write_bytes(path.read_bytes().replace(b"+", rb"\u002b").replace(b"=", rb"\u003d"))
    assert [call["notebook"] for call in ask("calls", path, "--role", role).calls] == ["fraud-model"]
