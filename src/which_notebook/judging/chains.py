"""--follow: calls that a notebook made in another role's session, which one of its sessions opened, over any number of steps.

An AssumeRole's record holds the new session's access key id, and every call made in that session carries it: that is a
proof, as far as the notebook's own name is one. A source identity is set once and can't be changed, but whoever may set
one can set a notebook's: that is a sign.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, groupby
from operator import attrgetter

from msgspec import Struct, field

from ..calls.call import Call, role_name
from ..calls.search import Search
from ..calls.table import CallTable
from .attribution import Judge

_SET = ("status", "notebook", "via", "notebook_role_arn")


class Origin(Struct, frozen=True):
    """Where a chained session comes from: the notebook, its role, and the sessions on the way."""

    notebook: str
    role_arn: str
    via: str


class Chains(Struct):
    """The sessions that come from notebook sessions: by access key id, and by source identity."""

    by_key: dict[str, Origin] = field(default_factory=dict)
    by_source_identity: dict[str, Origin] = field(default_factory=dict)
    role_names: set[str] = field(default_factory=set)

    def search(self, judge: Judge) -> Search:
        """Return what to read for: the role's own calls, and those in the chained sessions."""
        return Search(
            role_names=judge.role_names,
            role_ids=judge.role_ids,
            chained_role_names=tuple(sorted(self.role_names)),
            access_keys=frozenset(self.by_key),
            source_identities=frozenset(self.by_source_identity),
        )

    def judge(self, table: CallTable, judge: Judge) -> None:
        """Set the status and the notebook of each call, also of those that come from a notebook's session."""
        judge.judge(table)
        statuses, notebooks, vias, roles = (list(table[name]) for name in _SET)
        for row, (key, identity) in enumerate(table.rows(("access_key_id", "source_identity"))):
            if statuses[row] in (None, "unattributed") and (origin := self._origin(key, identity)):
                statuses[row], notebooks[row] = "chained", origin.notebook
                vias[row], roles[row] = origin.via, origin.role_arn
        for name, column in zip(_SET, (statuses, notebooks, vias, roles), strict=True):
            table[name] = column

    def _origin(self, access_key_id: str | None, source_identity: str | None) -> Origin | None:
        return self.by_key.get(access_key_id or "") or self.by_source_identity.get(source_identity or "")


def search_for_chains(judge: Judge) -> Search:
    """Return what to read for before the chains are known: who opened which session."""
    return Search(role_names=judge.role_names, role_ids=judge.role_ids, chains=True)


def find_chains(tables: Iterable[CallTable], judge: Judge) -> Chains:
    """Find the chained sessions in calls that come in the order of time, and judge them."""
    chains = Chains()
    calls = chain.from_iterable(_judged(table, judge) for table in tables)
    # A chain of several steps may fall into one second, in any order.
    for _, same_second in groupby(calls, key=attrgetter("event_time")):
        openings = []
        for call in same_second:
            # The module's notebook sessions carry the notebook's name as source identity, where they carry one.
            if call.notebook and call.notebook == call.source_identity and call.role_arn:
                origin = Origin(call.notebook, call.role_arn, f"source identity {call.source_identity}")
                chains.by_source_identity.setdefault(call.source_identity, origin)
            if call.opening and call.opening.access_key_id and call.role_arn:
                openings.append(call)
        while len(rest := [call for call in openings if not _follow(call, chains)]) < len(openings):
            openings = rest
    return chains


def _judged(table: CallTable, judge: Judge) -> Iterable[Call]:
    judge.judge(table)
    return table.calls()


def _follow(call: Call, chains: Chains) -> bool:
    """Take in the session that the call opened, if the caller is a notebook session or comes from one."""
    opening = call.opening
    if not (opening and opening.access_key_id and call.role_arn):
        return False
    if call.status == "attributed" and call.notebook:
        before = Origin(call.notebook, call.role_arn, f"{role_name(call.role_arn)}/{call.notebook}")
    elif known := chains.by_key.get(call.access_key_id or ""):
        before = known
    else:
        return False
    step = f"{role_name(opening.role_arn)}/{opening.session_name}"
    chains.by_key[opening.access_key_id] = Origin(before.notebook, before.role_arn, f"{before.via} > {step}")
    chains.role_names.add(role_name(opening.role_arn))
    return True
