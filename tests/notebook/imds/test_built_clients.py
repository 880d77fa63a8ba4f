"""The clients that have to be built first, each where its toolchain is there: `make test-clients`."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from account import Account
from clients.built import BUILT, BuiltClient
from clients.table import CLIENT_TABLE, COLUMNS
from document_table import WRITE

from .outcome import outcomes_of

pytestmark = pytest.mark.toolchain


seen = CLIENT_TABLE.collecting("module", keep=True)
"""What was seen, by client."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("built", BUILT, ids=lambda built: built.client.name)
def test_whose_calls_a_built_clients_are(
    account: Account, seen: dict[str, tuple[str, ...]], built: BuiltClient
) -> None:
    if not shutil.which(built.build[0]):
        pytest.skip(f"{built.client.name} is built with {built.build[0]}, which isn't on the PATH")
    done = subprocess.run(built.build, cwd=built.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    client = built.client
    seen[client.name] = (client.version(), *outcomes_of(account, client, COLUMNS))
    if not WRITE:
        assert seen[client.name] == CLIENT_TABLE.documented()[client.name]
