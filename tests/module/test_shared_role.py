"""Several calls of the module on one role, as they are planned: what is refused, and what each call writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import write_calls
from emulator.server import Emulator
from policy_documents import policy_document
from workspace import Outcome, Workspace

from .test_plan import ACCOUNT, SELF_TRUST, statements

TAG = "notebook-attribution:admits-names-of"
MADE_BY_THE_MODULE = f"arn:aws:iam::{ACCOUNT}:role/made-execution"
OWN = f"arn:aws:iam::{ACCOUNT}:role/service-role/own"
FOREIGN = "arn:aws:iam::444455556666:role/foreign"
SECOND = {"create_role": False, "role_arn": MADE_BY_THE_MODULE}


def shared(*names: str, mode: str = "profile") -> dict[str, Any]:
    """The output of the call that has the role's policies, as input of another."""
    return {"shared_role": {"attribution_mode": mode, "session_names": names}}


# A wrong combination, and what its one error says.
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "creates the role, but leaves its policies to another": (
        shared(),
        ["but create_role is true", "or remove shared_role"],
    ),
    "is in imds mode beside a call in profile mode": (
        SECOND | {"attribution_mode": "imds"} | shared(),
        ['attribution_mode is "imds" here, but "profile" in the call', 'Set attribution_mode = "profile" here'],
    ),
    "is in profile mode beside a call in imds mode": (
        SECOND | shared(mode="imds"),
        ['attribution_mode is "profile" here, but "imds" in the call', 'Set attribution_mode = "imds" here'],
    ),
    "has a name that the other call doesn't admit": (
        SECOND | {"notebook_instances": {"one": {}, "eu-1": {}}} | shared("on", "eu-*"),
        ['so their notebook instances would be refused: ["one"]', "additional_session_names of that call"],
    ),
    "has patterns that are wider than what the other call admits": (
        SECOND | {"additional_session_names": ["a*", "b?", "c-*", "d*"]} | shared("a?", "b?", "c*", "d?*"),
        ['so their notebook instances would be refused: ["a*","d*"]'],
    ),
    "says what the role's policies are, and leaves them to another": (
        SECOND
        | shared(mode="imds")
        | {
            "allow_notebook_instance_changes": True,
            "allow_pass_role": True,
            "allow_role_changes": True,
            "attach_logs_policy": False,
            "attribution_mode": "imds",
            "deny_unattributed_calls": True,
            "deny_unknown_session_names": True,
            "outside_notebooks_are_attributed": True,
            "policy_name": "mine",
            "role_policy_arns": {"s3": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
            "unattributed_allowed_actions": [],
            "verify_role_trust": False,
        },
        [
            "belong in that call: allow_notebook_instance_changes, allow_pass_role, allow_role_changes, attach_logs_policy, deny_unattributed_calls, deny_unknown_session_names, outside_notebooks_are_attributed, policy_name, role_policy_arns, unattributed_allowed_actions, verify_role_trust"
        ],
    ),
    "leaves the policies of no role to another": (
        {"create_role": False} | shared(),
        ["create_role = false needs role_arn", "the output role_arn of the call that manages the role's policies"],
    ),
    "has policies on a role whose creator denies all other names": (
        {"create_role": False, "role_arn": MADE_BY_THE_MODULE, "notebook_instances": {"two": {}, "three": {}}},
        [
            'with name = "made"',
            'add to additional_session_names: ["three","two"]',
            "set shared_role = module.NAME.shared_role",
        ],
    ),
    "names a policy of an existing role, as another call may": (
        {"create_role": False, "role_arn": OWN, "policy_name": "mine"},
        ["would overwrite each other's policy", "Remove policy_name", "deny_unknown_session_names = true"],
    ),
    "names a policy of a created role that others may use too": (
        {"deny_unknown_session_names": False, "policy_name": "mine"},
        ["would overwrite each other's policy", "Remove policy_name", "remove deny_unknown_session_names = false"],
    ),
    "says where an existing role is, and what bounds it": (
        {
            "create_role": False,
            "role_arn": OWN,
            "role_name": "own",
            "role_path": "/elsewhere/",
            "role_permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        ["but create_role is false", "Remove role_name, role_path, role_permissions_boundary"],
    ),
    "uses a role of another account": (
        {"create_role": False, "role_arn": FOREIGN},
        [
            f"{FOREIGN}, names a role of the account 444455556666, but the provider's account is {ACCOUNT}",
            "Correct role_arn",
        ],
    ),
    "leaves the policies of another account's role to another": (
        {
            "create_role": False,
            "role_arn": FOREIGN.replace("foreign", "left"),
            **shared(),
        },
        [f"role/left, names a role of the account 444455556666, but the provider's account is {ACCOUNT}"],
    ),
    "refuses unattributed calls on an existing role": (
        {"create_role": False, "role_arn": OWN, "deny_unattributed_calls": True},
        ["First apply without deny_unattributed_calls", "Then set outside_notebooks_are_attributed = true"],
    ),
}
RIGHT: dict[str, dict[str, Any]] = {
    "second": SECOND | {"notebook_instances": {"eu-1": {}}} | shared("one", "eu-*"),
    "first_in_imds_mode": {"additional_session_names": ["eu-*"], "attribution_mode": "imds"},
    "second_in_imds_mode": {
        **SECOND,
        "attribution_mode": "imds",
        "notebook_instances": {"eu-1": {}},
        "shared_role": "${module.first_in_imds_mode.shared_role}",
    },
    "created_named": {"policy_name": "mine"},
    "existing": {"create_role": False, "role_arn": OWN, "notebook_instances": {"one": {}}},
    "existing_elsewhere": {
        "create_role": False,
        "role_arn": OWN,
        "notebook_instances": {"two": {}},
        "providers": {"aws": "aws.elsewhere"},
    },
    "existing_of_other_scripts": {"create_role": False, "role_arn": OWN, "lifecycle_configuration_name": "scripts"},
    "existing_of_longest_names": {
        "name": "n" * 51,
        "create_role": False,
        "role_arn": OWN,
        "lifecycle_configuration_name": "x" * 63,
        "attribution_mode": "imds",
    },
    "existing_named": {
        "create_role": False,
        "role_arn": OWN,
        "policy_name": "mine",
        "deny_unknown_session_names": True,
    },
    "existing_without_names": {"create_role": False, "role_arn": OWN, "attach_logs_policy": False},
    "existing_alone": {
        "create_role": False,
        "role_arn": OWN,
        "deny_unknown_session_names": True,
        "additional_session_names": ["two"],
        "deny_unattributed_calls": True,
        "outside_notebooks_are_attributed": True,
    },
    "created_for_several": {"notebook_instances": {"one": {}}, "deny_unknown_session_names": False},
}


def planned(emulator: Emulator, folder: Path, calls: dict[str, dict[str, Any]]) -> Outcome:
    """Plan these calls of the module, all in one plan, with a provider of another region where one asks for it."""
    asked = any("providers" in given for given in calls.values())
    providers = {"provider": {"aws": [{}, {"alias": "elsewhere", "region": "eu-west-1"}]}} if asked else {}
    root = write_calls(folder, {name: {"name": "team", **given} for name, given in calls.items()}, **providers)
    return Workspace(folder, root=root, environment=emulator.environment()).plan()


@pytest.fixture(scope="module")
def roles(emulator: Emulator) -> Iterator[None]:
    """A role as another call of the module has made it, and one of an owner's own."""
    iam = emulator.client("iam")
    trust = policy_document(SELF_TRUST).replace(f"arn:aws:iam::{ACCOUNT}:role/service-role/shared", OWN)
    iam.create_role(RoleName="made-execution", AssumeRolePolicyDocument=trust, Tags=[{"Key": TAG, "Value": "made"}])
    iam.create_role(RoleName="own", Path="/service-role/", AssumeRolePolicyDocument=trust)
    yield
    for name in ("made-execution", "own"):
        iam.delete_role(RoleName=name)


@pytest.fixture(scope="module")
def errors(emulator: Emulator, roles: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    calls = {f"case_{number}": given for number, (given, _) in enumerate(WRONG.values())}
    return planned(emulator, tmp_path_factory.mktemp("wrong"), calls).errors


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_combination_is_refused_with_the_way_out(errors: list[str], case: str) -> None:
    _, expected = WRONG[case]
    assert len([error for error in errors if all(text in error for text in expected)]) == 1, errors


def test_each_wrong_combination_gives_one_error(errors: list[str]) -> None:
    assert len(errors) == len(WRONG)


@pytest.fixture(scope="module")
def right(emulator: Emulator, roles: None, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    outcome = planned(emulator, tmp_path_factory.mktemp("right"), RIGHT)
    assert outcome.diagnostics == []
    return outcome


def policies(outcome: Outcome, call: str) -> dict[str, str]:
    """The inline policies that a call plans, by name."""
    found = [
        change["change"]["after"]
        for change in outcome.plan["resource_changes"]
        if change["type"] == "aws_iam_role_policy" and change["address"].startswith(f"module.{call}.")
    ]
    return {policy["name"]: policy["policy"] for policy in found}


def test_a_call_that_leaves_the_policies_to_another_plans_none(right: Outcome) -> None:
    assert policies(right, "second") == {}
    notebook = right.planned('module.second.aws_sagemaker_notebook_instance.this["eu-1"]')
    assert notebook["role_arn"] == MADE_BY_THE_MODULE


def test_calls_of_one_name_in_two_regions_write_policies_of_their_own(right: Outcome) -> None:
    assert set(policies(right, "existing")) == {"team-assume-self-us-east-1", "team-logs-us-east-1"}
    assert set(policies(right, "existing_elsewhere")) == {"team-assume-self-eu-west-1", "team-logs-eu-west-1"}


def test_calls_of_one_name_with_other_lifecycle_configurations_write_policies_of_their_own(right: Outcome) -> None:
    """Of two calls with one lifecycle configuration, the second fails before it writes a policy (test_names.py)."""
    assert set(policies(right, "existing_of_other_scripts")) == {
        "scripts.assume-self-us-east-1",
        "scripts.logs-us-east-1",
    }
    assert all(len(name) <= 128 for name in policies(right, "existing_of_longest_names"))


def test_the_only_call_of_an_existing_role_may_name_the_policy(right: Outcome) -> None:
    assert "mine" in policies(right, "existing_named")


@pytest.mark.parametrize(
    ("call", "policy"),
    [("existing", "team-assume-self-us-east-1"), ("created_for_several", "team-assume-self")],
)
def test_on_a_role_of_several_calls_the_names_stand_in_the_allow(right: Outcome, call: str, policy: str) -> None:
    stated = statements(policies(right, call)[policy])
    assert "UnderKnownNamesOnly" not in stated
    assert stated["OpenNotebookSessions"]["Condition"] == {"StringLikeIfExists": {"sts:RoleSessionName": ["one"]}}


def test_without_names_such_a_call_allows_nothing(right: Outcome) -> None:
    (policy,) = policies(right, "existing_without_names").values()
    assert "OpenNotebookSessions" not in statements(policy)


def test_the_deny_of_unknown_names_can_be_had_on_an_existing_role(right: Outcome) -> None:
    stated = statements(policies(right, "existing_alone")["team-assume-self-us-east-1"])
    assert stated["UnderKnownNamesOnly"]["Condition"] == {"StringNotLike": {"sts:RoleSessionName": ["two"]}}
    assert "Condition" not in stated["OpenNotebookSessions"]
    assert "team-deny-unattributed-calls-us-east-1" in policies(right, "existing_alone")


def test_a_role_that_admits_the_names_of_other_calls_carries_no_tag_against_them(right: Outcome) -> None:
    assert right.planned("module.created_for_several.aws_iam_role.this[0]")["tags"] is None
