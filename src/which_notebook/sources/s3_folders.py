"""Which parts of a bucket to list, with the fewest requests.

Down to the region, CloudTrail's layout (see `log_paths`) is a few folders a level: those that are asked for are listed with a
delimiter, or named without a request. Of a region, the keys are listed from the first day on and up to the last one, 1,000
a request: keys come in the order of their bytes, so the days come in theirs. A request for each day would never be fewer,
and for a quiet region 90 instead of 1.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..calls.scope import Scope
from .log_paths import access_log_days, days

_LEVEL = re.compile(
    r"(?:.*/)?AWSLogs/(?P<organisation>o-[a-z0-9]+/)?"
    r"(?:(?P<account>\d{12})/(?P<cloudtrail>CloudTrail(?:-NetworkActivity)?/(?:(?P<region>[a-z0-9-]+)/(?P<day>[0-9/]*))?)?)?"
)
_TRAIL = re.compile(r"(?:.*?/)?AWSLogs/")


@dataclass(frozen=True)
class Listing:
    """One prefix to be listed.

    `deep`: all keys that begin with it, else only this folder's own objects and folders. `after`: where to begin, a key.
    `last`: what the last keys that count begin with. `token`: where the page before ended.
    """

    prefix: str
    deep: bool = False
    after: str | None = None
    last: str | None = None
    token: str | None = None


def first_listings(prefix: str, scope: Scope) -> list[Listing]:
    """Return what to list first of a source: the bucket's root (""), or a folder in it, with a slash at its end."""
    if _LEVEL.fullmatch(prefix):
        return list(_in_layout(prefix, scope))
    return [Listing(prefix, deep=is_in_layout(prefix))]


def is_in_layout(prefix: str) -> bool:
    """Return whether the folder is in a trail's, and so may be listed in part only."""
    return _TRAIL.match(prefix) is not None


def listings_below(listing: Listing, folders: Iterable[str], scope: Scope) -> Iterator[Listing]:
    """Yield what to list below a folder, once all of the folders in it are known.

    Beside an `AWSLogs/`, only other trails' are looked for, each below a key prefix of its own: what else is in a bucket of
    logs isn't CloudTrail's. Where there is none, everything is listed, as of a local folder.
    """
    names = list(folders)
    if is_in_layout(listing.prefix):
        for folder in names:
            yield from _in_layout(folder, scope)
        return
    own = listing.prefix + "AWSLogs/"
    for folder in names:
        if folder == own:
            yield from _in_layout(folder, scope)
        elif own in names:
            yield Listing(f"{folder}AWSLogs/")
        else:
            yield Listing(folder, deep=True)


def listings_instead(listing: Listing, key: str, scope: Scope) -> list[Listing] | None:
    """Return how to go on where the keys from this one on aren't to be listed; None where they are."""
    if listing.last is not None and key[: len(listing.last)] > listing.last:
        return []
    if not is_in_layout(listing.prefix) and (of_access_log := access_log_days(key)):
        return _other_days(listing, *of_access_log, scope)
    if not listing.deep or is_in_layout(listing.prefix) or not (trail := _TRAIL.match(key)):
        return None
    folder = trail.group()
    # Behind all of the trail's keys: "0" comes next after "/".
    return [*_in_layout(folder, scope), Listing(listing.prefix, deep=True, after=folder[:-1] + "0")]


def _other_days(listing: Listing, before: str, day: str, scope: Scope) -> list[Listing] | None:
    """Return how to go on from an access log of a day that isn't asked for."""
    first, last = (each and each.replace("-", day[4]) for each in days(scope))
    if first and day < first:
        return [replace(listing, after=before + first, token=None)]
    # Behind all of these days: ":" comes next after the digits.
    return [replace(listing, after=f"{before}:", token=None)] if last and day > last else None


def _in_layout(folder: str, scope: Scope) -> Iterator[Listing]:
    if not (level := _LEVEL.fullmatch(folder)):
        return
    account, region = level["account"], level["region"]
    if account and scope.accounts and account not in scope.accounts:
        return
    if region and scope.regions and region not in scope.regions:
        return
    if account is None:
        yield Listing(folder)
    elif level["cloudtrail"] is None:
        yield from _in_layout(folder + "CloudTrail/", scope)
        yield from _in_layout(folder + "CloudTrail-NetworkActivity/", scope)
    elif region is None and scope.regions:
        for each in scope.regions:
            yield from _in_layout(f"{folder}{each}/", scope)
    elif region is None:
        yield Listing(folder)
    else:
        of_region = folder.removesuffix(level["day"])
        first, last = (day and of_region + day.replace("-", "/") for day in days(scope))
        # Where to begin, if anything lies before it.
        after = f"{first}/" if first and first > folder else None
        yield Listing(folder, deep=True, after=after, last=last)
