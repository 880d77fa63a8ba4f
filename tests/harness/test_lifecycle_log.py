"""The lifecycle log reaches CloudWatch Logs in the base session, if the execution role may write there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from emulator import instance_logs
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator

LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
SCRIPT = "#!/bin/bash\necho first\necho second >&2\n"


@pytest.fixture(scope="module")
def account(needs_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), boot=True) as emulator:
        yield emulator


def boot(account: Emulator, name: str, actions: list[str], script: str = SCRIPT) -> NotebookInstance:
    """Boot an instance whose role has these permissions."""
    iam, sagemaker = account.client("iam"), account.client("sagemaker")

    def document(**statement: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    trust = document(Principal={"Service": "sagemaker.amazonaws.com"}, Action="sts:AssumeRole")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if actions:
        policy = document(Action=actions, Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=policy)
    content = [{"Content": base64.b64encode(script.encode()).decode()}]
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name, OnStart=content)
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role, LifecycleConfigName=name
    )
    notebook = NotebookInstance(account, name)
    notebook.wait()
    return notebook


def records_of(account: Emulator, notebook: NotebookInstance) -> dict[str, dict[str, Any]]:
    """The instance's calls to CloudWatch Logs, by name."""
    found = [each for each in account.records() if each["eventSource"] == "logs.amazonaws.com"]
    arn = f":assumed-role/{notebook.name}/SageMaker"
    found = [each for each in found if instance_logs.JUPYTER not in json.dumps(each)]
    return {each["eventName"]: each for each in found if each["userIdentity"].get("arn", "").endswith(arn)}


def test_a_role_that_may_write_logs(account: Emulator) -> None:
    notebook = boot(account, "may-log", LOGS)
    assert notebook.status == "InService"
    assert notebook.lifecycle_log() == notebook.boot_log == "first\nsecond\n"
    record = records_of(account, notebook)["CreateLogStream"]
    assert "errorCode" not in record
    assert record["requestParameters"]["logStreamName"] == "may-log/LifecycleConfigOnStart"
    assert record["sourceIPAddress"] == notebook.run(["hostname", "-I"]).stdout.split()[0]
    notebook.stop()
    notebook.start()
    assert notebook.lifecycle_log() == "first\nsecond\n" * 2, "a later start writes on in the same stream"


def test_a_failed_start_is_in_the_log_too(account: Emulator) -> None:
    notebook = boot(account, "fails", LOGS, "#!/bin/bash\necho because\nexit 1\n")
    assert notebook.status == "Failed"
    assert notebook.lifecycle_log() == "because\n"


def test_a_role_that_may_not_write_logs_starts_all_the_same(account: Emulator) -> None:
    notebook = boot(account, "may-not-log", [])
    assert notebook.status == "InService"
    assert notebook.lifecycle_log() is None
    assert notebook.boot_log == "first\nsecond\n"
    refused = {name: record["errorCode"] for name, record in records_of(account, notebook).items()}
    assert refused == dict.fromkeys(("CreateLogGroup", "CreateLogStream"), "AccessDenied")


def test_an_instance_has_a_log_of_its_notebook_server(account: Emulator) -> None:
    """Its stream is what names an instance to whoever reads the log of the account."""
    notebook = boot(account, "serves", LOGS)
    made = [each for each in account.records() if each["eventName"] == "CreateLogStream"]
    [record] = [each for each in made if "serves/jupyter.log" in json.dumps(each)]
    assert [record["userIdentity"]["accessKeyId"]] == notebook.access_keys
