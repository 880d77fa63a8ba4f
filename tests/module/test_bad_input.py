"""Bad input is refused at plan time, with a message that says what is wrong and what to write."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from calls import as_text, write_calls, write_cases
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace

from .conftest import Plan

ROLE = "arn:aws:iam::111122223333:role/service-role/shared"


def notebook(name: str = "one", **attributes: Any) -> dict[str, Any]:
    return {"notebook_instances": {name: attributes}}


Case = tuple[dict[str, Any], list[str]]

# Refused by the variable's own validation: the variables, and what the message says.
BAD_VALUES: list[Case] = [
    ({"notebook_instances": ["one"]}, ["must be a map", "{ fraud-model = {} }"]),
    ({"notebook_instances": "one"}, ["must be a map"]),
    ({"name": "data_science"}, ['Write, for example, "data-science"']),
    ({"name": ""}, ['Write, for example, "data-science"']),
    ({"name": "n" * 52}, ["at most 51 characters"]),
    ({"role_path": "data"}, ["begin and end with a slash", '"/data-science/"']),
    ({"role_path": "/a*/"}, ["must not contain *, ? or $"]),
    ({"role_permissions_boundary": "boundary"}, ["must be the ARN of a managed policy"]),
    ({"role_arn": "shared", "create_role": False}, ["must be the ARN of an IAM role"]),
    ({"role_arn": "arn:aws:sts::111122223333:assumed-role/r/s", "create_role": False}, ["not the ARN of a session"]),
    ({"additional_session_names": ["x"]}, ["2 to 64", 'Wrong: "x"']),
    ({"additional_session_names": ["a b"]}, ['Wrong: "a b"']),
    ({"additional_session_names": ["right", "ab\ncd"]}, ['Wrong: "ab\\ncd".']),
    ({"additional_session_names": ["right", 'ab","cd']}, ['Wrong: "ab\\",\\"cd".']),
    ({"additional_session_names": ["right", "sagemaker-1", "SAGEMAKER"]}, ['instead of: "SAGEMAKER".']),
    ({"additional_session_names": ["${aws:userid}"]}, ['Wrong: "${aws:userid}"']),
    ({"additional_session_names": ["*"]}, ['may admit "SageMaker"', 'instead of: "*"']),
    ({"additional_session_names": ["Sage*"]}, ['instead of: "Sage*"']),
    ({"additional_session_names": ["?????????"]}, ['may admit "SageMaker"']),
    ({"additional_session_names": ["sagemaker"]}, ['may admit "SageMaker"']),
    ({"session_name_policies": [["a", "b*"]]}, ["and no wildcard", 'Wrong: "b*"']),
    ({"session_name_policies": [["a"], ["b", "c d"]]}, ['Wrong: "c d"']),
    ({"session_name_policies": [["ds-", "b"], ["ds-a", "c"]]}, ["may begin with another one", 'or remove them: "ds-".']),
    ({"session_name_policies": [["a"], ["a"]]}, ['or remove them: "a", "a".']),
    ({"session_name_policies": [["a"], []]}, ["each list must have a prefix"]),
    ({"session_name_policies": [[letter] for letter in "abcdefghijklmnopqrstuvwxyz"]}, ["must be at most 25 lists"]),
    ({"attribution_mode": "proxy"}, ['must be "profile" (the default) or "imds"']),
    ({"unattributed_allowed_actions": ["*"]}, ["an IAM action of one service", 'such as "logs:PutLogEvents"', 'Wrong: "*"']),
    ({"unattributed_allowed_actions": ["*:*"]}, ['Wrong: "*:*"']),
    ({"unattributed_allowed_actions": ["PutLogEvents"]}, ['Wrong: "PutLogEvents"']),
]  # fmt: skip

# Refused by a precondition of the notebook instance: its name, what is given for it, and what the message says. A second
# notebook instance, of all defaults, stands beside it.
BAD_NOTEBOOKS: list[tuple[str, Any, list[str]]] = [
    ("a", {}, ["2 to 63 characters", "STS accepts no session name of one character"]),
    ("a" * 64, {}, ["2 to 63 characters"]),
    ("my_notebook", {}, ["no underscore"]),
    ("-notebook", {}, ["no hyphen at either end"]),
    ("notebook-", {}, ["no hyphen at either end"]),
    ("two\nlines", {}, ["letters, digits, and hyphens between them"]),
    ("SageMaker", {}, ['called "SageMaker", in any case', "Choose another key"]),
    ("SAGEMAKER", {}, ['called "SageMaker", in any case']),
    ("other", {}, ["the keys Other and other differ only in upper and lower case", "Rename one"]),
    ("text", "ml.t3.large", ["must be a map of attributes", '{ instance_type = "ml.t3.large" }']),
    ("list", ["ml.t3.large"], ["must be a map of attributes"]),
    ("misspelt", {"instace_type": "ml.t3.large"}, ["has no attribute instace_type", "the attributes are: additional_code_repositories, ", "instance_type"]),
    ("null-misspelt", {"instace_type": None}, ["has no attribute instace_type"]),
    ("twice", {"instace_type": "ml.t3.large", "volume": 10}, ["has no attribute instace_type or volume"]),
    ("root", {"root_access": "Enabled"}, ["has no attribute root_access", "Root access is always off, since root could undo the attribution"]),
    ("listed", {"instance_type": ["ml.t3.large"]}, [": instance_type must be a string."]),
    ("words", {"volume_size": "ten"}, [": volume_size must be a number."]),
    ("group", {"subnet_id": "subnet-1", "security_groups": "sg-1"}, [": security_groups must be a list of strings."]),
    ("groups", {"subnet_id": "subnet-1", "security_groups": [{"id": "sg-1"}]}, [": security_groups must be a list of strings."]),
    ("repository", {"additional_code_repositories": "one"}, [": additional_code_repositories must be a list of strings."]),
    ("tag", {"tags": "owner"}, [": tags must be a map of strings."]),
    ("tags", {"tags": ["owner"]}, [": tags must be a map of strings."]),
    ("deep", {"tags": {"owner": ["ada"]}}, [": tags must be a map of strings."]),
    ("several", {"kms_key_id": {}, "tags": 1}, ["kms_key_id must be a string", "tags must be a map of strings"]),
    ("type", {"instance_type": "t3.medium"}, ['such as "ml.t3.medium", not "t3.medium"']),
    ("small", {"volume_size": 4}, ["from 5 to 16384, not 4."]),
    ("large", {"volume_size": 16385}, ["from 5 to 16384, not 16385."]),
    ("half", {"volume_size": 5.5}, ["a whole number of GiB", "not 5.5."]),
    ("internet", {"direct_internet_access": "disabled"}, ['"Enabled" or "Disabled", not "disabled"']),
    ("boolean", {"direct_internet_access": True}, ['"Enabled" or "Disabled", not "true"']),
    ("closed", {"direct_internet_access": "Disabled"}, ["needs a subnet_id", "Add subnet_id (and security_groups)."]),
    ("six", {"subnet_id": "subnet-1", "security_groups": list("abcdef")}, ["security_groups must be at most 5, not 6."]),
    ("no-subnet", {"security_groups": ["sg-1"]}, ["security_groups need a subnet_id", "Add it."]),
    ("four", {"additional_code_repositories": list("abcd")}, ["additional_code_repositories must be at most 3, not 4."]),
    ("metadata", {"minimum_instance_metadata_service_version": "3"}, ['must be "2" (the default) or "1", not "3"']),
    ("platform", {"platform_identifier": "al2023"}, ["must be null, which is AWS's default", 'not "al2023"', "Remove it, or write null."]),
    *((f"old-{number}", {"platform_identifier": platform}, ["can't be created or started any more", "must be null", f'not "{platform}"'])
      for number, platform in enumerate(("notebook-al1-v1", "notebook-al2-v1", "notebook-al2-v2", "notebook-al2-v3"))),
]  # fmt: skip

# Refused by a precondition too: a profile's name, its settings, and what the message says.
BAD_PROFILES: list[tuple[str, dict[str, str], list[str]]] = [
    ("default", {}, ["must be a profile's name", "and not default"]),
    ("x]\n[default", {}, ["must be a profile's name"]),
    ("a b", {}, ["must be a profile's name"]),
    ("", {}, ["must be a profile's name"]),
    ("process", {"credential_process": "/bin/id"}, ["could undo the attribution", 'Remove "credential_process" in "process".']),
    ("session", {"role_session_name": "colleague"}, ['Remove "role_session_name" in "session".']),
    ("source", {"credential_source": "Environment", "source_profile": "x"}, ['Remove "credential_source" in "source", "source_profile" in "source".']),
    ("keys", {"aws_access_key_id": "AKIA"}, ['Remove "aws_access_key_id" in "keys".']),
    ("line", {"region\ncredential_process": "x"}, ['Remove "region\\ncredential_process" in "line".']),
    ("role", {"role_arn": "reader"}, ['role_arn in "role", "reader"', "Correct it."]),
    ("role-line", {"role_arn": "arn:aws:iam::444455556666:role/x\ncredential_process = id"}, ['role_arn in "role-line"']),
    ("role-end", {"role_arn": "arn:aws:iam::444455556666:role/x\n"}, ['role_arn in "role-end"']),
    ("region-line", {"region": "us-east-1\nrole_session_name = x"}, ['region in "region-line"']),
    ("duration", {"duration_seconds": "43200"}, ['duration_seconds in "duration", "43200"']),
    ("output", {"output": "xml"}, ['output in "output", "xml"']),
]  # fmt: skip

# Refused by another precondition, most of which see more than one variable.
BAD_COMBINATIONS: list[Case] = [
    ({"role_policy_arns": {"s3": "AmazonS3ReadOnlyAccess"}}, ['role_policy_arns["s3"] must be the ARN', 'such as "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", not "AmazonS3ReadOnlyAccess"']),
    ({"create_role": False}, ["needs role_arn", "or remove create_role"]),
    ({"role_arn": ROLE}, ["but create_role is true", "or remove role_arn"]),
    ({"extra_on_start": "#" * 12288}, ["extra_on_start is too long", "There is room for", "and it takes 12288. Shorten it"]),
    ({"extra_on_start": "".join(f"{number:x}" for number in range(4096)), "attribution_mode": "imds"}, ["extra_on_start is too long", "both compressed: an ordinary script of about", "Shorten it, or have it fetch the rest from S3"]),
    ({"profiles": {f"{number:x}": {"external_id": hashlib.sha256(b"%d" % number).hexdigest()} for number in range(200)}}, ["bytes without extra_on_start", "Remove some of profiles."]),
    ({"on_create": "#" * 12289}, ["on_create has 12289 bytes, 1 more than the 12288"]),
    ({"additional_session_names": [f"notebook-{number:014}" for number in range(420)]}, ["420 session names; IAM allows 10240", "such as \"team-a-*\""]),
    ({"additional_session_names": [f"notebook-{number:011}" for number in range(385)], "attribution_mode": "imds"}, ["inline policies would have", "385 session names; IAM allows 10240"]),
    ({"additional_session_names": [f"notebook-{number:011}" for number in range(400)], "deny_unattributed_calls": True, "outside_notebooks_are_attributed": True}, ["inline policies would have", "400 session names; IAM allows 10240"]),
]  # fmt: skip


@pytest.fixture(scope="session")
def refusals(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Plan every bad value, each in a call of the module, and return the errors by the call's name.

    All in one plan: starting the provider takes longer than planning a hundred calls.
    """
    calls = {f"case_{number}": {"name": "team", **variables} for number, (variables, _) in enumerate(BAD_VALUES)}
    refused: dict[str, list[str]] = {}
    folder = tmp_path_factory.mktemp("refusals")
    root = write_calls(folder, {name: as_text(inputs) for name, inputs in calls.items()})
    for diagnostic in Workspace(folder, root=root, environment=emulator.environment()).plan().diagnostics:
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


