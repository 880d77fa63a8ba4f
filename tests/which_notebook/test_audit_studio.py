"""`which-notebook audit` of Studio's domains, each wrong in its own way, or right; and its advice, followed to the word."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from msgspec.structs import replace
from policy_documents import policy_document

from which_notebook.audit.account import Unread
from which_notebook.audit.domain_verdicts import DomainRow, judge_domain
from which_notebook.audit.domains import Domain
from which_notebook.audit.iam.policy import Policy, read_policy
from which_notebook.audit.iam.role import Role
from which_notebook.aws import forget_clients

from .audit_account import ACCOUNT, audit_as
from .aws_cli import AwsCli
from .conftest import Answer

REGION = "ap-south-1"
ON = {"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"}
SETS = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
}
ASSUMES = {**SETS, "Action": "sts:AssumeRole"}
EVERYTHING = [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]
ROOT = {**SETS, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
ADMINISTERS = [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]
POWERS = [
    "sagemaker:CreatePresignedDomainUrl", "sagemaker:CreateUserProfile", "sagemaker:UpdateUserProfile", "sagemaker:UpdateDomain",
]  # fmt: skip

# By its name: the trust policy's statements, the identity policy's statements, the domain's settings.
DOMAINS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]] = {
    "right": ([SETS], [], ON),
    "off": ([SETS], [], {"ExecutionRoleIdentityConfig": "DISABLED"}),
    "never-said": ([ASSUMES], [], {}),
    "refused": ([ASSUMES], [], ON),
    "powerful": ([SETS], EVERYTHING, ON),
    "open": ([SETS, ROOT], [], ON),
    "open-and-off": ([ASSUMES, ROOT], ADMINISTERS, {}),
    "self-made": ([SETS], ADMINISTERS, ON),
}
EXPECTED = {
    "right": ("attributed", [], "yes", "yes"),
    "off": ("not-attributed", ["user-profile-names-off"], "yes", "yes"),
    "never-said": ("not-attributed", ["no-set-source-identity", "user-profile-names-off"], "no", "yes"),
    "refused": ("broken", ["no-set-source-identity"], "no", "yes"),
    "powerful": ("weak", ["works-as-another"], "yes", "no"),
    "open": ("weak", ["other-principals"], "yes", "yes"),
    "open-and-off": ("not-attributed", ["no-set-source-identity", "user-profile-names-off", "other-principals", "changes-itself"], "no", "yes"),
    "self-made": ("weak", ["changes-itself"], "yes", "yes"),
}  # fmt: skip
OTHERS_EXCLUDED = {name: "no" if "open" in name else "yes" for name in DOMAINS}
ROLE_CHANGES_REFUSED = {name: "yes" if DOMAINS[name][1] != ADMINISTERS else "no" for name in DOMAINS}


@pytest.fixture(scope="module")
def account(emulator: Emulator) -> Iterator[Emulator]:
    """The account, with the domains."""
    iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker", region=REGION)
    for name, (trust, identity, settings) in DOMAINS.items():
        document = policy_document(*trust)
        arn = iam.create_role(RoleName=f"studio-{name}", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if identity:
            policy = policy_document(*identity)
            iam.put_role_policy(RoleName=f"studio-{name}", PolicyName="own", PolicyDocument=policy)
        given = {"DomainSettings": settings} if settings else {}
        sagemaker.create_domain(
            DomainName=name, AuthMode="IAM", DefaultUserSettings={"ExecutionRole": arn}, SubnetIds=["subnet-1"], VpcId="vpc-1", **given,
        )  # fmt: skip
    forget_clients()
    yield emulator
    forget_clients()
    for each in sagemaker.list_domains()["Domains"]:
        for app in sagemaker.list_apps(DomainIdEquals=each["DomainId"])["Apps"]:
            sagemaker.delete_app(**{key: app[key] for key in ("DomainId", "UserProfileName", "AppType", "AppName")})
        for user in sagemaker.list_user_profiles(DomainIdEquals=each["DomainId"])["UserProfiles"]:
            sagemaker.delete_user_profile(DomainId=each["DomainId"], UserProfileName=user["UserProfileName"])
        sagemaker.delete_domain(DomainId=each["DomainId"])
    for name in DOMAINS:
        for policy_name in iam.list_role_policies(RoleName=f"studio-{name}")["PolicyNames"]:
            iam.delete_role_policy(RoleName=f"studio-{name}", PolicyName=policy_name)
        with suppress(ClientError):
            iam.delete_role(RoleName=f"studio-{name}")


def run(account: Emulator, *options: str, environment: Mapping[str, str] | None = None) -> Answer:
    return audit_as(environment, {**account.environment(), "AWS_REGION": REGION}, *options)


def rows(answer: Answer) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in answer.json["studio_domains"]}


def codes(row: Any) -> list[str]:
    return [each["code"] for each in row["findings"]]


def test_each_domain_has_its_verdict(account: Emulator) -> None:
    result = run(account, "--format", "json")
    assert (result.status, result.err) == (0, "")
    found = {
        name: (row["verdict"], codes(row), row["source_identity_allowed"], row["user_profiles_kept_apart"])
        for name, row in rows(result).items()
    }
    assert found == EXPECTED
    assert {name: row["other_principals_excluded"] for name, row in rows(result).items()} == OTHERS_EXCLUDED
    assert {name: row["role_changes_refused"] for name, row in rows(result).items()} == ROLE_CHANGES_REFUSED
    right = rows(result)["right"]
    assert (right["account_id"], right["region"], right["status"], right["execution_role_identity_config"]) == (
        ACCOUNT, REGION, "InService", "USER_PROFILE_NAME",
    )  # fmt: skip
    assert right["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/studio-right"
    assert rows(result)["never-said"]["execution_role_identity_config"] == "DISABLED"
    assert all(power in rows(result)["powerful"]["findings"][0]["problem"] for power in POWERS)


def test_a_table_and_csv(account: Emulator) -> None:
    table = run(account, "--format", "table").out
    assert table.startswith("no notebook instances\n\nstudio domain")
    assert "carry no user profile's name: ExecutionRoleIdentityConfig is DISABLED" in table
    assert table.endswith("\n1 attributed, 3 weak, 3 not-attributed, 1 broken\n")
    found = list(csv.DictReader(io.StringIO(run(account, "--format", "csv").out)))
    assert {(row["notebook"], row["name"], row["verdict"]) for row in found} == {("", name, each[0]) for name, each in EXPECTED.items()}  # fmt: skip
    assert all(row["studio_domain"].startswith("d-") for row in found)


@pytest.mark.parametrize(("fail_on", "count"), [("broken", 1), ("weak", 7)])
def test_fail_on_counts_domains(account: Emulator, fail_on: str, count: int) -> None:
    result = run(account, "--fail-on", fail_on)
    assert result.status == 3
    assert (
        result.err
        == f"which-notebook: {count} of {len(DOMAINS)} Studio domains: {fail_on} or worse, or unknown (--fail-on)\n"
    )


def test_who_asks_about_a_notebook_instance_asks_about_no_domain(account: Emulator) -> None:
    result = run(account, "--notebook", "x", "--fail-on", "broken")
    assert (json.loads(result.out)["studio_domains"], result.status) == ([], 1)
    assert result.err == "which-notebook: there is no notebook instance x in the regions that were asked\n"


# Permissions


@pytest.fixture
def auditor(account: Emulator) -> Iterator[dict[str, str]]:
    iam = account.client("iam")
    iam.create_user(UserName="studio-auditor")
    key = iam.create_access_key(UserName="studio-auditor")["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    iam.delete_user_policy(UserName="studio-auditor", PolicyName="audit")
    iam.delete_access_key(UserName="studio-auditor", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="studio-auditor")


def allowed(account: Emulator, auditor: dict[str, str], *missing: str) -> Answer:
    """Run the audit with the policy that it prints, but for some actions."""
    policy = json.loads(run(account, "--permissions").out)
    for each in missing:
        policy["Statement"][0]["Action"].remove(each)
    account.client("iam").put_user_policy(
        UserName="studio-auditor", PolicyName="audit", PolicyDocument=json.dumps(policy)
    )
    return run(account, "--format", "json", environment=auditor)


def test_the_policy_that_it_prints_is_enough(account: Emulator, auditor: dict[str, str]) -> None:
    result = allowed(account, auditor)
    assert (result.status, result.err, set(rows(result))) == (0, "", set(DOMAINS))


def test_domains_that_cant_be_listed_are_named(account: Emulator, auditor: dict[str, str]) -> None:
    result = allowed(account, auditor, "sagemaker:ListDomains")
    assert (result.status, rows(result)) == (1, {})
    assert (
        f"could not read the Studio domains in {REGION}: access denied: sagemaker:ListDomains is missing" in result.err
    )
    assert run(account, "--fail-on", "broken", environment=auditor).status == 1


@pytest.mark.parametrize("missing", ["sagemaker:DescribeDomain", "iam:GetRole"])
def test_one_that_cant_be_read_is_unknown_and_never_fine(
    account: Emulator, auditor: dict[str, str], missing: str
) -> None:
    result = allowed(account, auditor, missing)
    row = rows(result)["right"]
    assert (row["verdict"], codes(row), row["source_identity_allowed"]) == ("unknown", ["unread"], "unchecked")
    assert result.status == 1
    assert run(account, "--fail-on", "broken", environment=auditor).status == 3


def test_a_trust_policy_that_cant_be_read_is_undecided(account: Emulator, auditor: dict[str, str]) -> None:
    row = rows(allowed(account, auditor, "iam:GetRolePolicy"))["powerful"]
    assert (row["verdict"], row["user_profiles_kept_apart"]) == ("unknown", "undecided")


# What the account can't show


def judged(trust: Any, **changes: Any) -> DomainRow:
    role = Role(
        "arn:aws:iam::111122223333:role/studio", "AROAX", read_policy({"Version": "2012-10-17", "Statement": trust}), ()
    )
    given = Domain(
        domain_id="d-1", name="team", region=REGION, account_id=ACCOUNT, status="InService", role_arn=role.arn,
        identity_config="USER_PROFILE_NAME", role=role,
    )  # fmt: skip
    return judge_domain(replace(given, **changes))


OFFICE = {**SETS, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
NEVER = {"Effect": "Deny", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:SetSourceIdentity"}


@pytest.mark.parametrize(
    ("trust", "verdict", "answer"),
    [
        ([SETS], "attributed", "yes"),
        ([ASSUMES, {**SETS, "Action": "sts:SetSourceIdentity"}], "attributed", "yes"),
        ([{**SETS, "Action": "sts:*"}], "attributed", "yes"),
        ([{**SETS, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}], "attributed", "yes"),
        ([ASSUMES], "broken", "no"),
        ([{**SETS, "Principal": {"Service": "ec2.amazonaws.com"}}], "broken", "no"),
        ([SETS, NEVER], "broken", "no"),
        ([OFFICE], "unknown", "undecided"),
        ([], "broken", "no"),
    ],
)
def test_trust_policies(trust: Any, verdict: str, answer: str) -> None:
    row = judged(trust)
    assert (row.verdict, row.source_identity_allowed) == (verdict, answer)


@pytest.mark.parametrize("trust", [[SETS, NEVER], [{**ASSUMES, "Action": []}], [OFFICE]])
def test_where_a_command_would_not_mend_it_none_is_given(trust: Any) -> None:
    (finding,) = judged(trust).findings
    assert [step for step in finding.change if step.startswith("aws ")] == []


JANE, KIM = ({**SETS, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"}} for name in ("jane", "kim"))
FOR_ALL = {**SETS, "Action": "sts:SetSourceIdentity", "Principal": {"AWS": "*"}}


def without_it(statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("trust", "said", "answer"),
    [
        ([SETS, ROOT], ["weak"], "no"),
        ([SETS, JANE], ["weak"], "no"),
        (
            [{**SETS, "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"}}],
            ["weak"],
            "no",
        ),
        ([SETS, without_it(JANE), FOR_ALL], ["weak"], "no"),
        ([SETS, {**ROOT, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}], ["unknown"], "undecided"),
        # Who can open a session and can't give it a name makes unattributed calls there.
        ([SETS, without_it(ROOT)], [], "yes"),
        ([SETS, without_it(JANE), {**KIM, "Action": "sts:SetSourceIdentity"}], [], "yes"),
        ([SETS, without_it(JANE), {**ROOT, "Action": "sts:SetSourceIdentity"}], ["unknown"], "undecided"),
        ([SETS, {**ROOT, "Condition": {"StringNotEquals": {"sts:RoleSessionName": "SageMaker"}}}], [], "yes"),
        ([SETS, {**ROOT, "Action": "sts:SetSourceIdentity"}], [], "yes"),
    ],
)
def test_others_who_may_open_a_session_with_a_name(trust: Any, said: list[str], answer: str) -> None:
    row = judged(trust)
    assert [(each.code, each.effect) for each in row.findings] == [("other-principals", each) for each in said]
    assert row.other_principals_excluded == answer


def test_who_only_opens_sessions_stays_in_the_trust_policy() -> None:
    """What is taken out is who could set a name; who can't keeps what it has."""
    (finding,) = judged([SETS, without_it(JANE), KIM]).findings
    (command,) = [step for step in finding.change if step.startswith("aws ")]
    assert json.loads(shlex.split(command)[-1])["Statement"] == [SETS, without_it(JANE)]


