"""Plans with many notebook instances: the module beside the same resources written out, with no module.

On an emulated account. It answers faster than AWS, so what a plan spends on Terraform's own work weighs more here.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

_TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(_TESTS), str(_TESTS / "support")]

from emulator.server import Emulator  # noqa: E402 - after the path
from workspace import Workspace, terraform_program  # noqa: E402

_NOTEBOOK = "aws_sagemaker_notebook_instance"
_LIFECYCLE = "aws_sagemaker_notebook_instance_lifecycle_configuration"
_RATIO = 1.1


@dataclass(frozen=True)
class Run:
    """What one Terraform command took, the provider's processes included."""

    processor_seconds: float
    wall_seconds: float
    peak: int


@contextmanager
def _peak_memory(found: list[int]) -> Iterator[None]:
    """Put the largest sum of the memory of this process's children that was seen into `found`, in bytes."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    if "terraform" in process.name() or "tofu" in process.name():
                        total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            found.append(total)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()


def _terraform(workspace: Workspace, *arguments: str) -> Run:
    """Run Terraform as its user does, with a provider of its own."""
    peaks = [0]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with _peak_memory(peaks):
        done = subprocess.run(
            [terraform_program(), *arguments, "-input=false", "-no-color"],
            cwd=workspace.root,
            env={name: value for name, value in workspace.environment.items() if name != "GOGC"},
            capture_output=True,
            text=True,
            check=False,
        )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-4000:])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(processor, wall, max(peaks))


def _write_variables(workspace: Workspace, count: int, **others: Any) -> None:
    notebooks: dict[str, Any] = {f"notebook-{number:04}": {} for number in range(count)}
    given = {"name": "many", "notebook_instances": notebooks, "additional_session_names": ["notebook-*"], **others}
    (workspace.root / "terraform.tfvars.json").write_text(json.dumps(given))


def _write_flat(folder: Path, planned: list[dict[str, Any]], *, as_map: bool) -> None:
    """Write a root of the resources that a plan of the module has, with their references.

    Each notebook instance is a block of its own; with `as_map` all are one block over a map of their arguments.
    """
    blocks: dict[str, dict[str, Any]] = {}
    for each in planned:
        arguments = {name: value for name, value in each["change"]["after"].items() if value is not None}
        arguments.pop("tags_all", None)
        name = f"{each['name']}_{each['index']}".replace("-", "_") if "index" in each else each["name"]
        if each["type"] == "aws_iam_role_policy":
            arguments["role"] = "${aws_iam_role.this_0.name}"
        if each["type"] == _NOTEBOOK:
            arguments |= _references()
        literal = json.loads(json.dumps(arguments).replace("${sts:", "$${sts:"))
        blocks.setdefault(each["type"], {})[name] = literal
    content: dict[str, Any] = {"resource": blocks}
    if as_map:
        notebooks: dict[str, dict[str, Any]] = {
            arguments["name"]: arguments for arguments in blocks[_NOTEBOOK].values()
        }
        (sample, *_) = notebooks.values()
        given = [name for name in sample if name not in (*_references(), "instance_metadata_service_configuration")]
        block = {name: f"${{each.value.{name}}}" for name in given} | _references()
        block["instance_metadata_service_configuration"] = sample["instance_metadata_service_configuration"]
        blocks[_NOTEBOOK] = {"this": {"for_each": "${local.notebooks}", **block}}
        content["locals"] = {
            "notebooks": {name: {each: one[each] for each in given} for name, one in notebooks.items()}
        }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(content))


def _references() -> dict[str, Any]:
    """Return the arguments by which a notebook instance refers to the other resources."""
    return {
        "role_arn": "${aws_iam_role.this_0.arn}",
        "lifecycle_config_name": f"${{{_LIFECYCLE}.this.name}}",
        "depends_on": ["aws_iam_role_policy.assume_self_0", "aws_iam_role_policy.logs_0"],
    }


def many_notebooks(runs: int, count: int, *, applied: bool) -> None:
    """Compare the first plan, and with `applied` the apply and the plans after it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with Emulator(folder / "account") as emulator:
            _compare(folder, emulator, runs, count, applied)


def _compare(folder: Path, emulator: Emulator, runs: int, count: int, applied: bool) -> None:
    environment = emulator.environment()
    module = Workspace(folder / "module", environment=environment, own_provider=True)
    _write_variables(module, count)
    planned = module.plan().plan["resource_changes"]
    roots = {"module": module}
    for name in ("blocks", "map"):
        _write_flat(folder / name / "root", planned, as_map=name == "map")
        roots[name] = Workspace(folder / name, root="root", environment=environment, own_provider=True)
    print(
        f"\n{count:,} notebook instances, planned in the module, and written out as one block over a map and as a block each"
    )
    _rows("the first plan", roots, runs, "plan")
    if not applied:
        return
    took = _terraform(module, "apply", "-auto-approve")
    print(f"  apply, in the module{took.wall_seconds:>33.0f} s")
    for change, given in (
        ("nothing changed", {"count": count}),
        ("one more", {"count": count + 1}),
        ("another script", {"count": count, "extra_on_start": "df -h"}),
    ):
        _write_variables(module, **given)
        changes = module.plan().changes
        print(f"  {change}: {len(changes)} to change: {', '.join(changes)}", flush=True)


def _rows(name: str, roots: dict[str, Workspace], runs: int, *arguments: str) -> None:
    taken: dict[str, list[Run]] = {which: [] for which in roots}
    for number in range(runs + (runs > 1)):
        for which, workspace in roots.items():
            run = _terraform(workspace, *arguments)
            if number or runs == 1:
                taken[which].append(run)
    for what, unit, value in (
        ("processor time", "s", lambda run: run.processor_seconds),
        ("wall time", "s", lambda run: run.wall_seconds),
        ("memory, provider included", "MB", lambda run: run.peak / 1e6),
    ):
        values = {which: median(map(value, taken[which])) for which in roots}
        ratios = {which: values["module"] / values[which] for which in roots if which != "module"}
        state = "met" if round(ratios["map"], 2) <= _RATIO else "NOT met"
        print(
            f"  {f'{name}: {what}':<44}{values['module']:>7.1f} {unit:<3} map {values['map']:>7.1f}, ratio {ratios['map']:.2f} "
            f"(target {_RATIO:g}: {state})   blocks {values['blocks']:>7.1f}, ratio {ratios['blocks']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    many_notebooks(1, int(sys.argv[1]), applied=len(sys.argv) > 2)
