"""The permissions that docs/athena.md lists are enough for what the command itself asks, and each of them is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from athena_table import make_table
from emulator.server import Emulator
from history_and_s3 import use
from policy_documents import policy_document
from workspace import CHECKOUT

from which_notebook.aws import forget_clients

DATABASE, WORKGROUP, ROLE = "permitted", "permitted", "athena-analyst"
SOURCE = f"athena://{WORKGROUP}/{DATABASE}/cloudtrail_logs"
ASKED_BY_THE_COMMAND = (
    "athena:StartQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "glue:GetTable",
)


def documented() -> set[str]:
    """Return the actions in the table of permissions."""
    text = (CHECKOUT / "docs/athena.md").read_text()
    table = text[text.index("### Permissions") : text.index("Where Lake Formation governs")]
    return set(re.findall(r"`([a-z0-9]+:[A-Z]\w+)`", table))


@pytest.fixture(scope="module")
def account(emulator: Emulator) -> Iterator[Emulator]:
    glue, iam = emulator.client("glue"), emulator.client("iam")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    make_table(glue, DATABASE, "cloudtrail_logs")
    emulator.client("athena").create_work_group(Name=WORKGROUP)
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": "sts:AssumeRole"}
    policy = policy_document(trust)
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy)
    yield emulator
    iam.delete_role_policy(RoleName=ROLE, PolicyName="documented")
    iam.delete_role(RoleName=ROLE)
    glue.delete_table(DatabaseName=DATABASE, Name="cloudtrail_logs")
    glue.delete_database(Name=DATABASE)


@pytest.fixture
def permit(account: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[set[str]], None]]:
    """Have the command run with these actions alone, on the workgroup, the table and S3."""

    def run_with(actions: set[str]) -> None:
        here = f"us-east-1:{account.account_id}"
        resources = {
            "athena": [f"arn:aws:athena:{here}:workgroup/{WORKGROUP}"],
            "glue": [
                f"arn:aws:glue:{here}:{each}"
                for each in ("catalog", f"database/{DATABASE}", f"table/{DATABASE}/cloudtrail_logs")
            ],
        }
        statements = [
            {
                "Effect": "Allow",
                "Action": sorted(each for each in actions if each.startswith(f"{service}:")),
                "Resource": on,
            }
            for service, on in resources.items()
        ]
        document = policy_document(*statements)
        account.client("iam").put_role_policy(RoleName=ROLE, PolicyName="documented", PolicyDocument=document)
        arn = f"arn:aws:iam::{account.account_id}:role/{ROLE}"
        credentials = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="analyst")["Credentials"]
        use(account, monkeypatch, tmp_path)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials["SessionToken"])
        forget_clients()

    yield run_with
    forget_clients()


def test_they_are_enough(permit: Callable[[set[str]], None], ask: Callable[..., Any]) -> None:
    permit(documented())
    answer = ask("summary", SOURCE, "--role", "data-science", "--since", "2026-03-01")
    assert answer.status == 4, answer.err  # moto's Athena finds nothing


@pytest.mark.parametrize("action", ASKED_BY_THE_COMMAND)
def test_each_is_needed_and_named(permit: Callable[[set[str]], None], ask: Callable[..., Any], action: str) -> None:
    permit(documented() - {action})
    answer = ask("summary", SOURCE, "--role", "data-science", "--since", "2026-03-01")
    assert answer.status == 1
    assert f"{action} is missing" in answer.err


def test_only_results_are_written() -> None:
    writing = {each for each in documented() if not re.search(r":(Get|List|Start|Stop|Decrypt|Generate)", each)}
    assert writing == {"s3:PutObject", "s3:AbortMultipartUpload"}
