"""The account's event history: what CloudTrail keeps of each region without a trail, 90 days of management events.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html: 50 events a page, one attribute a
lookup, two requests a second for each account and region.
"""

from __future__ import annotations

import errno
import itertools
import random
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any, BinaryIO

from .. import aws
from ..calls.filter import Question
from ..calls.search import Wanted
from ..reading.parts import decode_found, encode
from ..reading.reader import Reading
from ..records.cloudtrail import Call, RecordError, call_of
from ..records.scan import Found

_NAME = "cloudtrail:"
_DAYS = 90
_PERMISSION = "cloudtrail:LookupEvents"
# A little more than the half second: on its way a request may catch up with the one before.
_SECONDS_BETWEEN_REQUESTS = 0.525
_TRIES = 8
_LONGEST_BACKOFF = 20.0
_LENGTH_BYTES = 4

# Where the events of global services are: IAM, CloudFront, sign-in, and STS's global endpoint.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
# The other partitions': the region that IAM's requests are signed for, in botocore's endpoints.json.
_GLOBAL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

Attribute = tuple[str, str] | None
"""What a lookup asks for: an attribute's key and value. None: all events of the time range."""


class Kept:
    """What a look through the whole time range gave, in a temporary file: a second one would take as long."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="which-notebook-")  # noqa: SIM115 - close() closes it
        self.is_whole = False

    def add(self, found: Found) -> None:
        """Keep what a page gave."""
        block = encode(found)
        self._file.write(len(block).to_bytes(_LENGTH_BYTES, "little") + block)

    def pages(self) -> Iterator[Found]:
        """Yield what was kept."""
        self._file.seek(0)
        while length := self._file.read(_LENGTH_BYTES):
            yield decode_found(self._file.read(int.from_bytes(length, "little")))

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def history_calls(wanted: Wanted, question: Question, reading: Reading, kept: Kept | None = None) -> Iterator[Call]:
    """Yield the wanted calls of the event history, in no particular order; needs cloudtrail:LookupEvents.

    The question's regions are asked, else the configured one; and the partition's region for global services, us-east-1:
    without --region all that is wanted, with another --region only AssumeRole calls. Any other call there says us-east-1 in
    its record, so it isn't asked for; but a session may have been opened there that was used elsewhere. `kept`, if given,
    takes in what a look through the whole time range gives, and answers the next such question.

    What can't be asked is taken down in `reading`, with what the history can't tell.
    """
    if kept and kept.is_whole and _needs_all(wanted):
        for found in kept.pages():
            reading.size += found.size
            yield from filter(wanted.wants, found.calls)
        return
    oldest = datetime.now(UTC) - timedelta(days=_DAYS)
    _note(question, oldest, reading)
    keep = kept if kept and _needs_all(wanted) else None
    for region, found in _looked_up(wanted, question, oldest, reading):
        reading.size += found.size
        reading.progress.add(0, found.size)
        for problem in found.problems:
            reading.skip(f"{_NAME} {region}", problem)
        if keep:
            keep.add(found)
        yield from filter(wanted.wants, found.calls)
    if keep:
        keep.is_whole = True


def lookups(wanted: Wanted) -> list[Attribute]:
    """Return the lookups that give all of the wanted calls in the fewest pages.

    The call with an event id, the calls with an access key, and the call that opened a session are a page each (an
    AssumeRole event names the new access key among its resources). No attribute stands for a role: its calls have the
    session's name as their user name, and which names there are isn't known, least of all those that nobody expects. So for
    a role's calls, as for whoever opens sessions or carries a source identity, all of the time range is looked through.
    """
    if _needs_all(wanted):
        return [None]
    by_id = [("EventId", wanted.event_id)] if wanted.event_id is not None else []
    by_key = [("AccessKeyId", key) for key in sorted(wanted.access_keys)]
    return [*by_id, *by_key, *(("ResourceName", key) for key in sorted(wanted.opened_keys))]


def _needs_all(wanted: Wanted) -> bool:
    return bool(wanted.role_names or wanted.chains or wanted.source_identities)


def _note(question: Question, oldest: datetime, reading: Reading) -> None:
    note = f"{_NAME} holds management events only, no data events (such as S3's GetObject), and {_DAYS} days of them"
    if question.since and datetime.fromisoformat(question.since) < oldest:
        note += f"; --since {question.since} goes back further"
    reading.note(note)


def _looked_up(wanted: Wanted, question: Question, oldest: datetime, reading: Reading) -> Iterator[tuple[str, Found]]:
    """Yield what each page gives, with its region; the regions are asked at the same time, each a page ahead."""
    if question.until and datetime.fromisoformat(question.until) < oldest:
        return
    try:
        regions = _regions(question)
    except OSError as error:
        reading.skip(_NAME, str(error.strerror))
        return
    with ThreadPoolExecutor(len(regions)) as pool:
        asked = [(region, _pages(region, wanted, question, oldest)) for region in regions]
        running = {pool.submit(next, pages, None): (region, pages) for region, pages in asked}
        while running:
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                region, pages = running.pop(done)
                if (found := done.result()) is not None:
                    running[pool.submit(next, pages, None)] = region, pages
                    yield region, found


def _regions(question: Question) -> list[str]:
    with aws.named_errors(_PERMISSION):
        regions = question.regions or tuple(filter(None, [aws.configured_region()]))
        if not regions:
            raise OSError(errno.EINVAL, "no AWS region: give --region, or set AWS_REGION or AWS_DEFAULT_REGION")
        of_global_services = {_GLOBAL_REGIONS.get(aws.partition(region) or "") for region in regions}
    return list(dict.fromkeys(filter(None, [*regions, *of_global_services])))


def _pages(region: str, wanted: Wanted, question: Question, oldest: datetime) -> Iterator[Found]:
    """Yield what each page of a region gives; an error as the last one's problem."""
    attributes = lookups(wanted)
    if question.regions and region not in question.regions:
        attributes = [each or ("EventName", "AssumeRole") for each in attributes]
    try:
        with aws.named_errors(_PERMISSION):
            client = _client(region)
            for attribute in attributes:
                given = _range(attribute, question, oldest)
                while True:
                    page = _lookup(client, given)
                    yield _found(page, keep_record=wanted.keeps_record)
                    if not page.get("NextToken"):
                        break
                    given["NextToken"] = page["NextToken"]
    except OSError as error:
        reason = str(error.strerror)
        if not aws.is_known_region(region, "cloudtrail"):
            reason += f"; boto3 knows no region {region}"
        yield Found(0, [], [reason])


