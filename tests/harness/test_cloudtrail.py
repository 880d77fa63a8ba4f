"""The recorded CloudTrail log, beside real records, and LookupEvents over it."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import records
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import policy_document

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "cloudtrail-samples"
FILE_NAME = re.compile(r"\d{12}_CloudTrail_[a-z0-9-]+_\d{8}T\d{4}Z_\w{16}\.json\.gz")


@pytest.fixture(scope="module")
def session(emulator: Emulator) -> Iterator[dict[str, str]]:
    """Credentials of a role session that may do anything."""
    iam = emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": actions}
    role = iam.create_role(RoleName="recorded", AssumeRolePolicyDocument=policy_document(trust))["Role"]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="recorded",
        PolicyName="all",
        PolicyDocument=policy_document(allow),
    )
    opened = emulator.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="one", SourceIdentity="one")
    yield opened["Credentials"]
    iam.delete_role_policy(RoleName="recorded", PolicyName="all")
    iam.delete_role(RoleName="recorded")


@pytest.fixture
def seen(emulator: Emulator, session: dict[str, str]) -> int:
    return len(emulator.records())


def test_the_files_have_the_layout_of_real_ones(emulator: Emulator, session: dict[str, str]) -> None:
    emulator.session_client("sts", session).get_caller_identity()
    emulator.flush()
    files = list(emulator.cloudtrail_folder.rglob("*"))
    logs = [path for path in files if path.is_file()]
    assert logs
    for path in logs:
        assert FILE_NAME.fullmatch(path.name), path
        account_id, _, region, minute, _ = path.name.split("_")
        day = datetime.strptime(minute, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        parts = path.relative_to(emulator.cloudtrail_folder).parts
        assert parts[:4] == ("AWSLogs", account_id, "CloudTrail", region)
        # A file that is written after midnight can hold the day before.
        assert "/".join(parts[4:7]) in {f"{day:%Y/%m/%d}", f"{day - timedelta(days=1):%Y/%m/%d}"}
        with gzip.open(path, "rt") as file:
            assert list(json.load(file)) == ["Records"]


def test_a_role_sessions_identity(emulator: Emulator, session: dict[str, str], seen: int) -> None:
    emulator.session_client("sts", session).get_caller_identity()
    (record,) = emulator.records()[seen:]
    identity = record["userIdentity"]
    role = emulator.client("iam").get_role(RoleName="recorded")["Role"]
    assert identity["type"] == "AssumedRole"
    assert identity["principalId"] == f"{role['RoleId']}:one"
    assert identity["arn"] == "arn:aws:sts::111122223333:assumed-role/recorded/one"
    assert identity["accessKeyId"] == session["AccessKeyId"]
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": "111122223333",
        "userName": "recorded",
    }
    assert (record["eventSource"], record["eventName"]) == ("sts.amazonaws.com", "GetCallerIdentity")
    assert (record["readOnly"], record["managementEvent"], record["eventCategory"]) == (True, True, "Management")
    happened = datetime.fromisoformat(record["eventTime"])
    assert abs(datetime.now(UTC) - happened) < timedelta(minutes=1)


def test_assume_role_tells_the_new_sessions_key_and_no_secret(emulator: Emulator, seen: int) -> None:
    opened = emulator.client("sts").assume_role(
        RoleArn="arn:aws:iam::111122223333:role/recorded", RoleSessionName="two"
    )
    (record,) = emulator.records()[seen:]
    credentials = record["responseElements"]["credentials"]
    assert credentials["accessKeyId"] == opened["Credentials"]["AccessKeyId"]
    assert record["responseElements"]["assumedRoleUser"] == {
        "assumedRoleId": opened["AssumedRoleUser"]["AssumedRoleId"],
        "arn": opened["AssumedRoleUser"]["Arn"],
    }
    assert record["requestParameters"]["roleSessionName"] == "two"
    assert opened["Credentials"]["SecretAccessKey"] not in json.dumps(record)


def test_no_secret_of_any_kind_is_recorded(emulator: Emulator, session: dict[str, str], seen: int) -> None:
    secret = "correct horse battery staple"
    secrets = emulator.session_client("secretsmanager", session)
    secrets.create_secret(Name="recorded", SecretString=secret)
    secrets.get_secret_value(SecretId="recorded")
    s3 = emulator.session_client("s3", session)
    s3.create_bucket(Bucket="recorded-bucket")
    s3.put_object(Bucket="recorded-bucket", Key="key", Body=secret.encode())
    emulator.session_client("ssm", session).put_parameter(Name="recorded", Value=secret, Type="SecureString")
    recorded = emulator.records()[seen:]
    assert {record["eventName"] for record in recorded} >= {"CreateSecret", "PutObject", "PutParameter"}
    assert secret not in json.dumps(recorded)
    assert not any(session["SecretAccessKey"] in json.dumps(record) for record in recorded)


def test_data_events_are_told_from_management_events(emulator: Emulator, session: dict[str, str], seen: int) -> None:
    s3 = emulator.session_client("s3", session)
    s3.create_bucket(Bucket="data-events")
    s3.put_object(Bucket="data-events", Key="key", Body=b"x")
    s3.list_objects_v2(Bucket="data-events")
    s3.get_bucket_location(Bucket="data-events")
    shown = {
        record["eventName"]: (record["eventCategory"], record["managementEvent"], record["readOnly"])
        for record in emulator.records()[seen:]
    }
    assert shown == {
        "CreateBucket": ("Management", True, False),
        "PutObject": ("Data", False, False),
        "ListObjects": ("Data", False, True),
        "GetBucketLocation": ("Management", True, True),
    }


def test_both_accounts_see_a_call_from_one_on_the_other(emulator: Emulator, session: dict[str, str], seen: int) -> None:
    emulator.client("s3", account_id="444455556666").create_bucket(Bucket="of-another-account")
    before = len(emulator.records())
    with pytest.raises(ClientError):
        emulator.session_client("s3", session).put_bucket_tagging(Bucket="of-another-account", Tagging={"TagSet": []})
    both = emulator.records()[before:]
    assert sorted(record["recipientAccountId"] for record in both) == ["111122223333", "444455556666"]
    assert len({record["sharedEventID"] for record in both}) == 1
    assert {record["userIdentity"]["type"] for record in both} == {"AssumedRole", "AWSAccount"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real CloudTrail records to compare with are not on this machine")
def test_a_record_has_the_fields_of_real_ones(emulator: Emulator, session: dict[str, str], seen: int) -> None:
    emulator.session_client("sts", session).get_caller_identity()
    (record,) = emulator.records()[seen:]
    real = [
        each
        for each in real_records()
        if each.get("eventType") == "AwsApiCall" and each.get("userIdentity", {}).get("type") == "AssumedRole"
    ]
    assert real
    known = set().union(*real)
    assert set(record) <= known
    in_all = set.intersection(*(set(each) for each in real))
    assert in_all <= set(record)
    identity = set().union(*(each["userIdentity"] for each in real))
    assert set(record["userIdentity"]) <= identity


def fields(value: dict[str, Any], above: str = "") -> dict[str, str]:
    """Return each field's type by its path, such as `userIdentity.arn`."""
    found: dict[str, str] = {}
    for name, each in value.items():
        found[above + name] = type(each).__name__
        if isinstance(each, dict):
            found |= fields(each, f"{above}{name}.")
    return found


