"""What a plan holds that is told by comparing or running: partitions, scripts, an existing role. The rest is in cases/."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .conftest import Plan, PlannedCall

ACCOUNT = "111122223333"


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_a_platform_reaches_the_provider(plan: Plan) -> None:
    (error,) = plan(notebook_instances={"one": {"platform_identifier": "notebook-al2023-v1"}}).errors
    # 5.100 knows none but those that can't be created any more; 6.x takes this one.
    assert "platform_identifier" in error
    assert "notebook-al2-v3" in error


@pytest.mark.inputs(notebook_instances={"one": {}})
@pytest.mark.inputs(notebook_instances={"two": {}}, additional_session_names=["x-*"])
def test_the_trust_policy_does_not_depend_on_the_notebooks_names(outcomes: list[PlannedCall]) -> None:
    one, other = outcomes
    assert one.output("role_trust_policy") == other.output("role_trust_policy")


@pytest.mark.parametrize(
    "partition",
    [
        pytest.param(partition, marks=pytest.mark.inputs(region, notebook_instances={"one": {}}))
        for region, partition in (("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"))
    ],
)
def test_every_arn_is_of_the_partition(outcome: PlannedCall, partition: str) -> None:
    texts = [
        outcome.planned("aws_iam_role.this[0]")["assume_role_policy"],
        outcome.planned("aws_iam_role_policy.assume_self[0]")["policy"],
        json.dumps(outcome.output("session_arns")),
        outcome.output("on_start_script").split("set -uo", 1)[0],
    ]
    for text in texts:
        assert f"arn:{partition}:" in text
        assert text.count("arn:") == text.count(f"arn:{partition}:")


@pytest.mark.inputs(extra_on_start="echo 'it''s' \"$HOME\"", allow_start_without_attribution=True)
def test_the_lifecycle_configuration_carries_the_script_after_its_settings(outcome: PlannedCall) -> None:
    on_start = base64.b64decode(
        outcome.planned("aws_sagemaker_notebook_instance_lifecycle_configuration.this")["on_start"]
    ).decode()
    assert on_start == outcome.output("on_start_script")
    assert on_start.startswith("#!/bin/bash\n# Makes the AWS calls of this notebook instance attributable")
    assert on_start.splitlines()[2:6] == [
        f"ROLE_ARN='arn:aws:iam::{ACCOUNT}:role/team-execution'",
        "ATTRIBUTION_MODE='profile'",
        "ALLOW_START_WITHOUT_ATTRIBUTION='true'",
        "EXTRA_ON_START='echo '\\''it'\\'''\\''s'\\'' \"$HOME\"'",
    ]


@pytest.mark.inputs(extra_on_start="echo one\r\necho two\r\n", on_create="#!/bin/bash\r\necho three\r\n")
def test_carriage_returns_of_a_users_scripts_are_normalised(outcome: PlannedCall) -> None:
    lifecycle_configuration = outcome.planned("aws_sagemaker_notebook_instance_lifecycle_configuration.this")
    for hook in ("on_start", "on_create"):
        assert b"\r" not in base64.b64decode(lifecycle_configuration[hook])
    assert base64.b64decode(lifecycle_configuration["on_create"]) == b"#!/bin/bash\necho three\n"


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
SELF = {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/service-role/shared"}
SELF_TRUST = {
    "Effect": "Allow",
    "Principal": ROOT,
    "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
    "Condition": {"StringEquals": SELF, "StringLike": {"aws:userid": "*:SageMaker"}},
}
TRUSTS_ALL = {"Effect": "Allow", "Principal": ROOT, "Action": "sts:AssumeRole"}
WITHOUT_SOURCE_IDENTITY = SELF_TRUST | {"Action": "sts:AssumeRole"}


def test_an_existing_role_gets_the_inline_policy_and_no_second_role(plan: Plan, existing_role: Any) -> None:
    arn = existing_role(SELF_TRUST)
    outcome = plan(create_role=False, role_arn=arn, notebook_instances={"one": {}})
    assert outcome.diagnostics == []
    assert "aws_iam_role.this[0]" not in outcome.changes
    assert outcome.planned("aws_iam_role_policy.assume_self[0]")["role"] == "shared"
    assert outcome.planned('aws_sagemaker_notebook_instance.this["one"]')["role_arn"] == arn
    assert f"ROLE_ARN='{arn}'" in outcome.output("on_start_script")


def test_the_statement_that_an_existing_role_lacks_is_printed_word_for_word(plan: Plan, existing_role: Any) -> None:
    outcome = plan(create_role=False, role_arn=existing_role())
    (error,) = outcome.errors
    printed = json.loads(error[error.index("{") : error.rindex("}") + 1])
    assert {key: value for key, value in printed.items() if key != "Sid"} == SELF_TRUST


def test_a_trust_policy_that_is_the_owners_to_judge_is_refused_for(plan: Plan, existing_role: Any) -> None:
    outcome = plan(create_role=False, role_arn=existing_role(TRUSTS_ALL), verify_role_trust=False)
    assert outcome.errors == []
    (warning,) = outcome.warnings
    assert "under another's name" in warning
