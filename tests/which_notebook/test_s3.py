"""s3:// sources, against LocalStack's S3: what is listed, what is downloaded, and what is said when something fails."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import s3_logs
from botocore.exceptions import ClientError, ResponseStreamingError
from emulator.server import Emulator
from history_and_s3 import forget_clients, use
from s3_logs import ROLE, log, opening, record

from which_notebook import aws, cli
from which_notebook.calls.scope import Scope
from which_notebook.errors import MissingPackageError
from which_notebook.limits import LIMITS, Limits
from which_notebook.sources import s3, s3_object
from which_notebook.sources.coverage import Coverage
from which_notebook.sources.source import LogFile

OTHER = "444455556666"


@dataclass
class Bucket:
    """A bucket of a test's own."""

    s3: Any
    name: str = field(default_factory=lambda: f"logs-{uuid.uuid4().hex[:12]}")

    def put(self, key: str, content: bytes, **more: str) -> str:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content, **more)
        return key

    def put_call(self, day: str, **where: Any) -> str:
        """Put a log file with one call."""
        told = {name: value for name, value in where.items() if name in ("account", "region")}
        return self.put(s3_logs.key(day, **where), log(record(f"{day}T10:00:00Z", **told)))


@pytest.fixture
def bucket(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """A bucket in the emulated account, which the command finds in its environment."""
    made = Bucket(emulator.client("s3"))
    made.s3.create_bucket(Bucket=made.name)
    use(emulator, monkeypatch, tmp_path)
    yield made
    forget_clients()


Requests = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def requests(bucket: Bucket) -> Requests:
    """The requests to S3 that this process makes: the operation, and what is asked."""
    made: Requests = []

    def note(params: dict[str, Any], model: Any, **event: Any) -> None:
        made.append((model.name, dict(params)))

    command_client().meta.events.register("provide-client-params.s3", note)
    return made


def command_client() -> Any:
    return aws.client("s3", connections=s3_object.AT_ONCE)


def listed(requests: Requests) -> list[tuple[str, str | None]]:
    return [(asked["Prefix"], asked.get("StartAfter")) for name, asked in requests if name == "ListObjectsV2"]


def downloaded(requests: Requests) -> list[str]:
    return sorted(asked["Key"] for name, asked in requests if name == "GetObject")


def summary(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0, limits: Limits = LIMITS) -> Any:
    """Run the command in this process; return what `summary` says as JSON."""
    given = ["summary", *arguments, "--role", ROLE, "--format", "json", "--jobs", "1"]
    given_status = cli.main(given, limits=limits)
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    answer = json.loads(said.out)
    assert given_status == status or (given_status == 4 and not answer["calls"])  # 4: no call of the role
    return answer


def reasons(answer: Any) -> dict[str, str]:
    return {each["file"].rpartition("/")[2]: each["reason"] for each in answer["skipped"]}


# What is listed


@pytest.fixture
def trails(bucket: Bucket) -> Bucket:
    """Two accounts, two regions, three days; and what else CloudTrail and others put beside them."""
    for account in (s3_logs.ACCOUNT, OTHER):
        for region in ("eu-central-1", "us-east-1"):
            for day in ("2026-02-27", "2026-02-28", "2026-03-01"):
                bucket.put_call(day, account=account, region=region)
    own = f"AWSLogs/{s3_logs.ACCOUNT}"
    for kind in ("CloudTrail-Digest", "CloudTrail-Insight", "Config"):
        bucket.put(f"{own}/{kind}/eu-central-1/2026/03/01/{kind}.json.gz", log(record("2026-03-01T10:00:00Z")))
    bucket.put("access-logs/2026-03-01.json", b"no log of CloudTrail's")
    return bucket


def test_what_folders_above_the_source_are_called_tells_nothing(
    bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    bucket.put("CloudTrail-Digest/copies/log.json.gz", log(record("2026-03-01T10:00:00Z")))
    bucket.put("CloudTrail-Digest/copies/CloudTrail-Insight/log.json.gz", log(record("2026-03-01T10:00:00Z")))
    for folder in ("/CloudTrail-Digest", "/CloudTrail-Digest/copies/"):
        assert summary(capfd, f"s3://{bucket.name}{folder}")["calls"] == 1


@pytest.mark.parametrize(
    ("folder", "calls"),
    [
        ("", 12),
        ("/", 12),
        ("/AWSLogs", 12),
        ("/AWSLogs/", 12),
        (f"/AWSLogs/{OTHER}", 6),
        (f"/AWSLogs/{OTHER}/CloudTrail/", 6),
        (f"/AWSLogs/{OTHER}/CloudTrail/us-east-1", 3),
        (f"/AWSLogs/{OTHER}/CloudTrail/us-east-1/2026", 3),
        (f"/AWSLogs/{OTHER}/CloudTrail/us-east-1/2026/02/", 2),
        (f"/AWSLogs/{OTHER}/CloudTrail/us-east-1/2026/02/28", 1),
    ],
)
def test_a_source_may_be_any_folder(trails: Bucket, capfd: pytest.CaptureFixture[str], folder: str, calls: int) -> None:
    answer = summary(capfd, f"s3://{trails.name}{folder}")
    assert (answer["calls"], answer["files"], answer["skipped"]) == (calls, calls, [])


_REGIONS = f"AWSLogs/{OTHER}/CloudTrail"


@pytest.mark.parametrize(
    ("folder", "filters", "asked"),
    [
        (
            "",
            ["--since", "2026-02-28", "--account", OTHER],
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
            ["--region", "eu-central-1", "--account", OTHER],
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
    call = record("2026-03-01T10:00:00Z", requestID="R1", eventCategory="Management")
    other = record("2026-03-01T10:00:00Z", requestID="R1", eventCategory="NetworkActivity")
    refused = record(
        "2026-03-01T10:01:00Z", requestID="R2", eventCategory="NetworkActivity", errorCode="VpceAccessDenied"
    )
    key = s3_logs.key("2026-03-01")
    bucket.put(key, log(call))
    bucket.put(key.replace("CloudTrail", "CloudTrail-NetworkActivity"), log(other, refused))
    for folder in ("", "/AWSLogs", f"/AWSLogs/{s3_logs.ACCOUNT}/"):
        for filters in ([], ["--region", "eu-central-1", "--since", "2026-03-01"]):
            answer = summary(capfd, f"s3://{bucket.name}{folder}", *filters)
            assert (answer["calls"], answer["files"], answer["notebooks"][0]["errors"]) == (2, 2, 1)
    only = summary(capfd, f"s3://{bucket.name}/AWSLogs/{s3_logs.ACCOUNT}/CloudTrail-NetworkActivity/")
    assert (only["calls"], only["files"]) == (2, 1)


def test_nothing_is_listed_of_an_account_that_is_not_asked_for(
    trails: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = summary(capfd, f"s3://{trails.name}/AWSLogs/{OTHER}", "--account", s3_logs.ACCOUNT)
    assert (answer["calls"], answer["skipped"]) == (0, [])
    # But whether there is such a folder at all.
    assert listed(requests) == [(f"AWSLogs/{OTHER}", None)]


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
        for account in (s3_logs.ACCOUNT, OTHER):
            bucket.put_call("2026-03-01", below=below, account=account)
    source = f"s3://{bucket.name}"
    assert summary(capfd, source)["files"] == 8
    assert summary(capfd, source, "--account", OTHER)["files"] == 4
    assert summary(capfd, f"{source}/AWSLogs/o-exampleorg1/")["files"] == 2
    assert summary(capfd, f"{source}/central")["files"] == 4
    assert summary(capfd, f"{source}/central", "--until", "2026-02-20")["files"] == 0


def test_a_trail_deep_in_other_folders_is_pruned_as_well(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    bucket.put("logs/cloudtrail/A-first.json.gz", log(record("2026-03-02T10:00:00Z")))
    for day in ("2026-01-01", "2026-02-01", "2026-03-01"):
        bucket.put_call(day, below="logs/cloudtrail/")
    bucket.put("logs/cloudtrail/later.json.gz", log(record("2026-03-02T10:00:00Z")))
    answer = summary(capfd, f"s3://{bucket.name}", "--since", "2026-03-01")
    assert (answer["calls"], answer["files"]) == (3, 3)
    trail = "logs/cloudtrail/AWSLogs"
    regions = f"{trail}/{s3_logs.ACCOUNT}/CloudTrail"
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
        content = log(record("2026-03-01T10:00:00Z"))
        bucket.put(key, content if key.endswith("gz") else gzip.decompress(content))
    bucket.put("export/notes.txt", b"not a log")
    answer = summary(capfd, f"s3://{bucket.name}/export")
    assert (answer["files"], answer["calls"]) == (4, 4)
    assert answer["left_out"] == [{"ending": ".txt", "reason": "no CloudTrail records", "files": 1}]


def test_one_object(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for key in ("export/of-an-odd-name", s3_logs.key("2026-03-01")):
        bucket.put(key, log(record("2026-03-01T10:00:00Z")))
        assert summary(capfd, f"s3://{bucket.name}/{key}")["files"] == 1


@pytest.mark.parametrize(
    ("below", "folders"), [("", ""), ("access/", ""), ("access/", f"{s3_logs.ACCOUNT}/eu-west-1/figures/%s/")]
)
def test_access_logs_of_other_days_are_neither_listed_nor_downloaded(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str], below: str, folders: str
) -> None:
    line = (
        "79a59d figures [01/Mar/2026:09:00:00 +0000] 10.0.0.7 arn:aws:sts::111122223333:assumed-role/data-science/fraud-model {} "
        'REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 10 10 5 4 "-" "Boto3" -\n'
    )
    for day in range(1, 29):
        for number in range(2):
            where = below + (folders % f"2026/03/{day:02}" if folders else "")
            bucket.put(f"{where}2026-03-{day:02}-10-00-00-{number:016X}", line.format(f"R{day}-{number}").encode())
    for key in (f"{below}0-before/log.json.gz", f"{below}zz/log.json.gz"):
        bucket.put(key, log(record("2026-03-10T10:00:00Z")))
    asked = [f"s3://{bucket.name}/{below}", "--since", "2026-03-10", "--until", "2026-03-11", "--delivered-within", "1"]
    assert summary(capfd, *asked)["files"] == 8
    assert len(downloaded(requests)) == 8
    # The folder, behind the first days, and behind the last.
    assert len(listed(requests)) <= (7 if folders else 5)


def test_listings_of_more_than_a_page(bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]) -> None:
    keys = [s3_logs.key(f"2026-{month:02}-01") for month in (1, 2, 3) for _ in range(400)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bucket.put, keys, [log(record("2026-03-01T10:00:00Z"))] * len(keys)))
    region = f"AWSLogs/{s3_logs.ACCOUNT}/CloudTrail/eu-central-1"
    source = f"s3://{bucket.name}/{region}/"
    assert summary(capfd, source)["files"] == 1200
    assert len(listed(requests)) == 2
    del requests[:]
    assert summary(capfd, source, "--since", "2026-03-01")["files"] == 400
    assert listed(requests) == [(f"{region}/", f"{region}/2026/03/01/")]
    del requests[:]
    # No second page where all of the days lie on the first.
    assert summary(capfd, source, "--until", "2026-01-31")["files"] == 800
    assert len(listed(requests)) == 1


# What is read


def test_objects_that_did_not_change_are_not_downloaded_again(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = bucket.put_call("2026-03-01"), bucket.put_call("2026-03-02")
    source = f"s3://{bucket.name}"
    for _ in range(2):
        assert summary(capfd, source)["calls"] == 2
        assert downloaded(requests) == [first, second]
    bucket.put(second, log(record("2026-03-02T10:00:00Z"), record("2026-03-02T11:00:00Z")))
    assert summary(capfd, source)["calls"] == 3
    assert downloaded(requests) == [first, second, second]


def test_bad_objects_hide_no_good_ones(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for day in ("2026-03-01", "2026-03-03"):
        bucket.put_call(day)
    folder = f"AWSLogs/{s3_logs.ACCOUNT}/CloudTrail/eu-central-1/2026/03/02"
    good = log(record("2026-03-02T10:00:00Z"))
    bucket.put(f"{folder}/empty.json.gz", b"")
    bucket.put(f"{folder}/text.json.gz", b"not what it says")
    bucket.put(f"{folder}/truncated.json.gz", good[:-20])
    bucket.put(f"{folder}/archived.json.gz", good, StorageClass="GLACIER")
    gone = bucket.put(f"{folder}/gone.json.gz", good)
    region = f"s3://{bucket.name}/AWSLogs/{s3_logs.ACCOUNT}/CloudTrail/eu-central-1/"

    def delete(**event: Any) -> None:
        bucket.s3.delete_object(Bucket=bucket.name, Key=gone)

    command_client().meta.events.register("after-call.s3.ListObjectsV2", delete)
    answer = summary(capfd, region, status=1)
    assert answer["calls"] == 2
    said = reasons(answer)
    assert said.keys() == {"empty.json.gz", "text.json.gz", "truncated.json.gz", "archived.json.gz", "gone.json.gz"}
    assert said["gone.json.gz"] == "there is no such object (it may have been deleted meanwhile)"
    assert said["archived.json.gz"] == "the object is archived (GLACIER): restore it first"


def test_files_and_objects_in_one_question(bucket: Bucket, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bucket.put_call("2026-03-01")
    path = tmp_path / "local.json.gz"
    path.write_bytes(log(record("2026-03-02T10:00:00Z")))
    for sources in ([f"s3://{bucket.name}", str(path)], [str(path), f"s3://{bucket.name}"]):
        answer = summary(capfd, *sources, "--no-cache")
        assert (answer["calls"], answer["skipped"]) == (2, [])


def test_following_sessions(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    bucket.put(
        s3_logs.key("2026-03-01"),
        log(opening("2026-03-01T10:00:00Z", "fraud-model", key="ASIAA", opened="ASIAB", role="etl", name="job")),
    )
    bucket.put(s3_logs.key("2026-03-02"), log(record("2026-03-02T10:00:00Z", "job", role="etl", key="ASIAB")))
    assert summary(capfd, f"s3://{bucket.name}")["calls"] == 1
    (notebook,) = summary(capfd, f"s3://{bucket.name}", "--follow")["notebooks"]
    assert (notebook["notebook"], notebook["calls"], notebook["chained"]) == ("fraud-model", 2, 1)


def test_a_large_object_that_has_to_be_parsed(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    spaced = json.dumps({"Records": [record("2026-03-01T10:00:00Z"), record("2026-03-01T11:00:00Z")]}, indent=1)
    bucket.put(s3_logs.key("2026-03-01"), gzip.compress(spaced.encode()))
    assert summary(capfd, f"s3://{bucket.name}", limits=Limits(ahead_bytes=10))["calls"] == 2


def test_several_processes_read_large_objects(bucket: Bucket) -> None:
    chance = random.Random(1)  # noqa: S311 - sizes, no secret
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        others = [record(f"{day}T10:00:00Z", role="other", noise=chance.randbytes(1000).hex()) for _ in range(4500)]
        content = log(*others, record(f"{day}T11:00:00Z"))
        assert len(content) > LIMITS.ahead_bytes
        bucket.put(s3_logs.key(day), content)
    ran = subprocess.run(
        [sys.executable, "-m", "which_notebook", "summary", f"s3://{bucket.name}", "--role", ROLE, "--jobs", "2", "--format", "json"],
        capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    answer = json.loads(ran.stdout)
    assert (answer["calls"], answer["files"]) == (3, 3)


@pytest.mark.parametrize(("size", "files", "most_held"), [(1024 * 1024, 100, 8), (100, 500, 32)])
def test_what_is_downloaded_ahead_is_bounded(size: int, files: int, most_held: int) -> None:
    lock = threading.Lock()
    held = most = 0

    class Content(io.BytesIO):
        def close(self) -> None:
            nonlocal held
            with lock:
                held -= not self.closed
            super().close()

    def download(name: str) -> BinaryIO:
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        return Content(name.encode())

    asked = [LogFile(s3.KIND, f"s3://bucket/{number}", size) for number in range(files)]
    given = []
    for file, content in s3.opened_objects(asked, LIMITS.ahead_bytes, download):
        assert not isinstance(content, OSError)
        with content:
            assert content.read() == file.name.encode()
        given.append(file)
    assert given == asked
    assert 2 < most <= most_held


class Flaky:
    """An S3 that breaks off each answer after so many bytes."""

    def __init__(self, content: bytes, after: int) -> None:
        self.content, self.after = content, after
        self.asked: list[dict[str, str]] = []

    def get_object(self, *, Bucket: str, Key: str, **more: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.asked.append(more)
        start = int(more.get("Range", "bytes=0-")[6:-1])
        return {"ETag": '"one"', "Body": FlakyBody(self.content[start:], self.after)}


class FlakyBody(io.BytesIO):
    def __init__(self, content: bytes, after: int) -> None:
        super().__init__(content)
        self.after = after

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self.after:
            raise ResponseStreamingError(error="connection broken")
        return super().read(min(size or 0, self.after - self.tell()))


def test_reading_goes_on_where_a_connection_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Flaky(b"0123456789" * 10, after=30)
    monkeypatch.setattr(aws, "client", lambda *given, **more: service)
    reader = s3_object.ObjectReader("s3://bucket/some/key")
    assert b"".join(iter(lambda: reader.read(7) or b"", b"")) == service.content
    assert service.asked == [{}, *({"Range": f"bytes={at}-", "IfMatch": '"one"'} for at in (30, 60, 90))]


def test_an_object_can_be_read_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Flaky(b"0123456789" * 10, after=1000)
    monkeypatch.setattr(aws, "client", lambda *given, **more: service)
    reader = s3_object.ObjectReader("s3://bucket/some/key")
    assert reader.seekable()
    for _ in range(2):
        assert reader.tell() == 0
        assert reader.read(50) == service.content[:50]
        reader.seek(0)
    assert service.asked == [{}] * 3


def test_a_connection_that_breaks_off_again_and_again_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Flaky(b"0123456789" * 10, after=10)
    monkeypatch.setattr(aws, "client", lambda *given, **more: service)
    reader = s3_object.ObjectReader("s3://bucket/some/key")
    with pytest.raises(OSError, match="connection broken"):
        list(iter(lambda: reader.read(7), b""))


# What is said when something fails


def test_no_such_bucket_or_folder(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    source = f"s3://{bucket.name}"
    assert summary(capfd, source, status=1)["skipped"] == [{"file": source, "reason": "the bucket is empty"}]
    bucket.put("export/readme.txt", b"")
    for name, reason in (
        (f"{source}/exports", "nothing in the bucket has that name"),
        (f"{source}/export", "no log files in this folder"),
        ("s3://no-bucket-of-this-name", "there is no such bucket"),
        ("s3://No_Bucket*", "nvalid bucket name"),
    ):
        (skipped,) = summary(capfd, name, status=1)["skipped"]
        assert reason in skipped["reason"]


def test_what_a_session_may_not_do_is_named(
    emulator: Emulator,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    bucket.put_call("2026-03-01")
    iam, sts = emulator.client("iam"), emulator.client("sts")
    name = f"reader-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="auditor")["Credentials"]
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    (skipped,) = summary(capfd, f"s3://{bucket.name}", status=1)["skipped"]
    assert skipped["reason"].startswith("access denied: s3:ListBucket is missing")
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="list", PolicyDocument=policy)
    (skipped,) = summary(capfd, f"s3://{bucket.name}", status=1)["skipped"]
    assert skipped["reason"].startswith("access denied: s3:GetObject is missing")
    assert skipped["file"].startswith(f"s3://{bucket.name}/AWSLogs/")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials: set AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "could not connect to the endpoint URL"),
        ({"AWS_PROFILE": "of-nobody"}, "the config profile (of-nobody) could not be found"),
    ],
)
def test_a_client_that_cannot_work(
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variables: dict[str, str | None],
    reason: str,
) -> None:
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    forget_clients()
    (skipped,) = summary(capfd, f"s3://{bucket.name}", status=1)["skipped"]
    assert skipped["reason"].startswith(reason)


_NO_KEY = "User: x is not authorized to perform: kms:Decrypt on the resource y"


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("AccessDenied", "Access Denied", "access denied: s3:GetObject is missing"),
        ("AccessDenied", _NO_KEY, f"access denied: s3:GetObject is missing ({_NO_KEY})"),
        ("ExpiredToken", "…", "the AWS credentials have expired: sign in again"),
        ("PermanentRedirect", "…", "the bucket is in another region (eu-west-1)"),
        ("SlowDown", "Please reduce your rate.", "SlowDown: Please reduce your rate."),
    ],
)
def test_errors_in_words(code: str, message: str, reason: str) -> None:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}},
    }
    with pytest.raises(OSError, match=re.escape(reason)) as raised, aws.named_errors("s3:GetObject"):
        raise ClientError(response, "GetObject")
    assert raised.value.strerror == reason


def test_without_boto3(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    forget_clients()
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert cli.main(["summary", "s3://some-bucket", "--role", ROLE]) == 2
    assert "pip install boto3" in capfd.readouterr().err
    with pytest.raises(MissingPackageError):
        list(s3.Bucket("s3://some-bucket").files(Scope(), Coverage()))
