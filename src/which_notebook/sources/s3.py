"""Log files in S3: `s3://BUCKET/PREFIX`."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, cast

from .. import aws
from ..calls.scope import Scope
from ..errors import reason_of
from ..limits import Limits
from ..progress import Progress
from ..records.forms import HEAD_BYTES
from .coverage import Coverage
from .heads import why_no_log
from .log_paths import holds_calls, is_log_by_name, may_answer
from .s3_folders import Listing, first_listings, is_in_layout, listings_below, listings_instead
from .s3_object import AT_ONCE, ObjectReader
from .source import LogFile, Opened, Source, SourceError

KIND = "s3"
_LISTED_AT_ONCE = 64
_PIECE = 256 * 1024
_AHEAD_BYTES = 8 * 1024 * 1024


class Bucket(Source):
    """A bucket, a folder in it, or one object.

    Needs s3:ListBucket, s3:GetObject, and kms:Decrypt on the key where the objects are encrypted with one.
    """

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        if not name.removeprefix("s3:").strip("/"):
            raise SourceError(f"{name} names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX")
        super().__init__(name, limits, again=again, progress=progress)

    def files(self, scope: Scope, coverage: Coverage) -> Iterator[LogFile]:
        """Yield the objects that may answer the question, in a fixed order.

        Of CloudTrail's layout only the accounts, regions and days that are asked for are listed; see `s3_folders`. What has
        another ending is a log too, if records stand at its beginning, which is downloaded for that.
        """
        bucket, _, path = self.name.removeprefix("s3://").partition("/")
        folder = path if path.endswith("/") or not path else f"{path}/"
        seen = False
        walk = _Walk(bucket, scope, coverage)
        try:
            objects = walk.objects(first_listings(folder, scope))
            while some := list(islice(objects, _LISTED_AT_ONCE)):
                listed = {
                    entry["Key"]: entry
                    for entry in some
                    if holds_calls(entry["Key"][len(folder) :]) and not entry["Key"].endswith("/")
                }
                asked_for = {key: entry for key, entry in listed.items() if may_answer(key, scope)}
                reasons = _why_no_logs(bucket, [key for key in asked_for if not is_log_by_name(key)], self.limits)
                for key in listed:
                    if isinstance(reason := reasons.get(key), OSError):
                        coverage.skip(f"s3://{bucket}/{key}", reason_of(reason))
                    elif reason:
                        coverage.leave_out(key, reason)
                        continue
                    elif key in asked_for:
                        yield _log_file(bucket, asked_for[key])
                    seen = True
                    coverage.see(key)
            if seen or walk.failed:
                return
            # The first of all keys that begin so, which an object of just that name would be.
            with aws.named_errors("s3:ListBucket"):
                answer = aws.client("s3", connections=AT_ONCE).list_objects_v2(Bucket=bucket, Prefix=path, MaxKeys=1)
        except OSError as error:
            coverage.skip(self.name, reason_of(error))
            return
        first = next(iter(answer.get("Contents", ())), None)
        if first is None:
            coverage.skip(self.name, "nothing in the bucket has that name" if path else "the bucket is empty")
        elif first["Key"] == path != folder:
            yield _log_file(bucket, first)
        elif not walk.met_trail and not is_in_layout(folder):
            coverage.skip(self.name, "no log files in this folder")

    @staticmethod
    def opened(files: list[LogFile], limits: Limits) -> Iterator[Opened]:
        """Yield each object with its content, or with the reason why it can't be had; in the order in which they are given.

        Small ones are downloaded ahead, several at a time, some megabytes in all; large ones are read as they come.
        """
        return opened_objects(files, limits.ahead_bytes)


def _why_no_logs(bucket: str, keys: list[str], limits: Limits) -> dict[str, str | OSError | None]:
    """Return of each object why it is no log, as its first bytes tell, or why these can't be had."""
    if not keys:
        return {}

    def why(key: str) -> str | OSError | None:
        try:
            with ObjectReader(f"s3://{bucket}/{key}") as reader:
                return why_no_log(io.BufferedReader(reader, HEAD_BYTES), limits)
        except OSError as error:
            return error

    # No thread may live on where the caller goes on: it may fork.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(keys, pool.map(why, keys), strict=True))


