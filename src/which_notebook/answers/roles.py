"""What `roles` answers: a row for each role that notebook instances use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from ..judging.notebook_roles import NotebookRole
from .safe_text import printable
from .text_table import row_text, widths_of

_FIELDS = (
    "role", "account_id", "calls", "attributed", "unattributed", "handshakes", "notebooks", "first_seen", "last_seen",
    "of_user_profiles", "user_profiles",
)  # fmt: skip
_NUMBERS = (2, 3, 4, 5, 6, 9, 10)
_REMARK = (
    "These roles have sessions called SageMaker. Studio, training jobs and endpoints have sessions of that name, too. "
    "Handshakes are calls by which notebook instances open sessions in their own names. Calls of user profiles are Studio's."
)


class RolesAnswer:
    """The roles, the busiest first."""

    def __init__(self, roles: Sequence[NotebookRole], roles_asked: Sequence[str], resources: Sequence[str]) -> None:
        self.roles = roles
        self._roles_asked, self._resources = roles_asked, resources

    def write_text(self, file: BinaryIO) -> None:
        """Write a line for each role."""
        if not self.roles:
            which = f"No role that fits {', '.join(self._roles_asked)}" if self._roles_asked else "No role"
            about = f", and calls about {', '.join(self._resources)}," if self._resources else ""
            file.write(
                f"{printable(which)} has a session called SageMaker{printable(about)} in what was read.\n".encode()
            )
            return
        rows = [
            tuple(
                printable(text)
                for text in (
                    role.name, role.account_id, f"{role.calls:,}", f"{role.attributed:,}", f"{role.unattributed:,}",
                    f"{role.handshakes:,}", f"{len(role.notebooks):,}", role.first_seen or "-", role.last_seen or "-",
                    f"{role.of_user_profiles:,}", f"{len(role.user_profiles):,}",
                )
            )
            for role in self.roles
        ]  # fmt: skip
        header = tuple(name.replace("_", " ") for name in _FIELDS)
        widths = widths_of([header, *rows])
        for row in (header, *rows):
            file.write(row_text(row, widths, numbers=_NUMBERS).rstrip().encode() + b"\n")
        file.write(f"\n{_REMARK}\n".encode())

    def plain(self) -> list[dict[str, Any]]:
        """Return the roles as they are put out as JSON."""
        return [
            {
                "role_arn": role.role_arn,
                "account_id": role.account_id,
                "calls": role.calls,
                "attributed": role.attributed,
                "unattributed": role.unattributed,
                "handshakes": role.handshakes,
                "notebooks": sorted(role.notebooks),
                "first_seen": role.first_seen,
                "last_seen": role.last_seen,
                "of_user_profiles": role.of_user_profiles,
                "user_profiles": sorted(role.user_profiles),
            }
            for role in self.roles
        ]

    def rows(self) -> tuple[tuple[str, ...], Iterator[list[Any]]]:
        """Return a row for each role."""
        header = ("role_arn", *_FIELDS[1:])
        return header, (
            [tuple(value) if isinstance(value, list) else value for value in plain.values()] for plain in self.plain()
        )
