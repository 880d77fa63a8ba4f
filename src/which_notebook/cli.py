"""The command line: what is asked, and of which logs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NoReturn

from msgspec.structs import replace

from . import __version__
from .attribution import STATUSES, InventoryError, Judge, RoleError, read_inventory
from .cache import cache_path
from .chains import find_chains, wanted_for_chains
from .log_file import SourceError
from .output import FORMATS, OutputError, format_of, output_file, write_calls, write_csv, write_json
from .progress import shown_progress
from .question import Question
from .reading import Reading
from .record import Call
from .safe_text import printable
from .signs import Signs
from .sources import Sources
from .summary import Summary
from .table import CallTable
from .times import TimeError, earlier, parse_time
from .wanted import Wanted

DONE, NOT_ALL_READ, WRONG_USAGE, UNATTRIBUTED, INTERRUPTED = 0, 1, 2, 3, 130
_SKIPPED_NAMED = 20


class UsageError(Exception):
    """The command was called in a way that can't be meant; the message says what to write."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 done, 1 something couldn't be read, 2 wrong usage, 3 see --fail-on."""
    try:
        given = _parser().parse_args(arguments)
        status: int = given.run(given)
    except (UsageError, TimeError, RoleError, InventoryError, SourceError) as error:
        _say(str(error))
        return WRONG_USAGE
    except OutputError as error:
        _say(str(error))
        return NOT_ALL_READ
    except BrokenPipeError:
        return DONE  # whoever reads the output has seen enough
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    return status


# Each command


def _summary(given: argparse.Namespace) -> int:
    form = format_of(given.format, given.output, "json")
    if form in ("jsonl", "parquet"):
        raise UsageError(f"summary has no format {form}: choose table, json or csv")
    with _asking(given) as asked:
        summary, signs = Summary(), Signs(asked.judge)
        for table in asked.tables(signs):
            summary.add(table)
    with output_file(given.output) as file:
        if form == "json":
            write_json(summary.plain(asked.judge.role, asked.reading, signs), file)
        elif form == "csv":
            rows = [*summary.notebooks, *summary.unknown_names, summary.unattributed]
            header = ("notebook", "session_name", "role_arn", "calls", "errors", "first_seen", "last_seen")
            write_csv(header, ([getattr(row, name) for name in header] for row in rows), file)
        else:
            from .summary_table import write_summary_table

            write_summary_table(summary, signs, asked.judge.role, asked.reading, file)
    return asked.status()


def _calls(given: argparse.Namespace) -> int:
    form = format_of(given.format, given.output, "jsonl")
    with _asking(given) as asked, output_file(given.output) as file:
        write_calls(asked.calls(), file, form, via=given.follow)
    return asked.status()


def _event(given: argparse.Namespace) -> int:
    from .explain import NotFoundError, explain
    from .explain_text import explanation_lines

    form = format_of(given.format, given.output, "json")
    if form not in ("table", "json"):
        raise UsageError(f"event has no format {form}: choose table (a text) or json")
    inventory = read_inventory(given.inventory) if given.inventory else None
    role = given.role or (inventory.role_arn if inventory else None)
    with _reading(given) as reading, Sources(given.sources, _question(given), reading, again=True) as sources:
        try:
            explanation = explain(given.event_id, sources, role, inventory)
        except NotFoundError as error:
            _report_reading(reading)
            _say(printable(str(error)))
            return NOT_ALL_READ
    with output_file(given.output) as file:
        if form == "json":
            write_json(explanation.plain(), file)
        else:
            file.write("\n".join(explanation_lines(explanation)).encode() + b"\n")
    return _report_reading(reading)


def _report(given: argparse.Namespace) -> int:
    from .report import write_report

    if given.output is None:
        raise UsageError("a report is a file: give --output report.html")
    with _asking(given) as asked, output_file(given.output) as file:
        signs = Signs(asked.judge)
        write_report(asked.tables(signs), signs, asked.judge.role, asked.reading, file, asked.question)
    return asked.status()


def _audit(given: argparse.Namespace) -> int:
    from .audit.account import permissions_policy, read_account
    from .audit.output import write_audit
    from .audit.verdicts import judge, permits_verdict

    if "all" in given.region and len(given.region) > 1:
        raise UsageError("--region all means all of them: give it alone")
    form = format_of(given.format, given.output, "json")
    if form in ("jsonl", "parquet"):
        raise UsageError(f"audit has no format {form}: choose table, json or csv")
    if given.permissions:
        with output_file(given.output) as file:
            write_json(permissions_policy(all_regions=given.region == ["all"]), file)
        return DONE
    try:
        account = read_account(given.region, given.notebook)
    except OSError as error:
        _say(printable(str(error.strerror or error)))
        return NOT_ALL_READ
    rows = judge(account)
    with output_file(given.output) as file:
        write_audit(rows, account.unread, file, form)
    for unread in account.unread:
        _say(printable(f"could not read {unread.what}: {unread.reason}"))
    missing = set(given.notebook) - {row.notebook for row in rows}
    if missing and not account.unread:
        _say(printable(f"there is no notebook instance {', '.join(sorted(missing))} in the regions that were asked"))
    if given.fail_on:
        failing = [row for row in rows if not permits_verdict(row.verdict, given.fail_on)]
        if failing:
            _say(
                f"{len(failing):,} of {len(rows):,} notebook instances are {given.fail_on} or worse, or unknown (--fail-on)"
            )
            return UNATTRIBUTED
    is_whole = not missing and not account.unread and all(not each.unread for each in account.instances)
    return DONE if is_whole else NOT_ALL_READ


def _completion(given: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(_parser(), given.shell))
    return DONE


# What the commands have in common


class _Asked:
    """A question, the logs that it is put to, and what became of it."""

    def __init__(self, given: argparse.Namespace, reading: Reading) -> None:
        inventory = read_inventory(given.inventory) if given.inventory else None
        role = given.role or (inventory.role_arn if inventory else None)
        if role is None:
            raise UsageError(
                "which role? Give --role NAME or ARN, or --inventory FILE (what `terraform output -json` prints)"
            )
        self.reading = reading
        self.judge = Judge(role, inventory)
        self.question = _question(given)
        self.sources = Sources(given.sources, self.question, reading, again=given.follow)
        self._follow = given.follow
        self._fail_on = given.fail_on
        self._unattributed = 0

    def tables(self, signs: Signs | None = None) -> Iterator[CallTable]:
        """Yield the judged calls that are asked for, the oldest first; `signs` sees all within the time asked for."""
        wanted, judge = Wanted(role_names=(self.judge.role_name,)), self.judge.judge
        if self._follow:
            # A session may have been opened before, in another region or account.
            openings = Question(since=self.question.since and earlier(self.question.since), until=self.question.until)
            chains = find_chains(self.sources.calls(wanted_for_chains(self.judge), openings), self.judge)
            wanted, judge = chains.wanted(self.judge), partial(chains.judge, judge=self.judge)
            # All is read a second time, and counts once.
            self.reading.files = self.reading.size = 0
        within = Question(since=self.question.since, until=self.question.until)
        of_any_notebook = replace(self.question, notebooks=(), statuses=())
        for read in self.sources.tables(wanted):
            table = read.selected(within.fitting(read))
            judge(table)
            if signs:
                signs.see(table)
            table = table.selected(table["status"])  # others are there for opening one of the role's sessions
            table = table.selected(of_any_notebook.fitting(table))
            self._unattributed += table["status"].count("unattributed")
            yield table.selected(self.question.fitting(table))

    def calls(self, signs: Signs | None = None) -> Iterator[Call]:
        """Yield the same, call by call."""
        for table in self.tables(signs):
            yield from table.calls()

    def status(self) -> int:
        """Say what couldn't be read; return the exit status."""
        status = _report_reading(self.reading)
        if self._fail_on and self._unattributed:
            _say(f"{self._unattributed:,} unattributed calls (--fail-on unattributed)")
            return UNATTRIBUTED
        return status


