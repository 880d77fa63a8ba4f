"""Bad input is refused at plan time, with a message that says what is wrong and what to write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from emulator.server import Emulator
from workspace import Workspace

from .conftest import Plan

ROLE = "arn:aws:iam::111122223333:role/service-role/shared"


def notebook(name: str = "one", **attributes: Any) -> dict[str, Any]:
    return {"notebook_instances": {name: attributes}}


Case = tuple[dict[str, Any], list[str]]

# Refused by the variable's own validation: the variables, and what the message says.
BAD_VALUES: list[Case] = [
    (notebook("a"), ["2 to 63 characters", 'Wrong: "a"']),
    (notebook("a" * 64), ["2 to 63 characters", "STS takes no session name of one character"]),
    (notebook("my_notebook"), ["no underscore", 'Wrong: "my_notebook"']),
    (notebook("-notebook"), ["no hyphen at either end", 'Wrong: "-notebook"']),
    (notebook("notebook-"), ['Wrong: "notebook-"']),
    (notebook("two\nlines"), ['Wrong: "two\\nlines"']),
    (notebook("SageMaker"), ['called "SageMaker", in any case', "Choose another key"]),
    (notebook("SAGEMAKER"), ['called "SageMaker", in any case']),
    ({"notebook_instances": {"one": {}, "ONE": {}}}, ["only in upper and lower case", '"ONE", "one"']),
    (notebook(instance_type="t3.medium"), ['such as "ml.t3.medium"', "Wrong in: one"]),
    (notebook(volume_size=4), ["from 5 to 16384", "one (4)"]),
    (notebook(volume_size=16385), ["from 5 to 16384", "one (16385)"]),
    (notebook(volume_size=5.5), ["whole number", "one (5.5)"]),
    (notebook(direct_internet_access="disabled"), ['"Enabled" or "Disabled"']),
    (notebook(direct_internet_access="Disabled"), ["needs a subnet_id", "Add subnet_id (and security_groups) to: one"]),
    (notebook(subnet_id="subnet-1", security_groups=list("abcdef")), ["at most 5 security_groups", "one (6)"]),
    (notebook(security_groups=["sg-1"]), ["security_groups need a subnet_id", "Add it to: one"]),
    (notebook(additional_code_repositories=list("abcd")), ["at most 3 additional_code_repositories", "one (4)"]),
    (notebook(minimum_instance_metadata_service_version="3"), ['must be "2" (the default) or "1"', 'one ("3")']),
    (notebook(platform_identifier="al2023"), ['such as "notebook-al2023-v1"', "Wrong in: one"]),
    ({"name": "data_science"}, ['Write, for example, "data-science"']),
    ({"name": ""}, ['Write, for example, "data-science"']),
    ({"name": "n" * 52}, ["at most 51 characters"]),
    ({"role_path": "data"}, ["begin and end with a slash", '"/data-science/"']),
    ({"role_path": "/a*/"}, ["must not contain *, ? or $"]),
    ({"role_permissions_boundary": "boundary"}, ["must be the ARN of a managed policy"]),
    ({"role_policy_arns": {"s3": "AmazonS3ReadOnlyAccess"}}, ['such as "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"']),
    ({"role_arn": "shared", "create_role": False}, ["must be the ARN of an IAM role"]),
    ({"role_arn": "arn:aws:sts::111122223333:assumed-role/r/s", "create_role": False}, ["not the ARN of a session"]),
    ({"additional_session_names": ["x"]}, ["2 to 64", 'Wrong: "x"']),
    ({"additional_session_names": ["a b"]}, ['Wrong: "a b"']),
    ({"additional_session_names": ["${aws:userid}"]}, ['Wrong: "${aws:userid}"']),
    ({"additional_session_names": ["*"]}, ['may admit "SageMaker"', 'instead of: "*"']),
    ({"additional_session_names": ["Sage*"]}, ['instead of: "Sage*"']),
    ({"additional_session_names": ["?????????"]}, ['may admit "SageMaker"']),
    ({"additional_session_names": ["sagemaker"]}, ['may admit "SageMaker"']),
    ({"attribution_mode": "proxy"}, ['must be "profile" (the default) or "imds"']),
    ({"unattributed_allowed_actions": ["*"]}, ["an IAM action of one service", 'such as "logs:PutLogEvents"', 'Wrong: "*"']),
    ({"unattributed_allowed_actions": ["*:*"]}, ['Wrong: "*:*"']),
    ({"unattributed_allowed_actions": ["PutLogEvents"]}, ['Wrong: "PutLogEvents"']),
]  # fmt: skip

# Refused by a precondition, which sees more than one variable.
BAD_COMBINATIONS: list[Case] = [
    ({"create_role": False}, ["needs role_arn", "or remove create_role"]),
    ({"role_arn": ROLE}, ["but create_role is true", "or remove role_arn"]),
    ({"extra_on_start": "#" * 12288}, ["on-start script would have", "Shorten extra_on_start"]),
    ({"extra_on_start": "".join(f"{number:x}" for number in range(4096)), "attribution_mode": "imds"}, ["on-start script would have", "Shorten extra_on_start (by more, since it is compressed)"]),
    ({"on_create": "#" * 12289}, ["on_create has 12289 bytes, 1 more than the 12288"]),
    ({"additional_session_names": [f"notebook-{number:014}" for number in range(420)]}, ["420 session names; IAM takes 10240", "such as \"team-a-*\""]),
    ({"additional_session_names": [f"notebook-{number:011}" for number in range(385)], "attribution_mode": "imds"}, ["inline policies would have", "385 session names; IAM takes 10240"]),
    ({"additional_session_names": [f"notebook-{number:011}" for number in range(400)], "deny_unattributed_calls": True, "outside_notebooks_are_attributed": True}, ["inline policies would have", "400 session names; IAM takes 10240"]),
]  # fmt: skip


@pytest.fixture(scope="session")
def refusals(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Plan every bad value, each in a call of the module, and return the errors by the call's name.

    All in one plan: starting the provider takes longer than planning a hundred calls.
    """
    calls = {
        f"case_{number}": {"source": "../", "name": "team", **variables}
        for number, (variables, _) in enumerate(BAD_VALUES)
    }
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "cases").mkdir()
    # In Terraform's JSON syntax, ${ begins an expression.
    configuration = json.dumps({"module": calls}, indent=1).replace("${", "$${")
    (folder / "cases" / "main.tf.json").write_text(configuration)
    outcome = Workspace(folder, root="cases", environment=emulator.environment()).plan()
    refused: dict[str, list[str]] = {}
    for diagnostic in outcome.diagnostics:
        refused.setdefault(diagnostic.context, []).append(diagnostic.detail)
    return refused


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(f"case_{number}", expected, id=str(variables)[:60])
        for number, (variables, expected) in enumerate(BAD_VALUES)
    ],
)
def test_a_bad_value_is_refused_and_explained(refusals: dict[str, list[str]], call: str, expected: list[str]) -> None:
    (error,) = refusals[f"module.{call}"]
    for text in expected:
        assert text in error


