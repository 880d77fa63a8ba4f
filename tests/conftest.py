"""What all layers of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulator.server import Emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulated account whose notebook instances don't boot; each worker of a parallel run has its own."""
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator
