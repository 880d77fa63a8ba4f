"""From a GuardDuty finding to a notebook instance."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, handshake, opening, record, session

KEY, BASE_KEY = "ASIAEXAMPLE000000001", "ASIAEXAMPLE000000002"
ROLE_ID = "AROAEXAMPLEROLE000001"
TYPE = "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom"
FIRST, LAST = "2026-03-01T09:00:00.123Z", "2026-03-01T10:00:00.000Z"


def capitals(value: Any) -> Any:
    """Return a value with its members' names as the API has them."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: capitals(each) for name, each in value.items()}
    return [capitals(each) for each in value] if isinstance(value, list) else value


def details(name: str, key: str | None = KEY) -> dict[str, Any]:
    return {"accessKeyId": key, "principalId": f"{ROLE_ID}:{name}", "userName": ROLE, "userType": "AssumedRole"}


def finding(name: str = "fraud-model", key: str | None = KEY) -> dict[str, Any]:
    return {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "id": "f-1",
        "type": TYPE,
        "title": "An API was invoked from a bad address",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": details(name, key)},
        "service": {"eventFirstSeen": FIRST, "eventLastSeen": LAST, "count": 2},
    }


def asff(name: str = "fraud-model", key: str = KEY) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": "f-1",
        "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/guardduty",
        "AwsAccountId": ACCOUNT,
        "Types": [TYPE],
        "FirstObservedAt": FIRST,
        "LastObservedAt": LAST,
        "Resources": [
            {"Type": "AwsAccount", "Id": f"AWS::::Account:{ACCOUNT}"},
            {
                "Type": "AwsIamAccessKey",
                "Id": f"AWS::IAM::AccessKey:{key}",
                "Details": {
                    "AwsIamAccessKey": {
                        "PrincipalId": f"{ROLE_ID}:{name}",
                        "PrincipalName": ROLE,
                        "PrincipalType": "AssumedRole",
                    }
                },
            },
        ],
    }


def event(detail: Any, kind: str = "GuardDuty Finding") -> dict[str, Any]:
    return {"version": "0", "detail-type": kind, "source": "aws.guardduty", "detail": detail}


def sequence() -> dict[str, Any]:
    """Return an attack sequence of three actors."""
    user = {"type": "AssumedRole", "account": {"uid": ACCOUNT}}
    issuer = {"mfaStatus": "DISABLED", "issuer": ROLE_ARN}
    actors = [
        {"id": "a1", "user": user | {"name": ROLE, "uid": f"{ROLE_ID}:fraud-model", "credentialUid": KEY}, "session": issuer},
        {"id": "a2", "user": user | {"name": ROLE, "uid": f"{ROLE_ID}:{BASE}", "credentialUid": BASE_KEY}, "session": issuer},
        {"id": "a3", "user": {"name": "alice", "uid": "AIDAEXAMPLE", "type": "IAMUser", "credentialUid": "AKIAEXAMPLE000000003"}},
    ]  # fmt: skip
    seen = {"firstSeenAt": 1772355600.0, "lastSeenAt": 1772359200000}
    detection = {"sequence": {"uid": "s", "actors": actors, "signals": [{"type": "FINDING", **seen}]}}
    return finding() | {"resource": {"resourceType": "AttackSequence"}, "service": {"detection": detection}}