def _range(attribute: Attribute, question: Question, oldest: datetime) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if attribute:
        given["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
    since = question.since and datetime.fromisoformat(question.since)
    # A time that is out of range is refused; and a session was opened before the calls in it.
    if since and since > oldest and not (attribute and attribute[0] == "ResourceName"):
        given["StartTime"] = since
    if question.until:
        given["EndTime"] = datetime.fromisoformat(question.until)
    return given


def _lookup(client: Any, given: dict[str, Any]) -> dict[str, Any]:
    for tries in itertools.count(1):
        try:
            page: dict[str, Any] = client.lookup_events(**given)
        except Exception as error:
            # Whoever else asks in this account and region shares the rate, and may do so for a while.
            if tries == _TRIES or not aws.is_throttling(error):
                raise
            sleep(min(2**tries, _LONGEST_BACKOFF) * random.uniform(0.5, 1))  # noqa: S311 - no secret
        else:
            return page
    raise AssertionError


def _found(page: dict[str, Any], *, keep_record: bool) -> Found:
    found = Found(0, [], [])
    for event in page["Events"]:
        record = event["CloudTrailEvent"].encode()
        found.size += len(record)
        try:
            found.calls.append(call_of(record, keep_record=keep_record))
        except RecordError as error:
            found.problems.append(str(error))
    return found


def _client(region: str) -> Any:
    client = aws.client("cloudtrail", region)
    # Just before each request, so botocore's own retries are paced as well.
    client.meta.events.register(
        "before-send.cloudtrail.LookupEvents", _PACES.setdefault(region, Pace()), unique_id="which-notebook-pace"
    )
    return client


class Pace:
    """Lets a request a half second pass, whoever makes it; botocore calls it before it sends one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self, **event: Any) -> None:
        """Wait until it is time."""
        with self._lock:
            sleep(max(0.0, self._next - monotonic()))
            self._next = monotonic() + _SECONDS_BETWEEN_REQUESTS


_PACES: dict[str, Pace] = {}
