"""Sessions that Studio opens for its user profiles.

The records have the form that AWS documents; none of a real domain was at hand:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access.html
https://docs.aws.amazon.com/sagemaker/latest/dg/trustedidentitypropagation-auditing.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from log_files import write
from records import BASE, ROLE, Record, opening

USER_ID = "d2b5e2a4-c0d1-7033-4f5e-5a1b9f9b0c11"
"""Of an IAM Identity Center's user."""

Whose = tuple[str, str | None, str | None]
"""A call's status, notebook and user profile."""
ANNA: Whose = ("user-profile", None, "anna")
NOBODY: Whose = ("unattributed", None, None)
FRAUD: Whose = ("attributed", "fraud-model", None)


def by_sagemaker(name: str = "anna", *, key: str = "ASIASTUDIO", **fields: Any) -> Record:
    """Return the record by which SageMaker opens such a session."""
    service = {"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}
    return opening(
        service, BASE, key=key, asked={"sourceIdentity": name}, sourceIPAddress="sagemaker.amazonaws.com", **fields
    )


def calls(ask: Any, tmp_path: Path, *records: Record, options: Any = ()) -> list[Whose]:
    """Return whose the calls in these records are, as the command says."""
    answer = ask("calls", write(tmp_path / "log.json.gz", *records), "--role", ROLE, *options)
    return [(call["status"], call["notebook"], call["user_profile"]) for call in answer.calls]
