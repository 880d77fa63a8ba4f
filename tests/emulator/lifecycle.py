"""How SageMaker runs a lifecycle script on a notebook instance."""

import os
import secrets
from datetime import UTC, datetime
from typing import Literal

from emulator import filesystem, machine

Hook = Literal["OnCreate", "OnStart"]

# "Lifecycle configuration scripts cannot run for longer than 5 minutes" (API reference, NotebookInstanceLifecycleHook).
TIME_LIMIT = 300.0


def environment() -> dict[str, str]:
    """What a script finds set: the documented PATH, and by which bundle clients trust this AWS.

    The API reference (NotebookInstanceLifecycleHook) prints the PATH as /sbin:bin:/usr/sbin:/usr/bin.
    """
    return {"PATH": "/sbin:/bin:/usr/sbin:/usr/bin", "HOME": "/root", **filesystem.ca_environment()}


def prepare(pid: int, hook: Hook, script: bytes) -> list[str]:
    """Put a script into the instance whose first process is given; return the command that runs it there.

    The file's name, and that bash starts it by its first line, follow the logs that users quote, such as
    "/bin/bash: /tmp/OnStart_2022-05-05-21-43705z8lmx: /bin/bash^M: bad interpreter: No such file or directory".
    """
    path = f"/tmp/{hook}_{datetime.now(UTC):%Y-%m-%d-%H-%M}{secrets.token_hex(4)}"
    descriptor = os.open(f"/proc/{pid}/root{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o700)
    with os.fdopen(descriptor, "wb") as file:
        file.write(script)
    return [*machine.entry(pid), "setsid", "--wait", "/bin/bash", "-c", path]


def failure_reason(configuration: str, notebook_instance: str) -> str:
    """SageMaker's message for a script that failed, whether by time or by its exit status.

    Users quote it for both, for instance in aws-samples/amazon-sagemaker-notebook-instance-lifecycle-config-samples
    issue 86 (a bad interpreter) and aws-samples/amazon-sagemaker-optuna-hpo-blog issue 4 (a failed cd).
    """
    return (
        f"Notebook Instance Lifecycle Config '{configuration}' for Notebook Instance '{notebook_instance}' took longer "
        "than 5 minutes. Please check your CloudWatch logs for more details if your Notebook Instance has Internet "
        "access."
    )