def opened_objects(
    files: list[LogFile], small: int, download: Callable[[str], BinaryIO] | None = None
) -> Iterator[Opened]:
    """Yield each object with its content; `small` is the size in bytes up to which `download` gets it ahead of its turn."""
    download = download or _downloaded
    rest = iter(files)
    ahead: deque[tuple[LogFile, int, Future[BinaryIO] | None]] = deque()
    held = 0
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        while True:
            while held < _AHEAD_BYTES and len(ahead) < 2 * AT_ONCE and (file := next(rest, None)):
                size = small if file.size is None else file.size
                if size <= small:
                    held += size
                    ahead.append((file, size, pool.submit(download, file.name)))
                else:
                    ahead.append((file, 0, None))
            if not ahead:
                return
            file, size, downloaded = ahead.popleft()
            content: BinaryIO | OSError
            try:
                content = downloaded.result() if downloaded else cast(BinaryIO, ObjectReader(file.name))
            except OSError as error:
                content = error
            del downloaded
            yield file, content
            held -= size
    finally:
        pool.shutdown(cancel_futures=True)


def _downloaded(name: str) -> BinaryIO:
    with ObjectReader(name) as reader:
        return io.BytesIO(b"".join(iter(partial(reader.read, _PIECE), b"")))


def _log_file(bucket: str, entry: dict[str, Any]) -> LogFile:
    return LogFile(KIND, f"s3://{bucket}/{entry['Key']}", entry["Size"], f"{entry['ETag']}-{entry['Size']}")


class _Walk:
    """Goes through what is to be listed of a bucket; several prefixes at a time, a page of each.

    `failed`: something couldn't be listed. `met_trail`: some of it is a trail's, and need not be listed in full.
    """

    def __init__(self, bucket: str, scope: Scope, coverage: Coverage) -> None:
        self._bucket, self._scope, self._coverage = bucket, scope, coverage
        self.failed = self.met_trail = False

    def objects(self, first: list[Listing]) -> Iterator[dict[str, Any]]:
        """Yield what is listed, as ListObjectsV2 describes it."""
        todo = deque(first)
        folders: dict[str, list[str]] = {}
        while todo:
            some = [todo.popleft() for _ in range(min(len(todo), AT_ONCE))]
            following: list[Listing] = []
            for listing, page in zip(some, _pages(self._bucket, some), strict=True):
                self.met_trail |= is_in_layout(listing.prefix)
                if isinstance(page, OSError):
                    self.failed = True
                    self._coverage.skip(f"s3://{self._bucket}/{listing.prefix}", reason_of(page))
                    continue
                known = folders.pop(listing.prefix, []) + [each["Prefix"] for each in page.get("CommonPrefixes", ())]
                if not page["IsTruncated"]:
                    more = list(listings_below(listing, known, self._scope))
                else:
                    more = [replace(listing, after=None, token=page["NextContinuationToken"])]
                    folders[listing.prefix] = known
                for entry in page.get("Contents", ()):
                    if (elsewhere := listings_instead(listing, entry["Key"], self._scope)) is not None:
                        more = elsewhere
                        if not listing.deep:  # what is listed next knows of no folder before it
                            after = elsewhere[0].after or ""
                            folders[listing.prefix] = [folder for folder in known if folder < after]
                        break
                    yield entry
                following += more
            todo.extendleft(reversed(following))


def _pages(bucket: str, listings: list[Listing]) -> list[dict[str, Any] | OSError]:
    # No thread may live on where the caller goes on: it may fork.
    with aws.named_errors("s3:ListBucket"):
        client = aws.client("s3", connections=AT_ONCE)

    def page(listing: Listing) -> dict[str, Any] | OSError:
        where = {"StartAfter": listing.after, "ContinuationToken": listing.token}
        parameters = {name: value for name, value in where.items() if value}
        if not listing.deep:
            parameters["Delimiter"] = "/"
        try:
            with aws.named_errors("s3:ListBucket"):
                answer: dict[str, Any] = client.list_objects_v2(Bucket=bucket, Prefix=listing.prefix, **parameters)
                return answer
        except OSError as error:
            return error

    if len(listings) == 1:
        return [page(listings[0])]
    with ThreadPoolExecutor(len(listings)) as pool:
        return list(pool.map(page, listings))
