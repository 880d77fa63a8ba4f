"""What the path of a CloudTrail file says about its content.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html:
`AWSLogs/[o-ORGANISATION/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_….json.gz`, where the
time is the delivery's. Network activity events lie in `CloudTrail-NetworkActivity` instead of `CloudTrail`:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html.

S3's server access logs: `[PREFIX]YYYY-MM-DD-hh-mm-ss-UNIQUE`, with `ACCOUNT/REGION/BUCKET/YYYY/MM/DD/` before the name where the
bucket's owner chose so. The time is the delivery's, hours after a request at times, or the day of the requests:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from ..calls.scope import Scope

SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""A log's name ends so; of any other name the first bytes decide."""

_PATH = re.compile(
    r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?(?P<account>\d{12})/CloudTrail(?:-NetworkActivity)?/(?P<region>[a-z0-9-]+)"
    r"/(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)/"
)
# A text, which is compiled when such a name comes: that takes as long as the other two together.
_ACCESS_LOG = (
    r"(?:(?<!\d)(?P<account>\d{12})/(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)/[a-z0-9.-]+/(?=\d{4}/\d\d/\d\d/))?"
    r"(?P<days>(?:(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)/)?)"
    r"(?P<date>\d{4}-\d\d-\d\d)-\d\d-\d\d-\d\d-[0-9A-F]{16}$"
)
_NOT_CALLS = re.compile(r"(?:^|/)CloudTrail-(?:Digest|Insight|Aggregated)(?:/|_)|_CloudTrail-(?:Digest|Insight)_")


def holds_calls(path: str) -> bool:
    """Return whether a file of this path, or in a folder of this path (with a / behind it), is a log of calls, and no digest or insight."""
    return not _NOT_CALLS.search(path)


def is_log_by_name(path: str) -> bool:
    """Return whether a file's name alone says that it is a log."""
    return path.endswith(SUFFIXES) or access_log_days(path) is not None


def place_of(path: str) -> tuple[str | None, str | None, str] | None:
    """Return the account, the region and the day of delivery of a file, or of a folder with a / behind it; None where the path tells none.

    Of an access log without folders it tells the day only.
    """
    match = _PATH.search(path)
    if not match and (access_log := re.search(_ACCESS_LOG, path)):
        return access_log["account"], access_log["region"], access_log["date"]
    return match and (match["account"], match["region"], f"{match['year']}-{match['month']}-{match['day']}")


def may_answer(path: str, scope: Scope) -> bool:
    """Return whether such a file can hold a call that is asked for; True where its path tells nothing."""
    place = place_of(path)
    if not place:
        return True
    account, region, day = place
    if account and scope.accounts and account not in scope.accounts:
        return False
    if region and scope.regions and region not in scope.regions:
        return False
    first, last = days(scope)
    return (first is None or day >= first) and (last is None or day <= last)


def access_log_days(key: str) -> tuple[str, str] | None:
    """Return what stands before the days in an access log's key, and the day as it stands there; None of another key."""
    match = re.search(_ACCESS_LOG, key)
    if not match:
        return None
    at = match.start("days")
    return key[:at], key[at : at + len("YYYY-MM-DD")]


def days(scope: Scope) -> tuple[str | None, str | None]:
    """Return the first and the last day whose folders can hold what is asked for.

    A record lies under the day of its delivery, some minutes after the call and rarely days.
    """
    first = scope.since[:10] if scope.since else None
    last = None
    if scope.until:
        until = date.fromisoformat(scope.until[:10])
        last = str(until + min(timedelta(days=scope.delivered_within_days), date.max - until))
    return first, last
