"""`names-itself`: the base session asked about that notebook instance, or stopped it: Describe, Stop or ListTags.

Source: the SageMaker SDK's get_execution_role() describes the notebook instance that it runs on, and AWS's auto-stop script
stops it. Of a refused call IAM's message has the ARN.
https://github.com/aws/sagemaker-python-sdk/blob/master/src/sagemaker/session.py

Limits: a user can ask about any notebook instance that the role may, or stop it. A session that asked about several is of one of them,
or of none. One that stopped it and goes on calling for a quarter of an hour is of another, such as that of a script which
cleans up in the evening: then it is disputed, since the machine itself may have asked about it before. Calls that failed for another
reason than a refusal count nothing: there may be no such notebook instance. An ARN counts in the role's own account only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...calls.table import CallTable
from .address import seconds
from .named import Named, of_arn, of_name

KIND = "names-itself"
_STOPPED_AFTER = 15 * 60


def named(table: CallTable, row: int) -> Iterator[Named]:
    """Yield the notebook instance that the call was about."""
    clues = table.clues.get(row)
    for text in clues.notebooks if clues else ():
        if thing := of_arn(text, table["role_arn"][row]) if text.startswith("arn:") else of_name(text):
            yield thing


def stops(table: CallTable, row: int) -> bool:
    """Return whether the call stopped it."""
    return table["event_name"][row] == "StopNotebookInstance" and table["error_code"][row] is None


def goes_on(stopped: str, last_seen: str) -> bool:
    """Return whether a session was used when the notebook instance that it stopped had no calls any more."""
    return seconds(last_seen) - seconds(stopped) > _STOPPED_AFTER
