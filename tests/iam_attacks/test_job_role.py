"""examples/imds: the notebooks start jobs with the jobs' role, under the notebook's name, and with no other role."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import Workspace

NAME = "demand-model"


@pytest.fixture(scope="module")
def example(
    new_emulator: Callable[..., Emulator], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Emulator, dict[str, Any]]]:
    folder: Path = tmp_path_factory.mktemp("example-imds")
    with new_emulator() as emulator:
        workspace = Workspace(folder / "module", root="examples/imds", environment=emulator.environment())
        assert workspace.apply().errors == []
        yield emulator, workspace.outputs()


def given(emulator: Emulator, path: str) -> Any:
    url = f"{emulator.endpoint_url}/_emulator/{path.format(where=f'{emulator.account_id}/{emulator.region}')}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def create_job(emulator: Emulator, name: str, role_arn: str) -> None:
    base = given(emulator, f"notebook-instances/{{where}}/{NAME}/base-session")
    notebook = emulator.session_client("sts", base).assume_role(
        RoleArn=f"arn:aws:iam::{emulator.account_id}:role/forecasts-execution",
        RoleSessionName=NAME,
        SourceIdentity=NAME,
    )["Credentials"]
    emulator.session_client("sagemaker", notebook).create_training_job(
        TrainingJobName=name,
        RoleArn=role_arn,
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://figures/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def test_a_job_with_the_jobs_role_calls_under_the_notebooks_source_identity(
    example: tuple[Emulator, dict[str, Any]],
) -> None:
    emulator, outputs = example
    create_job(emulator, "job", outputs["job_role_arn"])
    session = given(emulator, "jobs/{where}/job/session")
    arn = emulator.session_client("sts", session).get_caller_identity()["Arn"]
    assert arn.endswith(":assumed-role/forecasts-jobs/SageMaker")
    record = emulator.records()[-1]
    assert record["userIdentity"]["sessionContext"]["sourceIdentity"] == NAME


def test_a_job_with_the_notebooks_own_role_is_refused(example: tuple[Emulator, dict[str, Any]]) -> None:
    emulator, _ = example
    with pytest.raises(ClientError, match=r"iam:PassRole .* with an explicit deny in an identity-based policy"):
        create_job(emulator, "own", f"arn:aws:iam::{emulator.account_id}:role/forecasts-execution")


def test_without_set_source_identity_in_its_trust_policy_a_role_is_none_for_jobs(
    example: tuple[Emulator, dict[str, Any]],
) -> None:
    emulator, outputs = example
    emulator.client("iam").update_assume_role_policy(
        RoleName="forecasts-jobs", PolicyDocument=policy_document(SAGEMAKER_ASSUMES)
    )
    with pytest.raises(ClientError, match="SetSourceIdentity"):
        create_job(emulator, "refused", outputs["job_role_arn"])
