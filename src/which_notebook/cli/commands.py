"""The commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..answers.formats import (
    FORMATS,
    FormatError,
    OutputError,
    format_of,
    output_file,
    write_calls,
    write_csv,
    write_json,
)
from ..answers.summary import Summary
from ..judging.attribution import InventoryError, RoleError, read_inventory
from ..judging.warnings import Signs
from ..sources.registry import Sources
from ..sources.source import SourceError
from ..times import TimeError
from .arguments import Command, UsageError, parser
from .asking import (
    DONE,
    INTERRUPTED,
    NOT_ALL_READ,
    UNATTRIBUTED,
    WRONG_USAGE,
    asking,
    question_of,
    reading_as_asked,
    say,
    status_of,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 done, 1 something couldn't be read, 2 wrong usage, 3 see --fail-on."""
    try:
        given = parser(_COMMANDS).parse_args(arguments)
        status: int = given.run(given)
    except (UsageError, FormatError, TimeError, RoleError, InventoryError, SourceError) as error:
        say(str(error))
        return WRONG_USAGE
    except OutputError as error:
        say(str(error))
        return NOT_ALL_READ
    except BrokenPipeError:
        return DONE  # whoever reads the output has seen enough
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return status


def _summary(given: argparse.Namespace) -> int:
    form = format_of(given.format, given.output, "json")
    if form in ("jsonl", "parquet"):
        raise UsageError(f"summary has no format {form}: choose table, json or csv")
    with asking(given) as asked:
        summary, signs = Summary(), Signs(asked.judge)
        for table in asked.tables(signs):
            summary.add(table)
    with output_file(given.output) as file:
        if form == "json":
            write_json({**summary.plain(asked.judge.role, asked.reading, signs), **asked.remarks()}, file)
        elif form == "csv":
            write_csv(*summary.rows_and_header(signs), file)
        else:
            from ..answers.summary_text import write_summary_table

            write_summary_table(summary, signs, asked.judge.role, asked.reading, file, asked.missing())
    return asked.status()


def _calls(given: argparse.Namespace) -> int:
    form = format_of(given.format, given.output, "jsonl")
    with asking(given) as asked, output_file(given.output) as file:
        write_calls(asked.calls(), file, form, via=given.follow)
    return asked.status()


def _event(given: argparse.Namespace) -> int:
    from ..answers.explain import NotFoundError, explain
    from ..answers.explain_text import explanation_lines

    form = format_of(given.format, given.output, "json")
    if form not in ("table", "json"):
        raise UsageError(f"event has no format {form}: choose table (a text) or json")
    inventory = read_inventory(given.inventory) if given.inventory else None
    role = given.role or (inventory.role_arn if inventory else None)
    with reading_as_asked(given) as reading, Sources(given.sources, question_of(given), reading, again=True) as sources:
        reading.role_arns.update(inventory.role_arns if inventory else {})
        try:
            explanation = explain(given.event_id, sources, role, inventory)
        except NotFoundError as error:
            status_of(reading)
            say(str(error))
            return NOT_ALL_READ
    with output_file(given.output) as file:
        if form == "json":
            write_json(explanation.plain(), file)
        else:
            file.write("\n".join(explanation_lines(explanation)).encode() + b"\n")
    return status_of(reading)


def _report(given: argparse.Namespace) -> int:
    from ..answers.report import write_report

    if given.output is None:
        raise UsageError("a report is a file: give --output report.html")
    if given.format:
        raise UsageError("a report is an HTML file and has no --format: leave it out")
    if given.output.lower().endswith(tuple(f".{form}" for form in FORMATS)):
        raise UsageError(f"a report is an HTML file: give --output report.html, not {given.output}")
    with asking(given) as asked, output_file(given.output) as file:
        signs = Signs(asked.judge)
        write_report(asked.tables(signs), signs, asked.judge.role, asked.reading, file, asked.question)
    return asked.status()


def _audit(given: argparse.Namespace) -> int:
    from ..audit.account import permissions_policy, read_account
    from ..audit.output import write_audit
    from ..audit.script.shell import require_parser
    from ..audit.verdicts import judge, permits_verdict

    if "all" in given.region and len(given.region) > 1:
        raise UsageError("--region all means all of them: give it alone")
    form = format_of(given.format, given.output, "json")
    if form in ("jsonl", "parquet"):
        raise UsageError(f"audit has no format {form}: choose table, json or csv")
    if given.permissions:
        with output_file(given.output) as file:
            write_json(permissions_policy(all_regions=given.region == ["all"]), file)
        return DONE
    require_parser()
    try:
        account = read_account(given.region, given.notebook)
    except OSError as error:
        say(str(error.strerror or error))
        return NOT_ALL_READ
    rows = judge(account)
    with output_file(given.output) as file:
        write_audit(rows, account.unread, file, form)
    for unread in account.unread:
        say(f"could not read {unread.what}: {unread.reason}")
    missing = set(given.notebook) - {row.notebook for row in rows}
    if missing and not account.unread:
        say(f"there is no notebook instance {', '.join(sorted(missing))} in the regions that were asked")
    if given.fail_on:
        failing = [row for row in rows if not permits_verdict(row.verdict, given.fail_on)]
        if failing:
            say(
                f"{len(failing):,} of {len(rows):,} notebook instances are {given.fail_on} or worse, or unknown (--fail-on)"
            )
            return UNATTRIBUTED
    is_whole = not missing and not account.unread and all(not each.unread for each in account.instances)
    return DONE if is_whole else NOT_ALL_READ


def _completion(given: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(parser(_COMMANDS), given.shell))
    return DONE


_COMMANDS: dict[str, Command] = {
    "summary": _summary,
    "calls": _calls,
    "event": _event,
    "report": _report,
    "audit": _audit,
    "completion": _completion,
}