@pytest.mark.parametrize(("variables", "expected"), BAD_COMBINATIONS, ids=lambda case: str(case)[:60])
def test_a_bad_combination_is_refused_and_explained(plan: Plan, variables: dict[str, Any], expected: list[str]) -> None:
    (error,) = plan(**variables).errors
    for text in expected:
        assert text in error


def test_the_overlong_script_is_told_by_how_much(plan: Plan) -> None:
    room = 12288 - len(plan().output("on_start_script").encode())
    assert plan(extra_on_start="#" * room).errors == []
    (error,) = plan(extra_on_start="#" * (room + 7)).errors
    assert "would have 12295 bytes, 7 more than the 12288" in error


def test_390_names_fit(plan: Plan) -> None:
    assert plan(additional_session_names=[f"notebook-{number:011}" for number in range(390)]).errors == []


def test_330_names_fit_in_imds_mode_with_unattributed_calls_denied(plan: Plan) -> None:
    names = [f"notebook-{number:011}" for number in range(330)]
    outcome = plan(
        additional_session_names=names,
        attribution_mode="imds",
        deny_unattributed_calls=True,
        outside_notebooks_are_attributed=True,
    )
    assert outcome.errors == []


def test_a_name_of_the_longest_kind_fits_every_limit(plan: Plan) -> None:
    outcome = plan(name="n" * 51, notebook_instances={"x" * 63: {}})
    assert outcome.errors == []
    assert len(outcome.planned("aws_sagemaker_notebook_instance_lifecycle_configuration.this")["name"]) == 63
    assert len(outcome.planned("aws_iam_role.this[0]")["name"]) <= 64


def test_a_role_of_another_path_is_named_as_such(plan: Plan, existing_role: Callable[..., str]) -> None:
    arn = existing_role(path="/elsewhere/")
    outcome = plan(create_role=False, role_arn=ROLE)
    (error,) = outcome.errors
    assert f"its ARN is {arn}, not {ROLE}" in error
