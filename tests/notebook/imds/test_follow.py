"""In imds mode a notebook's name goes along as source identity: `which-notebook --follow` finds its calls in other roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account import Account
from emulator.network import LAYOUTS
from emulator.notebook_instance import NotebookInstance
from notebooks import BUCKET
from policy_documents import allow, policy_document

from which_notebook.cli import main

IN_ANOTHER_ROLE = f"""
import boto3, sys
opened = boto3.client("sts").assume_role(RoleArn=sys.argv[1], RoleSessionName="nightly-job")["Credentials"]
keys = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), list(opened.values())))
boto3.client("s3", **keys).list_objects_v2(Bucket={BUCKET!r})
"""


@pytest.fixture(scope="module", params=LAYOUTS)
def notebook(account: Account, request: pytest.FixtureRequest) -> NotebookInstance:
    """The notebook instance of the imds mode in each network layout."""
    return account.notebook("imds", request.param)


@pytest.fixture(scope="module")
def job_records(account: Account, notebook: NotebookInstance) -> Iterator[list[dict[str, Any]]]:
    """What is recorded where the notebook assumes a role for jobs and reads from S3 in its session."""
    iam = account.emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    notebooks_role = account.outputs["imds"]["role_arn"]

    trust = policy_document(allow(Principal={"AWS": notebooks_role}, Action=actions))
    role = iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="jobs", PolicyName="read", PolicyDocument=policy_document(allow(Action="s3:ListBucket", Resource="*"))
    )
    name = account.outputs["imds"]["role_name"]
    iam.put_role_policy(
        RoleName=name, PolicyName="jobs", PolicyDocument=policy_document(allow(Action=actions, Resource=role))
    )
    seen = len(account.emulator.records())
    notebook.run([notebook.python, "-c", IN_ANOTHER_ROLE, role], check=True)
    yield account.records_since(seen)
    iam.delete_role_policy(RoleName=name, PolicyName="jobs")
    iam.delete_role_policy(RoleName="jobs", PolicyName="read")
    iam.delete_role(RoleName="jobs")


def which_notebook(account: Account, records: list[dict[str, Any]], folder: Path, *options: str) -> dict[str, Any]:
    """Return the calls by event name that the command finds in these records."""
    log, answer = folder / "log.json", folder / "answer.json"
    log.write_text(json.dumps({"Records": records}))
    role = account.outputs["imds"]["role_arn"]
    assert main(["calls", str(log), "--role", role, "--format", "json", "--no-cache", "-o", str(answer), *options]) == 0
    return {call["event_name"]: call for call in json.loads(answer.read_text())}


def test_a_call_in_another_roles_session_carries_the_notebooks_name(
    notebook: NotebookInstance, job_records: list[dict[str, Any]]
) -> None:
    (call,) = [each for each in job_records if each["eventSource"] == "s3.amazonaws.com"]
    assert call["userIdentity"]["arn"].endswith(":assumed-role/jobs/nightly-job")
    assert call["userIdentity"]["sessionContext"]["sourceIdentity"] == notebook.name


def test_followed_it_is_the_notebooks(
    account: Account, notebook: NotebookInstance, job_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    calls = which_notebook(account, job_records, tmp_path, "--follow")
    (call,) = [each for name, each in calls.items() if name != "AssumeRole"]
    assert (call["status"], call["notebook"], call["source_identity"]) == ("chained", notebook.name, notebook.name)
    assert call["session_name"] == "nightly-job"


def test_followed_by_the_source_identity_alone(
    account: Account, notebook: NotebookInstance, job_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """As in a job that SageMaker started: who opened its session isn't the notebook, but the name is there."""
    own = [each for each in account.emulator.records() if each["userIdentity"].get("arn") == account.session_arn("imds", notebook.name)]  # fmt: skip
    before = [each for each in own if each["eventName"] != "AssumeRole"][:1]
    calls = [each for each in job_records if each["eventSource"] == "s3.amazonaws.com"]
    answer = which_notebook(account, [*before, *calls], tmp_path, "--follow")
    assert [each["notebook"] for each in answer.values() if each["status"] == "chained"] == [notebook.name]


def test_not_followed_it_isnt_named(account: Account, job_records: list[dict[str, Any]], tmp_path: Path) -> None:
    assert which_notebook(account, job_records, tmp_path).keys() == {"AssumeRole"}
