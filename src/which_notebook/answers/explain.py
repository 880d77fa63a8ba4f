"""One call, explained: what its record says, who opened its session, and what speaks against the attribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from ..calls.filter import Question
from ..calls.search import Wanted
from ..judging.attribution import Inventory, Judge
from ..judging.chains import find_chains
from ..judging.warnings import Sign, Signs
from ..records.cloudtrail import CALL_FIELDS, Call
from ..sources.registry import Sources
from ..times import earlier, later

_STEPS_AT_MOST = 50

PROOF = (
    "CloudTrail wrote the record's userIdentity, and the caller can't change it: the call was made with credentials of that "
    "session. Who opened that session, its AssumeRole record says in the same way."
)
SIGN = (
    "The session's name was chosen when the session was opened. In profile mode the notebook's user can choose another known "
    "name; in imds mode only the instance's root can."
)


class NotFoundError(Exception):
    """No source holds the event; the message says so."""


@dataclass(frozen=True)
class Explanation:
    """A judged call, the AssumeRole calls that led to its session (the nearest first), and the signs against it, within the length of a session before and after."""

    call: Call
    openings: list[Call]
    signs: list[Sign]

    @property
    def record(self) -> Any:
        """The record, as it stands in the log."""
        return msgspec.json.decode(self.call.record or b"null")

    def plain(self) -> dict[str, Any]:
        """Return what is known of the call as it is put out as JSON."""
        return {
            **{name: getattr(self.call, name) for name in CALL_FIELDS},
            "via": self.call.via,
            "opened_by": [
                {
                    "event_id": each.event_id,
                    "event_time": each.event_time,
                    "principal": each.opening and each.opening.principal,
                    "access_key_id": each.access_key_id,
                    "source_ip_address": each.source_ip_address,
                    "opened_session_name": each.opening and each.opening.session_name,
                    "opened_role_arn": each.opening and each.opening.role_arn,
                    "opened_access_key_id": each.opening and each.opening.access_key_id,
                    "explicit_trust_grant": each.opening and each.opening.explicit_trust_grant,
                }
                for each in self.openings
            ],
            "warnings": [
                {"kind": sign.kind, "event_time": sign.event_time, "event_id": sign.event_id, "text": sign.text}
                for sign in self.signs
            ],
            "record": self.record,
        }


def explain(event_id: str, sources: Sources, role: str | None, inventory: Inventory | None) -> Explanation:
    """Explain the call with this event id.

    `role` is the notebooks' role, needed only where neither the call's own session nor those that led to it are of a role
    that opens sessions on itself. Raises NotFoundError where no source holds the event.
    """
    call = next((call for call in sources.calls(Wanted(event_id=event_id)) if call.event_id == event_id), None)
    if call is None:
        raise NotFoundError(f"no source holds an event {event_id}")
    openings = _openings(call, sources)
    judge = Judge(role or _role(call, openings) or "SageMaker", inventory)
    around = Question(since=earlier(call.event_time), until=later(call.event_time))
    of_role = Wanted(role_names=(judge.role_name,), role_ids=judge.role_ids)
    if call.role_arn is None and call.role_id:
        # Another record of the role's may tell which role has that unique id.
        same = (each for each in sources.calls(of_role, around) if each.event_id == event_id)
        call.role_arn = next((each.role_arn for each in same), None)
    chains = find_chains(sorted(openings, key=lambda each: each.event_time), judge)
    chains.judge_call(call, judge)
    if call.status is None:
        return Explanation(call, openings, [])
    signs = Signs(judge)
    for read in sources.tables(of_role, around):
        table = read.selected(around.fitting(read))
        judge.judge(table)
        signs.see(table)
    signs.conclude()
    name = call.notebook_role_arn or call.role_arn, call.notebook or call.session_name
    return Explanation(call, openings, [sign for sign in signs.found if (sign.role_arn, sign.notebook) == name])


def _openings(call: Call, sources: Sources) -> list[Call]:
    """Return the calls that opened the session, and the session that opened it, and so on."""
    openings: list[Call] = []
    seen: set[str] = set()
    key, until = call.access_key_id, call.event_time
    while key and key not in seen and len(openings) < _STEPS_AT_MOST:
        seen.add(key)
        wanted = Wanted(opened_keys=frozenset([key]))
        before = Question(since=earlier(until), until=until)
        found = [each for each in sources.calls(wanted, before) if each.opening and each.opening.access_key_id == key]
        openings += found[:1]
        key, until = (found[0].access_key_id, found[0].event_time) if found else (None, until)
    return openings


def _role(call: Call, openings: list[Call]) -> str | None:
    """Return the role of the session on the way that its own role's base session opened; else the caller's."""
    for each in openings:
        if each.opening and each.role_arn == each.opening.role_arn:
            return each.role_arn
    return call.role_arn
