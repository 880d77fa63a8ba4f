"""`in-scope-of`: `userIdentity.inScopeOf` names the resource that got the session's credentials.

Source: AWS writes it, and no caller can change it; `sourceArn` or `credentialsIssuedTo` is an ARN.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

Limits: in public records it was seen for Lambda functions and EC2 instances, and not for SageMaker. What isn't an ARN of
SageMaker's, in the role's own account, says nothing: a notebook instance runs on an EC2 instance of AWS's own account.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...calls.table import CallTable
from .named import Named, of_arn


def named(table: CallTable, row: int) -> Iterator[Named]:
    """Yield for what the call's credentials were issued."""
    clues = table.clues.get(row)
    for arn in clues.in_scope_of if clues else ():
        if thing := of_arn(arn, table["role_arn"][row]):
            yield thing
