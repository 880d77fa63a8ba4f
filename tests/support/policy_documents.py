"""IAM policy documents, as the API takes them."""

from __future__ import annotations

import json
from typing import Any

SAGEMAKER_ASSUMES: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
"""The statement by which an execution role trusts SageMaker."""


def allow(**statement: Any) -> dict[str, Any]:
    """Return a statement that allows what it says."""
    return {"Effect": "Allow", **statement}


def policy_document(*statements: dict[str, Any]) -> str:
    """Return a policy with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