FORMS: dict[str, bytes] = {
    "the API's": json.dumps({"Findings": [capitals(finding())]}).encode(),
    "one of the API's": json.dumps(capitals(finding())).encode(),
    "EventBridge's": json.dumps(event(finding())).encode(),
    "EventBridge's, as a list": json.dumps([event(finding())]).encode(),
    "the console's": json.dumps([finding()], indent=2).encode(),
    "S3's export": gzip.compress(json.dumps(finding()).encode() + b"\n"),
    "PowerShell's": json.dumps(finding()).encode("utf-16"),
    "in a queue": json.dumps({"Messages": [{"MessageId": "1", "Body": json.dumps(event(finding()))}]}).encode(),
    "of a topic, in a queue": json.dumps(
        {"Messages": [{"Body": json.dumps({"Type": "Notification", "Message": json.dumps(event(finding()))})}]}
    ).encode(),
    "in a queue, as Lambda gets it": json.dumps({"Records": [{"body": json.dumps(event(finding()))}]}).encode(),
    "ASFF": json.dumps({"Findings": [asff()]}).encode(),
    "ASFF by EventBridge": json.dumps(event({"findings": [asff()]}, "Security Hub Findings - Imported")).encode(),
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    base = session(BASE, key=BASE_KEY)
    return write(
        tmp_path / "log.json.gz",
        opening(base, "fraud-model", key=KEY, time="2026-03-01T08:00:00Z"),
        record(session(key=KEY), time="2026-03-01T08:59:59Z"),
        record(session(key=KEY), time="2026-03-01T09:30:00Z"),
        record(session(key=KEY), "s3:PutObject", time="2026-03-01T09:40:00Z", errorCode="AccessDenied"),
        record(session(key=KEY), time="2026-03-01T11:00:00Z"),
        record(base, time="2026-03-01T09:30:00Z"),
        record(session("churn-model"), time="2026-03-01T09:30:00Z", requestParameters={"bucketName": KEY}),
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_names_the_notebook_instance(ask: Any, log: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "finding"
    path.write_bytes(FORMS[form])
    (alone,) = ask("finding", path, "--role", ROLE).json
    assert (alone["finding_id"], alone["type"]) == ("f-1", TYPE)
    assert (alone["first_seen"], alone["last_seen"]) == ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")
    (actor,) = alone["actors"]
    assert (actor["access_key_id"], actor["session_name"], actor["account_id"]) == (KEY, "fraud-model", ACCOUNT)
    assert (actor["status"], actor["notebook"], actor["is_notebook_role"]) == ("attributed", "fraud-model", True)
    ((actor,),) = (each["actors"] for each in ask("finding", path, log).json)
    assert (actor["status"], actor["notebook"], actor["is_notebook_role"]) == ("attributed", "fraud-model", True)
    assert (actor["calls"], actor["errors"]) == (2, 1)
    assert actor["event_names"] == {"s3:GetObject": 1, "s3:PutObject": 1}
    assert "arn:aws:s3:::figures" in actor["resources"]
    assert [each["access_key_id"] for each in actor["opened_by"]] == [BASE_KEY]
    assert actor["warnings"] == []


@pytest.mark.parametrize("form", ["GuardDuty", "the API's", "ASFF"])
def test_a_sequence_has_several_actors(ask: Any, log: Path, tmp_path: Path, form: str) -> None:
    whole: Any = sequence()
    if form == "ASFF":
        whole = asff() | {"Resources": [], "Detection": capitals(whole["service"]["detection"])}
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(capitals(whole) if form == "the API's" else whole))
    (found,) = ask("finding", path, "--role", ROLE).json
    assert [(each["status"], each["notebook"]) for each in found["actors"]] == [
        ("attributed", "fraud-model"), ("unattributed", None), (None, None),
    ]  # fmt: skip
    if form != "ASFF":
        assert (found["first_seen"], found["last_seen"]) == ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")
    (found,) = ask("finding", path, log).json
    assert [(each["notebook"], each["calls"]) for each in found["actors"]] == [("fraud-model", 2), (None, 1), (None, 0)]


@pytest.mark.parametrize("form", ["GuardDuty", "the API's"])
@pytest.mark.parametrize("actors", [0, 1])
def test_a_sequence_whose_session_stands_with_the_access_key(
    ask: Any, log: Path, tmp_path: Path, form: str, actors: int
) -> None:
    key = {
        "uid": KEY,
        "resourceType": "ACCESS_KEY",
        "accountId": ACCOUNT,
        "data": {"accessKey": details("fraud-model")},
    }
    whole: Any = sequence()
    user = {"name": ROLE, "uid": ROLE_ID, "type": "AssumedRole", "credentialUid": KEY, "account": {"uid": ACCOUNT}}
    detection = whole["service"]["detection"]["sequence"]
    detection["actors"] = [{"id": "a1", "user": user, "session": {"issuer": ROLE_ARN}}] * actors
    detection["resources"] = [{"uid": "arn:aws:s3:::figures", "resourceType": "S3_BUCKET"}, key]
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(capitals(whole) if form == "the API's" else whole))
    ((actor,),) = (each["actors"] for each in ask("finding", path, "--role", ROLE).json)
    assert (actor["access_key_id"], actor["notebook"], actor["account_id"]) == (KEY, "fraud-model", ACCOUNT)
    ((actor,),) = (each["actors"] for each in ask("finding", path, log).json)
    assert (actor["notebook"], actor["calls"]) == ("fraud-model", 2)
    # Without it, the session isn't named, but its role is.
    del detection["resources"]
    path.write_text(json.dumps(whole))
    for each in ask("finding", path, "--role", ROLE).json[0]["actors"]:
        assert f"is a session of the role {ROLE} that the finding doesn't name" in each["why"][0]


def test_what_the_finding_alone_cant_tell(ask: Any, tmp_path: Path) -> None:
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding(BASE)))
    (actor,) = ask("finding", path, "--role", ROLE).json[0]["actors"]
    assert (actor["status"], actor["notebook"]) == ("unattributed", None)
    path.write_text(json.dumps(finding("not_a_notebook's")))
    assert ask("finding", path, "--role", ROLE).json[0]["actors"][0]["status"] == "unknown-name"
    path.write_text(json.dumps(finding()))
    (actor,) = ask("finding", path, "--role", "another").json[0]["actors"]
    assert (actor["status"], actor["notebook"]) == (None, None)
    assert "and not of another" in actor["why"][0]
    (actor,) = ask("finding", path, "--role", ROLE_ARN.replace("role/", "role/team/")).json[0]["actors"]
    assert actor["notebook"] == "fraud-model"
    out = ask("finding", path, "--format", "table").out
    assert "the notebook instance fraud-model, by the name of its session, if notebook instances use its role" in out
    assert "\nWhat is not proven: " in out
    path.write_text(json.dumps(finding(BASE)))
    assert "What is not proven: " not in ask("finding", path, "--role", ROLE, "--format", "table").out


