"""S3 server access logs: which-notebook beside `grep`, and beside Python that takes each line apart, for the same number.

python bench/access_logs.py --megabytes 1000
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from corpus import ACCOUNT, NOTEBOOKS, ROLE

_START = datetime(2026, 3, 1, tzinfo=UTC)
_LINES_IN_A_FILE = 5000
_SHARE = 0.02
_OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
_FIELDS = re.compile(r'"[^"]*"|\[[^\]]*\]|\S+')


def write(folder: Path, megabytes: int) -> int:
    """Write access logs of so many bytes in all, the same for the same number; return how many bytes they are."""
    rng = random.Random(megabytes)  # noqa: S311 - a corpus, no secret
    size = number = 0
    while size < megabytes * 1_000_000:
        moment = _START + timedelta(minutes=number)
        data = "".join(_line(rng, moment) for _ in range(_LINES_IN_A_FILE)).encode()
        (folder / f"{moment:%Y-%m-%d-%H-%M-%S}-{number:016X}").write_bytes(data)
        size += len(data)
        number += 1
    return size


def _line(rng: random.Random, moment: datetime) -> str:
    if rng.random() < _SHARE:
        who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{rng.choice(NOTEBOOKS)}"
    else:
        who = f"arn:aws:sts::{ACCOUNT}:assumed-role/ecs-task/{rng.getrandbits(64):016x}"
    key = f"features/day={moment:%Y-%m-%d}/part-{rng.randrange(10_000):05}.parquet"
    return (
        f"{_OWNER} figures [{moment + timedelta(seconds=rng.randrange(60)):%d/%b/%Y:%H:%M:%S} +0000] 10.0.{rng.randrange(256)}."
        f"{rng.randrange(256)} {who} {rng.getrandbits(64):016X} REST.GET.OBJECT {key} "
        f'"GET /{key} HTTP/1.1" 200 - {rng.randrange(10**6)} {rng.randrange(10**6)} {rng.randrange(99)} {rng.randrange(99)} "-" '
        f'"Boto3/1.42.34 md/Botocore#1.42.34 lang/python#3.11.9" - {rng.getrandbits(256):064x}= SigV4 '
        f"ECDHE-RSA-AES128-GCM-SHA256 AuthHeader figures.s3.eu-central-1.amazonaws.com TLSv1.2 - -\n"
    )


def naive(folder: Path) -> dict[str, int]:
    """Count the role's requests by session, each line taken apart, as a script that one writes for the purpose does."""
    counts: dict[str, int] = {}
    for path in sorted(folder.iterdir()):
        with open(path, encoding="utf-8") as file:
            for line in file:
                _, _, _, _, requester, *_ = _FIELDS.findall(line)
                if f":assumed-role/{ROLE}/" in requester:
                    session = requester.rpartition("/")[2]
                    counts[session] = counts.get(session, 0) + 1
    return counts


def main() -> None:
    """Compare on logs of the size that is asked for; or be the naive reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="how many there are (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="measured runs of each command (default: %(default)s)")
    parser.add_argument("--naive", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.naive:
        print(json.dumps(naive(given.naive)))
        return
    from run import CHECKOUT, FOLDER, OURS, install

    FOLDER.mkdir(parents=True, exist_ok=True)
    install(CHECKOUT, OURS)
    access_logs(given.runs, given.megabytes)


def access_logs(runs: int, megabytes: int) -> None:
    """Compare on access logs."""
    import shutil

    from measure import Command, measure
    from run import FOLDER, Table, which_notebook

    folder = FOLDER / f"access-logs-{megabytes}"
    if not (folder / "size").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "logs").mkdir(parents=True)
        (folder / "size").write_text(str(write(folder / "logs", megabytes)))
    logs, size = folder / "logs", int((folder / "size").read_text())
    ours, grep, plain = "which-notebook, one process", "grep -c", "Python, each line taken apart"
    search = f"cat '{logs}'/* | grep -cF ':assumed-role/{ROLE}/'"
    measured = measure(
        {
            grep: Command(["bash", "-c", search], {"LC_ALL": "C"}),
            ours: which_notebook(logs, "--jobs", "1"),
            plain: Command([sys.executable, __file__, "--naive", str(logs)], {}),
        },
        runs,
    )
    calls = json.loads(measured[ours].output)["calls"]
    same = calls == int(measured[grep].output) == sum(json.loads(measured[plain].output).values())
    table = Table(f"S3 server access logs, {size / 1e9:.2f} GB, {_SHARE:.0%} the role's")
    table.row(grep, measured[grep], size)
    remark = f"{measured[plain].seconds / measured[ours].seconds:.1f} times as fast as the plain Python; {measured[grep].seconds / measured[ours].seconds:.2f} of grep"
    table.row(ours, measured[ours], size, remark)
    table.row(plain, measured[plain], size, "the same answer" if same else "ANOTHER ANSWER")
    print(
        f"  peak memory {which_notebook(logs, '--jobs', '1').peak_memory() / 1e6:.0f} MB (target: under 200 MB)",
        flush=True,
    )


if __name__ == "__main__":
    main()
