"""Has a call count once of which several records tell: its service's event, the VPC endpoint's, S3's access log, another account's copy.

All of them have the call's request id. A VPC endpoint and an S3 bucket's access log tell of
calls, too. A call that the endpoint's policy refused reached no service, so only the endpoint tells of it. An access log's
words for what was called aren't always CloudTrail's. The account whose resource a call is about gets a copy of its event,
with the same `sharedEventID`.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from operator import attrgetter
from sys import intern

from .call import Call

NETWORK_ACTIVITY = "NetworkActivity"
ACCESS_LOG = "S3AccessLog"
"""The category of a call that a line of an S3 server access log tells of."""

_SECOND_HAND = frozenset((NETWORK_ACTIVITY, ACCESS_LOG))
_S3 = "s3.amazonaws.com"
# Both are written when the call is answered.
_APART_AT_MOST = timedelta(minutes=1)

_Request = tuple[str | None, str, str]
_Requests = dict[str, set[_Request]]


def without_twins(batches: Iterable[list[Call]], accounts: Collection[str] = ()) -> Iterator[list[Call]]:
    """Yield the calls, in the order of time, without second records of a call that its service has recorded.

    `accounts` are those that are asked for, if not all: a record of another account replaces none.
    """
    recent: _Requests = {}
    waiting: list[Call] = []
    for batch in batches:
        calls = waiting + batch
        counting, waiting = _kept(recent, calls, _earlier(calls[-1]) if calls else "", accounts)
        _remember(recent, counting, accounts)
        yield counting
    if waiting:
        yield _kept(recent, waiting, None, accounts)[0]


def _kept(
    recent: _Requests, calls: list[Call], decided_before: str | None, accounts: Collection[str]
) -> tuple[list[Call], list[Call]]:
    """Return the calls that count, and from the first one on whose other event may still come, those that wait."""
    categories = set(map(attrgetter("event_category"), calls))
    if categories.isdisjoint(_SECOND_HAND) and not any(map(attrgetter("shared_event_id"), calls)):
        return calls, []
    requests = {each for call in calls for each in _tells_of(call, accounts)}.union(*recent.values())
    # CloudTrail leaves out the keys of a deletion of several objects, which the access log has. So its lines and what they are
    # about are looked at together, within the time that they may be apart.
    with_lines = ACCESS_LOG in categories
    events = {each: call for call in reversed(calls) for each in _tells_of(call, accounts)} if with_lines else {}
    counting: list[Call] = []
    for place, call in enumerate(calls):
        if with_lines and decided_before is not None and call.event_time >= decided_before:
            return counting, calls[place:]
        if call.request_id is not None and (call.event_category in _SECOND_HAND or _is_owners_copy(call)):
            if _request(call) in requests:
                if call.event_category == ACCESS_LOG and (event := events.get(_request(call))):
                    event.resources += tuple(arn for arn in call.resources if arn not in event.resources)
                continue
            if decided_before is not None and call.event_time >= decided_before:
                return counting, calls[place:]
        counting.append(call)
    return counting, []


def _is_owners_copy(call: Call) -> bool:
    """Return whether this is what another account than the caller's gets of a call about its resource."""
    return call.shared_event_id is not None and (
        call.role_arn is None or call.role_arn.split(":")[4] != call.account_id
    )


def _request(call: Call) -> _Request:
    """Return what another event of the same call has: one request to S3 is one call, whatever the log's name for it."""
    if call.event_category not in _SECOND_HAND and call.shared_event_id is not None:
        return call.request_id, call.shared_event_id, intern(call.event_name)
    name = "" if call.event_category == ACCESS_LOG else intern(call.event_name)
    return call.request_id, intern(call.event_source), name


def _tells_of(call: Call, accounts: Collection[str]) -> tuple[_Request, ...]:
    """Return the requests whose other events don't count beside this one."""
    if call.request_id is None or call.event_category == ACCESS_LOG or (accounts and call.account_id not in accounts):
        return ()
    of_s3 = ((call.request_id, _S3, ""),) if call.event_source == _S3 else ()
    if call.event_category == NETWORK_ACTIVITY:
        return of_s3
    of_service = (call.request_id, intern(call.event_source), intern(call.event_name))
    shared = call.shared_event_id is not None and not _is_owners_copy(call)
    return (*of_s3, of_service, _request(call)) if shared else (*of_s3, of_service)


def _remember(recent: _Requests, calls: list[Call], accounts: Collection[str]) -> None:
    """Keep in mind what was called lately, whose other event may still come; not the calls, which may be many in a minute."""
    if not calls:
        return
    since = _earlier(calls[-1])
    for time in [time for time in recent if time < since]:
        del recent[time]
    for call in takewhile(lambda call: call.event_time >= since, reversed(calls)):
        if requests := _tells_of(call, accounts):
            recent.setdefault(call.event_time, set()).update(requests)


def _earlier(call: Call) -> str:
    return (datetime.fromisoformat(call.event_time) - _APART_AT_MOST).strftime("%Y-%m-%dT%H:%M:%SZ")