def test_a_session_that_no_base_session_opened_is_no_notebook_instances(ask: Any, tmp_path: Path) -> None:
    service = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding("i-0abc")))
    log = write(
        tmp_path / "log.json",
        opening(service, "i-0abc", key=KEY, time="2026-03-01T08:00:00Z"),
        record(session("i-0abc", key=KEY), time="2026-03-01T09:30:00Z"),
    )
    (actor,) = ask("finding", path, log).json[0]["actors"]
    assert (actor["status"], actor["notebook"], actor["is_notebook_role"], actor["calls"]) == (None, None, False, 1)
    assert "no notebook instance that is known" in ask("finding", path, log, "--format", "table").out


@pytest.mark.parametrize(
    "options",
    [("--resource", "unheard-of"), ("--since", "2026-03-01T12:00:00Z", "--until", "2026-03-01T13:00:00Z")],
    ids=["about nothing", "at another time"],
)
def test_who_opened_the_session_counts_also_where_no_call_is_found(
    ask: Any, tmp_path: Path, log: Path, options: tuple[str, ...]
) -> None:
    """Here an IAM user took the name of a notebook instance; and there it is the notebook instance."""
    user = {"type": "IAMUser", "userName": "mallory", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"}
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding()))
    forged = write(
        tmp_path / "forged.json",
        opening(user, "fraud-model", key=KEY, time="2026-03-01T08:00:00Z"),
        record(session(key=KEY), time="2026-03-01T09:30:00Z"),
    )
    for source, expected in ((forged, (None, None, False, 0)), (log, ("attributed", "fraud-model", True, 0))):
        (actor,) = ask("finding", path, source, *options).json[0]["actors"]
        assert (actor["status"], actor["notebook"], actor["is_notebook_role"], actor["calls"]) == expected
        assert len(actor["opened_by"]) == 1
        named = [text for text in actor["why"] if "hold no call" in text]
        assert named[0].endswith("about unheard-of in the finding's time.") or named[0].endswith(
            "from 2026-03-01T12:00:00Z to 2026-03-01T13:00:00Z."
        )


