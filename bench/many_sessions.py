"""A corpus of many notebooks and sessions: each session is opened by a handshake, and makes some calls."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deflate
from corpus import ACCOUNT, REGION, ROLE, envelope, session

_START = datetime(2026, 3, 1, tzinfo=UTC)
_SESSIONS_OF_A_NAME = 10
_CALLS = (("s3.amazonaws.com", "GetObject", "Data"), ("glue.amazonaws.com", "GetTable", "Management"))
_HANDSHAKE = ("sts.amazonaws.com", "AssumeRole", "Management")
_AGENT = "Boto3/1.42.34 md/Botocore#1.42.34 os/linux#6.1.0 lang/python#3.11.9"
_RECORDS_A_FILE = 3000


def _record(
    chance: random.Random, moment: datetime, identity: dict[str, object], event: tuple[str, str, str], address: str
) -> dict[str, object]:
    parameters: dict[str, object] = {"bucketName": "example-orders", "key": f"day/{chance.getrandbits(64):016x}"}
    return envelope(chance, moment, identity, event, address, _AGENT, parameters)


def _records(sessions: int) -> Iterator[dict[str, object]]:
    """Yield the records in time's order: round by round each notebook opens a session and calls in it."""
    chance = random.Random(sessions)  # noqa: S311 - a corpus, no secret
    names = sessions // _SESSIONS_OF_A_NAME
    for number in range(sessions):
        notebook, round_ = number % names, number // names
        name = f"notebook-{notebook:05}"
        moment = _START + timedelta(hours=round_, seconds=3000 * notebook / names)
        opened = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        address = f"10.{notebook >> 8 & 255}.{notebook & 255}.9"
        key = f"ASIA{number:016}"
        base = session(ROLE, "SageMaker", f"ASIABASE{notebook:012}", opened)
        handshake = _record(chance, moment, base, _HANDSHAKE, address)
        role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
        handshake["requestParameters"] = {"roleArn": role, "roleSessionName": name, "durationSeconds": 3600}
        handshake["responseElements"] = {
            "credentials": {"accessKeyId": key},
            "assumedRoleUser": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{name}"},
        }
        yield handshake
        for seconds, event in enumerate(_CALLS, start=1):
            yield _record(chance, moment + timedelta(seconds=seconds), session(ROLE, name, key, opened), event, address)


def write_sessions(folder: Path, sessions: int) -> int:
    """Write the corpus; return its size when decompressed, in bytes."""
    size = 0
    batch: list[bytes] = []

    def flush(last: datetime) -> int:
        data = b'{"Records":[' + b",".join(batch) + b"]}"
        batch.clear()
        path = folder / f"{ACCOUNT}_CloudTrail_{REGION}_{last:%Y%m%dT%H%MZ}_{size:016}.json.gz"
        path.write_bytes(deflate.gzip_compress(data, 6))
        return len(data)

    folder.mkdir(parents=True, exist_ok=True)
    moment = _START
    for record in _records(sessions):
        batch.append(json.dumps(record, separators=(",", ":")).encode())
        moment = datetime.fromisoformat(str(record["eventTime"]))
        if len(batch) == _RECORDS_A_FILE:
            size += flush(moment)
    return size + (flush(moment) if batch else 0)
