"""s3:// sources, against LocalStack's S3: what is listed, and so what is downloaded."""

from __future__ import annotations

import gzip
import os
from typing import Any

import pytest
from log_files import log, log_key
from records import ACCOUNT, OTHER_ACCOUNT, ROLE, record

from .conftest import Bucket, Requests, command_client, downloaded, listed, summary

# The keys on a page of a listing: S3's own number in CI, elsewhere fewer, which are asked for.
PAGE = 1000 if os.environ.get("CI") else 100


@pytest.fixture
def trails(bucket: Bucket) -> Bucket:
    """Two accounts, two regions, three days; and what else CloudTrail and others put beside them."""
    for account in (ACCOUNT, OTHER_ACCOUNT):
        for region in ("eu-central-1", "us-east-1"):
            for day in ("2026-02-27", "2026-02-28", "2026-03-01"):
                bucket.put_call(day, account=account, region=region)
    own = f"AWSLogs/{ACCOUNT}"
    for kind in ("CloudTrail-Digest", "CloudTrail-Insight", "Config"):
        bucket.put(f"{own}/{kind}/eu-central-1/2026/03/01/{kind}.json.gz", log(record(time="10:00")))
    bucket.put("access-logs/2026-03-01.json", b"no log of CloudTrail's")
    return bucket