def test_a_base_sessions_role_may_be_a_jobs(ask: Any, tmp_path: Path) -> None:
    sagemaker = {"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding(BASE, BASE_KEY)))
    log = write(
        tmp_path / "log.json",
        opening(sagemaker, BASE, key=BASE_KEY, time="2026-03-01T08:00:00Z"),
        record(session(BASE, key=BASE_KEY), time="2026-03-01T09:30:00Z"),
    )
    for options in ((), ("--resource", "unheard-of")):
        (actor,) = ask("finding", path, log, *options).json[0]["actors"]
        assert (actor["status"], actor["is_notebook_role"]) == ("unattributed", None)


def test_what_speaks_against_it_is_said(ask: Any, tmp_path: Path, log: Path) -> None:
    write(tmp_path / "more.json", handshake("churn-model", base_key=BASE_KEY, time="2026-03-01T08:30:00Z"))
    path = tmp_path / "finding"
    path.write_bytes(FORMS["the API's"])
    (actor,) = ask("finding", path, log, tmp_path / "more.json", "--role", ROLE).json[0]["actors"]
    assert {each["kind"] for each in actor["warnings"]} == {"several-names"}
    table = ask("finding", path, log, tmp_path / "more.json", "--role", ROLE, "--format", "table").out
    assert "    warning: " in table


def test_a_key_that_the_logs_dont_have(ask: Any, tmp_path: Path, log: Path) -> None:
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding(key="ASIAEXAMPLE000000009")))
    answer = ask("finding", path, log)
    assert answer.status == 0
    assert "The sources hold no call made with this access key" in answer.json[0]["actors"][0]["why"][-1]
    path.write_text(json.dumps(finding(key=None)))
    assert "names no access key" in ask("finding", path, log).json[0]["actors"][0]["why"][-1]


def test_text_of_a_finding_is_shown_and_not_obeyed(ask: Any, tmp_path: Path) -> None:
    hostile = "x\x1b[2J\u202e\nfraud-model"
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding(hostile) | {"id": hostile, "type": hostile}))
    out = ask("finding", path, "--format", "table").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\nfraud-model" not in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no GuardDuty finding"),
        (b"{", "holds no JSON"),
        (b"\x1f\x8b123456789012", "damaged gzip"),
        (b"[]", "holds no GuardDuty finding"),
        (b'{"Records":[]}', "holds no GuardDuty finding"),
        (b"[" * 100_000, "holds no JSON"),
        (b'{"detail":' * 500 + b"1" + b"}" * 500, "holds no GuardDuty finding"),
        (json.dumps({"userIdentity": {}, "requestParameters": finding()}).encode(), "holds no GuardDuty finding"),
        (json.dumps({"other": {"detail": finding()}}).encode(), "holds no GuardDuty finding"),
    ],
)
def test_what_is_no_finding_is_refused(ask: Any, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "finding"
    path.write_bytes(content)
    answer = ask("finding", path)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err


def test_a_bomb_and_a_file_that_isnt_there_are_refused(ask: Any, tmp_path: Path) -> None:
    path = tmp_path / "finding"
    assert "can't read the finding" in ask("finding", path).err
    path.write_bytes(gzip.compress(bytes(70_000_000)))
    assert "larger than 64 MB" in ask("finding", path).err


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, {"x": []}])
@pytest.mark.parametrize(
    "member", ["resource", "service", "id", "type", "accountId", "resources", "types", "createdAt"]
)
def test_odd_members_cost_nothing_but_themselves(ask: Any, tmp_path: Path, member: str, value: object) -> None:
    for form, name in ((finding(), member), (asff(), member[:1].upper() + member[1:])):
        path = tmp_path / "finding.json"
        path.write_text(json.dumps(form | {name: value}))
        assert ask("finding", path, "--role", ROLE).status in (0, 2)
