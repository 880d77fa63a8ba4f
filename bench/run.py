"""`make bench`: which-notebook beside its peers, on generated corpora, in one run on one machine.

Numbers of one machine say little; the ratios are what counts. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from access_logs import access_logs
from corpus import ACCOUNT, ROLE, Kind, write
from engine import files_and_trino
from many_notebooks import many_notebooks
from many_sessions import write_sessions
from measure import Command, Measured, measure, size_of

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / ".cache" / "bench"
OURS = FOLDER / "ours"
PEERS = FOLDER / "peers"
TRAILSCRAPER = "trailscraper==0.10.0"
SECTIONS = ("main", "kinds", "likely", "shapes", "access-logs", "sessions", "notebooks", "trino", "start")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"


def which_notebook(folder: Path, *options: str, cache: Path | None = None) -> Command:
    """Return the command that sums up the role's calls in a folder."""
    arguments = [str(OURS / "bin/which-notebook"), "summary", str(folder), "--role", ROLE, *options]
    if cache is None:
        return Command([*arguments, "--no-cache"], {})
    return Command(arguments, {"XDG_CACHE_HOME": str(cache)})


def bare(folder: Path) -> Command:
    """Return the command that only decompresses."""
    return Command([sys.executable, str(CHECKOUT / "bench/bare_libdeflate.py"), str(folder)], {})


def install(checkout: Path, environment: Path) -> None:
    """Install a checkout as a user does, without what the tests bring along."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
    constraints = str(CHECKOUT / "constraints.txt")
    subprocess.run(
        [environment / "bin/pip", "install", "--quiet", "--constraint", constraints, str(checkout)], check=True
    )


class Table:
    """Rows that are printed as they come."""

    def __init__(self, title: str) -> None:
        print(f"\n{title}")

    def row(self, name: str, measured: Measured, size: int, remark: str = "") -> None:
        """Print one command's row; `size` is what it read, in bytes when decompressed."""
        spread = f"({measured.fastest:.2f} to {measured.slowest:.2f})"
        rate = f"{size / measured.seconds / 1e6:,.0f} MB/s"
        print(f"  {name:<44}{measured.seconds:>8.2f} s {spread:<18}{rate:>12}   {remark}", flush=True)


def target(value: float, least: float | None) -> str:
    """Say how a ratio stands to its target, if it has one."""
    if least is None:
        return "(no target)"
    return f"(target {least:g}: {'met' if round(value, 2) >= least else 'NOT met'})"


