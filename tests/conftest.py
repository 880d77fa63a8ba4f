"""What all layers of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulator.server import Emulator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the emulated account: it is left out of `make quick`."""
    for item in items:
        if "emulator" in getattr(item, "fixturenames", ()):
            item.add_marker("emulated")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulated account whose notebook instances don't boot; each worker of a parallel run has its own."""
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator
