"""--likely: each kind of evidence with its limits, and what comes of several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from base_sessions import (
    ON_AN_INSTANCE,
    PUBLIC,
    USER_ARN,
    about,
    attributed_at,
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
from log_files import write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, Record, handshake, opening, record, session

from which_notebook.limits import Limits

ADDRESS = ON_AN_INSTANCE["sourceIPAddress"]


def likely(
    ask: Any, tmp_path: Path, *records: Record, key: str | None = "K1", options: Any = ()
) -> tuple[str | None, str | None]:
    """Return what is likely of a session's calls, all of which have the same."""
    path = write(tmp_path / "log.json.gz", *records)
    answers = [ask("calls", path, "--role", ROLE, "--likely", *options, *more) for more in ([], ["--parse-all"])]
    assert [(answer.status, answer.err) for answer in answers] == [(0, "")] * 2
    assert answers[0].out == answers[1].out
    mine = [each for each in answers[0].calls if each["access_key_id"] == key and each["status"] == "unattributed"]
    assert all(each["notebook"] is None for each in mine)
    (found,) = {(each["likely_notebook"], each["likely_evidence"]) for each in mine}
    return found


def of(key: str, name: str = "fraud-model", **fields: Any) -> Record:
    return handshake(name, base_key=key, **({"sourceIPAddress": PUBLIC} | fields))


# Of each kind, what names the session


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("handshake", of("K1")),
        (
            "in-scope-of",
            record(base("K1", inScopeOf={"sourceArn": notebook_arn("fraud-model"), "sourceAccount": ACCOUNT})),
        ),
        (
            "in-scope-of",
            record(base("K1", inScopeOf={"issuerType": "x", "credentialsIssuedTo": notebook_arn("fraud-model")})),
        ),
        ("log-stream", stream("K1", "fraud-model/LifecycleConfigOnStart")),
        ("log-stream", stream("K1", "fraud-model/jupyter.log", errorCode="ResourceAlreadyExistsException")),
        (
            "log-stream",
            refused(
                stream("K1", ""),
                f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/aws/sagemaker/NotebookInstances:log-stream:fraud-model/LifecycleConfigOnStart",
            ),
        ),
        ("names-itself", about("K1", "fraud-model")),
        ("names-itself", about("K1", "fraud-model", "StopNotebookInstance")),
        ("names-itself", about("K1", "fraud-model", "ListTags")),
        ("names-itself", refused(about("K1", "x"), notebook_arn("fraud-model"))),
        ("names-itself", refused(about("K1", "x", "ListTags"), notebook_arn("fraud-model"))),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.parametrize("time", ["08:50", "11:00"], ids=["before", "behind"])
def test_evidence_names_all_calls_of_its_session_and_no_other(
    ask: Any, tmp_path: Path, kind: str, evidence: Record, time: str
) -> None:
    evidence = evidence | {"eventTime": f"2026-03-01T{time}:00Z"}
    records = [evidence, call("K1"), call("K2")]
    assert likely(ask, tmp_path, *records) == ("fraud-model", kind)
    assert likely(ask, tmp_path, *records, key="K2") == (None, None)


