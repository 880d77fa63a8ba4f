"""The profile mode, which changes nothing in the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator.network import LAYOUTS, Layout


@pytest.fixture
def call() -> str:
    """The profile mode's."""
    return "profile"


@pytest.fixture
def layout() -> Layout:
    """The first layout alone."""
    return LAYOUTS[0]


@pytest.fixture(scope="session")
def clients_folder() -> Path:
    """Where the clients that aren't Python's stand."""
    return Path(__file__).resolve().parents[2] / "clients"
