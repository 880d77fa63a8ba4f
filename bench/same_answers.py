"""Compares the answers of two versions of which-notebook, byte by byte: every command, in every format, on given logs.

For a change that isn't to change an answer. `OLD` and `NEW` are checkouts; the logs are files and folders. Each command
runs in both; the differences are listed, and both outputs kept in a folder.

    git worktree add ../before main
    .venv/bin/python bench/same_answers.py ../before . bench-corpus/ samples/
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROLE = re.compile(rb'assumed-role\\?/([\w+=,.@-]{1,64})(?=[/"\\])')
_ROLES_ASKED = 2
_EVENTS_ASKED = 3
# Of a report the data is the answer: not the page around it, nor when it was made, and by which version.
_DATA = re.compile(rb'(?<=<script type="application/json" )[^\n]*')
_VARIES = re.compile(rb'"version":"[^"]*","made":"[^"]*"')
_FORMATS: dict[str, tuple[str | None, ...]] = {
    "summary": ("table", "json", "csv"),
    "calls": ("table", "json", "jsonl", "csv", "parquet"),
    "report": (None,),
}
_OPTIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("--follow",),
    ("--parse-all",),
    ("--jobs", "1", "--errors-only", "--fail-on", "unattributed"),
    ("--status", "unattributed,unknown-name", "--region", "eu-central-1,us-east-1"),
    ("--event-name", "s3:Get*,AssumeRole", "--event-source", "s3,sts", "--until", "2026-03-02"),
    ("--notebook", "fraud-model", "--since", "2020-01-01", "--account", "111122223333"),
)
_WRONG: tuple[tuple[str, ...], ...] = (
    (),
    ("summary",),
    ("summary", "missing", "--role", "x"),
    ("summary", ".", "--role", "no role"),
    ("summary", "."),
    ("summary", ".", "--role", "x", "--since", "tuesday"),
    ("summary", ".", "--role", "x", "--since", "2026-02-02", "--until", "2026-02-01"),
    ("summary", ".", "--role", "x", "--status", "good"),
    ("summary", ".", "--role", "x", "--jobs", "0"),
    ("summary", ".", "--inventory", "missing"),
    ("summary", "s3://", "--role", "x"),
    ("summary", "cloudtrail", "--role", "x"),
    ("report", ".", "--role", "x"),
    ("event", "no-such-event", "."),
    ("audit", "--region", "all", "--region", "eu-central-1"),
    ("audit", "--permissions"),
    ("completion", "bash"),
    ("--version",),
    ("--help",),
    *((command, "--help") for command in ("summary", "calls", "event", "report", "audit")),
)

_RUNNER = """
import json, os, sys
import pyarrow.parquet
from which_notebook.cli import main

