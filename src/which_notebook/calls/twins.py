"""Counts a call once, even if several records report it: its service's, the VPC endpoint's, S3's access log's, another account's copy.

All of them have the call's request id. A VPC endpoint and an S3 bucket's access log tell of
calls, too. A call that the endpoint's policy refused reached no service, so only the endpoint tells of it. An access log's
words for what was called aren't always CloudTrail's. The account whose resource a call is about gets a copy of its event,
with the same `sharedEventID`.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from sys import intern

from ..times import shifted
from .call import Call

NETWORK_ACTIVITY = "NetworkActivity"
ACCESS_LOG = "S3AccessLog"
"""The category of a call that a line of an S3 server access log tells of."""

_SECOND_HAND = frozenset((NETWORK_ACTIVITY, ACCESS_LOG))
_S3 = "s3.amazonaws.com"
# Records of one call that are further apart count each: what waits for another has to be held.
_APART_AT_MOST = timedelta(minutes=1)

_TIME = attrgetter("event_time")

_Request = tuple[str | None, str, str]


class Twins:
    """Leaves out second records of a call that its service has recorded, whatever lists the calls come in.

    `accounts` are those that are asked for, if not all: a record of another account replaces none.
    """

    def __init__(self, accounts: Collection[str] = ()) -> None:
        self._accounts = accounts
        self._may_be_there = False

    def seen(self, calls: list[Call]) -> list[Call]:
        """Return the calls, after a look whether twins may be among them. All have to be seen before they come in order."""
        self._may_be_there = self._may_be_there or (
            not _SECOND_HAND.isdisjoint(map(attrgetter("event_category"), calls))
            or any(map(attrgetter("shared_event_id"), calls))
        )
        return calls

    def left_out(self, batches: Iterable[list[Call]]) -> Iterator[list[Call]]:
        """Yield the calls, in the order of time, without those that are left out.

        A call is decided once all that can be its twin has come.
        """
        window = _Window(self._accounts)
        for calls in batches:
            if self._may_be_there:
                window.add(calls)
                yield window.decided()
            else:
                yield calls
        yield window.decided(are_all=True)


class _Window:
    """Calls in the order of time: those that aren't decided yet, and before them those that may be their twins."""

    def __init__(self, accounts: Collection[str]) -> None:
        self._accounts = accounts
        self._calls: list[Call] = []
        self._undecided = 0  # the first of these
        self._times: defaultdict[_Request, list[str]] = defaultdict(list)
        self._lines: defaultdict[_Request, list[Call]] = defaultdict(list)

    def add(self, calls: list[Call]) -> None:
        """Take in the next calls."""
        self._calls += calls
        self._take_times_of(calls)
        for call in calls:
            # CloudTrail leaves out the keys of a deletion of several objects, which the access log has.
            if call.event_category == ACCESS_LOG and call.request_id is not None:
                self._lines[_request(call)].append(call)

    def _take_times_of(self, calls: list[Call]) -> None:
        for call in calls:
            for request in _requests_it_replaces(call, self._accounts):
                self._times[request].append(call.event_time)

    def decided(self, *, are_all: bool = False) -> list[Call]:
        """Return the calls that count, of those that can be decided."""
        calls, first = self._calls, self._undecided
        if not calls:
            return []
        end = len(calls) if are_all else _first_from(calls, _around(calls[-1].event_time)[0], first)
        counting = [call for call in calls[first:end] if not self._is_left_out(call)]
        self._undecided = end
        if end:
            self._forget_before(_around(calls[end - 1].event_time)[0])
        return counting

    def _is_left_out(self, call: Call) -> bool:
        if call.request_id is None:
            return False
        earliest, latest = _around(call.event_time)
        if call.event_category in _SECOND_HAND or _is_owners_copy(call):
            times = self._times.get(_request(call), [])
            at = bisect_left(times, earliest)
            if at < len(times) and times[at] <= latest:
                return True
        for request in _requests_it_replaces(call, self._accounts) if self._lines else ():
            # All that can be near have come. Each is for the first event that it is near.
            lines = self._lines.get(request, [])
            near = slice(_first_from(lines, earliest, 0), bisect_right(lines, latest, key=_TIME))
            resources = map(attrgetter("resources"), lines[near])
            call.resources = tuple(dict.fromkeys(chain(call.resources, *resources)))
            del lines[near]
        return False

    def _forget_before(self, time: str) -> None:
        """Forget decided calls before this time, once they are half of all."""
        old = _first_from(self._calls, time, 0)
        if old * 2 < len(self._calls):
            return
        self._calls, self._undecided = self._calls[old:], self._undecided - old
        self._times.clear()
        self._take_times_of(self._calls)
        for request, lines in list(self._lines.items()):
            del lines[: _first_from(lines, time, 0)]
            if not lines:
                del self._lines[request]


def _first_from(calls: list[Call], time: str, start: int) -> int:
    return bisect_left(calls, time, start, key=_TIME)


@lru_cache(maxsize=4096)
def _around(time: str) -> tuple[str, str]:
    return shifted(time, -_APART_AT_MOST), shifted(time, _APART_AT_MOST)


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


def _requests_it_replaces(call: Call, accounts: Collection[str]) -> tuple[_Request, ...]:
    """Return the requests whose other events don't count beside this one."""
    if call.request_id is None or call.event_category == ACCESS_LOG or (accounts and call.account_id not in accounts):
        return ()
    of_s3 = ((call.request_id, _S3, ""),) if call.event_source == _S3 else ()
    if call.event_category == NETWORK_ACTIVITY:
        return of_s3
    of_service = (call.request_id, intern(call.event_source), intern(call.event_name))
    shared = call.shared_event_id is not None and not _is_owners_copy(call)
    return (*of_s3, of_service, _request(call)) if shared else (*of_s3, of_service)
