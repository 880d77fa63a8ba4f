"""`which-notebook audit` over an emulated account in which every notebook instance is wrong in its own way, or right."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebooks import create_notebook

from which_notebook.audit.account import PERMISSIONS

from .audit_account import ACCOUNT, ELSEWHERE, REGION, AuditedAccount, opens_session, rows, run
from .audit_account import audited_account as audited_account
from .audit_advice import EXPECTED, FOLLOWED, LEFT, PROBLEMS
from .audit_following import Follower

# The account is these tests' own.
pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def audited(audited_account: AuditedAccount) -> dict[str, dict[str, Any]]:
    result = run(audited_account, "--format", "json")
    # Of the role that isn't there, its policies couldn't be read.
    assert (result.status, result.err) == (0, "")
    return rows(result)


def test_every_notebook_instance_has_its_row(audited: dict[str, Any]) -> None:
    assert set(audited) == set(EXPECTED)
    assert list(audited) == sorted(audited, key=lambda name: (name.lower(), name))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_and_what_to_change(audited_account: AuditedAccount, audited: dict[str, Any], name: str) -> None:
    row = audited[name]
    changes = [
        (each["code"], tuple(named(audited_account, row, step) for step in each["change"])) for each in row["findings"]
    ]
    assert (row["verdict"], changes) == EXPECTED[name], [each["problem"] for each in row["findings"]]


def named(audited_account: AuditedAccount, row: dict[str, Any], step: str) -> str:
    """Put "<the module's>" in the place of a trust policy that is what the module would write."""
    found = re.search(r"(update-assume-role-policy \S+ \S+ --policy-document )'(.*)'", step)
    if not found:
        return step
    module = audited_account.outputs["profile"]
    expected = module["role_trust_policy"].replace(module["role_arn"], row["role_arn"])
    assert json.loads(found[2]) == json.loads(expected)
    return step.replace(found[0], f"{found[1]}<the module's>")


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_in_words(audited: dict[str, Any], name: str) -> None:
    assert audited[name]["findings"][0]["problem"] == PROBLEMS[name]


def test_the_columns(audited: dict[str, Any]) -> None:
    right = {**audited["right"], "findings": None}
    assert right == {
        "notebook": "right",
        "region": REGION,
        "account_id": ACCOUNT,
        "verdict": "attributed",
        "status": "InService",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/audited-profile-execution",
        "lifecycle_configuration": "audited-profile-attribution",
        "script": "module",
        "script_version": right["script_version"],
        "attribution_mode": "profile",
        "root_access": "no",
        "minimum_metadata_version": "2",
        "platform": "notebook-al2023-v1",
        "can_open_own_session": "yes",
        "other_names_refused": "yes",
        "notebook_sessions_excluded": "yes",
        "other_principals_excluded": "yes",
        "unattributed_calls_denied": "no",
        "passing_itself_refused": "yes",
        "notebook_instance_changes_refused": "yes",
        "role_changes_refused": "yes",
        "findings": None,
    }
    assert right["script_version"]
    assert (audited["denied"]["unattributed_calls_denied"], audited["closed"]["attribution_mode"]) == ("yes", "imds")
    assert (audited["recipe"]["script"], audited["recipe"]["script_version"]) == ("recipe", None)


# The account itself says whether it is so


def test_what_the_audit_says_of_a_session_is_what_happens(
    audited_account: AuditedAccount, audited: dict[str, Any]
) -> None:
    said = {}
    for name, row in audited.items():
        if row["can_open_own_session"] in ("yes", "no"):
            said[name] = row["can_open_own_session"], opens_session(audited_account, row, row["notebook"])
    assert {name for name, (audit, happens) in said.items() if audit != happens} == set()
    assert len(said) > 20


def test_what_the_audit_says_of_other_names_is_what_happens(
    audited_account: AuditedAccount, audited: dict[str, Any]
) -> None:
    happens = {
        name: opens_session(audited_account, row, "another-name-7")
        for name, row in audited.items()
        if row["other_names_refused"] in ("yes", "no") and row["can_open_own_session"] == "yes"
    }
    assert {name for name, opened in happens.items() if opened == audited[name]["other_names_refused"]} == set()
    assert {name for name, opened in happens.items() if opened == "yes"} == {"recipe", "broad", "cant-ask"}


# Permissions


@pytest.fixture
def auditor(audited_account: AuditedAccount) -> Iterator[dict[str, str]]:
    """The environment of a user who may do nothing yet."""
    audited_account.iam.create_user(UserName="auditor")
    key = audited_account.iam.create_access_key(UserName="auditor")["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    for name in audited_account.iam.list_user_policies(UserName="auditor")["PolicyNames"]:
        audited_account.iam.delete_user_policy(UserName="auditor", PolicyName=name)
    audited_account.iam.delete_access_key(UserName="auditor", AccessKeyId=key["AccessKeyId"])
    audited_account.iam.delete_user(UserName="auditor")


def allow(audited_account: AuditedAccount, policy: Any) -> None:
    audited_account.iam.put_user_policy(UserName="auditor", PolicyName="audit", PolicyDocument=json.dumps(policy))


def test_it_works_with_the_policy_that_it_prints_and_makes_no_other_call(
    audited_account: AuditedAccount, audited: dict[str, Any], auditor: dict[str, str]
) -> None:
    allow(audited_account, json.loads(run(audited_account, "--permissions", "--region", "all").out))
    domain = audited_account.sagemaker.create_domain(
        DomainName="d", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": audited_account.arn("audited-plain")}
    )["DomainId"]
    result = run(audited_account, "--region", "all", "--format", "json", environment=auditor)
    audited_account.sagemaker.delete_domain(DomainId=domain)
    assert (result.status, result.err) == (0, "")
    assert {row["notebook"] for row in json.loads(result.out)["instances"]} >= {*audited, "elsewhere"}
    assert {name: row for name, row in rows(result).items() if name in audited} == audited
    made = {
        f"{record['eventSource'].split('.')[0]}:{record['eventName']}"
        for record in audited_account.emulator.records()
        if record["userIdentity"].get("userName") == "auditor"
    }
    assert made == {*PERMISSIONS, "ec2:DescribeRegions"}


WITHOUT = {
    "sagemaker:DescribeNotebookInstance": ("unknown", {"unknown"}),
    "sagemaker:DescribeNotebookInstanceLifecycleConfig": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:GetRole": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:ListRolePolicies": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:GetRolePolicy": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:ListAttachedRolePolicies": ("unknown", {"unknown", "not-attributed", "broken"}),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_where_a_permission_is_missing_it_says_so_and_knows_nothing(
    audited_account: AuditedAccount, auditor: dict[str, str], missing: str
) -> None:
    policy = json.loads(run(audited_account, "--permissions").out)
    policy["Statement"][0]["Action"].remove(missing)
    allow(audited_account, policy)
    result = run(audited_account, "--format", "json", "--fail-on", "broken", environment=auditor)
    found = rows(result)
    assert result.status == 3
    assert "Traceback" not in result.err
    assert (found["closed"]["verdict"], {row["verdict"] for row in found.values()}) == WITHOUT[missing]
    unread = next(each for each in found["closed"]["findings"] if each["code"] == "unread")
    assert f"{missing} is missing" in unread["problem"]
    assert unread["change"] == [f"Allow {missing} to whoever runs the audit (which-notebook audit --permissions)."]


def test_what_the_missing_permission_does_not_touch_is_still_said(
    audited_account: AuditedAccount, auditor: dict[str, str]
) -> None:
    policy = json.loads(run(audited_account, "--permissions").out)
    policy["Statement"][0]["Action"].remove("iam:GetRole")
    allow(audited_account, policy)
    found = rows(run(audited_account, "--format", "json", environment=auditor))
    assert found["plain"]["verdict"] == "not-attributed"
    assert [each["code"] for each in found["rooted"]["findings"]] == ["unread", "root-access"]
    assert found["closed"]["can_open_own_session"] == "unchecked"


def test_policies_that_could_not_be_read_are_named_once(
    audited_account: AuditedAccount, auditor: dict[str, str]
) -> None:
    policy = json.loads(run(audited_account, "--permissions").out)
    policy["Statement"][0]["Action"].remove("iam:GetRolePolicy")
    allow(audited_account, policy)
    row = rows(run(audited_account, "--notebook", "rooted", environment=auditor))["rooted"]
    # Its inline policies: by which it assumes itself, and by which SageMaker writes logs.
    assert [each["code"] for each in row["findings"]] == ["unread", "unread", "root-access"]
    assert len({each["problem"] for each in row["findings"]}) == 3
    assert (row["can_open_own_session"], row["other_names_refused"]) == ("undecided", "undecided")


def test_without_any_permission_the_region_is_named(audited_account: AuditedAccount, auditor: dict[str, str]) -> None:
    result = run(audited_account, "--format", "json", environment=auditor)
    assert result.status == 1
    assert json.loads(result.out)["instances"] == []
    assert result.err.startswith(
        f"which-notebook: could not read the notebook instances in {REGION}: access denied: sagemaker:ListNotebookInstances is missing"
    )
    domains = f"could not read the Studio domains in {REGION}: access denied: sagemaker:ListDomains is missing"
    assert [domains in line for line in result.err.splitlines()] == [False, True]
    all_regions = run(audited_account, "--region", "all", environment=auditor)
    assert (all_regions.status, all_regions.out) == (1, "")
    assert re.fullmatch(r"which-notebook: [^\n]*ec2:DescribeRegions[^\n]*\n", all_regions.err)


# The command


@pytest.mark.parametrize(
    ("names", "fail_on", "status"),
    [
        ("closed", "attributed", 0),
        ("right", "attributed", 3),
        ("right", "weak", 0),
        ("rooted", "weak", 3),
        ("rooted", "not-attributed", 0),
        ("plain", "not-attributed", 3),
        ("plain", "broken", 0),
        ("unlisted", "broken", 3),
        ("undecided", "broken", 3),
        ("closed,right,unlisted", "broken", 3),
    ],
)
def test_fail_on(audited_account: AuditedAccount, names: str, fail_on: str, status: int) -> None:
    result = run(audited_account, "--notebook", names, "--fail-on", fail_on)
    assert (result.status, set(rows(result))) == (status, set(names.split(",")))
    count = len(names.split(","))
    expected = f"which-notebook: 1 of {count} notebook instance{'s' * (count > 1)}: {fail_on} or worse, or unknown (--fail-on)\n"
    assert result.err == (expected if status else "")


def test_a_name_that_is_not_there(audited_account: AuditedAccount) -> None:
    result = run(audited_account, "--notebook", "righ", "--notebook", "closed")
    assert (result.status, set(rows(result))) == (1, {"closed"})
    assert result.err == "which-notebook: there is no notebook instance righ in the regions that were asked\n"


def test_several_regions(audited_account: AuditedAccount) -> None:
    result = run(audited_account, "--region", f"{ELSEWHERE},{REGION}", "--notebook", "elsewhere,closed")
    found = rows(result)
    assert {name: row["region"] for name, row in found.items()} == {"elsewhere": ELSEWHERE, "closed": REGION}
    assert found["elsewhere"]["verdict"] == "not-attributed"


def test_a_table(audited_account: AuditedAccount, audited: dict[str, Any]) -> None:
    result = run(audited_account, "--format", "table", "--notebook", "closed,rooted")
    # A release's, or "unreleased" where this checkout has changed the script.
    closed, rooted = (f"module {audited[name]['script_version']}" for name in ("closed", "rooted"))
    width = max(len(closed), len(rooted))
    assert result.out.splitlines() == [
        f"notebook  region     verdict   {'script':{width}}  mode     root access  role",
        f"closed    eu-west-2  enforced  {closed:{width}}  imds     no           audited-imds-execution",
        f"rooted    eu-west-2  weak      {rooted:{width}}  profile  yes          audited-profile-execution",
        "    root access is on: root can unlock what the script locks",
        "      → Run:",
        *(f"        {command}" for command in dict(EXPECTED["rooted"][1])["root-access"]),
        "    with the base session's credentials its user can make unattributed calls and call under another known name",
        *(
            f"{'        ' if step.startswith(('aws ', 'terraform ')) else '      → '}{step}"
            for step in dict(EXPECTED["rooted"][1])["not-enforced"]
        ),
        "",
        "1 enforced, 1 weak",
    ]


def test_csv_in_a_file(audited_account: AuditedAccount, tmp_path: Path) -> None:
    target = tmp_path / "audit.csv"
    result = run(audited_account, "--notebook", "plain", "-o", str(target))
    assert (result.status, result.out, result.err) == (0, "", "")
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert (row["notebook"], row["verdict"], row["script"], row["script_version"]) == (
        "plain",
        "not-attributed",
        "none",
        "",
    )
    assert row["problems"].endswith(" | it has no lifecycle configuration, so nothing sets attribution up")


def test_all_pages_are_read(audited_account: AuditedAccount) -> None:
    """More notebook instances than the service lists at once, which is 100."""
    names = [f"many-{number:03}" for number in range(103)]
    for name in names:
        create_notebook(audited_account.emulator, name, audited_account.arn("audited-plain"), region="eu-south-1")
    assert sorted(rows(run(audited_account, "--region", "eu-south-1"))) == names


# The advice, followed to the word; this changes the account, so it comes last


@pytest.fixture(scope="module")
def follower(audited_account: AuditedAccount, tmp_path_factory: pytest.TempPathFactory) -> Follower:
    return Follower(audited_account, tmp_path_factory.mktemp("followed"))


@pytest.fixture(scope="module")
def mended(audited_account: AuditedAccount, follower: Follower) -> dict[str, dict[str, Any]]:
    """The rows of all once what is to mend was mended, of all notebook instances at once."""
    for _ in range(3):  # what one change brings up, the next audit says
        found = rows(run(audited_account, "--format", "json"))
        to_mend = {name: to_mend_in(found[name]) for name in FOLLOWED}
        if not any(to_mend.values()):
            break
        follower.follow((found[name], [each["change"] for each in wrong]) for name, wrong in to_mend.items())
    return found


def to_mend_in(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in row["findings"] if each["code"] not in LEFT]


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_advice_followed_to_the_word_mends_it(
    audited_account: AuditedAccount, mended: dict[str, dict[str, Any]], name: str
) -> None:
    row = mended[name]
    assert (row["verdict"], [each["problem"] for each in to_mend_in(row)]) == (FOLLOWED[name], [])
    assert row["status"] == ("Stopped" if name == "ended-system" else "InService")
    assert opens_session(audited_account, row, name) == "yes"


@pytest.mark.parametrize("name", ["right", "rooted"])
def test_the_advice_on_enforcement_followed_to_the_word_enforces(
    audited_account: AuditedAccount, mended: dict[str, dict[str, Any]], follower: Follower, name: str
) -> None:
    """One is the module's own and the other was made by hand, so that the module refuses to deny at once."""
    row = rows(run(audited_account))[name]
    follower.follow([(row, [each["change"] for each in row["findings"]])])
    row = rows(run(audited_account))[name]
    assert (row["verdict"], row["findings"], row["unattributed_calls_denied"]) == ("enforced", [], "yes")
