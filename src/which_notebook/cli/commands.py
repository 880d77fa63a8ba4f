"""The commands. Each imports what it needs itself, since that takes more time than most of what is asked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache

from ..answers.formats import FORMATS, Format, format_of, write_answer, write_json
from ..answers.output_file import output_file
from ..errors import CommandError, ServiceError, UsageError, reason_of
from ..limits import LIMITS, Limits
from ..words import counted
from .arguments import Command, parser
from .exit_status import (
    DONE,
    FAIL_ON_FOUND,
    INTERRUPTED,
    NO_SUCH_ROLE,
    NOT_ALL_READ,
    WRONG_USAGE,
    status_of_calls,
    status_of_reading,
)
from .messages import say, say_coverage, say_unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..judging.judged_calls import JudgedCalls


def main(arguments: Sequence[str] | None = None, *, limits: Limits = LIMITS) -> int:
    """Run the command; return its exit status: see `exit_status`."""
    try:
        options = _parser().parse_args(arguments)
        status: int = _dry_run(options, limits) if getattr(options, "dry_run", False) else options.run(options, limits)
    except CommandError as error:
        say(str(error))
        return WRONG_USAGE if error.is_wrong_usage else NOT_ALL_READ
    except ServiceError as error:
        say(reason_of(error))
        return NOT_ALL_READ
    except BrokenPipeError:
        return DONE  # whoever reads the output has seen enough
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return status


@cache
def _parser() -> argparse.ArgumentParser:
    """Return the parser; to make it takes longer than many an answer, so who asks often in one process makes it once."""
    return parser(_COMMANDS)


def _dry_run(options: argparse.Namespace, limits: Limits) -> int:
    from .dry_run import write_dry_run

    write_dry_run(options, limits)
    return DONE


def _summary(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.summary import Summary
    from ..answers.summary_answer import SummaryAnswer
    from ..judging.warnings import Warnings
    from .options import judged_calls

    form = format_of("summary", options.format, options.output)
    if options.by:
        return _groups(options, limits, form)
    if options.limit:
        raise UsageError("--limit is for --by: give --by resource, event, day or session too")
    with judged_calls(options, limits, with_resources=False) as calls:
        summary, warnings = Summary(likely=options.likely), Warnings(calls.judge)
        for table in calls.tables(warnings):
            summary.add(table)
    write_answer(SummaryAnswer(summary, warnings, calls), form, options.output)
    return _end(calls, options)


def _groups(options: argparse.Namespace, limits: Limits, form: Format) -> int:
    from ..answers.groups import Groups, GroupsAnswer
    from .options import judged_calls

    groups = Groups(options.by, limits.groups)
    with judged_calls(options, limits, with_resources=options.by == "resource") as calls:
        for table in calls.tables():
            groups.add(table)
    write_answer(GroupsAnswer(groups, options.limit, calls, likely=options.likely), form, options.output)
    return _end(calls, options)


def _calls(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.calls import CallsAnswer
    from .options import judged_calls

    form = format_of("calls", options.format, options.output)
    with judged_calls(options, limits) as calls:
        write_answer(CallsAnswer(calls.tables(), via=options.follow, likely=options.likely), form, options.output)
    return _end(calls, options)


def _report(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.report import write_report
    from ..judging.warnings import Warnings
    from .options import judged_calls

    if options.output is None:
        raise UsageError("a report is a file: give --output report.html")
    if options.output.lower().endswith(tuple(f".{form.name}" for form in FORMATS)):
        raise UsageError(f"a report is an HTML file: give --output report.html, not {options.output}")
    with judged_calls(options, limits) as calls, output_file(options.output) as file:
        warnings = Warnings(calls.judge)
        write_report(
            calls.tables(warnings),
            warnings,
            calls.judge.role,
            calls.coverage,
            file,
            limits,
            filter=calls.filter,
            notes=calls.remarks,
            likely=options.likely,
        )
    return _end(calls, options)


def _end(calls: JudgedCalls, options: argparse.Namespace) -> int:
    """Say what couldn't be read, and why the answer is empty; return the exit status."""
    for text in calls.notes():
        say(text)
    say_unread(calls.coverage)
    for text in calls.why_empty:
        say(text)
    status = status_of_calls(calls, options.fail_on)
    if status == FAIL_ON_FOUND:
        say(f"{counted(calls.unattributed, 'unattributed call')} (--fail-on unattributed)")
    return status


