"""What all layers of tests share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from emulator.judge import Judge
from emulator.server import Emulator

# A session of its own reads the services' models from their files, which takes ten times as long as all else that a client
# needs: here all sessions of a process read them once.
botocore.session.create_loader = cache(botocore.session.create_loader)

# The files that take longest: begun first, they don't keep one worker busy when the others are done. Those at the top wait more
# than they work, and so leave the processors to test_load, which needs them.
LONGEST_FIRST = (
    "notebook/attacks/test_attacks.py",
    "notebook/imds/test_faults.py",
    "transitions/test_transitions.py",
    "notebook/imds/test_firewall.py",
    "notebook/imds/test_clients.py",
    "notebook/imds/test_advice.py",
    "notebook/imds/test_boot.py",
    "notebook/imds/test_load.py",
    "notebook/imds/test_audited_scripts.py",
    "notebook/imds/test_firewall_later.py",
    "module/test_examples.py",
    "which_notebook/test_audit.py",
    "notebook/on_start/test_recall.py",
    "module/test_changes.py",
    "module/test_private_vpc.py",
    "which_notebook/test_forged.py",
    "notebook/on_start/test_faults.py",
    "which_notebook/test_shapes.py",
    "which_notebook/test_event_history.py",
    "module/test_native.py",
    "which_notebook/engines/test_athena.py",
    "policies/test_session_name_policies.py",
)
# The marks that what uses a fixture has by itself.
_BY_FIXTURE = {"emulated": {"emulator", "new_emulator"}, "heavy": {"browser", "run"}}
_PLACES = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST_FIRST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and mark what is left out of `make quick`."""
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))
    for item in items:
        for mark, fixtures in _BY_FIXTURE.items():
            if fixtures.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(mark)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what is there by now: the tests, and all that they imported."""
    gc.freeze()


@pytest.fixture(scope="session")
def new_emulator(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Emulator]:
    """Start an emulated account of a test's own, as a context manager; what it takes are Emulator's options."""

    def start(**options: Any) -> Emulator:
        return Emulator(tmp_path_factory.mktemp("emulator"), **options)

    return start


@pytest.fixture(scope="session")
def emulator(new_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An emulated account whose notebook instances don't boot; each worker of a parallel run has its own."""
    with new_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """The IAM evaluator, for policies of one's own."""
    with Judge() as judge:
        yield judge
