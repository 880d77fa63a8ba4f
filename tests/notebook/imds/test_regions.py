"""Which environment variable sets a client's region against the config file's: the table of docs/clients.md.

`make tables` writes it there.
"""

from __future__ import annotations

import sys

import pytest
from account import Account
from clients.catalogue import REGION
from document_table import WRITE, Table
from workspace import CHECKOUT

TABLE = Table(CHECKOUT / "docs" / "clients.md", "region of")
VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
ANOTHER_REGION = "eu-west-1"
_JS_V2 = (
    f"const AWS = require('{CHECKOUT}/tests/clients/js/node_modules/aws-sdk'); new AWS.S3().listBuckets().promise()"
)
CLIENTS = {
    "AWS CLI v1": ["/usr/local/bin/aws", "s3api", "list-buckets"],
    "AWS CLI v2": ["/usr/bin/aws", "s3api", "list-buckets"],
    "boto3": [sys.executable, "-c", "import boto3; boto3.client('s3').list_buckets()"],
    "SDK for JavaScript v3": ["node", f"{CHECKOUT}/tests/clients/js/list-bucket.mjs", "figures"],
    "SDK for JavaScript v2": ["node", "-e", _JS_V2],
}


seen = TABLE.collecting("module")
"""What was seen, by client."""


@pytest.mark.parametrize("client", CLIENTS)
def test_what_sets_the_region(account: Account, seen: dict[str, tuple[str, ...]], client: str) -> None:
    def regions(call: str, *variables: str) -> set[str]:
        since = len(account.emulator.records())
        account.notebook(call).run(CLIENTS[client], env=dict.fromkeys(variables, ANOTHER_REGION), check=True)
        return {each["awsRegion"] for each in account.records_since(since) if each["eventSource"] == "s3.amazonaws.com"}

    for call in ("profile", "imds"):
        assert regions(call) == {REGION}
        assert regions(call, *VARIABLES) == {ANOTHER_REGION}, "both together, as the document advises"
        seen[client] = tuple("yes" if regions(call, each) == {ANOTHER_REGION} else "no" for each in VARIABLES)
        assert WRITE or seen[client] == TABLE.documented()[client]


def test_every_documented_client_is_tried() -> None:
    assert WRITE or [*TABLE.documented()] == [*CLIENTS]


@pytest.mark.parametrize("program", ["/usr/local/bin/aws", "/usr/bin/aws"])
def test_the_output_format_is_set_by_a_variable(account: Account, program: str) -> None:
    command = [program, "sts", "get-caller-identity", "--query", "Account"]
    given = account.notebook("profile").run(command, env={"AWS_DEFAULT_OUTPUT": "text"}, check=True)
    assert given.stdout == f"{account.emulator.account_id}\n"
