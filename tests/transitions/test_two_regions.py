"""Two calls of the module in two regions on one role: notebook instances of both boot, and call under their names."""

from __future__ import annotations

from pathlib import Path

from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from workspace import Workspace

from .conftest import User


def test_notebook_instances_of_both_regions_call_under_their_names(emulator: Emulator, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "module", root="examples/two-regions", environment=emulator.environment())
    assert workspace.apply().diagnostics == []
    for name, region in (("fraud-model", "us-east-1"), ("churn-model", "eu-west-1")):
        notebook = NotebookInstance(emulator, name, region=region)
        user = User(notebook)
        user.goes_on()
        assert user.callers() == {name}
        notebook.stop()