def test_what_else_is_said() -> None:
    assert [each.code for each in judged([SETS], takes_shared_spaces=True).findings] == ["shared-spaces"]
    assert judged([SETS], takes_shared_spaces=True).verdict == "attributed"
    gone = judged([SETS], role=None, has_role=False)
    assert (gone.verdict, [each.code for each in gone.findings]) == ("broken", ["role-missing"])
    unread = Unread("the inline policies", "iam:ListRolePolicies", "denied")
    assert judged([SETS], unread=(unread,)).verdict == "unknown"
    nothing = judged([SETS], role=None, status="", unread=(Unread("the domain", "sagemaker:DescribeDomain", "denied"),))
    assert [each.code for each in nothing.findings] == ["unread"]
    unknown = Role(
        "arn:aws:iam::111122223333:role/studio",
        "AROAX",
        read_policy({"Statement": [SETS]}),
        (Policy((), is_whole=False),),
    )
    assert judged([SETS], role=unknown).user_profiles_kept_apart == "undecided"


# The advice, followed to the word; this changes the account, so it comes last


@pytest.fixture(scope="module")
def cli(account: Emulator) -> AwsCli:
    return AwsCli(account.environment() | {"PATH": os.environ["PATH"]})


def follow(cli: AwsCli, steps: list[str]) -> None:
    done = [step for step in steps if step.startswith("aws ")]
    assert done
    for step in done:
        cli.run(step)


