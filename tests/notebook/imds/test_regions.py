"""Which environment variable sets a client's region against the config file's: the table of docs/clients.md.

`make tables` writes it there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest
from account import Account
from clients.catalogue import REGION
from document_table import WRITE, Table
from workspace import CHECKOUT

TABLE = Table(CHECKOUT / "docs" / "clients.md", "region of")
VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
# What is asked of each client: with neither variable, with both, as the document advises, and with each alone; each time with
# a region of its own, by which the log tells the calls.
OF_BOTH, *OF_ONE = "eu-west-1", "eu-west-2", "eu-west-3"
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    dict.fromkeys(VARIABLES, OF_BOTH),
    *({name: region} for name, region in zip(VARIABLES, OF_ONE, strict=True)),
]


def _each_by_itself(*command: str) -> list[Sequence[str]]:
    """Return a process for each environment."""
    return [["env", *(f"{name}={value}" for name, value in each.items()), *command] for each in ENVIRONMENTS]


def _in_python(ask: str) -> list[Sequence[str]]:
    """Return one process, which asks in each environment in turn; the SDK looks at it when a client is made."""
    program = f"""
import os, boto3
own = dict(os.environ)
for variables in {ENVIRONMENTS}:
    os.environ.clear()
    os.environ.update(own | variables)
    {ask}
"""
    return [[sys.executable, "-c", program]]


def _in_node(package: str, ask: str) -> list[Sequence[str]]:
    """Return one process, as for Python."""
    program = f"""
const sdk = require('{CHECKOUT}/tests/clients/js/node_modules/{package}');
const own = process.env;
(async () => {{
  for (const variables of {json.dumps(ENVIRONMENTS)}) {{
    process.env = {{...own, ...variables}};
    {ask};
  }}
}})();
"""
    return [["node", "-e", program]]


CLIENTS = {
    "AWS CLI v1": _each_by_itself("/usr/local/bin/aws", "s3api", "list-buckets"),
    "AWS CLI v2": _each_by_itself("/usr/bin/aws", "s3api", "list-buckets"),
    "boto3": _in_python("boto3.Session().client('s3').list_buckets()"),
    "SDK for JavaScript v3": _in_node("@aws-sdk/client-s3", "await new sdk.S3().listBuckets()"),
    # It looks at the environment once, when it is loaded: so is its configuration made then, too.
    "SDK for JavaScript v2": _in_node(
        "aws-sdk", "sdk.config = new sdk.Config(); await new sdk.S3().listBuckets().promise()"
    ),
}


seen = TABLE.collecting("module")
"""What was seen, by client."""


@pytest.mark.parametrize("client", CLIENTS)
def test_what_sets_the_region(account: Account, seen: dict[str, tuple[str, ...]], client: str) -> None:
    for call in ("profile", "imds"):
        since = len(account.emulator.records())
        for command in CLIENTS[client]:
            account.notebook(call).run(command, check=True)
        found = [
            each["awsRegion"] for each in account.records_since(since) if each["eventSource"] == "s3.amazonaws.com"
        ]
        set_by = [region if region in found else REGION for region in OF_ONE]
        assert sorted(found) == sorted([REGION, OF_BOTH, *set_by])
        seen[client] = tuple("no" if region == REGION else "yes" for region in set_by)
        assert WRITE or seen[client] == TABLE.documented()[client]


def test_every_documented_client_is_tried() -> None:
    assert WRITE or [*TABLE.documented()] == [*CLIENTS]


@pytest.mark.parametrize("program", ["/usr/local/bin/aws", "/usr/bin/aws"])
def test_the_output_format_is_set_by_a_variable(account: Account, program: str) -> None:
    command = [program, "sts", "get-caller-identity", "--query", "Account"]
    given = account.notebook("profile").run(command, env={"AWS_DEFAULT_OUTPUT": "text"}, check=True)
    assert given.stdout == f"{account.emulator.account_id}\n"