@pytest.mark.parametrize(
    "evidence",
    [
        opening(base("K1"), "fraud-model", errorCode="AccessDenied", responseElements=None),
        opening(base("K1"), "fraud-model", role="etl"),
        about("K1", "fraud-model", errorCode="ValidationException", errorMessage="RecordNotFound"),
        about("K1", "no/name"),
        about("K1", "fraud-model", "StartNotebookInstance"),
        about("K1", "fraud-model", eventSource="s3.amazonaws.com"),
        about("K1", "", "ListTags", requestParameters={"resourceArn": notebook_arn("fraud-model", "endpoint")}),
        stream("K1", "fraud-model/x", "/aws/lambda/f"),
        stream("K1", "fraud-model/x", eventName="DescribeLogStreams"),
        record(base("K1", inScopeOf={"credentialsIssuedTo": f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1"})),
        record(base("K1", inScopeOf="fraud-model")),
    ],
)
def test_what_only_looks_like_evidence_names_nothing(ask: Any, tmp_path: Path, evidence: Record) -> None:
    assert likely(ask, tmp_path, evidence, call("K1")) == (None, None)


STREAM_ARN = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/aws/sagemaker/NotebookInstances:log-stream:churn-model/LifecycleConfigOnStart"
ME = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{BASE}"


@pytest.mark.parametrize(
    "message",
    [
        # A caller's own text may stand in a message that isn't IAM's refusal.
        f"1 validation error detected: Value 'User: {ME} is not authorized to perform: sagemaker:DescribeNotebookInstance on "
        f"resource: {notebook_arn('churn-model')}' at 'notebookInstanceName' failed to satisfy constraint",
        # That of another caller, and another action.
        f"User: {USER_ARN} is not authorized to perform: sagemaker:DescribeNotebookInstance on resource: {notebook_arn('churn-model')}",
        f"User: {ME} is not authorized to perform: sagemaker:DeleteNotebookInstance on resource: {notebook_arn('churn-model')}",
        f"User: {ME} is not authorized to perform: sagemaker:DescribeNotebookInstance on resource: arn:aws:s3:::b/{notebook_arn('churn-model')}",
        f"User: {ME} is not authorized to perform: sagemaker:DescribeNotebookInstance on resource: {notebook_arn('x')} {notebook_arn('churn-model')}",
        {"not": "a text"},
    ],
)  # fmt: skip
def test_a_message_that_is_not_iams_refusal_names_nothing(ask: Any, tmp_path: Path, message: Any) -> None:
    evidence = refused(about("K1", "x"), "", message=message) | {
        "userAgent": f"{STREAM_ARN} {notebook_arn('churn-model')}"
    }
    assert likely(ask, tmp_path, evidence, call("K1")) == (None, None)


# Addresses


BRACKET = [attributed_at("09:00"), attributed_at("09:50")]


@pytest.mark.parametrize(
    "others", [BRACKET, [call_at("K2", "09:00"), call_at("K2", "09:50"), about("K2", "fraud-model")]]
)
def test_an_address_that_a_name_has_before_and_behind_names_the_session(
    ask: Any, tmp_path: Path, others: list[Record]
) -> None:
    assert likely(ask, tmp_path, *others, call_at("K1", "09:20")) == ("fraud-model", "address")


@pytest.mark.parametrize(
    "calls",
    [
        [*BRACKET, call_at("K1", "08:59")],
        [*BRACKET, call_at("K1", "09:51")],
        [attributed_at("09:00"), attributed_at("10:01"), call_at("K1", "09:30")],
        [*BRACKET, call_at("K1", "09:20", vpcEndpointId="vpce-2")],
        [*BRACKET, call_at("K1", "09:20", vpcEndpointId=None)],
        [*BRACKET, call_at("K1", "09:20", awsRegion="us-east-1")],
        [*BRACKET, call_at("K1", "09:20", sourceIPAddress="10.9.0.11")],
        [*(each | {"sourceIPAddress": "203.0.113.7"} for each in [*BRACKET, call_at("K1", "09:20")])],
        [*(each | {"sourceIPAddress": "127.0.0.1"} for each in [*BRACKET, call_at("K1", "09:20")])],
        [*(each | {"sourceIPAddress": "fe80::1"} for each in [*BRACKET, call_at("K1", "09:20")])],
        [*(each | {"sourceIPAddress": "s3.amazonaws.com"} for each in [*BRACKET, call_at("K1", "09:20")])],
        [*BRACKET, attributed_at("09:10", "churn-model"), attributed_at("09:40", "churn-model"), call_at("K1", "09:20")],
    ],
    ids=[
        "before", "behind", "over an hour", "another endpoint", "no endpoint", "another region", "another address", "public", "loopback", "link-local",
        "a service", "a proxy's",
    ],
)  # fmt: skip
def test_an_address_names_nothing_outside_of_its_time_and_place(ask: Any, tmp_path: Path, calls: list[Record]) -> None:
    assert likely(ask, tmp_path, *calls) == (None, None)


def test_two_sessions_without_names_of_one_address_give_each_other_none(ask: Any, tmp_path: Path) -> None:
    assert likely(ask, tmp_path, call_at("K2", "09:00"), call_at("K2", "09:50"), call_at("K1", "09:20")) == (None, None)


MADE = interface("fraud-model", ADDRESS, time="2026-03-01T09:00:00Z")


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([MADE, call_at("K1", "19:00")], "fraud-model"),
        ([MADE, call_at("K1", "09:30"), interface_deleted(time="2026-03-01T10:00:00Z")], "fraud-model"),
        ([MADE, interface_deleted(time="2026-03-01T10:00:00Z"), call_at("K1", "10:30")], None),
        ([MADE, call_at("K1", "08:30")], None),
        ([MADE, call_at("K1", "09:30", sourceIPAddress="10.9.0.11")], None),
        ([MADE, call_at("K1", "09:30", awsRegion="us-east-1")], None),
        ([MADE | {"errorCode": "Client.UnauthorizedOperation"}, call_at("K1", "09:30")], None),
        ([interface("fraud-model", ADDRESS, by={"type": "IAMUser", "arn": USER_ARN}), call_at("K1", "09:30")], None),
        ([interface("fraud-model", ADDRESS, by=base("K1")), call_at("K1", "09:30")], None),
    ],
    ids=["after", "until deleted", "deleted", "before", "another address", "another region", "refused", "made by a user", "made by itself"],
)  # fmt: skip
def test_a_network_interface_that_sagemaker_made(
    ask: Any, tmp_path: Path, records: list[Record], found: str | None
) -> None:
    assert likely(ask, tmp_path, *records) == (found, found and "address")


def test_an_address_of_two_network_interfaces_at_once_names_nothing(ask: Any, tmp_path: Path) -> None:
    other = interface("churn-model", ADDRESS, time="2026-03-01T09:10:00Z")
    other["responseElements"]["networkInterface"]["networkInterfaceId"] = "eni-2"
    assert likely(ask, tmp_path, MADE, other, call_at("K1", "09:30")) == (None, None)


# Several kinds


def test_kinds_that_agree_are_named_each(ask: Any, tmp_path: Path) -> None:
    records = [
        of("K1"),
        about("K1", "fraud-model"),
        about("K1", "fraud-model"),
        stream("K1", "fraud-model/x"),
        *BRACKET,
        call_at("K1", "09:20"),
    ]
    assert likely(ask, tmp_path, *records) == ("fraud-model", "handshake log-stream names-itself address")
    path = tmp_path / "log.json.gz"
    found = ask("summary", path, "--role", ROLE, "--likely").json
    (row,) = found["likely"]
    assert (row["notebook"], row["calls"]) == ("fraud-model", 4)
    assert row["evidence"] == {"handshake": 1, "log-stream": 1, "names-itself": 2, "address": 1}
    assert (row["first_seen"], row["last_seen"]) == ("2026-03-01T09:00:00Z", "2026-03-01T09:20:00Z")
    assert found["disputed"] == found["no_notebook"] == []
    assert found["unattributed"]["calls"] == 4


@pytest.mark.parametrize("name", ["Fraud-Model", "fraud-model"])
def test_an_arn_in_small_letters_names_the_same(ask: Any, tmp_path: Path, name: str) -> None:
    evidence = [of("K1", "Fraud-Model"), refused(about("K1", "x"), notebook_arn(name))]
    assert likely(ask, tmp_path, *evidence, call("K1")) == ("Fraud-Model", "handshake names-itself")


def test_names_that_differ_in_case_are_two_where_both_are_spelled(ask: Any, tmp_path: Path) -> None:
    assert likely(ask, tmp_path, of("K1", "Fraud-Model"), about("K1", "fraud-model"), call("K1"))[0] is None


@pytest.mark.parametrize(
    ("records", "names"),
    [
        ([of("K1"), of("K1", "churn-model")], ["churn-model", "fraud-model"]),
        ([about("K1", "fraud-model"), about("K1", "churn-model")], ["churn-model", "fraud-model"]),
        ([stream("K1", "fraud-model/x"), about("K1", "churn-model")], ["churn-model", "fraud-model"]),
        ([of("K1", "churn-model"), *BRACKET, call_at("K1", "09:20")], ["churn-model", "fraud-model"]),
        ([of("K1"), stream("K1", "job-1/algo-1-1", "/aws/sagemaker/TrainingJobs")], ["fraud-model", "training job job-1"]),
        ([of("K1"), opening({"type": "IAMUser", "arn": USER_ARN}, BASE, key="K1")], ["fraud-model", f"a session that {USER_ARN} opened"]),
    ],
)  # fmt: skip
def test_evidence_that_disagrees_is_disputed(ask: Any, tmp_path: Path, records: list[Record], names: list[str]) -> None:
    notebook, kinds = likely(ask, tmp_path, *records, call("K1"))
    assert notebook is None
    assert kinds
    found = ask("summary", tmp_path / "log.json.gz", "--role", ROLE, "--likely").json
    assert found["likely"] == []
    (row,) = found["disputed"]
    assert [*row["notebooks"], *row["others"]] == names
    assert set(row["evidence"]) <= set(names)


@pytest.mark.parametrize(
    ("evidence", "what"),
    [
        (stream("K1", "job-1/algo-1-1", "/aws/sagemaker/TrainingJobs"), "training job job-1"),
        (stream("K1", "job-1/algo-1-1", "/aws/sagemaker/ProcessingJobs"), "processing job job-1"),
        (stream("K1", "AllTraffic/i-1", "/aws/sagemaker/Endpoints/fraud-api"), "endpoint fraud-api"),
        (stream("K1", "d-1/jane/JupyterLab/default", "/aws/sagemaker/studio"), "Studio's app d-1/jane/JupyterLab/default"),
        (stream("K1", "x/y", "/aws/sagemaker/Clusters/c/id"), "log group /aws/sagemaker/Clusters/c/id, x"),
        (record(base("K1", inScopeOf={"sourceArn": notebook_arn("job-1", "training-job")})), "training job job-1"),
        (opening({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, BASE, key="K1"), "a session that lambda.amazonaws.com opened"),
    ],
)  # fmt: skip
def test_what_is_a_jobs_or_an_endpoints_is_never_a_notebooks(
    ask: Any, tmp_path: Path, evidence: Record, what: str
) -> None:
    assert likely(ask, tmp_path, evidence, call("K1"))[0] is None
    found = ask("summary", tmp_path / "log.json.gz", "--role", ROLE, "--likely").json
    assert [row["others"] for row in found["no_notebook"]] == [[what]]
    assert found["likely"] == found["disputed"] == []


def test_sagemaker_opens_base_sessions(ask: Any, tmp_path: Path) -> None:
    opened = opening({"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}, BASE, key="K1")
    assert likely(ask, tmp_path, opened, of("K1"), call("K1")) == ("fraud-model", "handshake")


@pytest.mark.parametrize(
    ("opener", "fields"),
    [
        (session("x.sagemaker.amazonaws.com", key="EVIL"), {}),
        ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/sagemaker.amazonaws.com"}, {}),
        ({"type": "IAMUser", "arn": USER_ARN, "invokedBy": "sagemaker.amazonaws.com"}, {}),
        ({"type": "AWSAccount", "principalId": "sagemaker.amazonaws.com"}, {}),
        ({"type": "AWSAccount", "invokedBy": "sagemaker.amazonaws.com"}, {}),
        ({"type": "AWSService", "invokedBy": "notsagemaker.amazonaws.com"}, {}),
        ({"type": "WebIdentityUser", "principalId": "p:u", "userName": "u"}, {"event": "sts:AssumeRoleWithWebIdentity"}),
        ({"type": "SAMLUser", "principalId": "p:u", "userName": "sagemaker.amazonaws.com"}, {"event": "sts:AssumeRoleWithSAML"}),
    ],
)  # fmt: skip
def test_whoever_else_opens_a_base_session_is_not_taken_for_sagemaker(
    ask: Any, tmp_path: Path, opener: Record, fields: Record
) -> None:
    opened = opening(opener, BASE, key="K1", **fields)
    assert likely(ask, tmp_path, opened, of("K1"), call("K1")) == (None, "handshake")


def test_a_name_that_the_inventory_does_not_know_is_no_notebooks(ask: Any, tmp_path: Path) -> None:
    outputs = {
        "role_arn": ROLE_ARN,
        "session_arns": {"fraud-model": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model"},
    }
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    options = ["--inventory", tmp_path / "outputs.json"]
    assert likely(ask, tmp_path, of("K1", "made-up"), call("K1"), options=options) == (None, "handshake")
    assert likely(ask, tmp_path, of("K1"), of("K1", "made-up"), call("K1"), options=options)[0] is None
    assert likely(ask, tmp_path, of("K1"), call("K1"), options=options) == ("fraud-model", "handshake")


# Calls without a key


def test_a_call_without_a_key_is_of_the_session_that_began_with_it(ask: Any, tmp_path: Path) -> None:
    noon, later = "2026-03-01T08:00:00Z", "2026-03-01T08:00:01Z"
    found = likely(ask, tmp_path, about("K1", "fraud-model", started=noon), keyless(call("", started=noon)), key=None)
    assert found == ("fraud-model", "names-itself")
    assert likely(
        ask, tmp_path, about("K1", "fraud-model", started=noon), keyless(call("", started=later)), key=None
    ) == (None, None)


def test_sessions_that_began_together_leave_it_disputed(ask: Any, tmp_path: Path) -> None:
    noon = "2026-03-01T08:00:00Z"
    records = [
        about("K1", "fraud-model", started=noon),
        about("K2", "churn-model", started=noon),
        keyless(call("", started=noon)),
    ]
    assert likely(ask, tmp_path, *records, key=None)[0] is None
    assert likely(ask, tmp_path, *records) == ("fraud-model", "names-itself")


def test_sessions_that_began_together_do_not_name_each_other(ask: Any, tmp_path: Path) -> None:
    noon = "2026-03-01T08:00:00Z"
    silent = call("K2", started=noon)
    assert likely(ask, tmp_path, about("K1", "fraud-model", started=noon), silent, key="K2") == (None, None)


# Limits


def test_what_is_forgotten_is_said(ask: Any, tmp_path: Path) -> None:
    records = [
        each
        for number in range(5)
        for each in (
            about(f"K{number}", "fraud-model", time=f"2026-03-01T09:0{number}:00Z"),
            call_at(f"K{number}", f"09:0{number}"),
        )
    ]
    path = write(tmp_path / "log.json", *records)

    def named(limits: Limits) -> tuple[list[str], str]:
        answer = ask("calls", path, "--role", ROLE, "--likely", limits=limits)
        return [
            each["access_key_id"] for each in answer.calls if each["access_key_id"] and each["likely_notebook"]
        ], answer.err

    keys, said = named(Limits(evidence_sessions=3))
    assert keys == []  # the three that are remembered used private addresses within the hour
    assert "more than 3 base sessions" in said
    assert "first call came at 2026-03-01T09:03:00Z or later" in said
    keys, said = named(Limits(evidence_addresses=4))
    assert keys == []
    assert "more base sessions or uses of private addresses than are remembered" in said
    keys, said = named(Limits())
    assert sorted(set(keys)) == [f"K{number}" for number in range(5)]
    assert said == ""


def test_a_session_that_names_very_many_is_disputed_and_told_shortly(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *(about("K1", f"notebook-{number}") for number in range(3000)))
    found = ask("summary", path, "--role", ROLE, "--likely").json
    assert [len(row["notebooks"]) for row in found["disputed"]] == [50]
    table = ask("summary", path, "--role", ROLE, "--likely", "--format", "table").out
    assert "disputed: notebook-0 or notebook-1 or notebook-10 or 47 more (names-itself)" in table
