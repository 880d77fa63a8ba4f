"""s3:// sources, against LocalStack's S3: what is said when something fails."""

from __future__ import annotations

import re
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from history_and_s3 import CANNOT_WORK, change, use
from policy_documents import policy_document
from records import ROLE

from which_notebook import aws, cli
from which_notebook.aws import forget_clients
from which_notebook.calls.scope import Scope
from which_notebook.errors import MissingPackageError
from which_notebook.limits import LIMITS
from which_notebook.sources import s3
from which_notebook.sources.coverage import Coverage

from .conftest import Bucket, summary


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
    policy = policy_document(trust)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="auditor")["Credentials"]
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    (skipped,) = summary(capfd, f"s3://{bucket.name}", status=1)["skipped"]
    assert skipped["reason"].startswith("access denied: s3:ListBucket is missing")
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    policy = policy_document(allow)
    iam.put_role_policy(RoleName=name, PolicyName="list", PolicyDocument=policy)
    (skipped,) = summary(capfd, f"s3://{bucket.name}", status=1)["skipped"]
    assert skipped["reason"].startswith("access denied: s3:GetObject is missing")
    assert skipped["file"].startswith(f"s3://{bucket.name}/AWSLogs/")


@pytest.mark.parametrize(("variables", "reason"), CANNOT_WORK)
def test_a_client_that_cannot_work(
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variables: dict[str, str | None],
    reason: str,
) -> None:
    change(monkeypatch, variables)
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
        list(s3.Bucket("s3://some-bucket", LIMITS).files(Scope(), Coverage()))