def _event(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.explain import ExplanationAnswer
    from ..judging.explanation import NotFoundError, explain
    from ..sources.coverage import Coverage
    from .options import addresses_of, inventory_of, reader_of, roles_of, scope_of

    form = format_of("event", options.format, options.output)
    inventory = inventory_of(options)
    roles, addresses = roles_of(options, inventory), addresses_of(options)
    scope, coverage = scope_of(options), Coverage()
    explanation = not_found = None
    with reader_of(options, inventory, limits, again=True) as reader:
        try:
            explanation = explain(
                options.event_id, reader, scope, coverage, roles, inventory, likely=options.likely, addresses=addresses
            )
        except NotFoundError as error:
            not_found = error
    if explanation:
        write_answer(ExplanationAnswer(explanation), form, options.output)
    say_coverage(coverage)
    if not_found:
        raise not_found
    return status_of_reading(coverage)


def _roles(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.roles import RolesAnswer
    from ..calls.filter import Filter
    from ..judging.attribution import Judge
    from ..judging.notebook_roles import notebook_roles
    from ..sources.coverage import Coverage
    from .options import inventory_of, reader_of, roles_of, scope_of

    form = format_of("roles", options.format, options.output)
    inventory = inventory_of(options)
    roles_asked = roles_of(options, inventory)
    judge = Judge(roles_asked) if roles_asked else None
    is_asked = judge.is_role if judge else lambda arn: True
    scope, coverage = scope_of(options), Coverage()
    with reader_of(options, inventory, limits, again=True) as reader:
        roles = notebook_roles(reader, Filter(scope=scope, resources=tuple(options.resource)), coverage, is_asked)
        named = None
        if not roles:
            name, *_ = judge.role_names if judge else ("",)
            named = reader.roles_named_there(scope, name)
    write_answer(RolesAnswer(roles, roles_asked, options.resource), form, options.output)
    say_coverage(coverage)
    if named:
        say(named)
    return status_of_reading(coverage) or (DONE if roles else NO_SUCH_ROLE)


def _finding(options: argparse.Namespace, limits: Limits) -> int:
    from ..answers.finding import FindingAnswer
    from ..calls.filter import Filter
    from ..judging.finding import read_findings
    from ..judging.finding_actors import known_by_finding, known_by_logs
    from ..sources.coverage import Coverage
    from .options import inventory_of, reader_of, roles_of, scope_of

    form = format_of("finding", options.format, options.output)
    inventory, coverage = inventory_of(options), Coverage()
    filter = Filter(scope=scope_of(options), resources=tuple(options.resource))
    roles, findings = roles_of(options, inventory), read_findings(options.finding)
    if options.sources:
        with reader_of(options, inventory, limits, again=True) as reader:
            known = [
                (
                    each,
                    [known_by_logs(each, actor, reader, filter, coverage, roles, inventory) for actor in each.actors],
                )
                for each in findings
            ]
    else:
        known = [(each, [known_by_finding(actor, roles, inventory) for actor in each.actors]) for each in findings]
    write_answer(FindingAnswer(known, with_logs=bool(options.sources)), form, options.output)
    say_coverage(coverage)
    return status_of_reading(coverage)


def _audit(options: argparse.Namespace, limits: Limits) -> int:
    from ..audit.account import permissions_policy, read_account
    from ..audit.addresses import read_addresses
    from ..audit.domain_verdicts import judge_domain
    from ..audit.domains import read_domains
    from ..audit.output import AuditAnswer
    from ..audit.script.shell import require_parser
    from ..audit.verdicts import judge, permits_verdict

    if "all" in options.region and len(options.region) > 1:
        raise UsageError("--region all means all of them: give it alone")
    form = format_of("audit", options.format, options.output)
    if options.permissions:
        policy = permissions_policy(all_regions=options.region == ["all"], with_addresses=options.with_addresses)
        with output_file(options.output) as file:
            write_json(policy, file)
        return DONE
    if options.with_addresses and form.name != "json":
        raise UsageError("--with-addresses is for --format json")
    require_parser()
    try:
        account = read_account(options.region, options.notebook)
        # Whoever asks about one notebook instance asks about no domain.
        domains, unlisted = read_domains(options.region) if not options.notebook else ([], [])
    except OSError as error:
        say(reason_of(error))
        return NOT_ALL_READ
    addresses = read_addresses(account) if options.with_addresses else None
    rows, of_domains = judge(account), list(map(judge_domain, domains))
    not_listed = [*account.unread, *unlisted]
    write_answer(AuditAnswer(rows, not_listed, of_domains, addresses), form, options.output)
    for reason in dict.fromkeys(each.reason for each in not_listed):
        say(f"could not read {' and '.join(each.what for each in not_listed if each.reason == reason)}: {reason}")
    missing = set(options.notebook) - {row.notebook for row in rows}
    if missing and not account.unread:
        say(f"there is no notebook instance {', '.join(sorted(missing))} in the regions that were asked")
    if options.fail_on:
        failing = False
        for noun, some in (("notebook instance", rows), ("Studio domain", of_domains)):
            count = sum(not permits_verdict(row.verdict, options.fail_on) for row in some)
            if count:
                failing = True
                say(f"{count:,} of {counted(len(some), noun)}: {options.fail_on} or worse, or unknown (--fail-on)")
        if failing:
            return FAIL_ON_FOUND
    not_read = [each.unread for each in account.instances] + [each.unread for each in domains]
    is_whole = not (missing or not_listed or any(not_read))
    return DONE if is_whole else NOT_ALL_READ


def _sql(options: argparse.Namespace, limits: Limits) -> int:
    from .options import inventory_of, roles_of, scope_of
    from .sql import write_sql

    inventory = inventory_of(options)
    write_sql(options, roles_of(options, inventory), inventory, scope_of(options))
    return DONE


def _completion(options: argparse.Namespace, limits: Limits) -> int:
    import shtab

    print(shtab.complete(_parser(), options.shell))
    return DONE


_COMMANDS: dict[str, Command] = {
    "summary": _summary,
    "calls": _calls,
    "event": _event,
    "report": _report,
    "roles": _roles,
    "finding": _finding,
    "audit": _audit,
    "sql": _sql,
    "completion": _completion,
}
