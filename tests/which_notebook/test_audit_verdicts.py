"""What the emulated account can't show of a notebook instance, and how findings make a verdict."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from audited import ARN, START, audited, codes, role
from emulator.server import Emulator
from msgspec.structs import replace
from rendered_scripts import rendered
from workspace import CHECKOUT

from which_notebook.audit.account import DESCRIBE_INTERFACES, LIST_REGIONS, PERMISSIONS, Lifecycle, Unread
from which_notebook.audit.iam.policy import read_policy
from which_notebook.audit.verdicts import VERDICTS, permits_verdict


@pytest.fixture(scope="module")
def scripts(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("scripts")
    return rendered(emulator, folder, {mode: {"attribution_mode": mode} for mode in ("profile", "imds")})


def test_one_that_failed_to_start(scripts: dict[str, str]) -> None:
    row = audited(scripts["imds"], role("imds"), status="Failed", failure="the script\nfailed")
    assert (row.verdict, codes(row)) == ("broken", ["failed"])
    assert row.findings[0].problem == "it didn't start: the script\nfailed"
    assert row.findings[0].change == (
        "See why:",
        "aws logs tail /aws/sagemaker/NotebookInstances --since 7d --log-stream-names alpha/LifecycleConfigOnStart --region eu-west-2",
        "Mend that. Then:",
        "aws sagemaker start-notebook-instance --notebook-instance-name alpha --region eu-west-2",
        "aws sagemaker wait notebook-instance-in-service --notebook-instance-name alpha --region eu-west-2",
    )


def test_a_role_that_asks_for_a_source_identity_but_keeps_to_no_names(scripts: dict[str, str]) -> None:
    identified = {
        "Effect": "Deny",
        "Action": "sts:AssumeRole",
        "Resource": ARN,
        "Condition": {"StringNotEquals": {"sts:SourceIdentity": "${sts:RoleSessionName}"}},
    }
    row = audited(scripts["imds"], role("imds", identified))
    assert (row.verdict, codes(row)) == ("weak", ["any-name"])


def test_enforced_takes_a_closed_door_for_root_too(scripts: dict[str, str]) -> None:
    assert audited(scripts["imds"], role("imds")).verdict == "enforced"
    assert audited(scripts["imds"], role("imds"), root_access=True).verdict == "weak"
    assert audited(scripts["imds"], role("imds"), root_access=None).verdict == "unknown"


ELSEWHERE = "arn:aws:sagemaker:eu-west-2:111122223333:notebook-instance/beta"
SOME_ADDRESS = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


@pytest.mark.parametrize(
    ("mode", "power", "verdict", "found"),
    [
        ("imds", {"Action": "iam:PassRole", "Resource": ARN}, "attributed", ["passes-itself"]),
        ("imds", {"Action": "iam:PassRole", "Resource": ARN, "Condition": SOME_ADDRESS}, "unknown", ["passes-itself"]),
        ("profile", {"Action": "iam:PassRole", "Resource": ARN, "Condition": SOME_ADDRESS}, "attributed", ["passes-itself", "not-enforced"]),
        ("imds", {"Action": "iam:PassRole", "Resource": f"{ARN}-jobs"}, "enforced", []),
        ("imds", {"Action": "sagemaker:Update*", "Resource": "*"}, "weak", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:UpdateNotebookInstance", "Resource": ELSEWHERE}, "enforced", []),
        ("imds", {"Action": "sagemaker:CreatePresigned*", "Resource": "*", "Condition": SOME_ADDRESS}, "unknown", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:CreatePresignedNotebookInstanceUrl", "Resource": ELSEWHERE}, "weak", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:*", "Resource": ELSEWHERE}, "weak", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:*", "Resource": ELSEWHERE.replace("/beta", "/fraud-*")}, "weak", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:Create*", "Resource": "arn:aws:sagemaker:*:*:*/bet?"}, "weak", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:Create*", "Resource": ELSEWHERE, "Condition": SOME_ADDRESS}, "unknown", ["changes-notebook-instances"]),
        ("imds", {"Action": "sagemaker:CreatePresigned*", "Resource": ELSEWHERE.replace("/beta", "/alpha")}, "enforced", []),
        ("imds", {"Action": "iam:*Policy", "Resource": ARN}, "weak", ["changes-itself"]),
        ("imds", {"Action": "iam:CreatePolicyVersion", "Resource": "*"}, "weak", ["changes-itself"]),
        ("imds", {"Action": "iam:CreatePolicyVersion", "Resource": "arn:aws:iam::aws:policy/*"}, "enforced", []),
        ("imds", {"Action": ["iam:Get*", "sagemaker:Describe*", "sagemaker:Stop*"], "Resource": "*"}, "enforced", []),
    ],
)  # fmt: skip
def test_a_role_that_may_do_something_with_itself_is_not_enforced(
    scripts: dict[str, str], mode: str, power: dict[str, Any], verdict: str, found: list[str]
) -> None:
    plain = role(mode)
    more = read_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **power}})
    managed = ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::111122223333:policy/own")
    powerful = replace(plain, identity=(*plain.identity, more), policy_arns=managed)
    row = audited(scripts[mode], powerful)
    assert (row.verdict, codes(row)) == (verdict, found)


def test_it_is_asked_of_each_notebook_instance_of_the_role(scripts: dict[str, str]) -> None:
    """A pattern for all, with one that takes out those that nobody has, leaves the ones that are there."""
    allow = {
        "Effect": "Allow",
        "Action": "sagemaker:CreatePresignedNotebookInstanceUrl",
        "Resource": ELSEWHERE.replace("/beta", "/*"),
    }
    deny = allow | {
        "Effect": "Deny",
        "Resource": [ELSEWHERE.replace("/beta", "/which*"), ELSEWHERE.replace("/beta", "/0*")],
    }
    plain = role("imds")
    document = {"Version": "2012-10-17", "Statement": [allow, deny]}
    powerful = replace(plain, identity=(*plain.identity, read_policy(document)))
    asked = partial(powerful.may_change_notebook_instances, "alpha", "alpha", "eu-west-2", None)
    assert asked() == {}
    assert asked(["alpha"]) == {}
    assert asked(["alpha", "beta"]) == {"sagemaker:CreatePresignedNotebookInstanceUrl": True}


def test_a_start_after_the_change_runs_the_new_script(scripts: dict[str, str]) -> None:
    for hours, verdict in ((-1, "enforced"), (1, "unknown")):
        changed = Lifecycle(scripts["imds"], START + timedelta(hours=hours))
        assert audited(scripts["imds"], role("imds"), lifecycle=changed).verdict == verdict
        # What is stopped has the new script at its next start.
        assert audited(scripts["imds"], role("imds"), lifecycle=changed, status="Stopped").verdict == "enforced"


def test_what_could_not_be_read_is_never_fine(scripts: dict[str, str]) -> None:
    unread = (Unread("something", "iam:GetRole", "access denied"),)
    assert audited(scripts["imds"], role("imds"), unread=unread).verdict == "unknown"
    assert audited(scripts["imds"], None, unread=unread).verdict == "unknown"
    assert audited(None, None, unread=unread, lifecycle=None).verdict == "unknown"
    assert audited(None, None, unread=unread, status="", lifecycle_name=None, lifecycle=None).verdict == "unknown"


def test_a_script_that_is_not_known_says_nothing_of_the_mode() -> None:
    """In one mode the role would do, in the other not."""
    row = audited("#!/bin/bash\n# notebook-attribution: changed\n", role("profile"))
    assert (row.verdict, row.can_open_own_session, codes(row)) == ("unknown", "undecided", ["script-undecided"])


@pytest.mark.parametrize("name", ["SageMaker", "sagemaker", "SAGEMAKER", "a"])
def test_names_that_no_session_can_have(scripts: dict[str, str], name: str) -> None:
    row = audited(scripts["profile"], role("profile"), name=name)
    assert (row.verdict, row.can_open_own_session, codes(row)[0]) == ("broken", "no", "name")


def test_the_levels_of_fail_on() -> None:
    failing = {level: [each for each in VERDICTS if not permits_verdict(each, level)] for level in VERDICTS}
    assert failing["broken"] == ["unknown", "broken"]
    assert failing["not-attributed"] == ["unknown", "not-attributed", "broken"]
    assert failing["weak"] == ["weak", "unknown", "not-attributed", "broken"]
    assert failing["attributed"] == ["attributed", "weak", "unknown", "not-attributed", "broken"]


def test_the_documentation_names_every_check_permission_and_verdict() -> None:
    document = (CHECKOUT / "docs/audit.md").read_text()
    source = "".join(path.read_text() for path in (CHECKOUT / "src/which_notebook/audit").glob("*.py"))
    made = set(re.findall(r'(?:Finding|powers)\(\s*"([a-z-]+)"', source)) | {"no-attribution", "script-undecided"}
    assert made - set(re.findall(r"`([a-z-]+)`", document)) == set()
    assert {*PERMISSIONS, LIST_REGIONS, DESCRIBE_INTERFACES} == set(
        re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", document)
    ) - {"sts:AssumeRole"}
    of_instances, of_domains = (
        tuple(re.findall(r"^\| `([a-z-]+)` \|", part, re.MULTILINE)) for part in document.split("## Studio domains")
    )
    assert of_instances == VERDICTS
    assert of_domains == VERDICTS[1:]


def test_the_document_has_the_commands_that_the_audit_advises(scripts: dict[str, str]) -> None:
    row = audited(scripts["profile"], role("profile"), name="quarterly-report", root_access=True)
    (advised,) = (each.change for each in row.findings if each.code == "root-access")
    document = (CHECKOUT / "docs/existing-role.md").read_text().replace("\\\n        ", "")
    said = [line.strip() for line in document.splitlines() if line.startswith("    aws sagemaker")]
    more = (
        "--lifecycle-config-name shared-attribution ",
        " --instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2",
    )
    plain = [command.replace(more[0], "").replace(more[1], "") for command in said]
    assert plain == [command.removesuffix(" --region eu-west-2") for command in advised]
