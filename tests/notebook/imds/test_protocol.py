"""The proxy speaks the metadata service's protocol, lets a list of paths through, and nothing else."""

from __future__ import annotations

import json
import time

import pytest
from account import Account
from emulator.network import Layout
from emulator.notebook_instance import NotebookInstance

from .metadata import CREDENTIALS, IPV4, LISTED_ROLE, TOKEN, TTL, ask, credentials, get, session_of, token


@pytest.fixture
def notebook(account: Account, layout: Layout) -> NotebookInstance:
    """The imds mode's notebook instance; no test here changes it."""
    return account.notebook("imds", layout)


def test_a_user_gets_the_notebook_session_and_root_the_base_session(notebook: NotebookInstance) -> None:
    assert session_of(notebook, credentials(notebook)) == notebook.name
    assert session_of(notebook, credentials(notebook, user="root")) == "SageMaker"


def test_the_document_has_the_real_ones_form_and_an_hour_at_most(notebook: NotebookInstance) -> None:
    document = credentials(notebook)
    real = credentials(notebook, user="root")
    assert document.keys() == real.keys()
    assert (document["Code"], document["Type"]) == (real["Code"], real["Type"])
    ends = time.mktime(time.strptime(document["Expiration"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert 0 < ends - time.time() <= 3600


def test_the_role_that_is_listed_is_the_real_ones(notebook: NotebookInstance) -> None:
    assert get(notebook, CREDENTIALS).body == LISTED_ROLE == get(notebook, CREDENTIALS, user="root").body
    assert get(notebook, CREDENTIALS.rstrip("/")).body == LISTED_ROLE


@pytest.mark.parametrize("path", [CREDENTIALS, CREDENTIALS + LISTED_ROLE, "/latest/meta-data/instance-id"])
def test_version_1_is_refused(notebook: NotebookInstance, path: str) -> None:
    assert ask(notebook, path).status == 401


@pytest.mark.parametrize("made_up", ["", "x", "-", "99999999-", "99999999-" + "0" * 64, "é-é", "1" * 1500])
def test_a_made_up_token_is_refused(notebook: NotebookInstance, made_up: str) -> None:
    assert ask(notebook, CREDENTIALS, headers={TOKEN: made_up}).status == 401


def test_another_end_with_the_same_seal_is_refused(notebook: NotebookInstance) -> None:
    end, seal = token(notebook).split("-")
    assert ask(notebook, CREDENTIALS, headers={TOKEN: f"{int(end) + 1000}-{seal}"}).status == 401


def test_a_token_of_the_real_service_is_refused(notebook: NotebookInstance) -> None:
    assert ask(notebook, CREDENTIALS, headers={TOKEN: token(notebook, user="root")}).status == 401


def test_a_token_ends(notebook: NotebookInstance) -> None:
    given = token(notebook, ttl=1)
    time.sleep(1.2)
    assert ask(notebook, CREDENTIALS, headers={TOKEN: given}).status == 401


@pytest.mark.parametrize("ttl", ["0", "21601", "-1", "x", "", "1e3", "999999"])
def test_a_ttl_out_of_bounds_is_refused(notebook: NotebookInstance, ttl: str) -> None:
    assert ask(notebook, "/latest/api/token", method="PUT", headers={TTL: ttl} if ttl else {}).status == 400


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-for", "X-Forwarded-For "])
def test_a_request_that_somebody_forwards_gets_no_token(notebook: NotebookInstance, name: str) -> None:
    headers = {TTL: "60", name: "10.0.0.1"}
    assert ask(notebook, "/latest/api/token", method="PUT", headers=headers).status == 403


@pytest.mark.parametrize("method", ["POST", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_no_other_method_is_known(notebook: NotebookInstance, method: str) -> None:
    options = ("--head",) if method == "HEAD" else ()
    answer = ask(notebook, CREDENTIALS, method=method, headers={TOKEN: token(notebook)}, options=options)
    assert answer.status == 405


PASSED_ON = [
    "/latest/dynamic/instance-identity/document",
    "/latest/meta-data/ami-id",
    "/latest/meta-data/iam/info",
    "/latest/meta-data/instance-id",
    "/latest/meta-data/instance-type",
    "/latest/meta-data/local-ipv4",
    "/latest/meta-data/mac",
    "/latest/meta-data/placement/availability-zone",
    "/latest/meta-data/placement/region",
    "/latest/meta-data/services/domain",
    "/latest/meta-data/services/partition",
]


@pytest.mark.parametrize("path", PASSED_ON)
def test_what_clients_need_is_passed_on(notebook: NotebookInstance, path: str) -> None:
    assert get(notebook, path) == get(notebook, path, user="root")


HELD_BACK = [
    "/",
    "/latest/",
    "/latest/user-data",
    "/latest/meta-data/",
    "/latest/meta-data/identity-credentials/",
    "/latest/meta-data/identity-credentials/ec2/info",
    "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
    "/latest/dynamic/instance-identity/",
    "/latest/dynamic/instance-identity/pkcs7",
    "/latest/meta-data/iam/",
    "/latest/meta-data/iam/security-credentials/another",
    f"/latest/meta-data/iam/security-credentials/{LISTED_ROLE}/",
    f"/latest/meta-data/iam/security-credentials/{LISTED_ROLE}x",
    "/latest/meta-data/iam/security-credentials-extended/",
    # Other versions, and other spellings of what is held back or let through.
    f"/2021-07-15/meta-data/iam/security-credentials/{LISTED_ROLE}",
    "/1.0/meta-data/instance-id",
    "/Latest/meta-data/instance-id",
    "//latest/meta-data/instance-id",
    "/latest//meta-data/instance-id",
    "/latest/meta-data/instance-id//",
    "/latest/./meta-data/instance-id",
    "/latest/meta-data/../meta-data/instance-id",
    "/latest/meta-data/instance-id/../identity-credentials/ec2/security-credentials/ec2-instance",
    "/latest/meta-data/placement/..%2fidentity-credentials/ec2/security-credentials/ec2-instance",
    "/latest/meta-data/instance-id%2f..%2fidentity-credentials%2fec2%2fsecurity-credentials%2fec2-instance",
    "/latest/meta-data%2finstance-id",
    "/latest/meta-data/instance-i%64",
    "/latest/meta-data/instance-id?x=1",
    "/latest/meta-data/instance-id;x",
    "/latest/meta-data/instance-id%0d%0ax:%20y",
    "/latest/meta-data/instance-id%00",
]


@pytest.mark.parametrize("path", HELD_BACK)
def test_everything_else_is_held_back(notebook: NotebookInstance, path: str) -> None:
    answer = get(notebook, path)
    assert (answer.status, answer.body) == (404, "")


def test_a_whole_address_as_the_target_is_held_back(notebook: NotebookInstance) -> None:
    options = ("--request-target", f"{IPV4}/latest/meta-data/instance-id")
    assert get(notebook, "/", options=options).status == 404


@pytest.mark.parametrize("header", ["Host: sts.us-east-1.amazonaws.com", "X-Forwarded-For: 127.0.0.1", "Connection: keep-alive", "Transfer-Encoding: chunked"])  # fmt: skip
def test_other_headers_change_nothing(notebook: NotebookInstance, header: str) -> None:
    answer = get(notebook, CREDENTIALS + LISTED_ROLE, options=("--header", header))
    assert session_of(notebook, json.loads(answer.body)) == notebook.name


@pytest.mark.parametrize(
    "request_text", ["GET\r\n\r\n", "GET / HTTP/1.1 x\r\n\r\n", "\r\n\r\n", "\x00\xff\r\n\r\n", "GET " + "/" * 20000]
)
def test_what_is_no_request_is_refused_as_such(notebook: NotebookInstance, request_text: str) -> None:
    program = f"""
import socket
connection = socket.create_connection(("169.254.169.254", 80), 5)
connection.sendall({request_text.encode("latin-1")!r})
print(connection.recv(100).decode())
"""
    assert notebook.run([notebook.python, "-c", program], check=True).stdout.startswith("HTTP/1.1 400 ")
