"""Compares the answers of two versions of which-notebook, byte by byte: every command, in every format, on given logs.

For a change that isn't to change an answer. `OLD` and `NEW` are checkouts; the logs are files and folders. Each command
runs in both; the differences are listed, and both outputs kept in a folder. What the old version doesn't have is named once.

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
from typing import Any

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
    "roles": ("table", "json", "csv"),
}
_BY = ("resource", "event", "day", "session")
_ENGINES = ("athena", "trino", "lake", "insights")
_OPTIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("--follow",),
    ("--likely",),
    ("--parse-all",),
    ("--likely", "--follow"),
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
    ("summary", ".", "--role", "x", "--by", "hour"),
    ("roles", "missing"),
    ("finding", "missing"),
    ("sql",),
    ("sql", "athena"),
    *((command, "--help") for command in ("summary", "calls", "event", "report", "roles", "finding", "sql", "audit")),
)
# What versions came to have, by what a version without it doesn't have in its help.
_COMMANDS = ("roles", "finding", "sql")
_CAME_LATER = ("--likely", "--by", "--resource")

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

    def lacking(self) -> list[str]:
        """Return the commands and options that it hasn't."""
        help_text = self.answer(("summary", "--help")).output.decode()
        commands = [each for each in _COMMANDS if self.answer((each, "--help")).status]
        return [*commands, *(each for each in _CAME_LATER if f" {each} " not in help_text)]

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
    lacking = old.lacking()
    if lacking:
        print(f"not compared, since the old version has none: {', '.join(lacking)}", flush=True)
    logs_asked = [logs.resolve() for logs in given.logs]
    for arguments, standard_input in [
        *((wrong, None) for wrong in _WRONG),
        *(each for logs in logs_asked for each in _questions(logs, old, given.inventory, folder)),
    ]:
        if not set(lacking).isdisjoint(arguments):
            continue
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


Question = tuple[tuple[str, ...], Path | None]
"""A command line, and what stands on standard input."""


def _questions(logs: Path, version: Version, inventory: Path | None, folder: Path) -> Iterator[Question]:
    """Yield what is asked about some logs; what the version says of them tells whom and what to ask about."""
    for form in _FORMATS["roles"]:
        yield ("roles", str(logs), "--format", str(form), "--no-cache"), None
    for role in _roles(logs):
        calls = _calls(logs, role, version)
        asked: list[tuple[str, ...]] = [("--role", role)]
        if inventory:
            asked.append(("--role", role, "--inventory", str(inventory)))
        for of_role in asked:
            yield from _questions_of(logs, of_role, _resources(calls))
        for event_id in _events(calls):
            for form in ("table", "json"):
                for options in ((), *asked, *((*each, "--likely") for each in asked)):
                    yield ("event", event_id, str(logs), *options, "--format", form, "--no-cache"), None
        for finding in _findings(calls, folder):
            for form in ("table", "json"):
                yield ("finding", str(finding), "--format", form), None
                for of_role in asked:
                    yield ("finding", str(finding), str(logs), *of_role, "--format", form, "--no-cache"), None


def _questions_of(logs: Path, of_role: tuple[str, ...], resources: list[str]) -> Iterator[Question]:
    for options in (*_OPTIONS, *(("--resource", each) for each in resources)):
        for command, forms in _FORMATS.items():
            if command == "roles" and options and options[0] != "--resource":
                continue
            for form in forms if len(options) < 2 else forms[:2]:
                form_given = ("--format", form) if form else ("--output", "/dev/stdout")
                yield (command, str(logs), *of_role, *options, *form_given, "--no-cache"), None
    for by in _BY:
        for options in ((), ("--follow", "--likely"), ("--limit", "3")):
            for form in _FORMATS["summary"]:
                yield ("summary", str(logs), *of_role, "--by", by, *options, "--format", str(form), "--no-cache"), None
    for engine in _ENGINES:
        for options in ((), ("--since", "2026-03-01", "--until", "2026-03-02"), ("--without-partitions",)):
            yield ("sql", engine, *of_role, *options), None
    # The first run fills the cache, the second one reads it.
    for _ in range(2):
        yield ("summary", str(logs), *of_role, "--format", "json"), None
        yield ("calls", str(logs), *of_role, "--format", "jsonl", "--follow"), None
    if logs.is_file():
        yield ("summary", "-", *of_role, "--format", "json", "--follow", "--no-cache"), logs
        yield ("calls", "-", *of_role, "--format", "csv", "--no-cache"), logs


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


def _calls(logs: Path, role: str, version: Version) -> list[dict[str, Any]]:
    """Return one call of each status, and the first ones."""
    answer = version.answer(("calls", str(logs), "--role", role, "--format", "jsonl", "--no-cache", "--follow"))
    calls = [json.loads(line) for line in answer.output.splitlines()]
    by_status = {call["status"]: call for call in calls}
    return [*by_status.values(), *calls[:_EVENTS_ASKED]]


def _events(calls: list[dict[str, Any]]) -> list[str]:
    return [*dict.fromkeys(call["event_id"] for call in calls)]


def _resources(calls: list[dict[str, Any]]) -> list[str]:
    """Return a resource, and all that begin as it does."""
    found = [each for call in calls for each in call.get("resources") or ()]
    return [found[0], f"{found[0][:-1]}*"] if found else ["*"]


def _findings(calls: list[dict[str, Any]], folder: Path) -> Iterator[Path]:
    """Write findings of GuardDuty's, one for each session of the calls."""
    for call in {call["access_key_id"]: call for call in calls if call["access_key_id"]}.values():
        key, time = call["access_key_id"], call["event_time"]
        details = {
            "accessKeyId": key,
            "principalId": f"AROAEXAMPLE:{call['session_name']}",
            "userName": (call["role_arn"] or "").rpartition("/")[2],
            "userType": "AssumedRole",
        }
        finding = {
            "schemaVersion": "2.0",
            "accountId": call["account_id"],
            "id": f"finding-{key}",
            "type": "UnauthorizedAccess:IAMUser/MaliciousIPCaller",
            "title": "An API was invoked from a bad address",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": details},
            "service": {"eventFirstSeen": time, "eventLastSeen": time, "count": 1},
        }
        path = folder / f"finding-{len(list(folder.glob('finding-*')))}.json"
        path.write_text(json.dumps(finding))
        yield path


if __name__ == "__main__":
    sys.exit(main())