for line in iter(sys.stdin.readline, ""):
    asked = json.loads(line)
    files = [open(asked[name], "rb" if name == "stdin" else "wb") for name in ("stdin", "stdout", "stderr")]
    child = os.fork()
    if child == 0:
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        sys.stdin = open(0, closefd=False)
        try:
            status = main(asked["arguments"])
        except SystemExit as error:
            status = error.code
        except BaseException:
            import traceback
            traceback.print_exc()
            status = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)
    for file in files:
        file.close()
    print(json.dumps({"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What one run gave."""

    status: int
    output: bytes
    errors: bytes


class Version:
    """A checkout's command, in a process that runs one command line after the other; each in a fork of its own."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "XDG_CACHE_HOME": str(folder / "cache")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder.parent / "empty",
            env=environment,
        )

    def answer(self, arguments: tuple[str, ...], standard_input: Path | None = None) -> Answer:
        """Run one command line."""
        stdout, stderr = self._folder / "stdout", self._folder / "stderr"
        asked = {"stdin": str(standard_input or os.devnull), "stdout": str(stdout), "stderr": str(stderr)}
        print(json.dumps({**asked, "arguments": arguments}), file=self._process.stdin, flush=True)
        status = json.loads(next(iter(self._process.stdout or ())))["status"]
        output = stdout.read_bytes()
        if output.startswith(b"<!doctype html>"):
            output = _VARIES.sub(b"", b"\n".join(_DATA.findall(output)))
        return Answer(status, output, stderr.read_bytes())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> int:
    """Compare; return 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("logs", type=Path, nargs="*")
    parser.add_argument("--inventory", type=lambda path: Path(path).resolve(), help="ask with this inventory, too")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="same-answers-"))
    empty = folder / "empty"
    empty.mkdir()
    old, new = (
        Version(checkout.resolve(), folder / name) for name, checkout in (("old", given.old), ("new", given.new))
    )
    compared: Counter[str] = Counter()
    different = 0
    logs_asked = [logs.resolve() for logs in given.logs]
    for arguments, standard_input in [
        *((wrong, None) for wrong in _WRONG),
        *(each for logs in logs_asked for each in _questions(logs, old, given.inventory)),
    ]:
        answers = [version.answer(arguments, standard_input) for version in (old, new)]
        compared[arguments[0] if arguments else "nothing"] += 1
        if answers[0] == answers[1]:
            continue
        different += 1
        for name, answer in zip(("old", "new"), answers, strict=True):
            kept = folder / f"{different:04}-{name}"
            kept.write_bytes(b"status %d\n%b\n%b" % (answer.status, answer.errors, answer.output))
        print(f"{different:04} differs: which-notebook {' '.join(arguments)}", flush=True)
    old.close()
    new.close()
    print(
        f"{sum(compared.values()):,} compared ({', '.join(f'{n:,} {name}' for name, n in compared.items())}), "
        f"{different:,} differ; the outputs of those are in {folder}"
    )
    return 1 if different else 0


def _questions(logs: Path, version: Version, inventory: Path | None) -> Iterator[tuple[tuple[str, ...], Path | None]]:
    """Yield the command lines about some logs, with what stands on standard input."""
    for role in _roles(logs):
        asked: list[tuple[str, ...]] = [("--role", role)]
        if inventory:
            asked.append(("--role", role, "--inventory", str(inventory)))
        for of_role in asked:
            for options in _OPTIONS:
                for command in ("summary", "calls", "report"):
                    for form in _FORMATS[command] if len(options) < 2 else _FORMATS[command][:2]:
                        form_given = ("--format", form) if form else ("--output", "/dev/stdout")
                        yield (command, str(logs), *of_role, *options, *form_given, "--no-cache"), None
            # The first run fills the cache, the second one reads it.
            for _ in range(2):
                yield ("summary", str(logs), *of_role, "--format", "json"), None
                yield ("calls", str(logs), *of_role, "--format", "jsonl", "--follow"), None
            if logs.is_file():
                yield ("summary", "-", *of_role, "--format", "json", "--follow", "--no-cache"), logs
                yield ("calls", "-", *of_role, "--format", "csv", "--no-cache"), logs
        for event_id in _events(logs, role, version):
            for form in ("table", "json"):
                for with_role in ((), *asked):
                    yield ("event", event_id, str(logs), *with_role, "--format", form, "--no-cache"), None


def _roles(logs: Path) -> list[str]:
    """Return the roles that have the most sessions; a file that is compressed is decompressed by gzip."""
    counts: Counter[str] = Counter()
    for path in sorted(logs.rglob("*")) if logs.is_dir() else [logs]:
        if path.is_file():
            data = path.read_bytes()[: 64 * 1024 * 1024]
            if data.startswith(b"\x1f\x8b"):
                data = subprocess.run(["gzip", "-dc"], input=data, capture_output=True).stdout
            counts.update(found.decode() for found in _ROLE.findall(data))
    return [name for name, _ in counts.most_common(_ROLES_ASKED)] or ["data-science"]


def _events(logs: Path, role: str, version: Version) -> list[str]:
    answer = version.answer(("calls", str(logs), "--role", role, "--format", "jsonl", "--no-cache", "--follow"))
    calls = [json.loads(line) for line in answer.output.splitlines()]
    by_status = {call["status"]: call["event_id"] for call in calls}
    return [*dict.fromkeys([*by_status.values(), *(call["event_id"] for call in calls[:_EVENTS_ASKED])])]


if __name__ == "__main__":
    sys.exit(main())
