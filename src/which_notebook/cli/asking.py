"""A question as the command line puts it: to which logs, and what becomes of it."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from typing import Any

from msgspec.structs import replace

from ..answers.safe_text import printable
from ..calls.filter import Question
from ..calls.search import Wanted
from ..calls.table import CallTable
from ..judging.attribution import Judge, read_inventory
from ..judging.chains import find_chains, wanted_for_chains
from ..judging.role_calls import RoleCalls
from ..judging.warnings import Signs
from ..reading.cache import cache_path
from ..reading.mentioned_roles import nearest_roles
from ..reading.progress import shown_progress
from ..reading.reader import Reading
from ..records.cloudtrail import Call
from ..sources.registry import Sources
from ..times import earlier, parse_time
from .arguments import UsageError

DONE, NOT_ALL_READ, WRONG_USAGE, UNATTRIBUTED, NO_SUCH_ROLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""The exit statuses."""

_FILES_NAMED = 3
_DAMAGED = "damaged JSON, or none at all"
_IDS_NAMED = 5


class Asked:
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
        self.question = question_of(given)
        self.role_calls = RoleCalls(self.judge, self.question)
        self.sources = Sources(given.sources, self.question, reading, again=given.follow)
        self._follow = given.follow
        self._fail_on = given.fail_on
        self._unattributed = 0
        self._of_unknown_roles: Counter[str] = Counter()
        if inventory:
            self.reading.role_arns.update(inventory.role_arns)

    def tables(self, signs: Signs | None = None) -> Iterator[CallTable]:
        """Yield the judged calls that are asked for, the oldest first; `signs` sees all within the time asked for, and concludes at the end."""
        wanted = Wanted(role_names=(self.judge.role_name,), role_ids=self.judge.role_ids)
        judge: Callable[[CallTable], None] = self.judge.judge
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
            judge(read)
            self.role_calls.see(read)
            table = read.selected(within.fitting(read))
            if signs:
                signs.see(table)
            self._count_unknown_roles(table)
            table = read.selected(read["status"])  # others are there for opening one of the role's sessions
            fitting = table.selected(of_any_notebook.fitting(table))
            self._unattributed += fitting["status"].count("unattributed")
            yield self.role_calls.asked_for(table)
        if signs:
            signs.conclude()

    def _count_unknown_roles(self, table: CallTable) -> None:
        of_roles = (row for row in table.rows(("role_arn", "role_id", "status")) if row[0] is row[2] is None)
        self._of_unknown_roles.update(role_id for _, role_id, _ in of_roles if role_id)

    def _note_unknown_roles(self) -> None:
        """Say which calls may be the role's and aren't counted: their records have a unique id that isn't known."""
        if self._of_unknown_roles and not any(map(self.judge.is_role, self.reading.role_arns.values())):
            named = ", ".join(
                f"{role_id} ({count:,})" for role_id, count in self._of_unknown_roles.most_common(_IDS_NAMED)
            )
            more = ", …" if len(self._of_unknown_roles) > _IDS_NAMED else ""
            self.reading.note(
                f"not counted: calls whose records have no ARN, only a role's unique id: {named}{more}. To tell whether it is "
                f"{self.judge.role_name}'s, add logs of the role's own account, or an --inventory with role_unique_id"
            )

    def calls(self) -> Iterator[Call]:
        """Yield the same, call by call."""
        for table in self.tables():
            yield from table.calls()

    @cached_property
    def why_empty(self) -> list[str]:
        """Why there is no call in the answer, in sentences; nothing where there is one, or before all of it was read."""
        calls, reading = self.role_calls, self.reading
        if calls.answered:
            return []
        if calls.count:
            return list(calls.why_empty())
        if not reading.files and reading.skipped:
            return ["Nothing could be read, so nothing is known of this role"]
        read = f"{reading.files:,} file{'' if reading.files == 1 else 's'} ({reading.size:,} bytes)"
        what = "what could be read of" if reading.skipped else "what was read:"
        said = [f"No call of the role {self.judge.role} is in {what} {read}"]
        if same_name := calls.same_name():
            return [*said, same_name]
        if reading.files and (nearest := nearest_roles(self.judge.role_name, self.sources.files())):
            said.append(
                f"{self.judge.role_name} is named there, but in no record of a call by it that counts"
                if nearest == [self.judge.role_name]
                else f"Roles that are named there: {', '.join(nearest)}"
            )
        return said

    def remarks(self) -> dict[str, Any]:
        """Return what an answer in JSON says of itself."""
        return {
            "left_out": self.reading.coverage.left_out_plain(),
            "missing": list(self.missing()),
            "why_empty": self.why_empty,
        }

    def missing(self) -> Iterator[str]:
        """Yield, in sentences, what the logs that were read can't show."""
        yield from self.reading.coverage.gaps(self.question)
        yield from self.role_calls.gaps()

    def status(self) -> int:
        """Say what couldn't be read, and why the answer is empty; return the exit status."""
        self._note_unknown_roles()
        if of_another_path := self.role_calls.of_another_path():
            self.reading.note(of_another_path)
        status = status_of(self.reading)
        for text in self.why_empty:
            say(text)
        if self._fail_on and self._unattributed:
            say(f"{self._unattributed:,} unattributed calls (--fail-on unattributed)")
            return UNATTRIBUTED
        if not self.role_calls.count and status == DONE:
            return NO_SUCH_ROLE
        return status


