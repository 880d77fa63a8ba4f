"""Keeps what was recorded, and writes it out in files of CloudTrail's layout."""

from __future__ import annotations

import gzip
import itertools
import json
import secrets
import string
import threading
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from .cloudtrail_records import Record

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase


class CloudTrailLog:
    """All records of one run, in their order; `flush` writes those that no file holds yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._written = 0
        self._file_numbers = itertools.count()

    def append(self, records: Iterable[Record]) -> None:
        """Take records in, all at once."""
        with self._lock:
            self._records += records

    def records(self) -> list[Record]:
        """Return all records up to now, the oldest first."""
        with self._lock:
            return list(self._records)

    def flush(self) -> None:
        """Write what is new: a file for each account and region, as CloudTrail delivers them."""
        with self._lock:
            new, self._written = self._records[self._written :], len(self._records)
            files: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
            for record in new:
                day = record["eventTime"][:10].replace("-", "/")
                files[record["recipientAccountId"], record["awsRegion"], day].append(record)
            for (account_id, region, day), records in files.items():
                self._write(account_id, region, day, records)

    def _write(self, account_id: str, region: str, day: str, records: list[Record]) -> None:
        """Write one file, whole or not at all.

        Its name: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html.
        AWS's last part is random; here it begins with a number, so that names sort in the order of writing.
        """
        folder = self._folder / "AWSLogs" / account_id / "CloudTrail" / region / day
        folder.mkdir(parents=True, exist_ok=True)
        minute = datetime.now(UTC).strftime("%Y%m%dT%H%MZ")
        unique = f"{next(self._file_numbers):06d}" + "".join(secrets.choice(_LETTERS) for _ in range(10))
        path = folder / f"{account_id}_CloudTrail_{region}_{minute}_{unique}.json.gz"
        unfinished = path.with_name(f".{path.name}")
        text = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False)
        unfinished.write_bytes(gzip.compress(text.encode()))
        unfinished.rename(path)
