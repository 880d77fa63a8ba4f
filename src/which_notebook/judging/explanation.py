"""One call, explained: what its record says, who opened its session, and the warnings about its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from ..calls.call import BASE_SESSION, Call
from ..calls.filter import Filter
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..errors import CommandError
from ..reading.reader import Reader
from ..records.shapes.members import mended
from ..sources.coverage import Coverage
from ..times import earlier, later
from .attribution import Judge
from .chains import find_chains
from .evidence.address import AddressOf
from .inventory import Inventory
from .likely import Evidence, find_evidence
from .likely_sessions import ExplainedLikely
from .statuses import name_shown
from .warnings import AttributionWarning, Warnings

_STEPS_AT_MOST = 50


class NotFoundError(CommandError):
    """No source holds the event; the message says so."""

    is_wrong_usage = False


@dataclass(frozen=True)
class Explanation:
    """A judged call, the AssumeRole calls that led to its session (the nearest first), and the warnings about its name.

    The warnings are of the time from 12 hours before the call to 12 hours after it. `names_are_known`: whether an inventory says which names are real. `likely` is the evidence on a base session, where it was
    asked for.
    """

    call: Call
    opened_by: list[Call]
    warnings: list[AttributionWarning]
    names_are_known: bool
    likely: ExplainedLikely | None = None

    @property
    def record(self) -> Any:
        """The record, as it stands in the log."""
        return msgspec.json.decode(mended(self.call.record or b"null"))


def explain(
    event_id: str,
    reader: Reader,
    scope: Scope,
    coverage: Coverage,
    roles: Sequence[str],
    inventory: Inventory | None,
    *,
    likely: bool = False,
    addresses: Iterable[AddressOf] = (),
) -> Explanation:
    """Explain the call with this event id, which is looked for in the scope; `likely`: also whose base session it likely was.

    `roles` are the notebooks' roles, needed only where neither the call's own session nor those that led to it are of a role
    that opens sessions on itself. Raises NotFoundError where no source holds the event.
    """
    with closing(reader.calls(Search(event_id=event_id, with_resources=True), scope, coverage)) as calls:
        call = next((call for call in calls if call.event_id == event_id), None)
    if call is None:
        raise NotFoundError(f"no record with the event id {event_id} was found in these sources")
    return explain_call(call, reader, scope, coverage, roles, inventory, likely=likely, addresses=addresses)


def explain_call(
    call: Call,
    reader: Reader,
    scope: Scope,
    coverage: Coverage,
    roles: Sequence[str],
    inventory: Inventory | None,
    *,
    likely: bool = False,
    addresses: Iterable[AddressOf] = (),
) -> Explanation:
    """Explain a call that was found in the scope; see `explain`."""
    opened_by = calls_that_opened(call.access_key_id, call.event_time, reader, scope, coverage)
    around = scope.anywhere(earlier(call.event_time), later(call.event_time))
    if call.role_arn is None and call.role_id:
        # Another record may tell which role has that unique id: one of the role's own account, or one of Lake Formation's.
        of_id = Search(event_id=call.event_id, role_ids=(call.role_id,))
        with closing(reader.calls(Judge(roles, inventory).search if roles else of_id, around, coverage)) as same:
            of_record = next((each.role_arn for each in same if each.event_id == call.event_id), None)
        # Where the caller's own account's record of the same call is there, too, that one is given alone.
        call.role_arn = of_record or reader.role_arns.get(call.role_id)
    judge = Judge(roles or _role(call, opened_by) or BASE_SESSION, inventory)
    chains = find_chains([CallTable.of(sorted(opened_by, key=lambda each: each.event_time))], judge)
    table = CallTable.of([call])
    chains.judge(table, judge)
    (call,) = table.calls()
    if call.status is None:
        return Explanation(call, opened_by, [], inventory is not None)
    warnings = Warnings(judge)
    within = Filter(scope=Scope(since=around.since, until=around.until))
    for read in reader.tables(judge.search, around, coverage):
        table = read.selected(within.fitting(read))
        judge.judge(table)
        warnings.see(table)
    warnings.conclude()
    shown = name_shown(call.notebook, call.user_profile, call.session_name)
    name = call.notebook_role_arn or call.role_arn, shown
    about_name = [each for each in warnings.warnings if (each.role_arn, each.notebook) == name]
    evidence = Evidence(judge, reader.options.limits, addresses)
    explained = _explained_likely(call, evidence, judge, reader, scope, coverage) if likely else None
    return Explanation(call, opened_by, about_name, inventory is not None, explained)


def _explained_likely(
    call: Call, evidence: Evidence, judge: Judge, reader: Reader, scope: Scope, coverage: Coverage
) -> ExplainedLikely | None:
    at_call = replace(scope, since=call.event_time, until=call.event_time)
    sessions, covered = find_evidence(evidence, judge, reader, at_call, explained=True)
    coverage.add(covered, aside=True)
    explained = sessions.explained(call)
    if explained and call.status == "unattributed":
        call.likely = explained.likely
    return explained


def calls_that_opened(key: str | None, until: str, reader: Reader, scope: Scope, coverage: Coverage) -> list[Call]:
    """Return the calls that opened the session with this access key id, which was in use then, and the session that opened it, and so on."""
    opened_by: list[Call] = []
    seen: set[str] = set()
    while key and key not in seen and len(opened_by) < _STEPS_AT_MOST:
        seen.add(key)
        openings = reader.calls(Search(opened_keys=frozenset([key])), scope.anywhere(earlier(until), until), coverage)
        openers = [each for each in openings if each.opening and each.opening.access_key_id == key]
        opened_by += openers[:1]
        key, until = (openers[0].access_key_id, openers[0].event_time) if openers else (None, until)
    return opened_by


def _role(call: Call, opened_by: list[Call]) -> str | None:
    """Return the role whose own base session opened a session on the way; else that of a base session with a source identity; else the caller's."""
    for each in opened_by:
        if each.opening and each.role_arn == each.opening.role_arn:
            return each.role_arn
    for each in opened_by:
        if each.session_name == BASE_SESSION and each.source_identity:
            return each.role_arn
    return call.role_arn
