"""Judges calls: which notebook made each, if that is known."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from ..calls.call import BASE_SESSION, NOTEBOOK_NAME, Opening, role_key, role_name
from ..calls.search import Search, fits_role
from ..calls.table import CallTable
from ..errors import CommandError
from .inventory import Inventory
from .statuses import StatusName

_ROLE_ARN = r"arn:(?:aws[a-z-]*|\*):iam::(?:[0-9]{12}|\*):role/(?:[!-~]*/)?[\w+=,.@*?-]{1,64}"
_SESSION_OF = r"arn:[a-z-]+:sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[\w+=,.@-]{1,64})(?:/.*)?"
_ROLE_NAME = r"[\w+=,.@*?-]{1,64}"


class _Verdict(Struct, frozen=True):
    status: StatusName | None
    notebook: str | None = None
    user_profile: str | None = None


_NOT_THE_ROLES, _UNATTRIBUTED, _UNKNOWN_NAME = _Verdict(None), _Verdict("unattributed"), _Verdict("unknown-name")


class RoleError(CommandError):
    """--role names no role; the message says what to write."""


class Judge:
    """Judges calls by their `userIdentity`, as `call_of` took it in; a handshake also by what it opens.

    No other text of a record counts.

    Arguments: `roles`, each given in one of three ways, in which `*` and `?` are wildcards. A name is that role's in every
    account and under any path; a role's ARN is that role alone; a session's ARN is its account's role, under any path.
    `inventory`: by which names are known or not. Without one, a name is taken for a notebook's if it can be one.
    """

    def __init__(self, roles: str | Sequence[str], inventory: Inventory | None = None) -> None:
        self.roles = (roles,) if isinstance(roles, str) else tuple(roles)
        self.role = ", ".join(self.roles)
        self._role_forms = tuple(map(_forms_of, self.roles))
        self.role_names = tuple(dict.fromkeys(name for name, _, _ in self._role_forms))
        """The roles' names, for a search."""
        self.names = inventory.names if inventory else ()
        """The names that are known to be real, or patterns of them."""
        self._known = inventory.known if inventory else NOTEBOOK_NAME
        self._has_inventory = inventory is not None
        self.role_ids = tuple(inventory.role_arns) if inventory and self.is_role(inventory.role_arn) else ()
        """The role's unique id, where the inventory says it."""

    @property
    def search(self) -> Search:
        """What to read for: the roles' calls, and what opens their sessions."""
        return Search(role_names=self.role_names, role_ids=self.role_ids)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts of the roles, where each is known; else none."""
        accounts = {account or (whole.split(":")[4] if whole else "*") for _, account, whole in self._role_forms}
        return () if any(not each.isdecimal() for each in accounts) else tuple(sorted(accounts))

    def is_role(self, arn: str | None) -> bool:
        """Return whether this is the ARN of a role that is asked about."""
        return arn is not None and any(_is(arn, *forms) for forms in self._role_forms)

    def missing(self, arns: Collection[str]) -> list[str]:
        """Return the roles, as each was given, that none of these ARNs is."""
        return [
            role
            for role, forms in zip(self.roles, self._role_forms, strict=True)
            if not any(_is(arn, *forms) for arn in arns)
        ]

    def is_named(self, named: str | None) -> bool:
        """Return whether a call's `named_role` is the role that is asked about; a name alone is taken for it."""
        if named is None or named.startswith("arn:"):
            return self.is_role(named)
        return fits_role(named, self.role_names)

    def judge(self, table: CallTable) -> None:
        """Set the status of each call, and the notebook or user profile; they stay None where it isn't the role's."""
        session = ("role_arn", "session_name", "source_identity")
        verdicts = {each: self._verdict(*each) for each in set(table.rows(session))}
        judged = list(map(verdicts.__getitem__, table.rows(session)))
        statuses = [each.status for each in judged]
        for row, opening in table.openings.items():
            if statuses[row] == "unattributed" and _is_handshake(opening, table["role_arn"][row]):
                statuses[row] = "handshake"
        table["status"] = statuses
        table["notebook"] = [each.notebook for each in judged]
        table["user_profile"] = [each.user_profile for each in judged]

    def is_known(self, name: str | None) -> bool:
        """Return whether this is a notebook's name, as far as that can be told."""
        return name is not None and name.lower() != BASE_SESSION.lower() and bool(self._known.fullmatch(name))

    def is_user_profile(self, source_identity: str | None) -> bool:
        """Return whether a base session's source identity is a user profile's name, as far as that can be told.

        A job takes over the source identity of the session that created it, and in imds mode that is a notebook instance's
        name: one that the inventory knows is taken for that.
        """
        # The names of both are alike: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateUserProfile.html
        if source_identity is None or not NOTEBOOK_NAME.fullmatch(source_identity):
            return False
        return not (self._has_inventory and self.is_known(source_identity))

    def _verdict(self, role_arn: str | None, session_name: str | None, source_identity: str | None) -> _Verdict:
        if not self.is_role(role_arn):
            return _NOT_THE_ROLES
        if session_name == BASE_SESSION:
            if self.is_user_profile(source_identity):
                return _Verdict("user-profile", user_profile=source_identity)
            return _UNATTRIBUTED
        if self.is_known(session_name):
            return _Verdict("attributed", session_name)
        return _UNKNOWN_NAME


def _forms_of(role: str) -> tuple[str, str | None, str | None]:
    """Return the role's name; the account, where a session's ARN says it; and the ARN, where that has to be the role's."""
    is_arn = role.startswith("arn:")
    session = re.fullmatch(_SESSION_OF, role, re.ASCII) if is_arn else None
    if not (session or re.fullmatch(_ROLE_ARN if is_arn else _ROLE_NAME, role, re.ASCII)):
        raise RoleError(
            f"{role!r} is no role: give its name, such as data-science-execution, or its ARN, "
            "such as arn:aws:iam::111122223333:role/data-science-execution"
        )
    if session:
        return session["role"], session["account"], None
    return role_name(role), None, role if is_arn else None


def _is(arn: str, name: str, account: str | None, whole: str | None) -> bool:
    """Return whether an ARN is the role that `_forms_of` tells of."""
    if whole:
        return arn == whole or fnmatchcase(arn, whole.replace("[", "[[]"))
    return fits_role(role_name(arn), (name,)) and (not account or arn.split(":")[4] == account)


def _is_handshake(opening: Opening, caller_role_arn: str | None) -> bool:
    """Return whether a base session's AssumeRole opens a notebook session of its own role."""
    return role_key(opening.role_arn) == role_key(caller_role_arn) and opening.session_name != BASE_SESSION
