"""What the audit says of a notebook instance that only a test knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from which_notebook.audit.account import Instance, Lifecycle
from which_notebook.audit.changes import trust_policy
from which_notebook.audit.iam.policy import read_policy
from which_notebook.audit.iam.role import Role
from which_notebook.audit.verdicts import Row, judge_instance

ARN = "arn:aws:iam::111122223333:role/team-execution"
START = datetime(2026, 9, 1, tzinfo=UTC)


def role(mode: str, *statements: dict[str, Any]) -> Role:
    """A role as the module makes it, with these identity statements or its own."""
    actions = ["sts:AssumeRole"] + (["sts:SetSourceIdentity"] if mode == "imds" else [])
    allow = {"Effect": "Allow", "Action": actions, "Resource": ARN}
    names = {
        **allow,
        "Effect": "Deny",
        "Action": "sts:AssumeRole",
        "Condition": {"StringNotLike": {"sts:RoleSessionName": ["alpha"]}},
    }
    identity = read_policy({"Version": "2012-10-17", "Statement": [allow, *(statements or [names])]})
    bare = Role(ARN, "AROAEXAMPLE", read_policy({"Statement": []}), (identity,))
    return Role(ARN, "AROAEXAMPLE", read_policy(trust_policy(bare)), (identity,))


def audited(script: str | None, role: Role | None, **changes: Any) -> Row:
    """Return the row of an instance with this on-start script, which is as the module makes it but for the changes."""
    given: dict[str, Any] = {
        "name": "alpha",
        "region": "eu-west-2",
        "account_id": "111122223333",
        "status": "InService",
        "role_arn": ARN,
        "lifecycle_name": "team-attribution",
        "root_access": False,
        "metadata_version": "2",
        "platform": "notebook-al2023-v1",
        "failure": None,
        "modified": START,
        "lifecycle": Lifecycle(script, START - timedelta(days=1)),
    }
    return judge_instance(Instance(**(given | changes), role=role))


def codes(row: Row) -> list[str]:
    """Return the codes of its findings."""
    return [each.code for each in row.findings]
