"""Which roles are meant where none is named."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from ..calls.filter import Filter
from ..calls.search import Search
from ..errors import UsageError
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from .notebook_roles import NotebookRole, base_session_roles

HOW_TO_NAME_IT = "Give --role NAME or ARN, or --inventory FILE (what `terraform output -json` prints)"
"""What to do where a role has to be named."""

_ROLES_NAMED = 5


class RolesMeant(Struct, frozen=True):
    """The roles, as --role takes them, and a sentence that names them."""

    roles: list[str]
    sentence: str


class NoRoleError(UsageError):
    """No role has a base session in what was read; `coverage` tells what that was."""

    def __init__(self, message: str, coverage: Coverage) -> None:
        super().__init__(message)
        self.coverage = coverage


def roles_meant(reader: Reader, filter: Filter, sources: Sequence[str]) -> RolesMeant:
    """Return the roles of the filter's access keys, or else the only role that notebook instances use in the sources.

    Raises UsageError where there is none, or there are several.
    """
    if filter.access_keys:
        return _of_access_keys(reader, filter)
    coverage = Coverage()
    roles = [NotebookRole(arn) for arn in base_session_roles(reader, filter.scope, coverage)]
    if not roles:
        named = reader.roles_named_there(filter.scope)
        raise NoRoleError(
            f"which role? No role has a session called SageMaker in what was read. {f'{named}. ' if named else ''}"
            f"{HOW_TO_NAME_IT}",
            coverage,
        )
    if len(roles) > 1:
        names = ", ".join(sorted(role.role_arn for role in roles)[:_ROLES_NAMED])
        more = f" and {len(roles) - _ROLES_NAMED:,} more" if len(roles) > _ROLES_NAMED else ""
        raise UsageError(
            f"which role? Several have a session called SageMaker in these sources: {names}{more}. Give --role NAME or ARN "
            f"(repeatable); `which-notebook roles {shlex.join(sources)}` tells more of them"
        )
    (role,) = roles
    sentence = f"no --role given: using {role.role_arn}, the only role with a session called SageMaker in these sources"
    return RolesMeant([role.as_option], sentence)


def _of_access_keys(reader: Reader, filter: Filter) -> RolesMeant:
    search = Search(access_keys=frozenset(filter.access_keys))
    arns = {arn for table in reader.tables(search, filter.scope, Coverage()) for arn in table["role_arn"] if arn}
    if not arns:
        raise UsageError(f"no call of a role with the access key {', '.join(filter.access_keys)} is in these sources")
    return RolesMeant(
        sorted(arns), f"no --role given: using the role of the access keys' calls, {', '.join(sorted(arns))}"
    )
