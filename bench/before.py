"""Compares the speed of two versions of which-notebook: the one of an earlier commit, and this checkout's, in one run.

The commands and corpora are those of `make bench`; each pair runs in turn. Nothing here passes or fails.

    .venv/bin/python bench/before.py 345ef80
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from corpus import ROLE, Kind
from measure import Command
from run import CHECKOUT, FOLDER, OURS, install, written_corpus

_KINDS = [
    (name, Kind(share, random_keys, own_addresses))
    for random_keys in (False, True)
    for share in (0.0005, 0.02, 1.0)
    for own_addresses in (False, True)
    for name in [f"{'keys' if random_keys else 'mix'}-{share:g}{'-addresses' if own_addresses else ''}"]
]


def install_commit(commit: str, environment: Path) -> None:
    """Install the command as it was at a commit, with the dependencies that this checkout pins."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "--extract", "--file", "-", "--directory", folder], input=archive.stdout, check=True)
        install(Path(folder), environment)


def questions(part: int) -> Iterator[tuple[str, list[str], bool]]:
    """Yield what is asked: a name, the arguments, and whether the answer may come from the cache."""
    logs, _ = written_corpus("main", 1000 // part, 2000)
    role = ["--role", ROLE]
    for jobs in ("1", "2"):
        yield f"main: summary, --jobs {jobs}", ["summary", str(logs), *role, "--jobs", jobs], False
    yield "main: summary from the cache", ["summary", str(logs), *role], True
    yield "main: calls as CSV", ["calls", str(logs), *role, "--jobs", "2", "--format", "csv"], False
    yield (
        "main: calls as JSON, of one day",
        ["calls", str(logs), *role, "--until", "2026-03-02", "--format", "json"],
        False,
    )
    yield "main: report", ["report", str(logs), *role, "--jobs", "2", "--output", "/dev/null"], False
    for name, kind in _KINDS:
        logs, _ = written_corpus(name, max(100 // part, 10), 2000, kind)
        yield f"{name}: summary, --jobs 1", ["summary", str(logs), *role, "--jobs", "1"], False
    for name, files, records in (("one huge file", 1, 500_000), ("tiny files", 100_000, 2)):
        logs, _ = written_corpus(name.replace(" ", "-"), max(files // part, 1), max(records // part, 2))
        yield f"{name}: summary, --jobs 1", ["summary", str(logs), *role, "--jobs", "1"], False
    yield "start: --version", ["--version"], False


def taken(command: Command) -> tuple[float, float]:
    """Run a command; return its wall seconds, and what it and its children took of the processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, _ = command.run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a row for each question, as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="the earlier commit")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each command (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="on small corpora, to see that it works")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    versions = {"before": FOLDER / "before", "now": OURS}
    install_commit(given.commit, versions["before"])
    install(CHECKOUT, versions["now"])
    print(f"{'':<44}{'wall s: before':>15}{'now':>8}{'ratio':>7}{'processor s: before':>22}{'now':>8}{'ratio':>7}")
    for name, arguments, cached in questions(100 if given.small else 1):
        options = [] if cached or arguments == ["--version"] else ["--no-cache"]
        commands = {
            version: Command(
                [str(environment / "bin/which-notebook"), *arguments, *options],
                {"XDG_CACHE_HOME": str(FOLDER / f"cache-{version}")},
            )
            for version, environment in versions.items()
        }
        for version, command in commands.items():
            shutil.rmtree(FOLDER / f"cache-{version}", ignore_errors=True)
            command.run()
        runs = [{version: taken(command) for version, command in commands.items()} for _ in range(given.runs)]
        row = ""
        for figure, width in ((0, 15), (1, 22)):
            old, new = (statistics.median(run[version][figure] for run in runs) for version in versions)
            row += f"{old:>{width}.2f}{new:>8.2f}{new / old:>7.2f}"
        print(f"{name:<44}{row}", flush=True)


if __name__ == "__main__":
    main()
