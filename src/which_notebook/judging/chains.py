"""--follow: finds calls in other roles' sessions that a notebook's or user profile's session opened, directly or in several steps.

An AssumeRole's record holds the new session's access key id, and every call made in that session carries it: that is a
proof, as far as the notebook's own name is one. A source identity is set once and can't be changed, but whoever may set
one can set a notebook's or a user profile's: that is a sign. Where both have one name, the notebook is meant: a role whose
notebook sessions carry their own names gives these to its jobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, groupby
from operator import attrgetter

from msgspec import Struct, field
from msgspec.structs import replace

from ..calls.call import Call, role_name
from ..calls.search import Search
from ..calls.table import CallTable
from .attribution import Judge

_SET = ("status", "notebook", "via", "notebook_role_arn", "user_profile")


class Origin(Struct, frozen=True):
    """Where a chained session comes from: the notebook or the user profile, its role, and the sessions on the way."""

    notebook: str | None
    role_arn: str
    via: str
    user_profile: str | None = None


class Chains(Struct):
    """The sessions that come from notebook sessions: by access key id, and by source identity."""

    by_key: dict[str, Origin] = field(default_factory=dict)
    by_source_identity: dict[str, Origin] = field(default_factory=dict)
    role_names: set[str] = field(default_factory=set)

    def search(self, judge: Judge) -> Search:
        """Return what to read for: the role's own calls, and those in the chained sessions."""
        return replace(
            judge.search,
            chained_role_names=tuple(sorted(self.role_names)),
            access_keys=frozenset(self.by_key),
            source_identities=frozenset(self.by_source_identity),
        )

    def judge(self, table: CallTable, judge: Judge) -> None:
        """Set the status of each call and whose it is, also of those that come from a notebook's or user profile's session."""
        judge.judge(table)
        columns = {name: list(table[name]) for name in _SET}
        statuses, profiles = columns["status"], columns["user_profile"]
        for row, (key, identity) in enumerate(table.rows(("access_key_id", "source_identity"))):
            if statuses[row] not in (None, "unattributed", "user-profile"):
                continue
            origin = self._origin(key, identity)
            # A user profile's own session needs no way to it.
            if origin and not (profiles[row] and origin.user_profile == profiles[row]):
                values = ("chained", origin.notebook, origin.via, origin.role_arn, origin.user_profile)
                for name, value in zip(_SET, values, strict=True):
                    columns[name][row] = value
        for name, column in columns.items():
            table[name] = column

    def _origin(self, access_key_id: str | None, source_identity: str | None) -> Origin | None:
        origin = self.by_key.get(access_key_id or "") or self.by_source_identity.get(source_identity or "")
        same_name = self.by_source_identity.get(origin.user_profile) if origin and origin.user_profile else None
        return same_name if same_name and same_name.notebook else origin


def search_for_chains(judge: Judge) -> Search:
    """Return what to read for before the chains are known: who opened which session."""
    return replace(judge.search, chains=True)


def find_chains(tables: Iterable[CallTable], judge: Judge) -> Chains:
    """Find the chained sessions in calls that come in the order of time, and judge them."""
    chains = Chains()
    calls = chain.from_iterable(_judged(table, judge) for table in tables)
    # A chain of several steps may fall into one second, in any order.
    for _, same_second in groupby(calls, key=attrgetter("event_time")):
        openers = []
        for call in same_second:
            _take_identity(call, chains)
            if call.opening and call.opening.access_key_id and call.role_arn:
                openers.append(call)
        while len(rest := [call for call in openers if not _follow(call, chains)]) < len(openers):
            openers = rest
    return chains


def _judged(table: CallTable, judge: Judge) -> Iterable[Call]:
    judge.judge(table)
    return table.calls()


def _take_identity(call: Call, chains: Chains) -> None:
    """Take in a source identity that tells whose the sessions are that carry it."""
    identity, known = call.source_identity, chains.by_source_identity
    if identity is None or call.role_arn is None:
        return
    via = f"source identity {identity}"
    # The module's notebook sessions carry the notebook's name as source identity, where they carry one.
    if call.notebook == identity and (identity not in known or known[identity].user_profile):
        known[identity] = Origin(identity, call.role_arn, via)
    elif call.user_profile == identity:
        known.setdefault(identity, Origin(None, call.role_arn, via, identity))


def _follow(call: Call, chains: Chains) -> bool:
    """Take in the session that the call opened, if the caller is a notebook's or user profile's session or comes from one."""
    opening = call.opening
    if not (opening and opening.access_key_id and call.role_arn):
        return False
    if call.status == "attributed" and call.notebook:
        before = Origin(call.notebook, call.role_arn, f"{role_name(call.role_arn)}/{call.notebook}")
    elif origin := chains.by_key.get(call.access_key_id or ""):
        before = origin
    elif call.user_profile:
        way = f"{role_name(call.role_arn)}/{call.session_name} (user profile {call.user_profile})"
        before = Origin(None, call.role_arn, way, call.user_profile)
    else:
        return False
    step = f"{role_name(opening.role_arn)}/{opening.session_name}"
    chains.by_key[opening.access_key_id] = replace(before, via=f"{before.via} > {step}")
    chains.role_names.add(role_name(opening.role_arn))
    return True
