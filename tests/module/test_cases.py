"""Calls of the module as their users write them, cases/NAME.tf, and what each plans, cases/NAME.yaml.

In a NAME.yaml are, by address within the call, the `resources` that are planned, each with attributes that it has; with
`only: true` there are no others. `outputs` are the call's. A text in JSON stands there as what it says. What stands in it
can be given by its place: `policy/SID/Condition`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from emulator.server import Emulator
from workspace import CHECKOUT, Outcome, Workspace

CASES = CHECKOUT / "tests/module/cases"
EXPECTED = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(CASES.glob("*.yaml"))}


@pytest.fixture(scope="module")
def planned(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All cases, planned at once; none may be refused or warned of."""
    folder: Path = tmp_path_factory.mktemp("cases") / "module"
    root = CASES.relative_to(CHECKOUT)
    shutil.copytree(CASES, folder / root, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    outputs = {
        f"{case}-{name}": {"value": f"${{module.{case}.{name}}}"}
        for case, expected in EXPECTED.items()
        for name in expected.get("outputs", {})
    }
    (folder / root / "outputs.tf.json").write_text(json.dumps({"output": outputs}))
    outcome = Workspace(folder, root=str(root), environment=emulator.environment()).plan()
    assert outcome.diagnostics == []
    return outcome


def at(value: Any, place: list[str]) -> Any:
    """Return what stands at a place within a value, where a policy's statements have their names."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if not place:
        return value
    statements = {each["Sid"]: each for each in value.get("Statement", [])}
    return at({**value, **statements}[place[0]], place[1:])


@pytest.mark.parametrize("case", EXPECTED)
def test_a_call_plans_what_stands_beside_it(planned: Outcome, case: str) -> None:
    expected, of_the_case = EXPECTED[case], f"module.{case}."
    for address, attributes in expected.get("resources", {}).items():
        resource = planned.planned(of_the_case + address)
        found = {place: at(resource, place.split("/")) for place in attributes or {}}
        assert found == (attributes or {}), address
    for name, value in expected.get("outputs", {}).items():
        assert at(planned.output(f"{case}-{name}"), []) == value
    changes = {
        address.removeprefix(of_the_case): actions
        for address, actions in planned.changes.items()
        if address.startswith(of_the_case)
    }
    assert all(actions == ["create"] for actions in changes.values())
    if expected.get("only"):
        assert changes.keys() == expected["resources"].keys()


def test_each_case_has_its_plan() -> None:
    assert {path.stem for path in CASES.glob("*.tf")} == {*EXPECTED, "versions"}
    assert all(expected.keys() <= {"resources", "outputs", "only"} for expected in EXPECTED.values())