@contextmanager
def _asking(given: argparse.Namespace) -> Iterator[_Asked]:
    with _reading(given) as reading:
        asked = _Asked(given, reading)
        with asked.sources:
            yield asked


@contextmanager
def _reading(given: argparse.Namespace) -> Iterator[Reading]:
    shown = sys.stderr.isatty() and (given.output is not None or not sys.stdout.isatty() or given.run is not _calls)
    with shown_progress(shown) as progress:
        yield Reading(
            jobs=given.jobs,
            cut=not given.parse_all,
            cache=None if given.no_cache or given.parse_all else cache_path(),
            progress=progress,
        )


def _question(given: argparse.Namespace) -> Question:
    question = Question(
        since=given.since and parse_time(given.since),
        until=given.until and parse_time(given.until, end_of_day=True),
        notebooks=tuple(getattr(given, "notebook", ())),
        event_names=tuple(getattr(given, "event_name", ())),
        event_sources=tuple(getattr(given, "event_source", ())),
        regions=tuple(given.region),
        accounts=tuple(given.account),
        statuses=tuple(getattr(given, "status", ())),
        errors_only=getattr(given, "errors_only", False),
    )
    if question.since and question.until and question.since > question.until:
        raise UsageError(f"--since {given.since} is after --until {given.until}")
    return question


