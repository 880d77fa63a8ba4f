"""The emulated metadata service answers as EC2's does: tokens, refusals, lists."""

import asyncio
import json
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from emulator.metadata_service import BaseSession, MetadataService, Request, Response, tree
from emulator.network import addresses_of

TTL = "x-aws-ec2-metadata-token-ttl-seconds"
ROLE = "BaseNotebookInstanceEc2InstanceRole"


def service(*, token_required: bool = True) -> MetadataService:
    settings = {
        "region": "eu-west-1",
        "arn": "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/my-notebook",
    }
    addresses = addresses_of("111122223333", "eu-west-1", "my-notebook")
    return MetadataService(
        tree(settings, addresses, BaseSession("http://127.0.0.1:1/", Path("nowhere"))), token_required=token_required
    )


def ask(asked: MetadataService, path: str, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(asked.answer(Request(method, path, named)))


def token(asked: MetadataService, lifetime: str = "60") -> Response:
    return ask(asked, "/latest/api/token", "PUT", **{TTL: lifetime})


@pytest.mark.parametrize(
    ("lifetime", "status"),
    [("1", 200), ("21600", 200), ("0", 400), ("21601", 400), ("-1", 400), ("1.5", 400), ("", 400), ("an hour", 400)],
)
def test_a_token_lasts_from_a_second_to_six_hours(lifetime: str, status: int) -> None:
    assert token(service(), lifetime).status == status


def test_a_token_without_a_lifetime_is_refused() -> None:
    assert ask(service(), "/latest/api/token", "PUT").status == HTTPStatus.BAD_REQUEST


def test_a_token_isnt_given_through_a_proxy_or_elsewhere() -> None:
    forwarded = ask(service(), "/latest/api/token", "PUT", **{TTL: "60", "x-forwarded-for": "10.0.0.1"})
    assert forwarded.status == HTTPStatus.FORBIDDEN
    assert ask(service(), "/2021-03-23/api/token", "PUT", **{TTL: "60"}).status == HTTPStatus.FORBIDDEN


def test_a_token_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = service()
    given = token(asked, "60").body
    assert ask(asked, "/latest/meta-data/", x_aws_ec2_metadata_token=given).status == HTTPStatus.OK
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now + 61)
    assert ask(asked, "/latest/meta-data/", x_aws_ec2_metadata_token=given).status == HTTPStatus.UNAUTHORIZED


def test_a_token_is_needed_only_where_version_2_is_required() -> None:
    assert ask(service(token_required=True), "/latest/meta-data/").status == HTTPStatus.UNAUTHORIZED
    assert ask(service(token_required=False), "/latest/meta-data/").status == HTTPStatus.OK


def test_a_wrong_token_is_refused_in_any_case() -> None:
    for required in (True, False):
        answer = ask(service(token_required=required), "/latest/meta-data/", x_aws_ec2_metadata_token="made-up")
        assert answer.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest", "dynamic\nmeta-data"),
        ("/latest/", "dynamic\nmeta-data"),
        ("/latest/meta-data/iam/", "info\nsecurity-credentials/"),
        ("/latest/meta-data/iam/security-credentials", ROLE),
        ("/latest/meta-data/iam/security-credentials/", ROLE),
        ("/2021-03-23/meta-data/placement/region", "eu-west-1"),
        ("/latest/meta-data/placement/availability-zone", "eu-west-1a"),
        ("/latest/meta-data/identity-credentials/ec2/security-credentials/", "ec2-instance"),
    ],
)
def test_what_there_is(path: str, body: str) -> None:
    assert ask(service(token_required=False), path).body == body


@pytest.mark.parametrize(
    "path",
    [
        "/latest/user-data",
        "/latest/meta-data/no-such",
        "/latest/meta-data/instance-id/",
        "/latest/meta-data/instance-id/more",
        "/latest/meta-data/iam/security-credentials/AnotherRole",
        "/1999-01-01/meta-data/",
        "/openstack/",
    ],
)
def test_what_there_isnt(path: str) -> None:
    assert ask(service(token_required=False), path).status == HTTPStatus.NOT_FOUND


def test_only_reading_and_tokens_are_allowed() -> None:
    assert ask(service(token_required=False), "/latest/meta-data/", "POST").status == HTTPStatus.METHOD_NOT_ALLOWED


def test_the_machine_has_credentials_of_an_account_of_awss_own() -> None:
    asked = service(token_required=False)
    path = "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance"
    assert json.loads(ask(asked, path).body)["Code"] == "Success"
    for path, key in (
        ("/latest/meta-data/identity-credentials/ec2/info", "AccountId"),
        ("/latest/dynamic/instance-identity/document", "accountId"),
    ):
        assert json.loads(ask(asked, path).body)[key] != "111122223333"
