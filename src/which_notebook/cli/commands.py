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
    INTERRUPTED,
    NO_SUCH_ROLE,
    NOT_ALL_READ,
    UNATTRIBUTED,
    WRONG_USAGE,
    status_of_calls,
    status_of_reading,
)
from .messages import say, say_coverage, say_unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..judging.judged_calls import JudgedCalls


def main(arguments: Sequence[str] | None = None, *, limits: Limits = LIMITS) -> int:
    """Run the command; return its exit status: 0 done, 1 something couldn't be read, 2 wrong usage, 3 see --fail-on."""
    try:
        given = _parser().parse_args(arguments)
        status: int = _dry_run(given, limits) if getattr(given, "dry_run", False) else given.run(given, limits)
    except CommandError as error:
        say(str(error))
        return WRONG_USAGE if error.is_wrong_usage else NOT_ALL_READ
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


def _dry_run(given: argparse.Namespace, limits: Limits) -> int:
    from .dry_run import write_dry_run

    try:
        write_dry_run(given, limits)
    except ServiceError as error:
        say(reason_of(error))
        return NOT_ALL_READ
    return DONE


def _summary(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.summary import Summary
    from ..answers.summary_answer import SummaryAnswer
    from ..judging.warnings import Warnings
    from .options import judged_calls

    form = format_of("summary", given.format, given.output)
    if given.by:
        return _groups(given, limits, form)
    if given.limit:
        raise UsageError("--limit is for --by: give --by resource, event, day or session too")
    with judged_calls(given, limits, with_resources=False) as calls:
        summary, warnings = Summary(likely=given.likely), Warnings(calls.judge)
        for table in calls.tables(warnings):
            summary.add(table)
    write_answer(SummaryAnswer(summary, warnings, calls), form, given.output)
    return _end(calls, given)


def _groups(given: argparse.Namespace, limits: Limits, form: Format) -> int:
    from ..answers.groups import Groups, GroupsAnswer
    from .options import judged_calls

    groups = Groups(given.by, limits.groups)
    with judged_calls(given, limits, with_resources=given.by == "resource") as calls:
        for table in calls.tables():
            groups.add(table)
    write_answer(GroupsAnswer(groups, given.limit, calls, likely=given.likely), form, given.output)
    return _end(calls, given)


def _calls(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.calls import CallsAnswer
    from .options import judged_calls

    form = format_of("calls", given.format, given.output)
    with judged_calls(given, limits) as calls:
        write_answer(CallsAnswer(calls.tables(), via=given.follow, likely=given.likely), form, given.output)
    return _end(calls, given)


def _report(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.report import write_report
    from ..judging.warnings import Warnings
    from .options import judged_calls

    if given.output is None:
        raise UsageError("a report is a file: give --output report.html")
    if given.output.lower().endswith(tuple(f".{form.name}" for form in FORMATS)):
        raise UsageError(f"a report is an HTML file: give --output report.html, not {given.output}")
    with judged_calls(given, limits) as calls, output_file(given.output) as file:
        warnings = Warnings(calls.judge)
        write_report(
            calls.tables(warnings),
            warnings,
            calls.judge.role,
            calls.coverage,
            file,
            limits,
            filter=calls.filter,
            said=calls.said,
            likely=given.likely,
        )
    return _end(calls, given)


def _end(calls: JudgedCalls, given: argparse.Namespace) -> int:
    """Say what couldn't be read, and why the answer is empty; return the exit status."""
    for text in calls.notes():
        say(text)
    say_unread(calls.coverage)
    for text in calls.why_empty:
        say(text)
    status = status_of_calls(calls, given.fail_on)
    if status == UNATTRIBUTED:
        say(f"{counted(calls.unattributed, 'unattributed call')} (--fail-on unattributed)")
    return status


def _event(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.explain import ExplanationAnswer
    from ..judging.explanation import NotFoundError, explain
    from ..sources.coverage import Coverage
    from .options import addresses_of, inventory_of, reader_of, roles_of, scope_of

    form = format_of("event", given.format, given.output)
    inventory = inventory_of(given)
    roles, addresses = roles_of(given, inventory), addresses_of(given)
    scope, coverage = scope_of(given), Coverage()
    explanation = not_found = None
    with reader_of(given, inventory, limits, again=True) as reader:
        try:
            explanation = explain(
                given.event_id, reader, scope, coverage, roles, inventory, likely=given.likely, addresses=addresses
            )
        except NotFoundError as error:
            not_found = error
    if explanation:
        write_answer(ExplanationAnswer(explanation), form, given.output)
    say_coverage(coverage)
    if not_found:
        raise not_found
    return status_of_reading(coverage)


def _roles(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.roles import RolesAnswer
    from ..calls.filter import Filter
    from ..judging.attribution import Judge
    from ..judging.notebook_roles import notebook_roles
    from ..sources.coverage import Coverage
    from .options import inventory_of, reader_of, roles_of, scope_of

    form = format_of("roles", given.format, given.output)
    inventory = inventory_of(given)
    asked = roles_of(given, inventory)
    judge = Judge(asked) if asked else None
    is_asked = judge.is_role if judge else lambda arn: True
    scope, coverage = scope_of(given), Coverage()
    with reader_of(given, inventory, limits, again=True) as reader:
        roles = notebook_roles(reader, Filter(scope=scope, resources=tuple(given.resource)), coverage, is_asked)
        named = None
        if not roles:
            name, *_ = judge.role_names if judge else ("",)
            named = reader.roles_named_there(scope, name)
    write_answer(RolesAnswer(roles, asked, given.resource), form, given.output)
    say_coverage(coverage)
    if named:
        say(named)
    return status_of_reading(coverage) or (DONE if roles else NO_SUCH_ROLE)


def _finding(given: argparse.Namespace, limits: Limits) -> int:
    from ..answers.finding import FindingAnswer
    from ..calls.filter import Filter
    from ..judging.finding import read_findings
    from ..judging.finding_actors import known_by_finding, known_by_logs
    from ..sources.coverage import Coverage
    from .options import inventory_of, reader_of, roles_of, scope_of

    form = format_of("finding", given.format, given.output)
    inventory, coverage = inventory_of(given), Coverage()
    filter = Filter(scope=scope_of(given), resources=tuple(given.resource))
    roles, findings = roles_of(given, inventory), read_findings(given.finding)
    if given.sources:
        with reader_of(given, inventory, limits, again=True) as reader:
            known = [
                (
                    each,
                    [known_by_logs(each, actor, reader, filter, coverage, roles, inventory) for actor in each.actors],
                )
                for each in findings
            ]
    else:
        known = [(each, [known_by_finding(actor, roles, inventory) for actor in each.actors]) for each in findings]
    write_answer(FindingAnswer(known, with_logs=bool(given.sources)), form, given.output)
    say_coverage(coverage)
    return status_of_reading(coverage)


def _audit(given: argparse.Namespace, limits: Limits) -> int:
    from ..audit.account import permissions_policy, read_account
    from ..audit.addresses import read_addresses
    from ..audit.domain_verdicts import judge_domain
    from ..audit.domains import read_domains
    from ..audit.output import AuditAnswer
    from ..audit.script.shell import require_parser
    from ..audit.verdicts import judge, permits_verdict

    if "all" in given.region and len(given.region) > 1:
        raise UsageError("--region all means all of them: give it alone")
    form = format_of("audit", given.format, given.output)
    if given.permissions:
        policy = permissions_policy(all_regions=given.region == ["all"], with_addresses=given.with_addresses)
        with output_file(given.output) as file:
            write_json(policy, file)
        return DONE
    if given.with_addresses and form.name != "json":
        raise UsageError("--with-addresses is for --format json")
    require_parser()
    try:
        account = read_account(given.region, given.notebook)
        # Whoever asks about one notebook instance asks about no domain.
        domains, unlisted = read_domains(given.region) if not given.notebook else ([], [])
    except OSError as error:
        say(reason_of(error))
        return NOT_ALL_READ
    addresses = read_addresses(account) if given.with_addresses else None
    rows, of_domains = judge(account), list(map(judge_domain, domains))
    not_listed = [*account.unread, *unlisted]
    write_answer(AuditAnswer(rows, not_listed, of_domains, addresses), form, given.output)
    for reason in dict.fromkeys(each.reason for each in not_listed):
        say(f"could not read {' and '.join(each.what for each in not_listed if each.reason == reason)}: {reason}")
    missing = set(given.notebook) - {row.notebook for row in rows}
    if missing and not account.unread:
        say(f"there is no notebook instance {', '.join(sorted(missing))} in the regions that were asked")
    if given.fail_on:
        failing = False
        for noun, some in (("notebook instance", rows), ("Studio domain", of_domains)):
            count = sum(not permits_verdict(row.verdict, given.fail_on) for row in some)
            if count:
                failing = True
                say(f"{count:,} of {counted(len(some), noun)}: {given.fail_on} or worse, or unknown (--fail-on)")
        if failing:
            return UNATTRIBUTED
    not_read = [each.unread for each in account.instances] + [each.unread for each in domains]
    is_whole = not (missing or not_listed or any(not_read))
    return DONE if is_whole else NOT_ALL_READ


def _sql(given: argparse.Namespace, limits: Limits) -> int:
    from .options import inventory_of, roles_of, scope_of
    from .sql import write_sql

    inventory = inventory_of(given)
    write_sql(given, roles_of(given, inventory), inventory, scope_of(given))
    return DONE


def _completion(given: argparse.Namespace, limits: Limits) -> int:
    import shtab

    print(shtab.complete(_parser(), given.shell))
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