def common(record: dict[str, Any]) -> dict[str, str]:
    """Return the fields whose content isn't another one for each call."""
    of_each_call = ("requestParameters", "responseElements", "additionalEventData", "resources")
    return {path: kind for path, kind in fields(record).items() if not path.startswith(of_each_call)}


def test_a_record_that_tests_make_has_the_fields_of_a_recorded_one(
    emulator: Emulator, session: dict[str, str], seen: int
) -> None:
    s3 = emulator.session_client("s3", session)
    s3.create_bucket(Bucket="of-made-records")
    s3.put_object(Bucket="of-made-records", Key="key", Body=b"x")
    s3.get_object(Bucket="of-made-records", Key="key")
    (recorded,) = (record for record in emulator.records()[seen:] if record["eventName"] == "GetObject")
    made = records.record(records.session("one", source_identity="one"))
    assert common(made) == common(recorded)
    assert made.keys() == recorded.keys()


def test_a_handshake_that_tests_make_has_the_fields_of_a_recorded_one(
    emulator: Emulator, session: dict[str, str], seen: int
) -> None:
    arn = "arn:aws:iam::111122223333:role/recorded"
    emulator.session_client("sts", session).assume_role(RoleArn=arn, RoleSessionName="two")
    (recorded,) = emulator.records()[seen:]
    made = records.handshake(granted=True)
    assert fields(made).items() <= fields(recorded).items()
    # The base session has none in session-name mode.
    assert common(recorded).keys() - common(made).keys() == {"userIdentity.sessionContext.sourceIdentity"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real CloudTrail records to compare with are not on this machine")
def test_a_record_that_tests_make_has_the_fields_of_real_ones() -> None:
    real = [
        common(each)
        for each in real_records()
        if each.get("eventType") == "AwsApiCall" and each.get("userIdentity", {}).get("type") == "AssumedRole"
    ]
    made = common(records.record())
    in_all = set.intersection(*map(set, real)) - {"userIdentity.sessionContext.webIdFederationData"}  # empty there
    assert in_all <= made.keys()
    assert made.items() <= {field for each in real for field in each.items()}


def real_records() -> list[dict[str, Any]]:
    found_in_all: list[dict[str, Any]] = []
    for path in SAMPLES.rglob("*.json*"):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            found_in_all += [each for each in found.get("Records", [found]) if "eventName" in each]
    return found_in_all


# LookupEvents


@pytest.fixture(scope="module")
def history(emulator: Emulator) -> Any:
    """A client of a region in which nothing else calls, with 60 calls in its history."""
    region = emulator.client("sts", region="ap-south-1")
    for _ in range(60):
        region.get_caller_identity()
    return emulator.client("cloudtrail", region="ap-south-1")


def patiently(history: Any, **arguments: Any) -> dict[str, Any]:
    """Look up, within the two requests a second that the service allows."""
    time.sleep(0.55)
    answer: dict[str, Any] = history.lookup_events(**arguments)
    return answer


def test_lookup_comes_in_pages_the_newest_first(history: Any) -> None:
    asked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]}
    first = patiently(history, **asked)
    second = patiently(history, **asked, NextToken=first["NextToken"])
    assert [len(first["Events"]), len(second["Events"]), "NextToken" in second] == [50, 10, False]
    events = first["Events"] + second["Events"]
    assert len({event["EventId"] for event in events}) == 60
    times = [event["EventTime"] for event in events]
    assert times == sorted(times, reverse=True)
    record = json.loads(events[0]["CloudTrailEvent"])
    assert record["eventID"] == events[0]["EventId"]
    assert record["awsRegion"] == "ap-south-1"


def test_lookup_of_a_time_range(history: Any) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert patiently(history, EndTime=hour_ago)["Events"] == []
    assert patiently(history, StartTime=hour_ago)["Events"] != []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"NextToken": "made-up"}, "InvalidNextTokenException"),
        (
            {
                "LookupAttributes": [
                    {"AttributeKey": "EventName", "AttributeValue": "x"},
                    {"AttributeKey": "Username", "AttributeValue": "y"},
                ]
            },
            "InvalidLookupAttributesException",
        ),
        (
            {"StartTime": datetime(2026, 1, 2, tzinfo=UTC), "EndTime": datetime(2026, 1, 1, tzinfo=UTC)},
            "InvalidTimeRangeException",
        ),
    ],
)
def test_lookups_refusals(history: Any, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        patiently(history, **arguments)
    assert refused.value.response["Error"]["Code"] == code


def test_lookup_holds_back_more_than_two_requests_a_second(emulator: Emulator) -> None:
    history = emulator.client("cloudtrail", region="ap-south-1")
    codes = []
    for _ in range(12):
        try:
            history.lookup_events(MaxResults=1)
            codes.append("answered")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert "ThrottlingException" in codes
