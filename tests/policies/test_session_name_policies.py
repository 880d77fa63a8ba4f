"""Many names: what fits the inline policies, what a pattern makes of it, and managed policies that list the names.

The policies are those of plans. Who may open which session is put to the evaluator, and for the managed policies also
decided from what they list, for every name that there can be.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from random import Random
from typing import Any

import pytest
from calls import address, write_cases
from emulator.judge import Decision, Judge, Question, Session
from emulator.server import Emulator
from session_names import names_of_people, random_names, seeded
from workspace import Outcome, Workspace

BASE = Session(
    account_id="111122223333", role_name="team-execution", role_id="AROAEXAMPLEROLEID1234", session_name="SageMaker"
)
BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
SEED = 20261126
QUOTA = 6144

# Thousands, and in CI more of them: Terraform takes as many milliseconds.
MANY = (2500, 5000) if os.environ.get("CI") else (1500, 2000)

# What the inline policies don't take; the error proposes managed policies, which the second plan has.
TOO_MANY: dict[str, list[str]] = {
    "people": names_of_people(700),
    "thousands": names_of_people(MANY[0]),
    "one_beginning": [f"notebook-{number:04}" for number in range(800)],
    "beginnings_of_others": [
        "ab",
        *(f"ab{number}" for number in range(999)),
        *("a" * length for length in range(2, 60)),
    ],
    **{f"random_{seed}": random_names(seeded(SEED + seed), 520 + 300 * seed) for seed in range(2)},
}
PATTERNS = {"random_1": ["*-shared", "x?z"]}
FITTING = {
    "people_300": names_of_people(300),
    "full_2400": [f"{letter}-{number:018}" for letter in "abcdefghij" for number in range(240)],
    "pattern_thousands": [*(f"ds-{name}" for name in names_of_people(MANY[1])), "ds-*"],
}


@pytest.fixture(scope="module")
def refused(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The one error of each call whose names are too many."""
    plan = plan_of(emulator, tmp_path_factory, {name: {} for name in TOO_MANY})
    errors: dict[str, list[str]] = {name: [] for name in TOO_MANY}
    for text in plan.errors:
        count = int(re.findall(r"with its (\d+) session names", text)[0])
        (name,) = [each for each in TOO_MANY if len(names_of(each)) == count]
        errors[name].append(text)
    return {name: text for name, (text,) in errors.items()}


@pytest.fixture(scope="module")
def planned(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory, refused: dict[str, str]) -> Outcome:
    """All calls planned, those with too many names with the policies that the error proposes."""
    proposals = {name: {"session_name_policies": proposal_in(text)} for name, text in refused.items()}
    full = {"session_name_policies": [[letter] for letter in "abcdefghij"]}
    fitting: dict[str, dict[str, Any]] = {name: full if name == "full_2400" else {} for name in FITTING}
    plan = plan_of(emulator, tmp_path_factory, proposals | fitting)
    assert plan.diagnostics == []
    return plan


def names_of(call: str) -> list[str]:
    return [*(TOO_MANY | FITTING)[call], *PATTERNS.get(call, [])]


def plan_of(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory, inputs: dict[str, dict[str, Any]]) -> Outcome:
    folder = tmp_path_factory.mktemp("names")
    calls = {
        name: {"name": "team", "additional_session_names": names_of(name), **given} for name, given in inputs.items()
    }
    return Workspace(folder, root=write_cases(folder, calls), environment=emulator.environment()).plan()


def proposal_in(error: str) -> list[list[str]]:
    found: list[list[str]] = json.loads(error.partition("session_name_policies = ")[2].removesuffix("."))
    return found


def managed_policies(plan: Outcome, call: str) -> dict[str, str]:
    policies = f"{address(call)}.aws_iam_policy.session_names["
    return {
        each["change"]["after"]["name"]: each["change"]["after"]["policy"]
        for each in plan.plan["resource_changes"]
        if each["address"].startswith(policies)
    }


def policies_of(plan: Outcome, call: str) -> dict[str, Any]:
    inline = plan.planned(f"{address(call)}.aws_iam_role_policy.assume_self[0]")["policy"]
    return {"inline": inline, "broad": BROAD, **managed_policies(plan, call)}


def values_of(policy: str) -> list[str]:
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Effect"] == "Deny"
    (operator,) = statement["Condition"]
    assert operator == "StringNotLike"
    values: list[str] = statement["Condition"][operator]["sts:RoleSessionName"]
    return values


def decision(judge: Judge, plan: Outcome, call: str, name: str) -> Decision:
    """Ask whether the base session may open a session of this name, beside a policy that allows sts:*."""
    return judge.decide(
        Question(
            principal=BASE.arn,
            action="sts:AssumeRole",
            resource=BASE.role_arn,
            resource_account=BASE.account_id,
            identity_policies=policies_of(plan, call),
            resource_policy=plan.planned(f"{address(call)}.aws_iam_role.this[0]")["assume_role_policy"],
            context={**BASE.context, "sts:RoleSessionName": name},
        )
    )


