"""The command line's arguments and help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from .. import __version__
from ..answers.formats import default_format, formats_of
from ..answers.groups import GROUPINGS
from ..calls.scope import DELIVERED_WITHIN_DAYS
from ..judging.statuses import STATUS_NAMES
from ..limits import Limits
from ..sources.registry import KINDS
from . import values
from .parsers import CommandParser, MainParser

Command = Callable[[argparse.Namespace, Limits], int]
"""What runs a command; returns the exit status."""


_EXAMPLES = """\
examples:
  which-notebook summary logs/ --role data-science-execution
  which-notebook summary s3://audit-logs --role data-science-execution --account 111122223333 --since 7d
  which-notebook calls logs/ --role data-science-execution --notebook fraud-model --event-name 'Get*' --format csv
  which-notebook calls logs/ --inventory outputs.json --status unattributed --fail-on unattributed
  which-notebook summary logs/ --role data-science-execution --likely
  which-notebook event 1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d logs/
  which-notebook report cloudtrail: --role data-science-execution --since 24h --output report.html
  which-notebook audit --region all --fail-on weak

exit status: 0 done; 1 something could not be read (what could be read is still answered), the output could not be
written, or no record has that EVENT_ID; 2 wrong usage; 3 --fail-on found something; 4 no call of the role is in what was
read; 130 interrupted.
"""


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser; what it parses has, as `run`, the command of that name."""
    parser = MainParser(
        prog="which-notebook",
        description="Says, from CloudTrail, which SageMaker notebook instance made which API call.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"which-notebook {__version__}")
    added = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=CommandParser)
    place, filters = _place_arguments(), _filter_arguments()
    common = _common_arguments(place)

    def add(name: str, text: str, *parents: CommandParser) -> CommandParser:
        command: CommandParser = added.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=parents, epilog=_SOURCES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        command.set_defaults(run=commands[name])
        # What `finding` asks hangs on what the finding says.
        if name != "finding":
            _add_dry_run(command)
        if formats_of(name):
            _add_format(command, name)
        return command

    for name, text in (
        ("summary", "a row for each notebook: how many calls, which, from where, when, and warnings about them"),
        ("calls", "a row for each API call, the oldest first"),
        ("report", "one HTML file: a timeline with a lane for each notebook, counts, warnings, all calls"),
    ):
        command = add(name, text, common, filters)
        if name == "summary":
            command.add_argument(
                "--by",
                choices=tuple(GROUPINGS),
                help="a row for each notebook and resource, event, day or session instead",
            )
            command.add_argument(
                "--limit", type=values.limit, metavar="N", help="with --by: only the N rows with the most calls"
            )
        _add_sources(command)
    command = add(
        "event", "one call, explained: its record, who opened its session, and warnings about the attribution", common
    )
    _add_likely(command)
    command.add_argument("event_id", type=values.text, metavar="EVENT_ID", help="the record's eventID")
    _add_sources(command)
    command = add("roles", "the roles that notebook instances use: calls, notebooks, unattributed calls", common)
    _add_resource(command)
    _add_sources(command)
    command = add("finding", "a GuardDuty finding: which notebook instance it is about", common)
    command.add_argument(
        "finding",
        type=values.text,
        metavar="FILE",
        help="the finding: GuardDuty's, EventBridge's or Security Hub's JSON",
    )
    _add_resource(command)
    _add_sources(command, "*", "see below; without one, the finding alone answers")
    _add_audit(added).set_defaults(run=commands["audit"])
    _add_sql(added, place).set_defaults(run=commands["sql"])
    text = "the shell completion's script, for the shell to evaluate"
    completion = added.add_parser(
        "completion", help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_SHELLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    completion.set_defaults(run=commands["completion"])
    return parser


def _add_sql(commands: argparse._SubParsersAction[CommandParser], place: CommandParser) -> CommandParser:
    text = "a SQL query that lists the role's calls, for an engine's query console"
    sql = commands.add_parser(
        "sql", help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[place], epilog=_TIMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    sql.add_argument(
        "engine",
        choices=["athena", "trino", "lake", "insights"],
        help="lake: CloudTrail Lake; insights: CloudWatch Logs Insights",
    )
    sql.add_argument(
        "table",
        nargs="?",
        metavar="TABLE",
        help="the table, with its database before it if need be, or Lake's event data store (default: cloudtrail_logs; for lake EVENT_DATA_STORE_ID, to be replaced)",
    )
    sql.add_argument(
        "--without-partitions",
        action="store_true",
        help="for a table that hasn't the partition columns account, region and day of modules/athena",
    )
    return sql


def _add_audit(commands: argparse._SubParsersAction[CommandParser]) -> CommandParser:
    text = "says for each notebook instance and Studio domain of this account whether its calls can be attributed, and what to change"
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
        type=values.listed,
        default=[],
        metavar="REGION",
        help="limit to this region (repeatable, or several with commas); all: all that are enabled (default: the configured one)",
    )
    _add_notebook(audit)
    audit.add_argument(
        "--fail-on",
        choices=["attributed", "weak", "not-attributed", "broken"],
        help="exit with status 3 where a verdict is this one or worse, or unknown",
    )
    audit.add_argument(
        "--with-addresses",
        action="store_true",
        help="with --format json: read the notebook instances' private addresses, too, for --addresses of other commands",
    )
    audit.add_argument("--permissions", action="store_true", help="print the IAM policy that the audit needs, and end")
    _add_format(audit, "audit")
    _add_output(audit)
    return audit


_VERDICTS = """\
verdicts of a notebook instance, the best first:
  enforced        imds mode, and all checks hold: without root, no way around it is known but those in docs/threat-model.md
  attributed      calls carry its name, and the role's policies hold; its user could get around it on purpose
  weak            calls carry its name, but something lets others use it, or switch attribution off
  unknown         something couldn't be read or decided
  not-attributed  nothing sets attribution up
  broken          its calls are refused, or it can't start

verdicts of a Studio domain:
  attributed      calls made in its apps carry the user profile's name, and the role's policies hold
  weak            they do, but something lets others use a user profile's name, or switch the names off
  unknown         something couldn't be read or decided
  not-attributed  the names are switched off
  broken          its apps and jobs are refused, or its role doesn't exist

exit status: 0 done; 1 something could not be read; 2 wrong usage; 3 see --fail-on.
"""

_FORM_WIDTH = max(len(kind.form) for kind in KINDS)
_SOURCES = "SOURCE is one of:\n" + "".join(f"  {kind.form:<{_FORM_WIDTH}}  {kind.help}\n" for kind in KINDS)
_TIMES = """\
TIME is an ISO time (2026-03-01T09:30:00Z; without a zone UTC), a date, now, today, yesterday, or how long ago (30m, 24h, 7d,
2w). A date stands for its first second after --since, and for its last after --until.
"""
_SOURCES += f"\n{_TIMES}"

_SHELLS = """\
Add your shell's line to the file named to its right, and start a new shell:
  eval "$(which-notebook completion bash)"                                      ~/.bashrc
  eval "$(which-notebook completion zsh)"                                       ~/.zshrc, after compinit
  which-notebook completion tcsh > ~/.which-notebook.tcsh; source ~/.which-notebook.tcsh   ~/.tcshrc
"""


def _place_arguments() -> CommandParser:
    place = CommandParser(add_help=False)
    place.add_argument(
        "--role",
        action="append",
        type=values.text,
        default=[],
        metavar="ROLE",
        help="the execution role: a name (of any account), a role's ARN, or a session's ARN; * and ? are wildcards "
        "(repeatable; default: the only role with a base session in SOURCE; of roles: all; sql needs one)",
    )
    place.add_argument(
        "--inventory",
        type=values.text,
        metavar="FILE",
        help="what `terraform output -json` prints: the role, and which names are real",
    )
    place.add_argument("--since", type=values.text, metavar="TIME", help="only calls at or after TIME")
    place.add_argument(
        "--until", type=values.text, metavar="TIME", help="only calls at or before TIME; a date counts to its end"
    )
    place.add_argument(
        "--delivered-within",
        type=values.days,
        default=DELIVERED_WITHIN_DAYS,
        metavar="DAYS",
        help="with --until: also read files delivered up to DAYS days later (default: %(default)s; CloudTrail may deliver up to 30 days late)",
    )
    place.add_argument(
        "--region",
        action="extend",
        type=values.regions,
        default=[],
        metavar="REGION",
        help="limit to this region (repeatable, or several with commas)",
    )
    place.add_argument(
        "--account",
        action="extend",
        type=values.accounts,
        default=[],
        metavar="ID",
        help="limit to this account (repeatable, or several with commas)",
    )
    _add_output(place)
    return place


def _common_arguments(place: CommandParser) -> CommandParser:
    common = CommandParser(add_help=False, parents=[place])
    common.add_argument(
        "--jobs",
        type=values.jobs,
        default=len(values.processors()),
        metavar="N",
        help="processes that read (default: %(default)s)",
    )
    common.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    common.add_argument(
        "--parse-all",
        action="store_true",
        help="parse every record, not only those that mention the role (slow; to check that the fast search misses nothing)",
    )
    return common


def _add_dry_run(parser: CommandParser) -> None:
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the first SQL query for a table's engine, and end",
    )