def written_corpus(name: str, files: int, records: int, kind: Kind = Kind()) -> tuple[Path, int]:  # noqa: B008 - frozen
    """Write a corpus, unless it is there from an earlier run; return its folder and its size when decompressed."""
    folder = FOLDER / f"{name}-{files}x{records}"
    note = folder / "size"
    if not note.exists():
        print(f"writing {files:,} files of {records:,} records …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "logs").mkdir(parents=True)
        note.write_text(str(write(folder / "logs", files, records, kind)))
    return folder / "logs", int(note.read_text())


def main_corpus(runs: int, files: int, with_peers: bool) -> None:
    """Compare on many files of the size that a busy account's have."""
    logs, size = written_corpus("main", files, 2000)
    print(f"\n{files:,} files, {size / 1e9:.2f} GB of JSON in {size_of(logs) / 1e9:.2f} GB of gzip, 2% the role's")
    cache = FOLDER / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    which_notebook(logs, cache=cache).run()
    one, of_bucket, two, again = (
        "which-notebook, one process",
        "which-notebook --resource, one process",
        "which-notebook, two processes",
        "which-notebook, a second question",
    )
    libdeflate = f"bare libdeflate (deflate {version('deflate')})"
    measured = measure(
        {
            libdeflate: bare(logs),
            one: which_notebook(logs, "--jobs", "1"),
            of_bucket: which_notebook(logs, "--jobs", "1", "--resource", "example-orders"),
            two: which_notebook(logs, "--jobs", "2"),
            again: which_notebook(logs, "--until", "2999-01-01", cache=cache),
        },
        runs,
    )
    table = Table("Speed")
    table.row(libdeflate, measured[libdeflate], size)
    ratio = measured[libdeflate].seconds / measured[one].seconds
    table.row(one, measured[one], size, f"{ratio:.2f} of bare libdeflate {target(ratio, 0.4)}")
    ratio = measured[libdeflate].seconds / measured[of_bucket].seconds
    table.row(of_bucket, measured[of_bucket], size, f"{ratio:.2f} of bare libdeflate {target(ratio, 0.35)}")
    ratio = measured[one].seconds / measured[two].seconds
    table.row(two, measured[two], size, f"{ratio:.2f} times one process {target(ratio, 1.6)}")
    ratio, ratio_two = (measured[each].seconds / measured[again].seconds for each in (one, two))
    remark = f"{ratio:.0f} times the first with one process {target(ratio, 20)}, {ratio_two:.0f} times with two"
    table.row(again, measured[again], size, remark)
    if with_peers:
        peers(logs, size, measured[one], table)
    memory(logs, files)


def peers(logs: Path, size: int, ours: Measured, table: Table) -> None:
    """Compare with what people use today, for the same answer: the number of the role's records."""
    expected = json.loads(ours.output)
    expected_records = expected["calls"] + expected["handshakes"]
    trailscraper = PEERS / "bin/trailscraper"
    if not trailscraper.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        subprocess.run([PEERS / "bin/pip", "install", "--quiet", TRAILSCRAPER], check=True)
    select = f"'{trailscraper}' select --log-dir '{logs}' --filter-assumed-role-arn {ROLE_ARN} | jq '.Records | length'"
    jq = f"find '{logs}' -name '*.gz' -print0 | xargs -0 zcat | jq -c '.Records[] | select(.userIdentity.sessionContext.sessionIssuer.arn == \"{ROLE_ARN}\")' | wc -l"
    jq_version = subprocess.run(["jq", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    for name, line in ((TRAILSCRAPER.replace("==", " "), select), (f"zcat | {jq_version}", jq)):
        found = measure({name: Command(["bash", "-c", line], {})}, 1)[name]
        same = "the same answer" if int(found.output) == expected_records else f"ANOTHER ANSWER: {int(found.output):,}"
        ratio = found.seconds / ours.seconds
        table.row(name, found, size, f"which-notebook is {ratio:.0f} times as fast {target(ratio, 20)}; {same}")


def memory(logs: Path, files: int) -> None:
    """Show that memory doesn't grow with the corpus."""
    print("\nPeak memory, all processes together (target: under 200 MB)")
    tenth = FOLDER / "tenth"
    shutil.rmtree(tenth, ignore_errors=True)
    tenth.mkdir()
    for path in sorted(logs.rglob("*.gz"))[: files // 10]:
        (tenth / path.name).symlink_to(path)
    for jobs in ("1", "2"):
        small, large = (which_notebook(each, "--jobs", jobs).peak_memory() / 1e6 for each in (tenth, logs))
        print(f"  --jobs {jobs}: {small:.0f} MB on a tenth of the files, {large:.0f} MB on all", flush=True)


def kinds(runs: int, files: int) -> None:
    """Compare on corpora of all kinds: few, more and all records the role's, and compressed better and less well.

    The targets are for logs as accounts have them, so there is none where all records are the role's.
    """
    for random_keys in (False, True):
        for share, own_addresses, least in (
            (0.0005, False, 0.75),
            (0.0005, True, 0.75),
            (0.02, False, 0.4),
            (0.02, True, 0.4),
            (1.0, False, None),
            (1.0, True, None),
        ):
            kind = Kind(share, random_keys, own_addresses)
            name = f"{'keys' if random_keys else 'mix'}-{share:g}{'-addresses' if own_addresses else ''}"
            logs, size = written_corpus(name, files, 2000, kind)
            measured = measure({"bare": bare(logs), "ours": which_notebook(logs, "--jobs", "1")}, runs)
            packed = size / size_of(logs)
            what = "data events with random keys" if random_keys else "a mix of events"
            each = ", each call from another address" if own_addresses else ""
            table = Table(f"{what}, compressed {packed:.1f} times, {share:.2%} the role's{each}")
            table.row("bare libdeflate", measured["bare"], size)
            ratio = measured["bare"].seconds / measured["ours"].seconds
            table.row("which-notebook, one process", measured["ours"], size, f"{ratio:.2f} {target(ratio, least)}")


def likely(runs: int, files: int) -> None:
    """Show what looking for evidence costs: the logs are read twice."""
    for share in (0.0005, 0.02):
        logs, size = written_corpus(f"mix-{share:g}", files, 2000, Kind(share))
        plain, with_evidence = "which-notebook, one process", "which-notebook --likely, one process"
        measured = measure(
            {
                plain: which_notebook(logs, "--jobs", "1"),
                with_evidence: which_notebook(logs, "--jobs", "1", "--likely"),
            },
            runs,
        )
        table = Table(f"Likely notebooks, {share:.2%} of the records the role's")
        table.row(plain, measured[plain], size)
        ratio = measured[with_evidence].seconds / measured[plain].seconds
        table.row(with_evidence, measured[with_evidence], size, f"{ratio:.2f} times the time")
        peak = which_notebook(logs, "--jobs", "1", "--likely").peak_memory() / 1e6
        print(f"  peak memory {peak:.0f} MB (target: under 200 MB)", flush=True)


def shapes(runs: int, tiny: int, huge: int) -> None:
    """Compare on one huge file, and on very many tiny ones."""
    for name, files, records in (("one huge file", 1, huge), ("tiny files", tiny, 2)):
        logs, size = written_corpus(name.replace(" ", "-"), files, records)
        measured = measure({"bare": bare(logs), "ours": which_notebook(logs, "--jobs", "1")}, runs)
        table = Table(f"{files:,} file{'s' if files > 1 else ''} of {records:,} records, {size / 1e9:.2f} GB of JSON")
        table.row("bare libdeflate", measured["bare"], size)
        ratio = measured["bare"].seconds / measured["ours"].seconds
        table.row("which-notebook, one process", measured["ours"], size, f"{ratio:.2f} {target(ratio, 0.375)}")
        peak = which_notebook(logs, "--jobs", "1").peak_memory() / 1e6
        print(f"  peak memory {peak:.0f} MB (target: under 200 MB)", flush=True)


def many_sessions(sessions: int) -> None:
    """Show what many names and sessions take, and that it grows no faster than they do."""
    print(
        f"\n{sessions // 10:,} names with {sessions:,} sessions, and a tenth of both; one process, target: under 200 MB"
    )
    for count in (sessions // 10, sessions):
        logs = FOLDER / f"sessions-{count}"
        if not logs.exists():
            write_sessions(logs, count)
        for command, *options in (
            ["summary", "--format", "json"],
            ["calls", "--format", "csv"],
            ["calls", "--follow", "--format", "csv"],
        ):
            arguments = [
                str(OURS / "bin/which-notebook"),
                command,
                str(logs),
                "--role",
                ROLE,
                "--no-cache",
                "--jobs",
                "1",
            ]
            ours = Command([*arguments, *options], {})
            seconds, _ = ours.run()
            peak = ours.peak_memory() / 1e6
            print(
                f"  {count:>9,} sessions: {' '.join([command, *options[:-2]]):<16}{seconds:>7.1f} s {peak:>6.0f} MB",
                flush=True,
            )


def start_up(runs: int) -> None:
    """Show how long the command takes to do nothing."""
    name = "which-notebook --version"
    found = measure({name: Command([str(OURS / "bin/which-notebook"), "--version"], {})}, max(runs, 5))[name]
    state = "met" if found.seconds < 0.15 else "NOT met"
    print(
        f"\nStart-up: {name} {found.seconds:.3f} s ({found.fastest:.3f} to {found.slowest:.3f}) (target 0.15 s: {state})"
    )


def main() -> None:
    """Run all of it, or a small version of it, to see that it works."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each command (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="a hundredth of the size, without peers")
    parser.add_argument(
        "--access-log-megabytes", type=int, default=1000, help="size of the S3 access logs (default: %(default)s)"
    )
    parser.add_argument("--only", action="append", choices=SECTIONS, help="run this section alone (repeatable)")
    given = parser.parse_args()
    part = 100 if given.small else 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    install(CHECKOUT, OURS)
    print(
        f"which-notebook {version('which-notebook')}, Python {platform.python_version()}, {os.cpu_count()} processors"
    )
    sections = {
        "main": lambda: main_corpus(given.runs, 1000 // part, with_peers=not given.small),
        "kinds": lambda: kinds(given.runs, 100 // part),
        "likely": lambda: likely(given.runs, 100 // part),
        "shapes": lambda: shapes(given.runs, 100_000 // part, 500_000 // part),
        "access-logs": lambda: access_logs(given.runs, given.access_log_megabytes // part),
        "sessions": lambda: many_sessions(100_000 // part),
        "notebooks": lambda: many_notebooks(min(given.runs, 3), 1000 // part, applied=True),
        "trino": lambda: files_and_trino(given.runs, 200 // part),
        "start": lambda: start_up(given.runs),
    }
    for name in given.only or SECTIONS:
        sections[name]()


if __name__ == "__main__":
    main()
