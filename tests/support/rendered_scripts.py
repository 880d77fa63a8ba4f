"""On-start scripts for the audit to recognise: the module's, as Terraform renders them, and the published recipe's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calls import write_cases
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace

RECIPE = (CHECKOUT / "tests/which_notebook/recipe-on-start.sh").read_text()
# With the lock of all three, which the published one lacks.
LOCKED_RECIPE = RECIPE.replace(
    "\ncat >", "\nmkdir -p /home/ec2-user/.aws\ntouch /home/ec2-user/.aws/credentials\ncat >"
).replace(
    "chattr +i /home/ec2-user/.aws/config",
    "chattr +i /home/ec2-user/.aws/config /home/ec2-user/.aws/credentials /home/ec2-user/.aws",
)


def rendered(emulator: Emulator, folder: Path, inputs: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return the script that the module renders for each of these inputs, in one plan."""
    calls = {name: {"name": "team", **given} for name, given in inputs.items()}
    root = write_cases(folder, calls, outputs=["on_start_script"])
    plan = Workspace(folder, root=root, environment=emulator.environment()).plan()
    assert plan.errors == []
    return {name: plan.output(f"{name}-on_start_script") for name in calls}
