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
    content: dict[str, Any] = {"module": modules}
    if values:
        content["output"] = {name: {"value": f"${{{value}}}"} for name, value in values.items()}
    (folder / ROOT).mkdir(parents=True, exist_ok=True)
    (folder / ROOT / "main.tf.json").write_text(json.dumps(content | blocks))
    return ROOT


def as_text(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs in which ${ and %{ begin no expression, as they do in Terraform's JSON syntax."""
    literal: dict[str, Any] = json.loads(json.dumps(inputs).replace("${", "$${").replace("%{", "%%{"))
    return literal
