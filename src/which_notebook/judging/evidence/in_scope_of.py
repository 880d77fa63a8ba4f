"""`in-scope-of`: `userIdentity.inScopeOf` says for what the session's credentials were issued.

Source: AWS writes it, and no caller can change it; `sourceArn` or `credentialsIssuedTo` is an ARN.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

Limits: in public records it was seen for Lambda functions and EC2 instances, and not for SageMaker. What isn't an ARN of
SageMaker's says nothing: a notebook instance runs on an EC2 instance of AWS's own account.
"""

from __future__ import annotations

from ...calls.table import CallTable
from .named import Named, of_arn


def named(table: CallTable, row: int) -> Named | None:
    """Return for what the call's credentials were issued."""
    clues = table.clues.get(row)
    return of_arn(clues.in_scope_of) if clues and clues.in_scope_of else None