def test_what_folders_above_the_source_are_called_tells_nothing(
    bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    bucket.put("CloudTrail-Digest/copies/log.json.gz", log(record(time="10:00")))
    bucket.put("CloudTrail-Digest/copies/CloudTrail-Insight/log.json.gz", log(record(time="10:00")))
    for folder in ("/CloudTrail-Digest", "/CloudTrail-Digest/copies/"):
        assert summary(capfd, f"s3://{bucket.name}{folder}")["calls"] == 1


@pytest.mark.parametrize(
    ("folder", "calls"),
    [
        ("", 12),
        ("/", 12),
        ("/AWSLogs", 12),
        ("/AWSLogs/", 12),
        (f"/AWSLogs/{OTHER_ACCOUNT}", 6),
        (f"/AWSLogs/{OTHER_ACCOUNT}/CloudTrail/", 6),
        (f"/AWSLogs/{OTHER_ACCOUNT}/CloudTrail/us-east-1", 3),
        (f"/AWSLogs/{OTHER_ACCOUNT}/CloudTrail/us-east-1/2026", 3),
        (f"/AWSLogs/{OTHER_ACCOUNT}/CloudTrail/us-east-1/2026/02/", 2),
        (f"/AWSLogs/{OTHER_ACCOUNT}/CloudTrail/us-east-1/2026/02/28", 1),
    ],
)
def test_a_source_may_be_any_folder(trails: Bucket, capfd: pytest.CaptureFixture[str], folder: str, calls: int) -> None:
    answer = summary(capfd, f"s3://{trails.name}{folder}")
    assert (answer["calls"], answer["files"], answer["skipped"]) == (calls, calls, [])


_REGIONS = f"AWSLogs/{OTHER_ACCOUNT}/CloudTrail"


@pytest.mark.parametrize(
    ("folder", "filters", "asked"),
    [
        (
            "",
            ["--since", "2026-02-28", "--account", OTHER_ACCOUNT],
            [
                ("", None),
                ("access-logs/AWSLogs/", None),
                ("AWSLogs/", None),
                (f"{_REGIONS}/", None),
                (f"{_REGIONS}-NetworkActivity/", None),
                (f"{_REGIONS}/eu-central-1/", f"{_REGIONS}/eu-central-1/2026/02/28/"),
                (f"{_REGIONS}/us-east-1/", f"{_REGIONS}/us-east-1/2026/02/28/"),
            ],
        ),
        (
            "/AWSLogs",
            ["--region", "eu-central-1", "--account", OTHER_ACCOUNT],
            [
                ("AWSLogs/", None),
                (f"{_REGIONS}/eu-central-1/", None),
                (f"{_REGIONS}-NetworkActivity/eu-central-1/", None),
            ],
        ),
        (f"/{_REGIONS}/us-east-1/2026/02", ["--since", "2026-01-01"], [(f"{_REGIONS}/us-east-1/2026/02/", None)]),
    ],
)
def test_only_what_is_asked_for_is_listed(
    trails: Bucket,
    requests: Requests,
    capfd: pytest.CaptureFixture[str],
    folder: str,
    filters: list[str],
    asked: list[tuple[str, str | None]],
) -> None:
    assert summary(capfd, f"s3://{trails.name}{folder}", *filters)["files"] > 0
    assert sorted(listed(requests), key=str) == sorted(asked, key=str)


def test_network_activity_is_read_as_from_a_folder(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    call = record(time="10:00", requestID="R1", eventCategory="Management")
    other = record(time="10:00", requestID="R1", eventCategory="NetworkActivity")
    refused = record(time="10:01", requestID="R2", eventCategory="NetworkActivity", errorCode="VpceAccessDenied")
    key = log_key("2026-03-01")
    bucket.put(key, log(call))
    bucket.put(key.replace("CloudTrail", "CloudTrail-NetworkActivity"), log(other, refused))
    for folder in ("", "/AWSLogs", f"/AWSLogs/{ACCOUNT}/"):
        for filters in ([], ["--region", "eu-central-1", "--since", "2026-03-01"]):
            answer = summary(capfd, f"s3://{bucket.name}{folder}", *filters)
            assert (answer["calls"], answer["files"], answer["notebooks"][0]["errors"]) == (2, 2, 1)
    only = summary(capfd, f"s3://{bucket.name}/AWSLogs/{ACCOUNT}/CloudTrail-NetworkActivity/")
    assert (only["calls"], only["files"]) == (2, 1)


def test_nothing_is_listed_of_an_account_that_is_not_asked_for(
    trails: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = summary(capfd, f"s3://{trails.name}/AWSLogs/{OTHER_ACCOUNT}", "--account", ACCOUNT)
    assert (answer["calls"], answer["skipped"]) == (0, [])
    # But whether there is such a folder at all.
    assert listed(requests) == [(f"AWSLogs/{OTHER_ACCOUNT}", None)]


def test_only_the_days_that_are_asked_for_are_downloaded(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = {day: bucket.put_call(f"2026-03-{day:02}") for day in range(1, 10)}
    answer = summary(
        capfd, f"s3://{bucket.name}", "--since", "2026-03-04", "--until", "2026-03-05", "--delivered-within", "1"
    )
    assert answer["calls"] == 2
    # A call may be delivered days after.
    assert downloaded(requests) == [keys[4], keys[5], keys[6]]


def test_organisation_trails_and_key_prefixes(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for below in ("", "AWSLogs/o-exampleorg1/", "central/", "central/AWSLogs/o-exampleorg1/"):
        for account in (ACCOUNT, OTHER_ACCOUNT):
            bucket.put_call("2026-03-01", below=below, account=account)
    source = f"s3://{bucket.name}"
    assert summary(capfd, source)["files"] == 8
    assert summary(capfd, source, "--account", OTHER_ACCOUNT)["files"] == 4
    assert summary(capfd, f"{source}/AWSLogs/o-exampleorg1/")["files"] == 2
    assert summary(capfd, f"{source}/central")["files"] == 4
    assert summary(capfd, f"{source}/central", "--until", "2026-02-20")["files"] == 0


def test_a_trail_deep_in_other_folders_is_pruned_as_well(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    bucket.put("logs/cloudtrail/A-first.json.gz", log(record(time="2026-03-02T10:00:00Z")))
    for day in ("2026-01-01", "2026-02-01", "2026-03-01"):
        bucket.put_call(day, below="logs/cloudtrail/")
    bucket.put("logs/cloudtrail/later.json.gz", log(record(time="2026-03-02T10:00:00Z")))
    answer = summary(capfd, f"s3://{bucket.name}", "--since", "2026-03-01")
    assert (answer["calls"], answer["files"]) == (3, 3)
    trail = "logs/cloudtrail/AWSLogs"
    regions = f"{trail}/{ACCOUNT}/CloudTrail"
    assert sorted(listed(requests), key=str) == sorted(
        [
            ("", None),
            ("logs/", None),
            ("logs/", f"{trail}0"),
            (f"{trail}/", None),
            (f"{regions}/", None),
            (f"{regions}-NetworkActivity/", None),
            (f"{regions}/eu-central-1/", f"{regions}/eu-central-1/2026/03/01/"),
        ],
        key=str,
    )


def test_a_folder_of_another_layout_is_read_like_a_local_one(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for key in ("export/a.json.gz", "export/more/b.json", "export/more/still/c.jsonl", "export/readme.txt"):
        content = log(record(time="10:00"))
        bucket.put(key, content if key.endswith("gz") else gzip.decompress(content))
    bucket.put("export/notes.txt", b"not a log")
    answer = summary(capfd, f"s3://{bucket.name}/export")
    assert (answer["files"], answer["calls"]) == (4, 4)
    assert answer["left_out"] == [{"ending": ".txt", "reason": "no CloudTrail records", "files": 1}]


def test_one_object(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for key in ("export/of-an-odd-name", log_key("2026-03-01")):
        bucket.put(key, log(record(time="10:00")))
        assert summary(capfd, f"s3://{bucket.name}/{key}")["files"] == 1


@pytest.mark.parametrize(
    ("below", "folders"), [("", ""), ("access/", ""), ("access/", f"{ACCOUNT}/eu-west-1/figures/%s/")]
)
def test_access_logs_of_other_days_are_neither_listed_nor_downloaded(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str], below: str, folders: str
) -> None:
    line = (
        f"79a59d figures [01/Mar/2026:09:00:00 +0000] 10.0.0.7 arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model {{}} "
        'REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 10 10 5 4 "-" "Boto3" -\n'
    )
    for day in range(1, 29):
        for number in range(2):
            where = below + (folders % f"2026/03/{day:02}" if folders else "")
            bucket.put(f"{where}2026-03-{day:02}-10-00-00-{number:016X}", line.format(f"R{day}-{number}").encode())
    for key in (f"{below}0-before/log.json.gz", f"{below}zz/log.json.gz"):
        bucket.put(key, log(record(time="2026-03-10T10:00:00Z")))
    asked = [f"s3://{bucket.name}/{below}", "--since", "2026-03-10", "--until", "2026-03-11", "--delivered-within", "1"]
    assert summary(capfd, *asked)["files"] == 8
    assert len(downloaded(requests)) == 8
    # The folder, behind the first days, and behind the last.
    assert len(listed(requests)) <= (7 if folders else 5)


def test_listings_of_more_than_a_page(bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]) -> None:
    def of_a_page(params: dict[str, Any], **event: Any) -> dict[str, Any]:
        return {"MaxKeys": PAGE, **params}

    command_client().meta.events.register("provide-client-params.s3.ListObjectsV2", of_a_page)
    a_month = PAGE * 34 // 100
    for key in [log_key(f"2026-{month:02}-01") for month in (1, 2, 3) for _ in range(a_month)]:
        bucket.put(key, log(record(time="10:00")))
    region = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1"
    source = f"s3://{bucket.name}/{region}/"
    assert summary(capfd, source)["files"] == a_month * 3
    assert len(listed(requests)) == 2
    del requests[:]
    assert summary(capfd, source, "--since", "2026-03-01")["files"] == a_month
    assert listed(requests) == [(f"{region}/", f"{region}/2026/03/01/")]
    del requests[:]
    # No second page where all of the days lie on the first.
    assert summary(capfd, source, "--until", "2026-01-31")["files"] == a_month * 2
    assert len(listed(requests)) == 1
