"""CloudTrail's log files: their content, and the names under which CloudTrail delivers them."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from records import ACCOUNT, Record

_numbers = itertools.count()


def compact(value: Any) -> bytes:
    """Return JSON without white space, as CloudTrail writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def document(records: Iterable[Record]) -> bytes:
    """Return the content of a CloudTrail file."""
    return compact({"Records": list(records)})


def log(*records: Record) -> bytes:
    """Return a file as CloudTrail delivers it."""
    return gzip.compress(document(records), 1)


def write(path: Path, *records: Record) -> Path:
    """Write a CloudTrail file, compressed if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(log(*records) if path.suffix == ".gz" else document(records))
    return path


def log_key(day: str, *, account: str = ACCOUNT, region: str = "eu-central-1", below: str = "") -> str:
    """Return the key of a log file of that day (2026-03-01); `below` is the trail's key prefix, or ends in AWSLogs/o-…/."""
    below = below if "AWSLogs/" in below else f"{below}AWSLogs/"
    name = f"{account}_CloudTrail_{region}_{day.replace('-', '')}T1000Z_{next(_numbers):016}.json.gz"
    return f"{below}{account}/CloudTrail/{region}/{day.replace('-', '/')}/{name}"