def _report_reading(reading: Reading) -> int:
    for note in reading.notes:
        _say(printable(note))
    for file, reason in islice(reading.skipped, _SKIPPED_NAMED):
        _say(printable(f"could not read {file}: {reason}"))
    if (more := len(reading.skipped) - _SKIPPED_NAMED) > 0:
        _say(f"and {more:,} more that could not be read; summary --format json names all")
    return NOT_ALL_READ if reading.skipped else DONE


def _say(text: str) -> None:
    print(f"which-notebook: {text}", file=sys.stderr)


# The arguments


_EXAMPLES = """\
examples:
  which-notebook summary logs/ --role data-science-execution
  which-notebook summary s3://audit-logs --role data-science-execution --account 111122223333 --since 7d
  which-notebook calls logs/ --role data-science-execution --notebook fraud-model --event-name 'Get*' --format csv
  which-notebook calls logs/ --inventory outputs.json --status unattributed --fail-on unattributed
  which-notebook event 1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d logs/
  which-notebook report cloudtrail: --role data-science-execution --since 24h --output report.html
  which-notebook audit --region all --fail-on weak

exit status: 0 done; 1 something could not be read (what could be read is still answered); 2 wrong usage;
3 with --fail-on unattributed, when there is such a call.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="which-notebook",
        description="Says, from CloudTrail, which SageMaker notebook instance made which API call.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"which-notebook {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    common, filters = _common_arguments(), _filter_arguments()

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str, *parents: _Parser) -> _Parser:
        command: _Parser = commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=parents, epilog=_SOURCES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        command.set_defaults(run=run)
        return command

    for name, run, text in (
        (
            "summary",
            _summary,
            "a row for each notebook: how many calls, which, from where, when, and what speaks against them",
        ),
        ("calls", _calls, "a row for each API call, the oldest first"),
        ("report", _report, "one HTML file: a timeline with a lane for each notebook, counts, warnings, all calls"),
    ):
        command = add(name, run, text, common, filters)
        command.add_argument("sources", nargs="+", metavar="SOURCE", help="see below")
    command = add(
        "event", _event, "one call, explained: its record, who opened its session, what speaks against it", common
    )
    command.add_argument("event_id", metavar="EVENT_ID", help="the record's eventID")
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="see below")
    _add_audit(commands)
    completion = commands.add_parser("completion", help="the shell completion's script, to be sourced")
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    completion.set_defaults(run=_completion)
    return parser


def _add_audit(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "is each notebook instance of this account attributable, and what to change where it isn't"
    audit = commands.add_parser(
        "audit",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. It only reads; --permissions prints what it needs.",
        epilog=_VERDICTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument(
        "--region",
        action="extend",
        type=_list,
        default=[],
        metavar="REGION",
        help="only of these; all: all that are enabled (default: the configured one)",
    )
    audit.add_argument("--notebook", action="extend", type=_list, default=[], metavar="NAME", help="only of these")
    audit.add_argument(
        "--fail-on",
        choices=["attributed", "weak", "not-attributed", "broken"],
        help="exit with status 3 where a verdict is this one or worse, or unknown",
    )
    audit.add_argument("--permissions", action="store_true", help="print the IAM policy that the audit needs, and end")
    audit.add_argument(
        "--format",
        choices=FORMATS[:2] + FORMATS[3:4],
        help="default: table on a terminal, else JSON, or what --output ends in",
    )
    audit.add_argument("-o", "--output", metavar="FILE", help="write there; the file is there whole or not at all")
    audit.set_defaults(run=_audit)


_VERDICTS = """\
verdicts, the best first:
  enforced        imds mode: without root, neither an unattributed call nor another name is possible
  attributed      calls carry its name, and the role's policies hold; its user could get around it on purpose
  weak            calls carry its name, but something lets others use it, or switch attribution off
  unknown         something couldn't be read or decided
  not-attributed  nothing sets attribution up
  broken          its calls are refused, or it can't start

