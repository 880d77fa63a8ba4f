"""Who AWS says that a notebook's user is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.notebook_instance import NotebookInstance

_WHO_AM_I = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"


def caller(notebook: NotebookInstance, env: Mapping[str, str] | None = None, before: str = "") -> str:
    """Return the ARN that STS answers to boto3 in the notebook, after these lines of Python; else what boto3 said."""
    done = notebook.run([notebook.python, "-c", f"{before}\n{_WHO_AM_I}"], env=env)
    return done.stdout.strip() or done.stderr.strip()


def session_name(arn: str) -> str:
    """Return the session name in the ARN of an assumed role."""
    return arn.rsplit("/", 1)[-1]


def callers_recorded(records: list[dict[str, Any]], event_name: str) -> list[str]:
    """Return the ARN of each caller of this event, in order, from the recorded log."""
    return [record["userIdentity"].get("arn", "") for record in records if record["eventName"] == event_name]


def parsed(text: str) -> Any:
    """Return what a client printed as JSON."""
    return json.loads(text)