def _add_notebook(parser: CommandParser) -> None:
    parser.add_argument(
        "--notebook",
        action="extend",
        type=values.names,
        default=[],
        metavar="NAME",
        help="limit to this notebook (repeatable, or several with commas)",
    )


def _add_likely(parser: CommandParser) -> None:
    parser.add_argument(
        "--likely",
        action="store_true",
        help="say of unattributed calls which notebook they likely came from, by evidence in the logs (no proof), or that the "
        "evidence disagrees (disputed). The sources are read twice, first for evidence, from 12 hours before --since until 12 "
        "hours after --until. Where --notebook NAME is given, the answer also has the unattributed calls that are likely NAME's, and no "
        "disputed ones",
    )
    parser.add_argument(
        "--addresses",
        type=values.text,
        metavar="FILE",
        help="for --likely: whose private addresses are whose, as `audit --with-addresses --format json` prints them",
    )


def _add_resource(parser: CommandParser) -> None:
    parser.add_argument(
        "--resource",
        action="append",
        type=values.text,
        default=[],
        metavar="RESOURCE",
        help="limit to calls about it: a bucket's or another resource's name, an ARN, s3://BUCKET/KEY; * and ? are wildcards (repeatable)",
    )


def _add_output(parser: CommandParser) -> None:
    parser.add_argument("-o", "--output", type=values.text, metavar="FILE", help="write to FILE, atomically")