def strangers(random: Random, known: set[str]) -> set[str]:
    """Return names that nobody may have: near ones, and any."""
    near = {
        changed
        for name in random.sample(sorted(known), 10)
        for changed in (name + "x", name[:-1], name[0], name.swapcase(), "x" + name, name[:-1] + "*", name + "-shared2")
    }
    return (
        {"SageMaker", "sagemaker", "*", "?", "ds-", "notebook-", "é", *near, *random_names(random, 20)} - known - {""}
    )


def test_2400_names_of_20_characters_fit_ten_managed_policies(planned: Outcome) -> None:
    sizes = [len(policy) for policy in managed_policies(planned, "full_2400").values()]
    assert len(sizes) == 10
    assert 0.9 * QUOTA < max(sizes) <= QUOTA


@pytest.mark.parametrize("call", ["people_300", "pattern_thousands"])
def test_names_that_fit_need_no_managed_policy(judge: Judge, planned: Outcome, call: str) -> None:
    assert managed_policies(planned, call) == {}
    known = set(names_of(call)) - {"ds-*"}
    for name in seeded(SEED).sample(sorted(known), 30):
        assert decision(judge, planned, call, name).allowed, name
    outside = {name for name in strangers(seeded(SEED), known) if "ds-*" not in names_of(call) or name[:3] != "ds-"}
    for name in outside:
        assert decision(judge, planned, call, name).result == "ExplicitlyDenied", name


def test_too_many_names_are_refused_with_the_ways_out(refused: dict[str, str]) -> None:
    assert re.search(r"would have \d+ characters with its 700 session names; IAM allows 10240", refused["people"])
    assert 'put a pattern for it into additional_session_names, such as "team-a-*"' in refused["people"]
    assert (
        "Or let 3 managed policies list the names (a role can have 10 by default, more by request): session_name_policies = [["
        in refused["people"]
    )


@pytest.mark.parametrize("call", TOO_MANY)
def test_each_proposed_policy_fits_with_room_for_more_names(planned: Outcome, call: str) -> None:
    sizes = [len(policy) for policy in managed_policies(planned, call).values()]
    assert sizes
    assert max(sizes) <= 0.85 * QUOTA


@pytest.mark.parametrize("call", TOO_MANY)
def test_the_evaluator_lets_pass_the_known_names_and_no_other(judge: Judge, planned: Outcome, call: str) -> None:
    random = seeded(SEED)
    known = set(TOO_MANY[call])
    for name in random.sample(sorted(known), 30):
        assert decision(judge, planned, call, name).allowed, name
    admitted = "|".join(map(fnmatch.translate, PATTERNS.get(call, ["-"])))
    for name in strangers(random, known):
        if not re.match(admitted, name):
            assert decision(judge, planned, call, name).result == "ExplicitlyDenied", name


def test_the_evaluator_lets_pass_what_a_pattern_admits(judge: Judge, planned: Outcome) -> None:
    for name, allowed in (("any-shared", True), ("x1z", True), ("x12z", False), ("any-shared2", False)):
        assert decision(judge, planned, "random_1", name).allowed is allowed


@pytest.mark.parametrize("call", TOO_MANY)
def test_of_all_names_that_there_can_be_the_policies_let_pass_the_known_ones_alone(planned: Outcome, call: str) -> None:
    """Decided, not tried: a name that isn't listed passes only if each policy has a pattern that it begins with.

    Of these patterns one is the longest, and the others are beginnings of it.
    """
    own_patterns = PATTERNS.get(call, [])
    listed: set[str] = set()
    patterns: list[set[str]] = []
    for policy in managed_policies(planned, call).values():
        values = [value for value in values_of(policy) if value not in own_patterns]
        assert len(values) + len(own_patterns) == len(values_of(policy)), "each policy has the caller's patterns"
        listed |= {value for value in values if not re.search(r"[*?]", value)}
        patterns.append({value.removesuffix("*") for value in values if value.endswith("*")})
        assert not any(re.search(r"[*?]", pattern) for pattern in patterns[-1])
    assert listed == set(TOO_MANY[call])
    for pattern in set().union(*patterns):
        assert not all(any(pattern.startswith(each) for each in some) for some in patterns), pattern
    for name in listed:
        for policy, some in zip(managed_policies(planned, call).values(), patterns, strict=True):
            assert name in values_of(policy) or any(name.startswith(each) for each in some)


def test_a_policy_that_its_names_overfill_is_refused_with_their_number(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    given = {"people": {"session_name_policies": [["a", "b"], [*"cdefghijklmnopqrstuvwxyz"]]}}
    (error,) = plan_of(emulator, tmp_path_factory, given).errors
    of_the_second = [name for name in TOO_MANY["people"] if name[0] not in "ab"]
    assert f"characters with its {len(of_the_second)} names; IAM allows 6144" in error
    assert "The managed policy of the session names that begin with c, d, e, " in error
    assert proposal_in(error)


def test_more_names_than_all_managed_policies_take_are_refused(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("all")
    # Patterns stand in each policy: here they leave room for a few names.
    patterns = [f"{number:02}{'?' * 59}" for number in range(85)]
    calls = {"all": {"name": "team", "additional_session_names": [*names_of_people(300), *patterns]}}
    (error,) = Workspace(folder, root=write_cases(folder, calls), environment=emulator.environment()).plan().errors
    assert (
        "The module found no division of these names by their prefixes into 25 managed policies, the most that a role can have"
        in error
    )