exit status: 0 done; 1 something could not be read; 2 wrong usage; 3 see --fail-on.
"""

_SOURCES = """\
SOURCE is a file, a folder (all .json, .json.gz and .jsonl files in it), - (standard input), s3://BUCKET/PREFIX, or cloudtrail:
(the account's event history: 90 days, management events only). Times are ISO times (2026-03-01T09:30:00Z; without a
zone UTC), dates, or how long ago (30m, 24h, 7d).
"""


def _common_arguments() -> _Parser:
    common = _Parser(add_help=False)
    common.add_argument("--role", metavar="ROLE", help="the execution role: its name, or its ARN for that one only")
    common.add_argument(
        "--inventory",
        type=Path,
        metavar="FILE",
        help="what `terraform output -json` prints: the role, and which names are real",
    )
    common.add_argument("--since", metavar="TIME", help="no call before")
    common.add_argument("--until", metavar="TIME", help="no call after; a date counts to its end")
    common.add_argument("--region", action="extend", type=_list, default=[], metavar="REGION", help="only of these")
    common.add_argument("--account", action="extend", type=_list, default=[], metavar="ID", help="only of these")
    common.add_argument(
        "--format", choices=FORMATS, help="default: table on a terminal, else JSON, or what --output ends in"
    )
    common.add_argument("-o", "--output", metavar="FILE", help="write there; the file is there whole or not at all")
    common.add_argument(
        "--jobs", type=_jobs, default=len(_processors()), metavar="N", help="processes that read (default: %(default)s)"
    )
    common.add_argument("--no-cache", action="store_true", help="neither use nor keep what was found before")
    common.add_argument(
        "--parse-all",
        action="store_true",
        help="parse every record, not only those that mention the role (slow; a check)",
    )
    return common


def _filter_arguments() -> _Parser:
    filters = _Parser(add_help=False)
    filters.add_argument("--notebook", action="extend", type=_list, default=[], metavar="NAME", help="only of these")
    filters.add_argument(
        "--event-name",
        action="extend",
        type=_list,
        default=[],
        metavar="NAME",
        help="only these; * and ? are wildcards",
    )
    filters.add_argument(
        "--event-source", action="extend", type=_list, default=[], metavar="SERVICE", help="only of these, such as s3"
    )
    filters.add_argument(
        "--status",
        action="extend",
        type=_statuses,
        default=[],
        metavar="STATUS",
        help=f"only these: {', '.join(STATUSES)}",
    )
    filters.add_argument("--errors-only", action="store_true", help="only calls that failed")
    filters.add_argument(
        "--follow", action="store_true", help="also calls in other roles' sessions that a notebook's session opened"
    )
    filters.add_argument(
        "--fail-on",
        choices=["unattributed"],
        help="exit with status 3 when there is such a call, of whatever notebook and status",
    )
    return filters


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _statuses(text: str) -> list[str]:
    for status in (given := _list(text)):
        if status not in STATUSES:
            raise argparse.ArgumentTypeError(f"{status!r} is none of {', '.join(STATUSES)}")
    return given


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes, 1 to 256")
    return int(text)


def _processors() -> Collection[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
