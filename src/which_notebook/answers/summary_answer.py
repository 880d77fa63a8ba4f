"""What `summary` answers: a row for each notebook, and the notes that go with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from ..calls.call import LIKELY_FIELDS
from ..judging.judged_calls import JudgedCalls
from ..judging.statuses import NOTEBOOK, UNATTRIBUTED, UNKNOWN_NAME, USER_PROFILE, status_of
from ..judging.warnings import Warnings
from .likely_rows import LikelyRow
from .summary import Summary
from .summary_row import Row
from .summary_text import write_summary_table


class SummaryAnswer:
    """The summary of calls that were all taken, and the warnings about them."""

    def __init__(self, summary: Summary, warnings: Warnings, calls: JudgedCalls) -> None:
        self.summary, self.warnings, self.calls = summary, warnings, calls

    def write_text(self, file: BinaryIO) -> None:
        """Write a line for each notebook, one for what isn't attributed, and what the numbers rest on."""
        role, coverage, missing = self.calls.judge.role, self.calls.coverage, self.calls.missing()
        write_summary_table(self.summary, self.warnings, role, coverage, file, missing)

    def rows(self) -> tuple[tuple[str, ...], Iterator[list[str | int | None]]]:
        """Return a row for each notebook, user profile and unknown name, and one for the unattributed calls, or for each part of them."""
        by_name = self.warnings.by_name()
        parts: list[Row] = [*self.summary.likely.rows] if self.summary.likely else []
        groups = (
            (NOTEBOOK, self.summary.notebooks),
            (USER_PROFILE, self.summary.user_profiles),
            (UNKNOWN_NAME, self.summary.unknown_names),
            (UNATTRIBUTED, parts or [self.summary.unattributed]),
        )
        rows = (
            [row.notebook, status_of(lane), row.session_name or row.notebook, row.role_arn, row.calls, row.errors, row.first_seen, row.last_seen, " ".join(by_name.get(row.key, ())), row.user_profile, *self._likely_cells(row)]
            for lane, of_lane in groups
            for row in of_lane
        )  # fmt: skip
        return (
            "notebook", "status", "session_name", "role_arn", "calls", "errors", "first_seen", "last_seen", "warnings", "user_profile",
            *(LIKELY_FIELDS if self.summary.likely else ()),
        ), rows  # fmt: skip

    def _likely_cells(self, row: Row) -> list[str | None]:
        if self.summary.likely is None:
            return []
        return [row.likely_notebook, " ".join(row.kinds)] if isinstance(row, LikelyRow) else [None, None]

    def plain(self) -> dict[str, Any]:
        """Return the summary as it is put out as JSON."""
        by_name = self.warnings.by_name()
        return {
            "role": self.calls.judge.role,
            "files": self.calls.coverage.files,
            "bytes": self.calls.coverage.size,
            "calls": self.summary.calls,
            "handshakes": self.summary.handshakes,
            "notebooks": [
                {
                    **row.plain(),
                    "role_arn": row.role_arn,
                    "chained": row.chained,
                    "warnings": by_name.get(row.key, {}),
                }
                for row in self.summary.notebooks
            ],
            "user_profiles": [
                {
                    **row.plain(),
                    "user_profile": row.user_profile,
                    "role_arn": row.role_arn,
                    "chained": row.chained,
                    "warnings": by_name.get(row.key, {}),
                }
                for row in self.summary.user_profiles
            ],
            "unattributed": {
                **self.summary.unattributed.plain(),
                "warnings": by_name.get(self.summary.unattributed.key, {}),
            },
            **self._plain_likely(),
            "unknown_names": [
                {
                    **row.plain(),
                    "session_name": row.session_name,
                    "role_arn": row.role_arn,
                    "warnings": by_name.get(row.key, {}),
                }
                for row in self.summary.unknown_names
            ],
            "skipped": [{"file": file, "reason": reason} for file, reason in self.calls.coverage.skipped],
            "left_out": self.calls.coverage.left_out_plain(),
            "missing": list(self.calls.missing()),
            "why_empty": self.calls.why_empty,
        }

    def _plain_likely(self) -> dict[str, Any]:
        rows = self.summary.likely
        if rows is None:
            return {}
        parts = {"likely": rows.likely, "disputed": rows.disputed, "no_notebook": rows.no_notebook}
        return {name: [row.plain_likely() for row in part] for name, part in parts.items()}
