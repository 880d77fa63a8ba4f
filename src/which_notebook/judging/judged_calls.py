"""The calls of an answer: read, judged and filtered; and the notes that go with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from ..calls.filter import Filter
from ..calls.resource_patterns import literal_parts
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from ..times import earlier
from ..words import counted
from .attribution import Judge
from .chains import find_chains, search_for_chains
from .role_calls import RoleCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .evidence.address import AddressOf
    from .likely_sessions import LikelySessions
    from .warnings import Warnings

_IDS_NAMED = 5
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
_SWITCH_ON = (
    "None of this role's calls is a data event, and only these tell who read or wrote an object, an item or a message. A "
    "trail records them from when it is told to, for S3 with: aws cloudtrail put-event-selectors --trail-name TRAIL "
    """--advanced-event-selectors '[{"Name":"S3","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},"""
    """{"Field":"resources.type","Equals":["AWS::S3::Object"]}]}]' (this replaces the trail's selectors: keep those it has)"""
)


class JudgedCalls:
    """A role's calls that fit a filter; `follow`: also those in other roles' sessions that a notebook's session opened.

    `likely`: with what evidence says of the unattributed ones, such as `addresses` of the account's notebook instances.
    Once all were taken, `coverage` says what was read; `unattributed`, how many calls of the base session fit the filter,
    whatever it says of notebooks and statuses; `why_empty`, in sentences, why there is no call, if there is none.
    """

    def __init__(
        self,
        reader: Reader,
        judge: Judge,
        filter: Filter,
        *,
        follow: bool = False,
        likely: bool = False,
        addresses: Iterable[AddressOf] = (),
        with_resources: bool = True,
    ) -> None:
        self.judge = judge
        self.filter = filter
        self.coverage = Coverage()
        self.role_calls = RoleCalls(judge, filter)
        self.unattributed = 0
        self.why_empty: list[str] = []
        self._reader = reader
        self._follow = follow
        self._looks_for_evidence, self._addresses = likely, addresses
        # Only the calls that are asked for are shown with theirs.
        self._with_resources = literal_parts(filter.resources) or with_resources or bool(filter.resources)
        self._of_unknown_roles: Counter[str] = Counter()

    def tables(self, warnings: Warnings | None = None) -> Iterator[CallTable]:
        """Yield them in tables, the oldest first; `warnings` sees all of the role's calls within the time asked for, and concludes at the end."""
        scope = self.filter.scope
        # That reading asks for the most time, and a source may keep a copy of the first.
        likely = self._likely(scope) if self._looks_for_evidence else None
        search, judge = self._search_and_judge(scope)
        within = Filter(scope=Scope(since=scope.since, until=scope.until))
        of_any_notebook = replace(self.filter, notebooks=(), statuses=())
        search = replace(search, with_resources=self._with_resources)
        for read in self._reader.tables(search, scope, self.coverage):
            judge(read)
            if likely:
                likely.mark(read)
            self.role_calls.see(read)
            table = read.selected(within.fitting(read))
            if warnings:
                warnings.see(table)
            self._count_unknown_roles(table)
            table = read.selected(read["status"])  # others are there for opening one of the role's sessions
            fitting = table.selected(of_any_notebook.fitting(table))
            self.unattributed += fitting["status"].count("unattributed")
            yield self.role_calls.asked_for(table)
        if warnings:
            warnings.conclude()
        self.why_empty = self._why_empty()

    def _search_and_judge(self, scope: Scope) -> tuple[Search, Callable[[CallTable], None]]:
        if not self._follow:
            return self.judge.search, self.judge.judge
        # A session may have been opened before, in another region or account.
        before = scope.anywhere(scope.since and earlier(scope.since), scope.until)
        covered = Coverage()
        chains = find_chains(self._reader.tables(search_for_chains(self.judge), before, covered), self.judge)
        self.coverage.add(covered, aside=True)
        return chains.search(self.judge), partial(chains.judge, judge=self.judge)

    def _likely(self, scope: Scope) -> LikelySessions:
        """Read for evidence, which may stand before and after the calls that are asked for, and in another region."""
        from .likely import Evidence, find_evidence

        evidence = Evidence(self.judge, self._reader.options.limits, self._addresses)
        sessions, covered = find_evidence(evidence, self.judge, self._reader, scope)
        self.coverage.add(covered, aside=True)
        return sessions

    def _count_unknown_roles(self, table: CallTable) -> None:
        of_roles = (row for row in table.rows(("role_arn", "role_id", "status")) if row[0] is row[2] is None)
        self._of_unknown_roles.update(role_id for _, role_id, _ in of_roles if role_id)

    def notes(self) -> Iterator[str]:
        """Yield, in sentences, what the reader of the answer should know."""
        yield from self.coverage.notes
        if self._of_unknown_roles and not any(map(self.judge.is_role, self._reader.role_arns.values())):
            named = ", ".join(
                f"{role_id} ({count:,})" for role_id, count in self._of_unknown_roles.most_common(_IDS_NAMED)
            )
            more = ", …" if len(self._of_unknown_roles) > _IDS_NAMED else ""
            yield (
                f"not counted: calls whose records have no ARN, only a role's unique id: {named}{more}. To tell whether it is "
                f"{self.judge.role}'s, add logs of the role's own account, or an --inventory with role_unique_id"
            )
        yield from filter(None, (self.role_calls.of_another_path(), self.role_calls.without_calls()))

    def remarks(self) -> Iterator[str]:
        """Yield all that an answer says besides its calls: the notes, what is missing, and why it is empty."""
        yield from self.notes()
        yield from self.missing()
        yield from self.why_empty

    def missing(self) -> Iterator[str]:
        """Yield, in sentences, what the logs that were read can't show."""
        yield from self.coverage.gaps(self.filter.scope)
        yield from self.role_calls.gaps()

    def _why_empty(self) -> list[str]:
        if self.role_calls.answered:
            return []
        if not self.role_calls.count:
            return self._why_no_call()
        sentences = list(self.role_calls.why_empty())
        if self.filter.resources and not self.role_calls.has_data_events:
            sentences.append(_SWITCH_ON)
        return sentences

    def _why_no_call(self) -> list[str]:
        coverage = self.coverage
        if not coverage.size:
            could = "could be" if coverage.skipped else "was"
            return [f"Nothing {could} read{self._of_scope()}, so nothing is known of this role"]
        read = (
            f"{counted(coverage.files, 'file')} ({coverage.size:,} bytes)"
            if coverage.files
            else f"{coverage.size:,} bytes"
        )
        what = "what could be read of" if coverage.skipped else "what was read:"
        sentence = f"No call of the role {self.judge.role} is in {what} {read}"
        name, *_ = self.judge.role_names
        more = self.role_calls.same_name() or self._reader.roles_named_there(self.filter.scope, name)
        return [sentence, more] if more else [sentence]

    def _of_scope(self) -> str:
        scope = self.filter.scope
        values = {
            "--since": scope.since,
            "--until": scope.until,
            "--region": scope.regions,
            "--account": scope.accounts,
        }
        options = ", ".join(option for option, value in values.items() if value)
        return f" with {options}" if options else ""
