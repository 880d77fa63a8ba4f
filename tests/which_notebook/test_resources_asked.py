"""Calls are asked for by the resources that they were about, by every command, and by access key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from log_files import compact, write
from records import ACCOUNT, BASE, ROLE, Record, handshake, others, record, session

from which_notebook.calls.resource_patterns import ResourcePatterns, literal_parts
from which_notebook.records.cloudtrail import RecordError, call_of

from .test_resources import HERE, MEANT, REFUSED, call_to

PATTERNS = [
    ("patient-data", True),
    ("patient-*", True),
    ("patient", False),
    ("*-data", True),
    ("data", False),
    ("figures", False),
    ("patient-data/2026/a.csv", True),
    ("patient-data/2026", True),
    ("arn:aws:s3:::patient-data", True),
    ("arn:aws:s3:::patient-data/2026/*", True),
    ("arn:aws:s3:::patient-data/2026/a.csv", True),
    ("arn:aws:s3:::patient-data/2026/a", False),
    ("arn:aws:s3:::patient", False),
    ("arn:*:s3:::*/a.csv", True),
    ("s3://patient-data", True),
    ("s3://patient-data/", True),
    ("s3://patient-data/2026/", True),
    ("s3://patient-data/2026/a.csv", True),
    ("s3://patient-data/2026", False),
    ("[p]atient-data", False),
    ("a.csv", False),
]


@pytest.mark.parametrize(("pattern", "is_meant"), PATTERNS)
@pytest.mark.parametrize("command", ["calls", "summary", "report"])
def test_a_bucket_is_asked_for(ask: Any, tmp_path: Path, pattern: str, is_meant: bool, command: str) -> None:
    path = write(
        tmp_path / "log.json.gz",
        call_to("s3", "GetObject", {"bucketName": "patient-data", "key": "2026/a.csv"}),
        call_to("s3", "GetObject", {"bucketName": "other", "key": "patient-data/x"}),
        call_to("dynamodb", "GetItem", {"tableName": "orders"}),
        others(requestParameters={"bucketName": "patient-data", "key": "2026/a.csv"}),
    )
    asked = [command, path, "--role", ROLE, "--resource", pattern]
    if command == "calls":
        assert len(ask(*asked).calls) == is_meant
    elif command == "summary":
        answer = ask(*asked)
        assert answer.json["calls"] == is_meant
        assert is_meant or "--resource left out 3 of them" in answer.err
    else:
        assert ask(*asked, "-o", tmp_path / "r.html").status == 0
        head = re.search(r'id="head">(.*?)</script>', (tmp_path / "r.html").read_text())
        assert head
        assert json.loads(head[1])["calls"] == is_meant
        assert ["resource", pattern] in json.loads(head[1])["asked"]


@pytest.mark.parametrize(
    ("pattern", "source", "event", "asked"),
    [
        ("orders", "dynamodb", "GetItem", {"tableName": "orders"}),
        ("sales", "glue", "GetTable", {"databaseName": "sales", "name": "orders"}),
        ("sales/orders", "glue", "GetTable", {"databaseName": "sales", "name": "orders"}),
        ("*/orders", "glue", "GetTable", {"databaseName": "sales", "name": "orders"}),
        ("db", "secretsmanager", "GetSecretValue", {"secretId": f"arn:aws:secretsmanager:{HERE}:secret:db-AbCdEf"}),
        (f"arn:aws:secretsmanager:{HERE}:secret:db-AbCdEf", "secretsmanager", "GetSecretValue", {"secretId": "db"}),
        ("jobs", "sqs", "SendMessage", {"queueUrl": f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/jobs"}),
        ("/aws/x", "logs", "CreateLogStream", {"logGroupName": "/aws/x"}),
        ("other", "sts", "AssumeRole", {"roleArn": "arn:aws:iam::444455556666:role/other"}),
    ],
)
def test_other_resources_are_asked_for_by_name(
    ask: Any, tmp_path: Path, pattern: str, source: str, event: str, asked: Record
) -> None:
    path = write(tmp_path / "log.json.gz", call_to(source, event, asked), record())
    assert len(ask("calls", path, "--role", ROLE, "--resource", pattern).calls) == 1
    assert ask("calls", path, "--role", ROLE, "--resource", f"{pattern}x").calls == []


def kept(found: Record, data: strategies.DataObject) -> bytes:
    """Return a record whose parameters are a text perhaps, and in which a writer escaped what it needn't have escaped."""
    for name in ("requestParameters", "resources"):
        for _ in range(data.draw(strategies.integers(0, 2))):
            found = {**found, name: json.dumps(found[name])} if name in found else found
    plain = compact(found).decode()
    kind = data.draw(strategies.sampled_from(["plain", "slashes", "letters"]))
    if kind == "slashes":
        plain = plain.replace("/", "\\/")
    elif kind == "letters":
        letter = data.draw(strategies.sampled_from("aeorst./-"))
        plain = plain.replace(letter, f"\\u{ord(letter):04x}")
    return plain.encode()


