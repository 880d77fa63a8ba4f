"""A removed on-create script is gone from the account, whatever the API does with a script that an update leaves out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator.server import Emulator
from workspace import Workspace

from .conftest import PlannedCall

NAME = "script-attribution"


def on_create(emulator: Emulator) -> str:
    """Return the script in the account."""
    described = emulator.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=NAME
    )
    return base64.b64decode(described["OnCreate"][0]["Content"]).decode()


def remove_on_create(workspace: Workspace, emulator: Emulator) -> None:
    variables: dict[str, Any] = {"name": "script"}
    assert workspace.apply({**variables, "on_create": "echo mine"}).errors == []
    try:
        assert on_create(emulator) == "echo mine"
        assert workspace.apply(variables).errors == []
        assert "mine" not in on_create(emulator)
        assert workspace.plan(variables).changes == {}
    finally:
        assert workspace.destroy(variables, refresh=False).errors == []


def test_where_the_api_keeps_what_an_update_leaves_out(
    emulator: Emulator, new_workspace: Callable[..., Workspace]
) -> None:
    remove_on_create(new_workspace(), emulator)


@pytest.fixture(scope="module")
def removing(new_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An emulated account whose API removes what an update leaves out."""
    with new_emulator(keeps_omitted_scripts=False) as emulator:
        yield emulator


def test_where_the_api_removes_what_an_update_leaves_out(removing: Emulator, tmp_path: Path) -> None:
    remove_on_create(Workspace(tmp_path / "module", environment=removing.environment()), removing)


@pytest.mark.parametrize(("fixture", "keeps"), [("emulator", True), ("removing", False)])
def test_the_emulated_api_does_either(request: pytest.FixtureRequest, fixture: str, keeps: bool) -> None:
    sagemaker = request.getfixturevalue(fixture).client("sagemaker")
    script = [{"Content": base64.b64encode(b"echo mine").decode()}]
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=NAME, OnCreate=script)
    sagemaker.update_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=NAME, OnStart=script)
    described = sagemaker.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=NAME)
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=NAME)
    assert "OnStart" in described
    assert ("OnCreate" in described) is keeps


@pytest.mark.inputs
def test_the_script_in_its_place_does_nothing(outcome: PlannedCall) -> None:
    planned = outcome.planned("aws_sagemaker_notebook_instance_lifecycle_configuration.this")
    first, *rest = base64.b64decode(planned["on_create"]).decode().splitlines()
    assert first == "#!/bin/bash"
    assert all(line.startswith("#") for line in rest)
