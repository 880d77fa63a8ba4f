"""The lifecycle log reaches CloudWatch Logs in the base session, if the execution role may write there."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from emulator import instance_logs
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import create_notebook
from policy_documents import SAGEMAKER_ASSUMES, allow, policy_document

LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
SCRIPT = "#!/bin/bash\necho first\necho second >&2\n"


@pytest.fixture(scope="module")
def emulator(needs_root: None, new_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An emulated account whose notebook instances boot."""
    with new_emulator(boot=True) as emulator:
        yield emulator


def boot(emulator: Emulator, name: str, actions: list[str], script: str = SCRIPT) -> NotebookInstance:
    """Boot an instance whose role has these permissions."""
    iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker")

    trust = policy_document(SAGEMAKER_ASSUMES)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if actions:
        policy = policy_document(allow(Action=actions, Resource="*"))
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=policy)
    content = [{"Content": base64.b64encode(script.encode()).decode()}]
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name, OnStart=content)
    create_notebook(emulator, name, role, LifecycleConfigName=name)
    notebook = NotebookInstance(emulator, name)
    notebook.wait()
    return notebook


def records_of(emulator: Emulator, notebook: NotebookInstance) -> dict[str, dict[str, Any]]:
    """The instance's calls to CloudWatch Logs, by name."""
    found = [each for each in emulator.records() if each["eventSource"] == "logs.amazonaws.com"]
    arn = f":assumed-role/{notebook.name}/SageMaker"
    found = [each for each in found if instance_logs.JUPYTER not in json.dumps(each)]
    return {each["eventName"]: each for each in found if each["userIdentity"].get("arn", "").endswith(arn)}


def test_a_role_that_may_write_logs(emulator: Emulator) -> None:
    notebook = boot(emulator, "may-log", LOGS)
    assert notebook.status == "InService"
    assert notebook.lifecycle_log() == notebook.boot_log == "first\nsecond\n"
    record = records_of(emulator, notebook)["CreateLogStream"]
    assert "errorCode" not in record
    assert record["requestParameters"]["logStreamName"] == "may-log/LifecycleConfigOnStart"
    assert record["sourceIPAddress"] == notebook.run(["hostname", "-I"]).stdout.split()[0]
    notebook.stop()
    notebook.start()
    assert notebook.lifecycle_log() == "first\nsecond\n" * 2, "a later start writes on in the same stream"


def test_a_failed_start_is_in_the_log_too(emulator: Emulator) -> None:
    notebook = boot(emulator, "fails", LOGS, "#!/bin/bash\necho because\nexit 1\n")
    assert notebook.status == "Failed"
    assert notebook.lifecycle_log() == "because\n"


def test_a_role_that_may_not_write_logs_starts_all_the_same(emulator: Emulator) -> None:
    notebook = boot(emulator, "may-not-log", [])
    assert notebook.status == "InService"
    assert notebook.lifecycle_log() is None
    assert notebook.boot_log == "first\nsecond\n"
    refused = {name: record["errorCode"] for name, record in records_of(emulator, notebook).items()}
    assert refused == dict.fromkeys(("CreateLogGroup", "CreateLogStream"), "AccessDenied")


def test_an_instance_has_a_log_of_its_notebook_server(emulator: Emulator) -> None:
    """Its stream is what names an instance to whoever reads the log of the emulator."""
    notebook = boot(emulator, "serves", LOGS)
    made = [each for each in emulator.records() if each["eventName"] == "CreateLogStream"]
    [record] = [each for each in made if "serves/jupyter.log" in json.dumps(each)]
    assert [record["userIdentity"]["accessKeyId"]] == notebook.access_keys
