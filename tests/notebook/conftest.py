"""An account where the module is applied in both modes, and notebook instances that boot in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from account import Account, applied
from emulator.needs import needs_root as needs_root
from emulator.network import LAYOUTS, Layout
from notebooks import OwnNotebook


@pytest.fixture(scope="session")
def account_of_all_files(needs_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account; each worker of a parallel run has its own."""
    with applied(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def account(account_of_all_files: Account) -> Iterator[Account]:
    """The account, for one file: what the file's tests shared is then paused, for other files may take minutes."""
    yield account_of_all_files
    account_of_all_files.pause()


@pytest.fixture
def call() -> str:
    """The call of the module whose role and script a test's own notebook instances have."""
    return "imds"


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    """Each network layout: what holds in one has to hold in the other."""
    given: Layout = request.param
    return given


@pytest.fixture
def new_notebook(account: Account, call: str) -> Iterator[Callable[..., OwnNotebook]]:
    """Create a notebook instance of the test's own, in a layout; delete it afterwards."""
    with account.notebooks_of(call) as create:
        yield create


@pytest.fixture
def bare_notebook(new_notebook: Callable[..., OwnNotebook], layout: Layout) -> OwnNotebook:
    """A booted notebook instance that has run no script yet; its `run_on_start` runs the module's."""
    return new_notebook(layout)


@pytest.fixture
def notebook(account: Account, new_notebook: Callable[..., OwnNotebook], layout: Layout, call: str) -> OwnNotebook:
    """A booted notebook instance with the module's lifecycle configuration, of the test's own."""
    return new_notebook(layout, LifecycleConfigName=account.outputs[call]["lifecycle_configuration_name"])
