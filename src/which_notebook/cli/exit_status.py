"""The exit statuses, and which one an answer has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..judging.judged_calls import JudgedCalls
    from ..sources.coverage import Coverage

DONE, NOT_ALL_READ, WRONG_USAGE, FAIL_ON_FOUND, NO_SUCH_ROLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def status_of_reading(coverage: Coverage) -> int:
    """Return the status of a reading, whatever it gave."""
    return NOT_ALL_READ if coverage.skipped else DONE


def status_of_calls(calls: JudgedCalls, fail_on: str | None) -> int:
    """Return the status of calls that were all taken; `fail_on` is the option's value."""
    if fail_on and calls.unattributed:
        return FAIL_ON_FOUND
    status = status_of_reading(calls.coverage)
    return NO_SUCH_ROLE if not calls.role_calls.count and status == DONE else status
