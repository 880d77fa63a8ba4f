"""Many notebook instances in one call of the module: what touches which, and the API calls of an apply (docs/scale.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from document_table import WRITE, Table
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace

TABLE = Table(CHECKOUT / "docs" / "scale.md", "operation")
# Others take too long for each run: `make tables` has them.
COUNTS = (10, 100, 300)


def notebooks(count: int) -> dict[str, Any]:
    return {"notebook_instances": {f"notebook-{count}-{number}": {} for number in range(count)}}


@pytest.fixture(
    scope="module",
    params=[pytest.param(count, marks=[pytest.mark.toolchain] if count > COUNTS[0] else []) for count in COUNTS],
)
def count(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture(scope="module")
def applied(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory, count: int
) -> Iterator[tuple[Workspace, dict[str, Any], Counter[str]]]:
    """The module with so many, applied; and the API calls of that, by operation."""
    workspace = Workspace(tmp_path_factory.mktemp("many") / "module", environment=emulator.environment())
    variables = {"name": f"many-{count}", **notebooks(count), "additional_session_names": ["notebook-*"]}
    seen = len(emulator.records())
    assert workspace.apply(variables).errors == []
    calls = Counter(each["eventName"] for each in emulator.records()[seen:])
    # Once when it is created, when it is in service and when it is read. Where the machine is busy it is asked more often, or
    # is in service when it is first asked.
    assert calls["DescribeNotebookInstance"] >= 2 * count
    calls["DescribeNotebookInstance"] = 3 * count
    yield workspace, variables, calls
    assert workspace.destroy(variables).errors == []


def test_an_apply_makes_the_calls_that_the_table_says(applied: tuple[Any, Any, Counter[str]], count: int) -> None:
    *_, calls = applied
    column = COUNTS.index(count)
    rows = {first.strip("`"): list(cells) for first, cells in TABLE.documented().items()}
    if WRITE:
        for name in sorted({*rows, *calls}):
            rows.setdefault(name, ["0"] * len(COUNTS))[column] = f"{calls[name]:,}"
        TABLE.write({f"`{name}`": tuple(cells) for name, cells in sorted(rows.items())})
    assert {name: cells[column] for name, cells in rows.items()} == {
        name: f"{number:,}" for name, number in calls.items()
    }


def test_the_calls_grow_with_the_notebook_instances_and_no_faster() -> None:
    """So the columns that this run doesn't see follow from the first two."""
    ten, hundred, three_hundred = COUNTS
    for name, cells in TABLE.documented().items():
        seen = dict(zip(COUNTS, (int(each.replace(",", "")) for each in cells), strict=True))
        for_each = (seen[hundred] - seen[ten]) / (hundred - ten)
        assert seen[three_hundred] == seen[hundred] + for_each * (three_hundred - hundred), name


def test_one_more_touches_no_other(applied: tuple[Workspace, dict[str, Any], Any], count: int) -> None:
    workspace, variables, _ = applied
    more = variables | {"notebook_instances": {**variables["notebook_instances"], "notebook-more": {}}}
    assert workspace.plan(more).changes == {'aws_sagemaker_notebook_instance.this["notebook-more"]': ["create"]}


def test_another_script_touches_no_notebook_instance(
    emulator: Emulator, applied: tuple[Workspace, dict[str, Any], Any]
) -> None:
    workspace, variables, _ = applied
    changed = variables | {"extra_on_start": "df -h"}
    assert workspace.plan(changed).changes == {
        "aws_sagemaker_notebook_instance_lifecycle_configuration.this": ["update"]
    }
    seen = len(emulator.records())
    assert workspace.apply_planned().errors == []
    made = [each["eventName"] for each in emulator.records()[seen:] if not each["readOnly"]]
    assert made == ["UpdateNotebookInstanceLifecycleConfig"]
