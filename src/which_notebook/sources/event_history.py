"""The account's event history, `cloudtrail:`: what CloudTrail keeps of each region without a trail, 90 days of management events.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html: 50 events a page, one attribute a
lookup, two requests a second for each account and region.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import aws
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.spool import Blocks
from ..errors import reason_of
from ..limits import Limits
from ..progress import Progress
from ..records.cloudtrail import RecordError, call_of
from ..records.extract import Extract, decode_extract, encode
from .coverage import Coverage
from .source import Source, SourceError

NAME = "cloudtrail:"
_DAYS = 90
_PERMISSION = "cloudtrail:LookupEvents"
# A little more than the half second: on its way a request may catch up with the one before.
_SECONDS_BETWEEN_REQUESTS = 0.525
# Whoever else asks in this account and region shares the rate, and may do so for a while.
_ATTEMPTS = 8

# Where the events of global services are: IAM, CloudFront, sign-in, and STS's global endpoint.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
# The other partitions': the region that IAM's requests are signed for, in botocore's endpoints.json.
_GLOBAL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

Attribute = tuple[str, str] | None
"""What a lookup asks for: an attribute's key and value. None: all events of the time range."""


class EventHistory(Source):
    """The event history; needs cloudtrail:LookupEvents.

    Reading the whole time range is slow. If it will be read again, a copy of what it gave answers later questions that need
    no more.
    """

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        if name != NAME:
            raise SourceError(f"{name} is no source: the account's event history is cloudtrail: (with the colon)")
        super().__init__(name, limits, again=again, progress=progress)
        self._copy: Blocks | None = None
        self._copied: Scope | None = None

    def calls(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[Extract]:
        """Yield the matching calls, a page at a time.

        The scope's regions are asked, else the configured one; and the partition's region for global services, us-east-1:
        without --region for all that is searched for, with another --region only AssumeRole calls. Any other call there says
        us-east-1 in its record, so it isn't asked for; but a session may have been opened there that was used elsewhere.
        """
        has_copy = self._copied is not None and _needs_all(search) and _covers(self._copied, scope)
        for extract in map(decode_extract, self._copy or ()) if has_copy else self._looked_up(search, scope, coverage):
            yield Extract(extract.size, list(filter(search.matches, extract.calls)), [])

    def close(self) -> None:
        """Remove the copy."""
        if self._copy:
            self._copy.close()

    def _looked_up(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[Extract]:
        oldest = datetime.now(UTC) - timedelta(days=_DAYS)
        coverage.note(_note(scope, oldest))
        copy = Blocks() if self.again and _needs_all(search) else None
        for region, extract in _pages_of_regions(search, scope, oldest, coverage):
            for problem in extract.problems:
                coverage.skip(f"{NAME} {region}", problem)
            if copy:
                copy.add(encode(extract))
            yield extract
        if copy:
            self.close()
            self._copy, self._copied = copy, scope


def lookups(search: Search) -> list[Attribute]:
    """Return the lookups that give all of the matching calls in the fewest pages.

    The call with an event id, the calls with an access key, and the call that opened a session are a page each (an
    AssumeRole event names the new access key among its resources). No attribute stands for a role: its calls have the
    session's name as their user name, and which names there are isn't known, least of all those that nobody expects. So for
    a role's calls, as for whoever opens sessions or carries a source identity, all of the time range is looked through.
    """
    if _needs_all(search):
        return [None]
    by_id = [("EventId", search.event_id)] if search.event_id is not None else []
    by_key = [("AccessKeyId", key) for key in sorted(search.access_keys)]
    return [*by_id, *by_key, *(("ResourceName", key) for key in sorted(search.opened_keys))]


def _covers(copied: Scope, asked: Scope) -> bool:
    """Return whether a look through one scope has what another would give."""
    is_early = not copied.since or (asked.since is not None and copied.since <= asked.since)
    is_late = not copied.until or (asked.until is not None and copied.until >= asked.until)
    of_regions = (scope.regions or scope.service_regions for scope in (copied, asked))
    return is_early and is_late and len(set(of_regions)) == 1


def _needs_all(search: Search) -> bool:
    return bool(
        search.role_names or search.role_ids or search.base_sessions or search.chains or search.source_identities
    )


def _note(scope: Scope, oldest: datetime) -> str:
    note = f"{NAME} has only management events, of the last {_DAYS} days. It has no data events, such as S3's GetObject"
    if scope.since and datetime.fromisoformat(scope.since) < oldest:
        note += f"; --since {scope.since} goes back further"
    return note


def _pages_of_regions(
    search: Search, scope: Scope, oldest: datetime, coverage: Coverage
) -> Iterator[tuple[str, Extract]]:
    """Yield what each page gives, with its region; the regions are asked at the same time, each a page ahead."""
    if scope.until and datetime.fromisoformat(scope.until) < oldest:
        return
    asked = scope.regions or scope.service_regions
    try:
        regions = _with_global_regions(asked)
    except OSError as error:
        coverage.skip(NAME, reason_of(error))
        return
    with ThreadPoolExecutor(len(regions)) as pool:
        pages_of = [(region, _pages(region, search, scope, oldest, not asked or region in asked)) for region in regions]
        running = {pool.submit(next, pages, None): (region, pages) for region, pages in pages_of}
        while running:
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                region, pages = running.pop(done)
                if (extract := done.result()) is not None:
                    running[pool.submit(next, pages, None)] = region, pages
                    yield region, extract


def _with_global_regions(asked: tuple[str, ...]) -> list[str]:
    with aws.named_errors(_PERMISSION):
        regions = aws.regions_asked(asked)
        of_global_services = {_GLOBAL_REGIONS.get(aws.partition(region) or "") for region in regions}
    return list(dict.fromkeys(filter(None, [*regions, *of_global_services])))


def _pages(region: str, search: Search, scope: Scope, oldest: datetime, is_asked_for: bool) -> Iterator[Extract]:
    """Yield what each page of a region gives; an error as the last one's problem."""
    attributes = lookups(search)
    if not is_asked_for:
        attributes = [each or ("EventName", "AssumeRole") for each in attributes]
    try:
        with aws.named_errors(_PERMISSION):
            paginator = history_client(region).get_paginator("lookup_events")
            for attribute in attributes:
                for page in paginator.paginate(**_parameters(attribute, scope, oldest)):
                    yield _found(page, keep_record=search.keeps_record)
    except OSError as error:
        reason = reason_of(error)
        if not aws.is_known_region(region, "cloudtrail"):
            reason += f"; boto3 knows no region {region}"
        yield Extract(0, [], [reason])


def _parameters(attribute: Attribute, scope: Scope, oldest: datetime) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if attribute:
        parameters["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
    since = scope.since and datetime.fromisoformat(scope.since)
    # A time that is out of range is refused; and a session was opened before the calls in it.
    if since and since > oldest and not (attribute and attribute[0] == "ResourceName"):
        parameters["StartTime"] = since
    if scope.until:
        parameters["EndTime"] = datetime.fromisoformat(scope.until)
    return parameters


def _found(page: dict[str, Any], *, keep_record: bool) -> Extract:
    extract = Extract(0, [], [])
    for event in page["Events"]:
        record = event["CloudTrailEvent"].encode()
        extract.size += len(record)
        try:
            extract.calls.append(call_of(record, keep_record=keep_record, with_resources=True, with_clues=True))
        except RecordError as error:
            extract.problems.append(str(error))
    return extract


def history_client(region: str) -> Any:
    """Return the region's client, whose requests are paced."""
    client = aws.client("cloudtrail", region, attempts=_ATTEMPTS)
    # Just before each request, so botocore's own retries are paced as well.
    client.meta.events.register(
        "before-send.cloudtrail.LookupEvents", _PACES.setdefault(region, Pace()), unique_id="which-notebook-pace"
    )
    return client


class Pace:
    """Spaces requests half a second apart; botocore calls it before each one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self, **event: Any) -> None:
        """Wait until it is time."""
        with self._lock:
            time.sleep(max(0.0, self._next - self._clock()))
            self._next = self._clock() + _SECONDS_BETWEEN_REQUESTS


_PACES: dict[str, Pace] = {}
