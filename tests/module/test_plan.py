"""What a plan holds: names, policies, tags, partitions, an existing role; planned by the real provider."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .conftest import Plan, PlannedCall

ACCOUNT = "111122223333"


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def names_of(outcome: PlannedCall) -> list[str]:
    policy = statements(outcome.planned("aws_iam_role_policy.assume_self[0]")["policy"])
    names: list[str] = policy["UnderKnownNamesOnly"]["Condition"]["StringNotLike"]["sts:RoleSessionName"]
    return names


@pytest.mark.inputs(notebook_instances={"one": {}, "two": {}})
def test_a_minimal_call_plans_a_role_a_policy_a_lifecycle_configuration_and_the_notebooks(outcome: PlannedCall) -> None:
    assert outcome.changes.keys() == {
        "aws_iam_role.this[0]",
        "aws_iam_role_policy.assume_self[0]",
        "aws_iam_role_policy.logs[0]",
        'aws_sagemaker_notebook_instance.this["one"]',
        'aws_sagemaker_notebook_instance.this["two"]',
        "aws_sagemaker_notebook_instance_lifecycle_configuration.this",
    }
    assert {action for actions in outcome.changes.values() for action in actions} == {"create"}


@pytest.mark.inputs(notebook_instances={"one": {}})
def test_a_notebook_instance_is_closed_by_default(outcome: PlannedCall) -> None:
    notebook = outcome.planned('aws_sagemaker_notebook_instance.this["one"]')
    assert notebook["root_access"] == "Disabled"
    assert notebook["instance_metadata_service_configuration"] == [{"minimum_instance_metadata_service_version": "2"}]
    assert notebook["lifecycle_config_name"] == "team-attribution"


EVERY_ATTRIBUTE = {
    "instance_type": "ml.g5.2xlarge",
    "volume_size": 16384,
    "subnet_id": "subnet-0a",
    "security_groups": ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"],
    "direct_internet_access": "Disabled",
    "kms_key_id": "arn:aws:kms:us-east-1:111122223333:key/k",
    "minimum_instance_metadata_service_version": "1",
    "default_code_repository": "https://github.com/aws/amazon-sagemaker-examples.git",
    "additional_code_repositories": ["one", "two", "three"],
    "tags": {"owner": "ada"},
}


@pytest.mark.inputs(notebook_instances={"one": EVERY_ATTRIBUTE})
def test_every_attribute_of_a_notebook_instance_reaches_it(outcome: PlannedCall) -> None:
    given = dict(EVERY_ATTRIBUTE)
    notebook = outcome.planned('aws_sagemaker_notebook_instance.this["one"]')
    version = given.pop("minimum_instance_metadata_service_version")
    assert notebook["instance_metadata_service_configuration"] == [
        {"minimum_instance_metadata_service_version": version}
    ]
    for attribute, value in given.items():
        planned = notebook[attribute]
        assert (sorted(planned) if isinstance(value, list) else planned) == (
            sorted(value) if isinstance(value, list) else value
        )


def test_a_platform_reaches_the_provider(plan: Plan) -> None:
    (error,) = plan(notebook_instances={"one": {"platform_identifier": "notebook-al2023-v1"}}).errors
    # 5.100 knows none but those that can't be created any more; 6.x takes this one.
    assert "platform_identifier" in error
    assert "notebook-al2-v3" in error


@pytest.mark.inputs(notebook_instances={"one": {"tags": {"owner": "ada"}}}, tags={"team": "a", "owner": "nobody"})
def test_everything_that_takes_tags_has_them(outcome: PlannedCall) -> None:
    assert outcome.planned("aws_iam_role.this[0]")["tags"] == {
        "team": "a",
        "owner": "nobody",
        "notebook-attribution:admits-names-of": "team",
    }
    lifecycle_configuration = outcome.planned("aws_sagemaker_notebook_instance_lifecycle_configuration.this")
    assert lifecycle_configuration["tags"] == {"team": "a", "owner": "nobody"}
    assert outcome.planned('aws_sagemaker_notebook_instance.this["one"]')["tags"] == {"team": "a", "owner": "ada"}


@pytest.mark.inputs(role_path="/data/science/", notebook_instances={"one": {}})
def test_both_policies_are_known_before_anything_exists(outcome: PlannedCall) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/data/science/team-execution"
    trust = statements(outcome.planned("aws_iam_role.this[0]")["assume_role_policy"])
    assert trust["SageMakerOpensBaseSession"]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["BaseSessionOpensNotebookSessions"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert trust["BaseSessionOpensNotebookSessions"]["Condition"] == {
        "StringEquals": {"aws:PrincipalArn": role},
        "StringLike": {"aws:userid": "*:SageMaker"},
    }
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    assert [each["Action"] for each in trust.values()] == [both, both]
    policy = statements(outcome.planned("aws_iam_role_policy.assume_self[0]")["policy"])
    assert [(each["Effect"], each["Action"], each["Resource"]) for each in policy.values()] == [
        ("Allow", both, role),
        ("Deny", "sts:AssumeRole", role),
        ("Deny", "sts:AssumeRole", role),
        ("Deny", "sts:AssumeRole", role),
        ("Allow", "sagemaker:DescribeNotebookInstance", f"arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/*"),
    ]
    assert outcome.output("role_arn") == role
    assert json.loads(outcome.output("role_trust_policy"))["Statement"] == list(trust.values())


@pytest.mark.inputs(notebook_instances={"one": {}})
@pytest.mark.inputs(notebook_instances={"two": {}}, additional_session_names=["x-*"])
def test_the_trust_policy_does_not_depend_on_the_notebooks_names(outcomes: list[PlannedCall]) -> None:
    one, other = outcomes
    assert one.output("role_trust_policy") == other.output("role_trust_policy")


@pytest.mark.inputs
def test_with_no_names_nobody_may_assume_the_role_by_this_policy(outcome: PlannedCall) -> None:
    policy = statements(outcome.planned("aws_iam_role_policy.assume_self[0]")["policy"])
    assert "Condition" not in policy["UnderKnownNamesOnly"]


@pytest.mark.inputs(
    notebook_instances={"team-a-1": {}, "team-b-1": {}},
    additional_session_names=["team-a-*", "team-a-2", "a.b", "a?b", "axb"],
)
def test_names_that_a_pattern_covers_are_not_listed_again(outcome: PlannedCall) -> None:
    assert names_of(outcome) == ["a?b", "team-a-*", "team-b-1"]


@pytest.mark.inputs(additional_session_names=["a.*", "axy", "a.y"])
def test_a_dot_in_a_pattern_covers_only_a_dot(outcome: PlannedCall) -> None:
    assert names_of(outcome) == ["a.*", "axy"]


@pytest.mark.inputs(notebook_instances={"one": {}}, additional_session_names=["two", "team-a-*"], role_path="/data/")
def test_session_arns_name_what_cloudtrail_shows(outcome: PlannedCall) -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/team-execution"
    assert outcome.output("session_arns") == {name: f"{session}/{name}" for name in ("one", "two", "team-a-*")}


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
