"""Which roles notebook instances use, as far as logs tell: those that have a base session.

SageMaker opens sessions of that name for Studio's apps, jobs and endpoints, too; only handshakes show that the notebook
instances of a role are attributed.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import replace

from ..calls.call import BASE_SESSION, role_key, role_name
from ..calls.filter import Filter
from ..calls.scope import Scope
from ..calls.search import Search
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from .attribution import Judge


class NotebookRole(Struct):
    """What a role's calls tell; the ARN has no path where no record says it."""

    role_arn: str
    calls: int = 0
    attributed: int = 0
    unattributed: int = 0
    handshakes: int = 0
    of_user_profiles: int = 0
    notebooks: set[str] = field(default_factory=set)
    user_profiles: set[str] = field(default_factory=set)
    first_seen: str | None = None
    last_seen: str | None = None

    @property
    def account_id(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def name(self) -> str:
        """The role's name."""
        return role_name(self.role_arn)

    @property
    def as_option(self) -> str:
        """A session's ARN without the session's name. `--role` takes it for this role under any path."""
        partition = self.role_arn.split(":")[1]
        return f"arn:{partition}:sts::{self.account_id}:assumed-role/{self.name}"


def base_session_roles(reader: Reader, scope: Scope, coverage: Coverage) -> list[str]:
    """Return the ARNs of the roles with a base session, each role's once."""
    arns: dict[tuple[str, str] | None, str] = {}
    for table in reader.tables(Search(base_sessions=True), scope, coverage):
        for arn, session_name in set(table.rows(("role_arn", "session_name"))):
            if arn and session_name == BASE_SESSION:
                key = role_key(arn)
                # One with a path says more.
                arns[key] = max(arns.get(key, ""), arn, key=lambda each: (len(each), each))
    return list(arns.values())


def notebook_roles(
    reader: Reader, filter: Filter, coverage: Coverage, is_asked: Callable[[str], bool]
) -> list[NotebookRole]:
    """Return the roles that have a base session in the scope and are asked for, with what their calls tell; the busiest first."""
    covered, scope = Coverage(), filter.scope
    roles = {role_key(arn): NotebookRole(arn) for arn in base_session_roles(reader, scope, covered) if is_asked(arn)}
    coverage.add(covered, aside=bool(roles))
    if not roles:
        return []
    judge = Judge([role.as_option for role in roles.values()])
    search = replace(judge.search, with_resources=bool(filter.resources))
    for read in reader.tables(search, scope, coverage):
        table = read.selected(filter.fitting(read))
        judge.judge(table)
        columns = ("event_time", "role_arn", "status", "notebook", "user_profile")
        for time, arn, status, notebook, profile in table.rows(columns):
            if status is None or (role := roles.get(role_key(arn))) is None:
                continue
            role.first_seen, role.last_seen = role.first_seen or time, time
            if status == "handshake":
                role.handshakes += 1
                continue
            role.calls += 1
            role.attributed += status == "attributed"
            role.unattributed += status == "unattributed"
            role.of_user_profiles += status == "user-profile"
            if notebook:
                role.notebooks.add(notebook)
            if profile:
                role.user_profiles.add(profile)
    used = (role for role in roles.values() if role.first_seen)
    return sorted(used, key=lambda role: (-role.calls - role.handshakes, role.role_arn))