@pytest.fixture(scope="session")
def errors(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Plan every bad notebook instance, and every bad profile, and return all errors.

    Apart, since nothing is planned of the notebook instances of any case where a profile is refused in one.
    """
    kinds = {
        "notebook_instances": [{"Other": {}, name: given} for name, given, _ in BAD_NOTEBOOKS],
        "profiles": [{"east": {"region": "us-east-2"}, name: settings} for name, settings, _ in BAD_PROFILES],
    }
    errors = []
    for variable, values in kinds.items():
        folder = tmp_path_factory.mktemp(variable)
        cases = {str(number): {"name": "team", variable: value} for number, value in enumerate(values)}
        root = write_cases(folder, cases)
        errors += Workspace(folder, root=root, environment=emulator.environment()).plan().errors
    return errors


@pytest.mark.parametrize(("name", "expected"), [(name, expected) for name, _, expected in BAD_NOTEBOOKS])
def test_a_bad_notebook_instance_is_refused_by_one_message(errors: list[str], name: str, expected: list[str]) -> None:
    (error,) = [each for each in errors if each.startswith(f"notebook_instances[{json.dumps(name)}]")]
    for text in expected:
        assert text in error


@pytest.mark.parametrize(("name", "expected"), [(name, expected) for name, _, expected in BAD_PROFILES])
def test_a_bad_profile_is_refused_by_one_message(errors: list[str], name: str, expected: list[str]) -> None:
    (error,) = [each for each in errors if "profiles" in each and json.dumps(name) in each]
    for text in expected:
        assert text in error


def test_nothing_but_what_is_bad_is_refused(errors: list[str]) -> None:
    assert len(errors) == len(BAD_NOTEBOOKS) + len(BAD_PROFILES)


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
    assert f"There is room for {room} bytes of it, and it takes {room + 7}." in error


def test_the_overlong_script_is_told_what_room_there_is_when_it_is_compressed(plan: Plan) -> None:
    alone = len(plan(attribution_mode="imds").output("on_start_script").encode())
    extra = "".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(400))
    (error,) = plan(attribution_mode="imds", extra_on_start=extra).errors
    assert f"There is room for {12288 - alone} bytes of it" in error
    over, takes = (int(re.findall(pattern, error)[0]) for pattern in (r"(\d+) more than", r"it takes (\d+)"))
    assert takes - over == 12288 - alone


@pytest.mark.parametrize("mode", ["profile", "imds"])
def test_the_overlong_script_is_told_how_the_rest_is_fetched_in_the_notebook_session(plan: Plan, mode: str) -> None:
    """By the setting that docs/operations.md has, which tests/notebook/imds/test_advice.py follows."""
    operations = (CHECKOUT / "docs" / "operations.md").read_text()
    setting = operations.partition(f"| `{mode}` | `")[2].partition("`")[0]
    # What doesn't compress.
    extra = "".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(400))
    (error,) = plan(attribution_mode=mode, extra_on_start=extra).errors
    assert f'fetch the rest from S3, after the line "export {setting}"' in error


def test_a_role_of_another_path_is_named_as_such(plan: Plan, existing_role: Callable[..., str]) -> None:
    arn = existing_role(path="/elsewhere/")
    outcome = plan(create_role=False, role_arn=ROLE)
    (error,) = outcome.errors
    assert f"its ARN is {arn}, not {ROLE}" in error
