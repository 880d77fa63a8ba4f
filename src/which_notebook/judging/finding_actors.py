"""Which notebook instance a finding's actor is: by the finding alone, and by what logs say of its access key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct, field

from ..calls.call import BASE_SESSION, Call, role_name, shown_event
from ..calls.filter import Filter
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from ..times import later
from ..words import counted
from .attribution import Judge
from .explanation import calls_that_opened, explain_call
from .finding import Actor, Finding
from .inventory import Inventory
from .statuses import STATUS_OF
from .warnings import AttributionWarning


class KnownActor(Struct):
    """An actor, and what is known of it.

    `is_notebook_role`: whether its role is one of notebook instances; None where nothing tells. `status`, `notebook` and `user_profile` as a call of the actor would have them; `why`, in sentences. Where logs were read: `calls` made with
    its access key in the finding's time, `events` among them by `service:Event`, who opened its session, and what speaks
    against the name.
    """

    actor: Actor
    status: str | None
    notebook: str | None
    why: list[str]
    is_notebook_role: bool | None = None
    user_profile: str | None = None
    calls: int = 0
    errors: int = 0
    first_seen: str | None = None
    last_seen: str | None = None
    events: Counter[str] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    opened_by: list[Call] = field(default_factory=list)
    warnings: list[AttributionWarning] = field(default_factory=list)


def known_by_finding(actor: Actor, roles: Sequence[str], inventory: Inventory | None) -> KnownActor:
    """Return what the finding alone says; `roles` are the notebooks' roles, where they are known."""
    if not actor.session_name or not actor.role:
        if actor.role and actor.user_type == "AssumedRole":
            what = f"is a session of the role {role_name(actor.role)} that the finding doesn't name"
        elif actor.role_id:
            what = "is a session of a role that the finding doesn't name"
        else:
            what = "is no session of a role"
        return KnownActor(actor, None, None, [f"The actor {what}, so the finding alone names no notebook instance."])
    judge = Judge(roles, inventory) if roles else None
    arn = actor.role if actor.role.startswith("arn:") else f"arn:aws:iam::{actor.account_id or ''}:role/{actor.role}"
    # A finding has a name only, with no path: that is enough for one account's role.
    is_role = judge is None or judge.is_role(arn) or (arn != actor.role and role_name(arn) in judge.role_names)
    session = f"the session {actor.session_name} of the role {role_name(arn)}"
    if not is_role and judge:
        return KnownActor(actor, None, None, [f"The actor is {session}, and not of {judge.role}."])
    call = _judged(arn, actor.session_name, inventory)
    why = f"The actor is {session}{STATUS_OF[call.status].by_name}"
    is_notebook_role = judge is not None and call.status != "unknown-name"
    return KnownActor(actor, call.status, call.notebook, [why], is_notebook_role or None)


def _judged(role_arn: str, session_name: str, inventory: Inventory | None) -> Call:
    """Return a call as a session of this role and name would make it, judged; the role is known to be meant."""
    table = CallTable.of([Call("", "", "", "", role_arn=role_arn, session_name=session_name)])
    Judge("*", inventory).judge(table)
    (call,) = table.calls()
    return call


def known_by_logs(
    finding: Finding,
    actor: Actor,
    reader: Reader,
    filter: Filter,
    coverage: Coverage,
    roles: Sequence[str],
    inventory: Inventory | None,
) -> KnownActor:
    """Return what the logs say besides of an actor of the finding, by its calls that are asked for."""
    known = known_by_finding(actor, roles, inventory)
    key = actor.access_key_id
    if key is None:
        known.why.append("The finding names no access key, so its calls can't be looked for.")
        return known
    scope = filter.scope
    since, until = scope.since or finding.first_seen, scope.until or finding.last_seen
    about = f" about {', '.join(filter.resources)}" if filter.resources else ""
    within = Scope(since=since, until=until, regions=scope.regions, accounts=scope.accounts,
                   delivered_within_days=scope.delivered_within_days)  # fmt: skip
    last: Call | None = None
    search = Search(access_keys=frozenset([key]), with_resources=True)
    for read in reader.tables(search, within, coverage):
        table = read.selected(Filter(scope=within, access_keys=(key,), resources=filter.resources).fitting(read))
        for call in table.calls():
            last = call
            known.calls += 1
            known.errors += call.error_code is not None
            known.first_seen, known.last_seen = known.first_seen or call.event_time, call.event_time
            known.events[shown_event(call.event_source, call.event_name)] += 1
            known.resources.update(call.resources)
    if last:
        explanation = explain_call(last, reader, within, coverage, roles, inventory)
        call = explanation.call
        known.opened_by, known.warnings = explanation.opened_by, explanation.warnings
        known.status = "unattributed" if call.status == "handshake" else call.status
        known.notebook, known.user_profile = call.notebook, call.user_profile
        known.why.append(_said_by_call(call, known.calls, about))
    else:
        when = _time_asked(scope, since, until)
        known.why.append(f"The sources hold no call made with this access key{about}{when}.")
        if since or until:
            anywhere = scope.anywhere(None, None)
            known.opened_by = calls_that_opened(key, later(until or since or ""), reader, anywhere, coverage)
    known.is_notebook_role = (bool(roles) and known.status is not None) or _is_of_notebook_role(
        known.opened_by, session_name=last.session_name if last else actor.session_name
    )
    if known.is_notebook_role is False and known.status in ("attributed", "unknown-name"):
        known.status = known.notebook = None
        known.why.append(
            "Its session was not opened by a base session of its role, as a notebook instance opens one. With --role its "
            "name is taken for a notebook instance's all the same."
        )
    return known


def _time_asked(scope: Scope, since: str | None, until: str | None) -> str:
    """Return in words when calls were looked for; nothing where the time isn't limited."""
    if not (scope.since or scope.until):
        return " in the finding's time" if since or until else ""
    return (f" from {since}" if since else "") + (f" to {until}" if until else "")


def _is_of_notebook_role(opened_by: list[Call], session_name: str | None) -> bool | None:
    """Return whether a role's own base session is on the way to a session; None where the logs don't say who opened it.

    Also None for a base session: SageMaker opens one for a notebook instance, and for a job.
    """
    own = (
        each.opening and each.role_arn == each.opening.role_arn and each.session_name == BASE_SESSION
        for each in opened_by
    )
    return any(own) or (False if opened_by and session_name != BASE_SESSION else None)


def _said_by_call(call: Call, count: int, about: str) -> str:
    made = f"The logs have {counted(count, 'call')} with this access key{about}"
    if call.role_arn is None:
        return f"{made}, made in no role's session that is known."
    whose = f"the session {call.session_name} of {call.role_arn}"
    if call.via:
        opener = f"notebook instance {call.notebook}" if call.notebook else f"user profile {call.user_profile}"
        return f"{made}, made in {whose}, which comes from the {opener}: {call.via}."
    if call.user_profile:
        whose += f", with the source identity {call.user_profile}"
    return f"{made}, made in {whose}: CloudTrail's own records of who made them."
