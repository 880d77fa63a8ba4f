"""s3:// sources, against LocalStack's S3: what is read, and how."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from botocore.exceptions import ResponseStreamingError
from log_files import log, log_key
from records import ACCOUNT, ROLE, opening, others, record, session

from which_notebook import aws, cli
from which_notebook.limits import LIMITS, Limits
from which_notebook.sources import s3, s3_object
from which_notebook.sources.source import LogFile

from .conftest import Bucket, Requests, command_client, downloaded, reasons, summary


def test_objects_that_did_not_change_are_not_downloaded_again(
    bucket: Bucket, requests: Requests, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = bucket.put_call("2026-03-01"), bucket.put_call("2026-03-02")
    source = f"s3://{bucket.name}"
    for _ in range(2):
        assert summary(capfd, source)["calls"] == 2
        assert downloaded(requests) == [first, second]
    bucket.put(second, log(record(time="2026-03-02T10:00:00Z"), record(time="2026-03-02T11:00:00Z")))
    assert summary(capfd, source)["calls"] == 3
    assert downloaded(requests) == [first, second, second]


def test_bad_objects_hide_no_good_ones(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    for day in ("2026-03-01", "2026-03-03"):
        bucket.put_call(day)
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/2026/03/02"
    good = log(record(time="2026-03-02T10:00:00Z"))
    bucket.put(f"{folder}/empty.json.gz", b"")
    bucket.put(f"{folder}/text.json.gz", b"not what it says")
    bucket.put(f"{folder}/truncated.json.gz", good[:-20])
    bucket.put(f"{folder}/archived.json.gz", good, StorageClass="GLACIER")
    gone = bucket.put(f"{folder}/gone.json.gz", good)
    region = f"s3://{bucket.name}/AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/"

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
    path.write_bytes(log(record(time="2026-03-02T10:00:00Z")))
    for sources in ([f"s3://{bucket.name}", str(path)], [str(path), f"s3://{bucket.name}"]):
        answer = summary(capfd, *sources, "--no-cache")
        assert (answer["calls"], answer["skipped"]) == (2, [])


def test_following_sessions(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    bucket.put(
        log_key("2026-03-01"),
        log(opening(session(key="ASIAA"), "job", role="etl", key="ASIAB", time="10:00")),
    )
    bucket.put(log_key("2026-03-02"), log(record(session("job", role="etl", key="ASIAB"), time="2026-03-02T10:00:00Z")))
    assert summary(capfd, f"s3://{bucket.name}")["calls"] == 1
    (notebook,) = summary(capfd, f"s3://{bucket.name}", "--follow")["notebooks"]
    assert (notebook["notebook"], notebook["calls"], notebook["chained"]) == ("fraud-model", 2, 1)


def test_a_large_object_that_has_to_be_parsed(bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    spaced = json.dumps({"Records": [record(time="10:00"), record(time="11:00")]}, indent=1)
    bucket.put(log_key("2026-03-01"), gzip.compress(spaced.encode()))
    assert summary(capfd, f"s3://{bucket.name}", limits=Limits(ahead_bytes=10))["calls"] == 2


def test_several_processes_read_large_objects(bucket: Bucket) -> None:
    chance = random.Random(1)  # noqa: S311 - sizes, no secret
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        strangers = [others(time=f"{day}T10:00:00Z", noise=chance.randbytes(1000).hex()) for _ in range(4500)]
        content = log(*strangers, record(time=f"{day}T11:00:00Z"))
        assert len(content) > LIMITS.ahead_bytes
        bucket.put(log_key(day), content)
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
