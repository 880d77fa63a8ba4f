"""Network activity events: the record that a VPC endpoint writes of a call, beside the called service's own record.

Both events of one call have its request id, and the call counts once. A call that the endpoint's policy refused reached no
service, so only the endpoint tells of it.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from sys import intern

from .call import Call

NETWORK_ACTIVITY = "NetworkActivity"
# Both are written when the call is answered.
_APART_AT_MOST = timedelta(minutes=1)

_Request = tuple[str | None, str, str]
_Requests = dict[str, set[_Request]]


def without_twins(batches: Iterable[list[Call]]) -> Iterator[list[Call]]:
    """Yield the calls, which come in the order of time, without the network activity events of calls that have another."""
    recent: _Requests = {}
    waiting: list[Call] = []
    for batch in batches:
        calls = waiting + batch
        kept, waiting = _kept(recent, calls, _earlier(calls[-1]) if calls else "")
        _remember(recent, kept)
        yield kept
    if waiting:
        yield _kept(recent, waiting, None)[0]


def _kept(recent: _Requests, calls: list[Call], decided_before: str | None) -> tuple[list[Call], list[Call]]:
    """Return the calls that count, and from the first one on whose other event may still come, those that wait."""
    if not any(call.event_category == NETWORK_ACTIVITY for call in calls):
        return calls, []
    requests = {_request(call) for call in calls if call.event_category != NETWORK_ACTIVITY}.union(*recent.values())
    kept: list[Call] = []
    for place, call in enumerate(calls):
        if call.event_category == NETWORK_ACTIVITY and call.request_id is not None:
            if _request(call) in requests:
                continue
            if decided_before is not None and call.event_time >= decided_before:
                return kept, calls[place:]
        kept.append(call)
    return kept, []


def _request(call: Call) -> _Request:
    return call.request_id, intern(call.event_source), intern(call.event_name)


def _remember(recent: _Requests, kept: list[Call]) -> None:
    """Keep in mind what was called lately, whose other event may still come; not the calls, which may be many in a minute."""
    if not kept:
        return
    since = _earlier(kept[-1])
    for time in [time for time in recent if time < since]:
        del recent[time]
    for call in takewhile(lambda call: call.event_time >= since, reversed(kept)):
        if call.event_category != NETWORK_ACTIVITY and call.request_id is not None:
            recent.setdefault(call.event_time, set()).add(_request(call))


def _earlier(call: Call) -> str:
    return (datetime.fromisoformat(call.event_time) - _APART_AT_MOST).strftime("%Y-%m-%dT%H:%M:%SZ")