@pytest.mark.parametrize("name", [name for name in DOMAINS if EXPECTED[name][1]])
def test_the_advice_mends_it(account: Emulator, cli: AwsCli, name: str) -> None:
    for each in rows(run(account, "--format", "json"))[name]["findings"]:
        follow(cli, each["change"])
    row = rows(run(account, "--format", "json"))[name]
    assert (row["verdict"], row["findings"]) == ("attributed", [])


def test_what_users_need_before_the_switch_is_said_before_it() -> None:
    (finding,) = judged([SETS], identity_config="DISABLED").findings
    told = next(place for place, step in enumerate(finding.change) if "sts:SetSourceIdentity" in step)
    switched = next(place for place, step in enumerate(finding.change) if "update-domain" in step)
    assert "trust policy of each" in finding.change[told]
    assert "policies of studio" in finding.change[told]
    assert told < switched


def test_apps_have_to_be_ended_first_as_the_advice_says(account: Emulator) -> None:
    sagemaker = account.client("sagemaker", region=REGION)
    domain = next(each["DomainId"] for each in sagemaker.list_domains()["Domains"] if each["DomainName"] == "right")
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="anna")
    sagemaker.create_app(DomainId=domain, UserProfileName="anna", AppType="JupyterServer", AppName="default")
    off = {"DomainId": domain, "DomainSettingsForUpdate": {"ExecutionRoleIdentityConfig": "DISABLED"}}
    with pytest.raises(ClientError, match="InService or Pending"):
        sagemaker.update_domain(**off)
    sagemaker.delete_app(DomainId=domain, UserProfileName="anna", AppType="JupyterServer", AppName="default")
    sagemaker.update_domain(**off)
    assert rows(run(account, "--format", "json"))["right"]["verdict"] == "not-attributed"
