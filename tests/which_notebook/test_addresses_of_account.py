"""`audit --with-addresses`, and --addresses: the account's own word on whose private address was whose, and since when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from base_sessions import call
from botocore.exceptions import ClientError
from log_files import write
from moto import mock_aws
from records import ACCOUNT, ROLE, handshake

from which_notebook.audit.account import Account, Instance, permissions_policy
from which_notebook.audit.addresses import read_addresses
from which_notebook.audit.output import AuditAnswer
from which_notebook.aws import forget_clients

REGION = "eu-central-1"
CREATED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {"ACCESS_KEY_ID": "t", "SECRET_ACCESS_KEY": "t", "DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    forget_clients()
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)
    forget_clients()


def instance(name: str, interface: str | None) -> Instance:
    return Instance(
        name=name, region=REGION, account_id=ACCOUNT, status="InService", role_arn="", lifecycle_name=None, root_access=None,
        metadata_version=None, platform=None, failure=None, modified=None, created=CREATED, network_interface_id=interface,
    )  # fmt: skip


def test_the_audit_reads_the_addresses_of_those_in_a_vpc(ec2: Any) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"] for _ in range(2)]
    found = read_addresses(
        Account(
            [instance("fraud-model", made[0]["NetworkInterfaceId"]), instance("gone", "eni-0"), instance("out", None)]
        )
    )
    assert found["addresses"] == [
        {
            "notebook": "fraud-model",
            "account_id": ACCOUNT,
            "region": REGION,
            "address": made[0]["PrivateIpAddress"],
            "since": "2026-03-01T09:00:00Z",
        }
    ]
    assert abs(datetime.fromisoformat(found["read_at"]) - datetime.now(UTC)).total_seconds() < 60


def test_the_command_puts_them_out_beside_the_rows(ask: Any, ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    account = Account([instance("fraud-model", made["NetworkInterfaceId"])])
    monkeypatch.setattr("which_notebook.audit.account.read_account", lambda regions, names: account)
    found = ask("audit", "--with-addresses", "--format", "json").json
    assert [row["notebook"] for row in found["instances"]] == ["fraud-model"]
    assert [each["address"] for each in found["addresses"]] == [made["PrivateIpAddress"]]
    assert not {"addresses", "read_at"} & ask("audit", "--format", "json").json.keys()


def test_what_may_not_be_read_is_named_with_the_permission(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, **_: Any) -> Iterator[Any]:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeNetworkInterfaces")

    monkeypatch.setattr("botocore.paginate.Paginator.paginate", refuse)
    account = Account([instance("fraud-model", "eni-1")])
    assert read_addresses(account)["addresses"] == []
    (unread,) = account.unread
    assert unread.permission == "ec2:DescribeNetworkInterfaces"
    assert unread.permission in permissions_policy(with_addresses=True)["Statement"][0]["Action"]
    assert unread.permission not in permissions_policy()["Statement"][0]["Action"]


def addresses(folder: Path, *, since: str = "2026-03-01T09:00:00Z", read_at: str = "2026-03-02T00:00:00Z") -> Path:
    of = {"notebook": "fraud-model", "account_id": ACCOUNT, "region": REGION, "address": "10.9.0.10", "since": since}
    path = folder / "account.json"
    plain = AuditAnswer([], [], addresses={"read_at": read_at, "addresses": [of]}).plain()
    path.write_text(json.dumps(plain))
    return path


@pytest.mark.parametrize(
    ("time", "address", "found"),
    [
        ("2026-03-01T09:00:00Z", "10.9.0.10", "fraud-model"),
        ("2026-03-01T23:59:59Z", "10.9.0.10", "fraud-model"),
        ("2026-03-01T08:59:59Z", "10.9.0.10", None),
        ("2026-03-02T00:00:01Z", "10.9.0.10", None),
        ("2026-03-01T10:00:00Z", "10.9.0.11", None),
    ],
)
@pytest.mark.parametrize("command", ["calls", "event"])
def test_an_address_is_its_notebooks_from_when_it_was_created_until_it_was_read(
    ask: Any, tmp_path: Path, time: str, address: str, found: str | None, command: str
) -> None:
    log = write(tmp_path / "log.json", call("K1", time=time, sourceIPAddress=address, eventID="it"))
    asked = ["calls", log] if command == "calls" else ["event", "it", log]
    answer = ask(*asked, "--role", ROLE, "--likely", "--addresses", addresses(tmp_path))
    assert json.loads(answer.out)["likely_notebook"] == found


def test_it_speaks_against_another_name(ask: Any, tmp_path: Path) -> None:
    log = write(tmp_path / "log.json", call("K1", sourceIPAddress="10.9.0.10"), handshake("churn-model", base_key="K1"))
    found = ask("summary", log, "--role", ROLE, "--likely", "--addresses", addresses(tmp_path)).json
    assert [row["notebooks"] for row in found["disputed"]] == [["churn-model", "fraud-model"]]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"instances": []}', b'{"read_at": "x", "addresses": []}', b'{"read_at": "now", "addresses": [{}]}', b"\xff" * 9]
)  # fmt: skip
def test_a_file_without_addresses_is_refused_in_a_line(ask: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    answer = ask(
        "calls", write(tmp_path / "log.json", call("K1")), "--role", ROLE, "--likely", "--addresses", tmp_path / "x"
    )
    assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "audit --with-addresses --format json" in answer.err


def test_it_is_for_likely_only_and_the_audit_for_json_only(ask: Any, tmp_path: Path) -> None:
    log = write(tmp_path / "log.json", call("K1"))
    assert "--addresses is for --likely" in ask("calls", log, "--role", ROLE, "--addresses", addresses(tmp_path)).err
    assert "no-such" in ask("calls", log, "--role", ROLE, "--likely", "--addresses", tmp_path / "no-such").err
    assert "--with-addresses is for --format json" in ask("audit", "--with-addresses", "--format", "csv").err
