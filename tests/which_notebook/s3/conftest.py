"""A bucket in the emulated account, and the command that reads it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from emulator.server import Emulator
from history_and_s3 import use
from log_files import log, log_key
from records import ACCOUNT, ROLE, record, session

from which_notebook import aws, cli
from which_notebook.aws import forget_clients
from which_notebook.limits import LIMITS, Limits
from which_notebook.sources import s3_object


@dataclass
class Bucket:
    """A bucket of a test's own."""

    s3: Any
    name: str = field(default_factory=lambda: f"logs-{uuid.uuid4().hex[:12]}")

    def put(self, key: str, content: bytes, **more: str) -> str:
        """Put an object; return its key."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=content, **more)
        return key

    def put_call(self, day: str, *, account: str = ACCOUNT, region: str = "eu-central-1", below: str = "") -> str:
        """Put a log file with one call."""
        made = record(session(account=account), time=f"{day}T10:00:00Z", awsRegion=region, recipientAccountId=account)
        return self.put(log_key(day, account=account, region=region, below=below), log(made))


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
    """Return the client that the command uses."""
    return aws.client("s3", connections=s3_object.AT_ONCE)


def listed(requests: Requests) -> list[tuple[str, str | None]]:
    """Return each listing's prefix, and what it starts after."""
    return [(asked["Prefix"], asked.get("StartAfter")) for name, asked in requests if name == "ListObjectsV2"]


def downloaded(requests: Requests) -> list[str]:
    """Return the keys of what was downloaded."""
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
    """Return why what was skipped was, by the file's name."""
    return {each["file"].rpartition("/")[2]: each["reason"] for each in answer["skipped"]}
