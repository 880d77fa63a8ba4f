"""Every real client, in each mode, with and without unattributed calls denied: whose calls CloudTrail records.

In imds mode each runs in both network layouts, with the same outcome. The outcomes are those of the table in docs/clients.md; `make tables` writes them there.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pyarrow
import pytest
from account import Account
from clients.catalogue import BUCKET, CLIENTS, Client
from clients.table import CLIENT_TABLE, COLUMNS
from deltalake import write_deltalake
from document_table import WRITE
from emulator.needs import skip_or_fail

from .outcome import outcomes_of


@pytest.fixture(scope="module")
def account_with_table(account: Account) -> Account:
    """The account, with a Delta table in the bucket."""
    s3 = account.emulator.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        write_deltalake(folder, pyarrow.table({"figure": [42]}))
        for path in Path(folder).rglob("*"):
            if path.is_file():
                s3.upload_file(str(path), BUCKET, f"table/{path.relative_to(folder)}")
    return account


seen = CLIENT_TABLE.collecting("module", keep=True)
"""What was seen, by client."""


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_whose_calls_a_clients_are(
    account_with_table: Account, seen: dict[str, tuple[str, ...]], client: Client
) -> None:
    if client.command[0].startswith("/usr/bin/") and not shutil.which(client.command[0]):
        skip_or_fail(f"{client.name} isn't installed")
    seen[client.name] = (client.version(), *outcomes_of(account_with_table, client, COLUMNS))
    if not WRITE:
        version, *outcomes = CLIENT_TABLE.documented()[client.name]
        assert seen[client.name][1:] == tuple(outcomes)
        assert seen[client.name][0] == version or not client.pinned


def test_in_imds_mode_every_client_is_attributed() -> None:
    for name, (_, _, imds, denied, imds_enforced) in CLIENT_TABLE.documented().items():
        assert (imds, imds_enforced) == ("attributed", "attributed"), name
        assert denied in {"attributed", "refused"}, name
