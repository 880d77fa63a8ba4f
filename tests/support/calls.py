"""A root that calls the module, as its users write one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = "calls"


def write_calls(
    folder: Path,
    calls: Mapping[str, Mapping[str, Any]],
    *,
    outputs: Iterable[str] | None = (),
    **blocks: Any,
) -> str:
    """Write a root with these calls of the module, in a folder where the module is to be; return the root's name.

    Arguments: `calls`, the inputs by the call's name, and where `source` isn't given, of the module itself; `outputs`, those
    of each call that become the root's, as `CALL-OUTPUT`, or None: all of a call's, as one output `CALL`, which a plan can't
    tell; `blocks`, what else the root has.
    """
    modules = {name: {"source": "../", **inputs} for name, inputs in calls.items()}
    values = (
        {name: f"module.{name}" for name in calls}
        if outputs is None
        else {f"{name}-{output}": f"module.{name}.{output}" for name in calls for output in outputs}
    )
    content: dict[str, Any] = {"module": modules} if modules else {}  # an empty block is an error
    if values:
        content["output"] = {name: {"value": f"${{{value}}}"} for name, value in values.items()}
    (folder / ROOT).mkdir(parents=True, exist_ok=True)
    (folder / ROOT / "main.tf.json").write_text(json.dumps(content | blocks))
    return ROOT


def write_cases(
    folder: Path, cases: Mapping[str, Mapping[str, Any]], *, outputs: Iterable[str] | None = (), **blocks: Any
) -> str:
    """Write a root as write_calls does, with one call of the module for all cases, by for_each; return the root's name.

    Terraform's graph has the module's parts once then, which for dozens of cases takes a third of the processor time. An
    input that a case doesn't give is null, which for each of the module's is its default. What a case plans has addresses
    that begin with `address(CASE)`, and outputs `CASE-OUTPUT`. Of a resource that one case is refused for, Terraform plans
    no case's dependents: what is refused at several places takes write_calls.
    """
    inputs = sorted({name for given in cases.values() for name in given})
    case = {"for_each": "${local.cases}", "source": "../", **inputs_of_cases(inputs)}
    values = (
        {name: address(name) for name in cases}
        if outputs is None
        else {f"{name}-{output}": f"{address(name)}.{output}" for name in cases for output in outputs}
    )
    content: dict[str, Any] = {"locals": {"cases": cases}, "module": {"case": case}}
    if values:
        content["output"] = {name: {"value": f"${{{value}}}"} for name, value in values.items()}
    (folder / ROOT).mkdir(parents=True, exist_ok=True)
    (folder / ROOT / "main.tf.json").write_text(json.dumps(content | blocks))
    return ROOT


def inputs_of_cases(names: Iterable[str]) -> dict[str, str]:
    """Return the arguments by which the one call gets these inputs of each case."""
    return {name: f"${{try(each.value.{name}, null)}}" for name in names}


def address(case: str) -> str:
    """Return where a case of `write_cases` stands in the plan."""
    return f"module.case[{json.dumps(case)}]"


def as_text(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs in which ${ and %{ begin no expression, as they do in Terraform's JSON syntax."""
    literal: dict[str, Any] = json.loads(json.dumps(inputs).replace("${", "$${").replace("%{", "%%{"))
    return literal
