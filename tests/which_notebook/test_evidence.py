"""`event`, and the warnings: who opened the session, and what speaks against an attribution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, Record, handshake, opening, record, session

from .conftest import kinds

USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/jane", "accountId": ACCOUNT, "accessKeyId": "AKIA1"}
FRAUD = session("fraud-model", key="ASIANB")
CALL = record(FRAUD, time="2026-03-01T09:30:00Z", eventID="the-call")
OPENED = handshake(key="ASIANB", eventID="the-opening")


def explained(ask: Any, tmp_path: Path, *records: Record, event: str = "the-call", options: Any = ()) -> Any:
    answer = ask("event", event, write(tmp_path / "log.json.gz", *records), "--format", "json", *options)
    assert (answer.status, answer.err) == (0, "")
    return answer.json


def change(event: str, by: Record = FRAUD, **parameters: Any) -> Record:
    """A call by which a session, else the notebook's, changes something, within the time of the call that is asked about."""
    return record(by, event, time="09:10", requestParameters=parameters, readOnly=False)


def test_a_call_its_record_and_who_opened_its_session(ask: Any, tmp_path: Path) -> None:
    found = explained(ask, tmp_path, OPENED, record(), CALL)
    assert (found["status"], found["notebook"], found["record"]) == ("attributed", "fraud-model", CALL)
    (opened,) = found["opened_by"]
    assert opened["event_id"] == "the-opening"
    assert opened["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{BASE}"
    assert (opened["opened_access_key_id"], opened["access_key_id"]) == ("ASIANB", "ASIABASE")
    assert found["warnings"] == []


def test_the_way_back_over_several_steps(ask: Any, tmp_path: Path) -> None:
    step = opening(FRAUD, "one", role="etl", key="ASIA1", eventID="step", time="2026-03-01T09:05:00Z")
    call = record(session("one", role="etl", key="ASIA1"), eventID="far", time="2026-03-01T09:40:00Z")
    found = explained(ask, tmp_path, OPENED, step, call, event="far")
    assert [each["event_id"] for each in found["opened_by"]] == ["step", "the-opening"]
    assert (found["status"], found["notebook"], found["via"]) == (
        "chained", "fraud-model", f"{ROLE}/fraud-model > etl/one",
    )  # fmt: skip


def test_a_circle_of_keys_ends(ask: Any, tmp_path: Path) -> None:
    circle = opening(session("fraud-model", key="ASIANB"), "fraud-model", key="ASIANB")
    assert len(explained(ask, tmp_path, circle, CALL)["opened_by"]) == 1


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("several-names", [OPENED, handshake("churn-model", key="ASIACM", time="2026-03-01T09:05:00Z")]),
        (
            "several-addresses",
            [
                OPENED,
                record(FRAUD, sourceIPAddress="10.9.0.10", time="2026-03-01T09:01:00Z"),
                record(FRAUD, sourceIPAddress="10.9.0.77", time="2026-03-01T09:02:00Z"),
            ],
        ),
        ("opened-by-another", [opening(USER, "fraud-model", key="ASIANB")]),
        ("implicit-trust", [handshake(key="ASIANB", granted=False)]),
        ("passed-role", [OPENED, change("sagemaker:CreateTrainingJob", roleArn=ROLE_ARN)]),
        ("passed-role", [OPENED, change("sagemaker:CreateProcessingJob", roleArn=ROLE_ARN)]),
        ("passed-role", [OPENED, change("sagemaker:CreateModel", executionRoleArn=ROLE_ARN)]),
        ("passed-role", [OPENED, change("sagemaker:CreateAutoMLJobV2", roleArn=ROLE_ARN)]),
        ("passed-role", [OPENED, change("sagemaker:CreateNotebookInstance", roleArn=ROLE_ARN)]),
        ("passed-role", [OPENED, change("sagemaker:CreateUserProfile", userSettings={"executionRole": ROLE_ARN})]),
        ("passed-role", [OPENED, change("lambda:CreateFunction20150331", role=ROLE_ARN)]),
        ("passed-role", [OPENED, change("glue:CreateJob", name="job", role=ROLE)]),
        ("passed-role", [OPENED, change("ec2:RunInstances", iamInstanceProfile={"name": ROLE})]),
        (
            "passed-role",
            [
                OPENED,
                change(
                    "ec2:RunInstances", iamInstanceProfile={"arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{ROLE}"}
                ),
            ],
        ),
        ("passed-role", [OPENED, change("iam:AddRoleToInstanceProfile", roleName=ROLE, instanceProfileName="p")]),
        ("changed-role", [OPENED, change("iam:PutRolePolicy", roleName=ROLE, policyName="p", policyDocument="{}")]),
        ("changed-role", [OPENED, change("iam:UpdateAssumeRolePolicy", roleName=ROLE, policyDocument="{}")]),
        ("changed-role", [OPENED, change("iam:DeleteRolePermissionsBoundary", roleName=ROLE)]),
        ("changed-role", [OPENED, change("iam:CreatePolicyVersion", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/s3")]),
        (
            "changed-notebook-instance",
            [OPENED, change("sagemaker:UpdateNotebookInstance", notebookInstanceName="a")],
        ),
        ("changed-notebook-instance", [OPENED, change("sagemaker:StartNotebookInstance", notebookInstanceName="a")]),
        (
            "changed-notebook-instance",
            [OPENED, change("sagemaker:CreatePresignedNotebookInstanceUrl", notebookInstanceName="a")],
        ),
        (
            "changed-notebook-instance",
            [
                OPENED,
                change("sagemaker:UpdateNotebookInstanceLifecycleConfig", notebookInstanceLifecycleConfigName="a"),
            ],
        ),
    ],
)
def test_what_speaks_against_it(ask: Any, tmp_path: Path, kind: str, before: list[Record]) -> None:
    assert kinds(explained(ask, tmp_path, *before, CALL)) == [kind]
    (row,) = [
        row for row in ask("summary", tmp_path / "log.json.gz", "--role", ROLE).json["notebooks"]
        if row["notebook"] == "fraud-model"
    ]  # fmt: skip
    assert list(row["warnings"]) == [kind]


@pytest.mark.parametrize(
    "before",
    [
        [OPENED, handshake(key="ASIANB2", time="2026-03-01T09:05:00Z")],
        [
            OPENED,
            handshake(
                "churn-model",
                key="ASIACM",
                base_key="ASIABASE2",
                time="2026-03-01T09:05:00Z",
                sourceIPAddress="10.9.0.11",
            ),
        ],
        [handshake(key="ASIANB", granted=True)],
        # A move is no use at once: nobody came back to the first address.
        [record(FRAUD, sourceIPAddress="10.9.0.77", time="2026-03-01T09:01:00Z"), OPENED],
        [record(FRAUD, sourceIPAddress="sagemaker.amazonaws.com", time="2026-03-01T09:31:00Z"), OPENED],
        # A day apart, an address may come back.
        [
            OPENED,
            record(FRAUD, sourceIPAddress="10.9.0.77", time="2026-03-02T09:00:00Z"),
            record(FRAUD, sourceIPAddress="10.9.0.10", time="2026-03-03T09:00:00Z"),
        ],
        # Another role is for the jobs, and a refused call gave nothing.
        [OPENED, change("sagemaker:CreateTrainingJob", roleArn=f"arn:aws:iam::{ACCOUNT}:role/jobs")],
        [OPENED, change("sagemaker:CreateTrainingJob", roleArn=ROLE_ARN) | {"errorCode": "ValidationException"}],
        [
            OPENED,
            change("sagemaker:UpdateNotebookInstance") | {"errorCode": "AccessDenied", "requestParameters": None},
        ],
        [OPENED, change("iam:PutRolePolicy", roleName="another")],
        [OPENED, change("sagemaker:StopNotebookInstance", notebookInstanceName="a")],
        [OPENED, change("sagemaker:CreateTrainingJob", environment={"for": [1, None, {"a": ROLE_ARN}]})],
        [OPENED, change("s3:PutObject", key=ROLE_ARN)],
        # Somebody else may pass the role.
        [OPENED, change("sagemaker:CreateNotebookInstance", USER, roleArn=ROLE_ARN)],
    ],
)
def test_what_speaks_not_against_it(ask: Any, tmp_path: Path, before: list[Record]) -> None:
    assert explained(ask, tmp_path, *before, CALL)["warnings"] == []


def test_what_the_base_session_hands_on_is_counted_with_the_unattributed_calls(ask: Any, tmp_path: Path) -> None:
    job = change("sagemaker:CreateTrainingJob", session(BASE), roleArn=ROLE_ARN)
    log = write(tmp_path / "log.json", OPENED, CALL, job)
    summary = ask("summary", log, "--role", ROLE).json
    assert summary["unattributed"]["warnings"] == {"passed-role": 1}
    assert summary["notebooks"][0]["warnings"] == {}
    table = ask("summary", log, "--role", ROLE, "--format", "table").out
    assert "warning: SageMaker, 2026-03-01T09:10:00Z" in table


def test_another_role_that_a_notebook_opened_changes_the_notebooks_role(ask: Any, tmp_path: Path) -> None:
    step = opening(FRAUD, "one", role="etl", key="ASIA1", time="2026-03-01T09:05:00Z")
    put = change("iam:PutRolePolicy", session("one", role="etl", key="ASIA1"), roleName=ROLE)
    log = write(tmp_path / "log.json", OPENED, step, put)
    (row,) = ask("summary", log, "--role", ROLE, "--follow").json["notebooks"]
    assert (row["chained"], row["warnings"]) == (1, {"changed-role": 1})


def test_many_moves_are_no_use_at_once(ask: Any, tmp_path: Path) -> None:
    first, second = (
        [record(session(f"n{n}"), sourceIPAddress=f"10.{place}.0.{n}", time=f"2026-03-01T09:0{place}:00Z") for n in range(30)]
        for place in (1, 2)
    )  # fmt: skip
    summary = ask("summary", write(tmp_path / "log.json", *first, *second), "--role", ROLE).json
    assert [row["warnings"] for row in summary["notebooks"]] == [{}] * 30


def test_an_unknown_name(ask: Any, tmp_path: Path) -> None:
    inventory = tmp_path / "outputs.json"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/churn-model"
    inventory.write_text(json.dumps({"session_arns": {"sensitive": False, "value": {"churn-model": arn}}}))
    found = explained(ask, tmp_path, OPENED, CALL, options=["--inventory", inventory])
    assert (found["status"], kinds(found)) == ("unknown-name", ["unknown-name"])
    summary = ask("summary", tmp_path / "log.json.gz", "--inventory", inventory).json
    assert [row["session_name"] for row in summary["unknown_names"]] == ["fraud-model"]


def test_an_event_of_nobody_s_and_one_that_isnt_there(ask: Any, tmp_path: Path) -> None:
    found = explained(ask, tmp_path, record(USER, eventID="user"), event="user", options=["--role", ROLE])
    assert (found["status"], found["notebook"]) == (None, None)
    answer = ask("event", "no-such", tmp_path / "log.json.gz")
    assert (answer.status, answer.out) == (1, "")
    assert "no record with the event id no-such was found" in answer.err


def test_the_text_says_what_is_proof_and_what_a_sign(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", OPENED, CALL)
    text = ask("event", "the-call", path, "--format", "table").out
    assert text.startswith(
        "Event the-call was made in a session of the role under the name fraud-model, which a notebook instance can have (--inventory "
        "tells which names are real).\n"
    )
    for part in ("the-opening", "What is proven: ", "What is not proven: ", "In profile mode", '"eventID": "the-call"'):
        assert part in text


def test_only_an_inventory_makes_a_name_a_notebook_instances(ask: Any, tmp_path: Path) -> None:
    inventory = tmp_path / "outputs.json"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model"
    inventory.write_text(json.dumps({"session_arns": {"fraud-model": arn}}))
    path = write(tmp_path / "log.json", OPENED, CALL)
    text = ask("event", "the-call", path, "--format", "table", "--inventory", inventory).out
    assert "under the name fraud-model, which is a known notebook instance's.\n" in text


@pytest.mark.parametrize(
    ("found", "has", "lacks"),
    [
        # SageMaker names the base session, so nobody chose its name.
        (
            record(session(BASE), eventID="e"),
            ("How its session", "Warnings about the attribution"),
            ("What is not proven:",),
        ),
        (
            record(USER, eventID="e"),
            ("in no session of the role",),
            ("What is not proven:", "How its session", "Warnings about the attribution"),
        ),
        (
            handshake(eventID="e"),
            ("What is not proven:", "opened the notebook session fraud-model."),
            ("by the notebook instance",),
        ),
        (
            record(session("no_name"), eventID="e"),
            ("What is not proven:", "no known notebook instance's"),
            ("which a notebook instance",),
        ),
        (
            record(session() | {"accessKeyId": None}, eventID="e"),
            ("The record has no access key id, so nothing tells which AssumeRole opened it.",),
            ("The sources hold no AssumeRole",),
        ),
        (
            CALL | {"eventID": "e"},
            ("A notebook session was opened at most one hour before the call, any other one at most 12 hours",),
            (),
        ),
    ],
)
def test_nothing_is_said_that_doesnt_go_for_the_call(
    ask: Any, tmp_path: Path, found: Record, has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    text = ask("event", "e", write(tmp_path / "log.json", found), "--role", ROLE, "--format", "table").out
    assert "What is proven: " in text
    assert [each for each in has if each not in text] == []
    assert [each for each in lacks if each in text] == []


def test_a_file_that_is_no_log_is_left_out_once(ask: Any, tmp_path: Path) -> None:
    call, made = record(session()), handshake()
    write(tmp_path / "log.json", made, call)
    (tmp_path / "readme.txt").write_text("no log")
    answer = ask("event", call["eventID"], tmp_path)
    assert answer.status == 0
    assert answer.err.count("left out 1 file (.txt)") == 1
    assert "left out 2" not in answer.err + ask("summary", tmp_path, "--role", ROLE, "--follow").err