@contextmanager
def asking(given: argparse.Namespace) -> Iterator[Asked]:
    """Ask what the arguments say. Raises UsageError and what reading the arguments' files raises."""
    with reading_as_asked(given) as reading:
        asked = Asked(given, reading)
        with asked.sources:
            yield asked


@contextmanager
def reading_as_asked(given: argparse.Namespace) -> Iterator[Reading]:
    """Read as the arguments say, and show on a terminal how far it is, unless rows are shown there meanwhile."""
    shown = sys.stderr.isatty() and (given.output is not None or not sys.stdout.isatty() or given.command != "calls")
    with shown_progress(shown) as progress:
        yield Reading(
            jobs=given.jobs,
            cut=not given.parse_all,
            cache=None if given.no_cache or given.parse_all else cache_path(),
            progress=progress,
        )


def question_of(given: argparse.Namespace) -> Question:
    """Return the question that the arguments ask. Raises TimeError, or UsageError where nothing could fit it."""
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
        delivered_within_days=given.delivered_within,
    )
    if question.since and question.until and question.since > question.until:
        raise UsageError(f"--since {given.since} is after --until {given.until}")
    return question


def status_of(reading: Reading) -> int:
    """Say what couldn't be read; return the exit status."""
    for note in reading.notes:
        say(note)
    for (ending, reason), files in sorted(reading.coverage.left_out.items()):
        say(f"left out {files:,} file{'' if files == 1 else 's'} ({ending}): {reason}")
    of_kinds: dict[str, dict[str, str]] = {}
    for file, reason in reading.skipped:
        of_kinds.setdefault(_kind(reason), {}).setdefault(file, reason)
    for kind, files_of_kind in of_kinds.items():
        named = list(islice(files_of_kind.items(), _FILES_NAMED))
        if len(files_of_kind) == 1:
            say(f"could not read {named[0][0]}: {named[0][1]}")
        else:
            more = len(files_of_kind) - len(named)
            names = ", ".join(file for file, _ in named) + (f" and {more:,} more" if more else "")
            say(f"could not read {len(files_of_kind):,} files ({names}): {kind}")
    if len(reading.skipped) > len(of_kinds):
        say("summary --format json has each of them, with its own reason")
    return NOT_ALL_READ if reading.skipped else DONE


def _kind(reason: str) -> str:
    """Return a reason without what is one file's alone: the place, the record, the names of keys."""
    if reason.startswith(("damaged JSON", "and ")) and not reason.endswith("unread"):
        return _DAMAGED
    return re.sub(r"^record [^:]*: |( but an object) with .*", r"\1", re.sub("[0-9][0-9,]*", "…", reason))


def say(text: str) -> None:
    """Tell the person at the command line something."""
    print(f"which-notebook: {printable(text)}", file=sys.stderr)