def more_of(source: str, event: str) -> list[Record]:
    """Return what else a record may say of resources."""
    named = [{"ARN": "arn:aws:s3:::lake/2026/a b.csv"}, {"ARN": f"arn:aws:dynamodb:{HERE}:table/orders/index/day"}]
    refused = f"{REFUSED}{source}:{event} on resource: "
    return [
        {},
        {"resources": named},
        {"errorCode": "x", "errorMessage": f"{refused}arn:aws:s3:::lake/k because no policy"},
        {"errorCode": "x", "errorMessage": f"{refused}prod/db because no policy"},
    ]


@settings(max_examples=600)
@given(strategies.data())
def test_a_record_is_passed_over_only_where_it_isnt_about_the_resource(data: strategies.DataObject) -> None:
    source, event, asked, _ = data.draw(strategies.sampled_from(MEANT))
    more = data.draw(strategies.sampled_from(more_of(source, event)))
    try:
        text = kept(call_to(source, event, asked, **more), data)
        whole = call_of(text, with_resources=True).resources
    except RecordError:
        return  # an escaped slash in a text within a text
    arn = data.draw(strategies.sampled_from([*whole, "arn:aws:s3:::lake/k", f"arn:aws:glue:{HERE}:table/sales/orders"]))
    pattern = data.draw(
        strategies.sampled_from([arn, arn.split(":", 5)[-1], *re.split("[:/]", arn), f"s3://{arn.split(':')[-1]}"])
    )
    for _ in range(data.draw(strategies.integers(0, 3))):
        at = data.draw(strategies.integers(0, len(pattern)))
        end = data.draw(strategies.integers(at, len(pattern)))
        pattern = pattern[:at] + data.draw(strategies.sampled_from("*?")) + pattern[end:]
    if not pattern or not ResourcePatterns([pattern]).fit(whole):
        return
    assert call_of(text, with_resources=literal_parts([pattern]) or True).resources == whole, pattern


def test_a_record_that_isnt_about_the_resource_is_passed_over() -> None:
    other, refused = call_to("s3", "GetObject", {"bucketName": "lake", "key": "k"}), call_to("s3", "GetObject")
    assert literal_parts(["s3://patient-data/2026/"]) == ("patient-data",)
    assert call_of(compact(other), with_resources=("patient-data",)).resources == ()
    assert call_of(compact(other), with_resources=("patient-data", "lake")).resources != ()
    copied = compact(call_to("s3", "CopyObject", {"bucketName": "mine", "key": "k", "x-amz-copy-source": "l%61ke/a"}))
    assert "arn:aws:s3:::lake/a" in call_of(copied, with_resources=("lake",)).resources
    message = f"{REFUSED}s3:GetObject on resource: arn:aws:s3:::patient-data/k"
    assert call_of(compact(refused | {"errorMessage": message}), with_resources=("patient-data",)).resources != ()


def test_roles_and_findings_are_asked_for_by_resource_too(ask: Any, tmp_path: Path) -> None:
    """Who doesn't know the role can still ask which notebook instances used a bucket."""
    read = {"bucketName": "patient-data", "key": "2026/a.csv"}
    finding = tmp_path / "finding.json"
    details = {
        "accessKeyId": "ASIAEXAMPLE000000001",
        "principalId": "AROAEXAMPLEROLE000001:fraud-model",
        "userName": ROLE,
    }
    finding.write_bytes(compact({"service": {}, "resource": {"accessKeyDetails": details}}))
    path = write(
        tmp_path / "log.json",
        call_to("s3", "GetObject", read, userIdentity=session(key="ASIAEXAMPLE000000001")),
        record(session(key="ASIAEXAMPLE000000001")),
        handshake(),
        record(session("x", role="data-science")),
        record(session(BASE, role="data-science"), awsRegion="us-east-1"),
    )
    assert [role["calls"] for role in ask("roles", path).json] == [2, 2]
    (role,) = ask("roles", path, "--resource", "patient-data").json
    assert (role["calls"], role["handshakes"], role["notebooks"]) == (1, 0, ["fraud-model"])
    assert [role["calls"] for role in ask("roles", path, "--region", "us-east-1").json] == [1]
    answer = ask("roles", path, "--resource", "other", "--format", "table")
    assert (answer.status, answer.out) == (
        4, "No role has a session called SageMaker, and calls about other, in what was read.\n",
    )  # fmt: skip
    (actor,) = ask("finding", finding, path, "--resource", "patient-data").json[0]["actors"]
    assert (actor["calls"], list(actor["resources"])) == (
        1,
        ["arn:aws:s3:::patient-data", "arn:aws:s3:::patient-data/2026/a.csv"],
    )
    assert "The logs have 1 call with this access key about patient-data" in actor["why"][1]
    (actor,) = ask("finding", finding, path, "--resource", "other").json[0]["actors"]
    assert actor["why"][-1] == "The sources hold no call made with this access key about other."


def test_access_keys_are_asked_for(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", record(session(key="ASIAONE")), record(session(BASE, key="ASIATWO")), record())
    answer = ask("calls", path, "--role", ROLE, "--access-key", "ASIAONE,ASIATWO")
    assert [call["access_key_id"] for call in answer.calls] == ["ASIAONE", "ASIATWO"]
    assert "--access-key left out 3 of them" in ask("calls", path, "--role", ROLE, "--access-key", "ASIATHREE").err