def _add_sources(parser: CommandParser, count: str = "+", help_text: str = "see below") -> None:
    # With a default, argparse doesn't call an optional one required.
    parser.add_argument("sources", nargs=count, type=values.text, default=[], metavar="SOURCE", help=help_text)


def _add_format(parser: CommandParser, command: str) -> None:
    parser.add_argument(
        "--format",
        choices=formats_of(command),
        help=f"default: by the ending of --output; without --output, table on a terminal, and {default_format(command)} elsewhere",
    )


def _filter_arguments() -> CommandParser:
    filters = CommandParser(add_help=False)
    _add_notebook(filters)
    filters.add_argument(
        "--event-name",
        action="extend",
        type=values.listed,
        default=[],
        metavar="NAME",
        help="limit to these events, with commas between them, such as GetObject or s3:GetObject; * and ? are wildcards, case doesn't matter",
    )
    filters.add_argument(
        "--event-source",
        action="extend",
        type=values.listed,
        default=[],
        metavar="SERVICE",
        help="limit to these services, with commas between them, such as s3",
    )
    filters.add_argument(
        "--status",
        action="extend",
        type=values.statuses,
        default=[],
        metavar="STATUS",
        help=f"limit to these statuses: {', '.join(STATUS_NAMES)}",
    )
    _add_resource(filters)
    filters.add_argument(
        "--access-key",
        action="extend",
        type=values.names,
        default=[],
        metavar="ID",
        help="limit to calls made with this access key id",
    )
    filters.add_argument("--errors-only", action="store_true", help="only calls that failed")
    filters.add_argument(
        "--follow",
        action="store_true",
        help="also show calls in other roles, made in sessions that a notebook or user profile opened",
    )
    _add_likely(filters)
    filters.add_argument(
        "--fail-on",
        choices=["unattributed"],
        help="exit with status 3 when there is an unattributed call, even one that --notebook or --status leaves out",
    )
    return filters
