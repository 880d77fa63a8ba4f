"""--likely: which notebook instance a base session's calls most likely came from, as far as other records tell.

An access key id belongs to one session, and a base session to one notebook instance, job or app. So what one of its calls
names holds for all of them, before and after. Where all evidence names one notebook instance, the session is likely that
one's; where it doesn't, that is disputed. It stays unattributed all the same, since none of this is proof.

A call without a key is known by when its session began. Notebook instances that start together may have the same time, so all
evidence on sessions of that time counts for it, and what such a call names counts for such calls only.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ..calls.call import BASE_SESSION
from ..calls.clues import Likely
from ..calls.networks import is_of_private_network
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..limits import LIMITS, Limits
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from ..times import earlier, later
from .attribution import Judge
from .base_sessions import OF_A_CALL, BaseSession, is_start, session_id, start_of
from .evidence import names_itself
from .evidence.address import Addresses, AddressOf
from .evidence.kinds import KINDS, PLACE_OF
from .evidence.named import Named
from .likely_sessions import LikelySessions

# The service that opens base sessions, by CloudTrail's own word: anybody can have a name that looks like it.
_SAGEMAKER = "sagemaker.amazonaws.com"


def search_for_evidence(judge: Judge) -> Search:
    """Return what to read for before the calls: the role's calls with their clues, and network interfaces."""
    return Search(role_names=judge.role_names, role_ids=judge.role_ids, with_clues=True)


def scope_of_evidence(scope: Scope, judge: Judge) -> Scope:
    """Return where evidence on the calls of a scope may stand: within a session's length of them, in any region.

    A base session's own calls are in the trail of the role's account, where that is known.
    """
    anywhere = scope.anywhere(scope.since and earlier(scope.since), scope.until and later(scope.until))
    return replace(anywhere, accounts=judge.accounts)


def find_evidence(
    evidence: Evidence, judge: Judge, reader: Reader, scope: Scope, *, explained: bool = False
) -> tuple[LikelySessions, Coverage]:
    """Read for evidence on the calls of a scope; return what it comes to (`explained`: see `conclude`), and what was read."""
    covered = Coverage()
    for table in reader.tables(search_for_evidence(judge), scope_of_evidence(scope, judge), covered):
        evidence.see(table)
    return evidence.conclude(explained=explained), covered


class Evidence:
    """Collects evidence on base sessions from the role's calls, the oldest first; `conclude` says what it comes to.

    Of more than `limits` allow, the oldest are forgotten.
    """

    def __init__(self, judge: Judge, known: Iterable[AddressOf] = (), limits: Limits = LIMITS) -> None:
        self._judge = judge
        self._limits = limits
        self._sessions: OrderedDict[str, BaseSession] = OrderedDict()
        self._addresses = Addresses(known, limits.evidence_addresses)
        self._spellings: defaultdict[str, set[str]] = defaultdict(set)
        self._forgotten = 0
        for name in judge.names:
            self._spellings[name.lower()].add(name)

    def see(self, table: CallTable) -> None:
        """Take in calls that are not older than those before."""
        self._judge.judge(table)
        sessions = [
            session_id(*row) if row[0] is not None and row[1] == BASE_SESSION else None for row in table.rows(OF_A_CALL)
        ]
        starts = table.rows(("role_id", "role_arn", "session_start"))
        last = dict(zip(sessions, table["event_time"], strict=True))
        for session, start in dict.fromkeys(zip(sessions, starts, strict=True)):
            if session:
                found = self._session(session)
                found.start, found.last_seen = found.start or start_of(*start), last[session]
        self._see_clues(table, sessions)
        self._see_addresses(table, sessions)

    def conclude(self, *, explained: bool = False) -> LikelySessions:
        """Return what all that was seen comes to, which is then forgotten; `explained`: with all pieces, which take memory."""
        for each in self._sessions.values():
            gone = {named for named, time in (each.stopped or {}).items() if names_itself.goes_on(time, each.last_seen)}
            if gone:
                each.pieces = tuple(
                    piece for piece in each.pieces if piece.kind != names_itself.KIND or piece.named not in gone
                )
        self._share_evidence_of_starts()
        by_records = {session: self._likely(session, found) for session, found in self._sessions.items()}
        name_of = {session: likely.notebook for session, likely in by_records.items() if likely and likely.notebook}
        for session, name, use in self._addresses.evidence(name_of):
            if found := self._sessions.get(session):
                found.add("address", Named(name), use.calls, (use.first_event,))
                by_records[session] = self._likely(session, found)
        known = {session: likely for session, likely in by_records.items() if likely}
        sessions, self._sessions = self._sessions, OrderedDict()
        return LikelySessions(known, sessions if explained else {}, self._thing)

    def notes(self) -> Iterator[str]:
        """Yield, in sentences, what was forgotten."""
        remedy = "ask for less at once, with --since and --until"
        if self._forgotten:
            yield f"--likely: nothing is said of the {self._forgotten:,} oldest base sessions: {remedy}"
        if forgotten := self._addresses.forgotten:
            yield f"--likely: {forgotten:,} uses of private addresses, the oldest, count for nothing: {remedy}"

    def _share_evidence_of_starts(self) -> None:
        """Give sessions that are known by their start alone what the records of all that began then name."""
        keyless = {found.start: found for session, found in self._sessions.items() if is_start(session)}
        for session, found in self._sessions.items():
            if not is_start(session) and (same := keyless.get(found.start)):
                same.opened_by = same.opened_by or found.opened_by
                for piece in found.pieces:
                    same.add(piece.kind, piece.named, piece.events, piece.event_ids)

    def _session(self, session: str) -> BaseSession:
        found = self._sessions.get(session)
        if found is None:
            found = self._sessions[session] = BaseSession()
            if len(self._sessions) > self._limits.evidence_sessions:
                self._sessions.popitem(last=False)
                self._forgotten += 1
        else:
            self._sessions.move_to_end(session)
        return found

    def _see_clues(self, table: CallTable, sessions: list[str | None]) -> None:
        for row in sorted(table.openings.keys() | table.clues.keys()):
            event_id = table["event_id"][row]
            if session := self._sessions.get(sessions[row] or ""):
                for kind in KINDS:
                    if kind.named and (named := kind.named(table, row)):
                        session.add(kind.name, named, 1, (event_id,))
                        self._spell(named)
                        if names_itself.stops(table, row):
                            session.stopped = {named: table["event_time"][row], **(session.stopped or {})}
            opening, clues = table.openings.get(row), table.clues.get(row)
            if opening and opening.session_name == BASE_SESSION and self._judge.is_role(opening.role_arn):
                if opening.access_key_id and opening.service != _SAGEMAKER:
                    self._session(opening.access_key_id).opened_by = opening.principal or "somebody"
            if clues and clues.interface:
                account, region, time = (table[name][row] for name in ("account_id", "aws_region", "event_time"))
                self._addresses.see_interface(clues.interface, account or "", region, time)

    def _see_addresses(self, table: CallTable, sessions: list[str | None]) -> None:
        addresses = table["source_ip_address"]
        private = set(filter(is_of_private_network, set(addresses)))
        for name in set(filter(None, table["notebook"])):
            self._spellings[name.lower()].add(name)
        if not private:
            return
        columns = (
            "role_arn",
            "notebook",
            "aws_region",
            "vpc_endpoint_id",
            "source_ip_address",
            "event_time",
            "event_id",
        )
        for session, row in zip(sessions, table.rows(columns), strict=True):
            role_arn, notebook, region, endpoint, address, time, event_id = row
            if address in private and (who := session or notebook):
                place = (role_arn.split(":")[4], region, endpoint, address)
                self._addresses.see(place, who, is_name=session is None, time=time, event_id=event_id)

    def _spell(self, named: Named) -> None:
        if named.is_notebook and named.is_spelled:
            self._spellings[named.text.lower()].add(named.text)

    def _likely(self, session: str, found: BaseSession) -> Likely | None:
        counts: Counter[tuple[str, str, bool]] = Counter()
        for piece in found.pieces:
            counts[piece.kind, *self._thing(piece.named)] += piece.events
        named_by = sorted(counts, key=lambda each: (PLACE_OF[each[0]], *each))
        notebooks = sorted({text for _, text, is_notebook in named_by if is_notebook})
        others = sorted({text for _, text, is_notebook in named_by if not is_notebook})
        if found.opened_by:
            others.append(f"a session that {found.opened_by} opened")
        if not notebooks and not others:
            return None
        evidence = tuple((kind, text, counts[kind, text, is_it]) for kind, text, is_it in named_by)
        return Likely(session, tuple(notebooks), tuple(others), evidence)

    def _thing(self, named: Named) -> tuple[str, bool]:
        """Return what is named, and whether it is a notebook instance that is known."""
        if not named.is_notebook:
            return named.text, False
        name = named.text
        if not named.is_spelled and len(spellings := self._spellings.get(name.lower(), set())) == 1:
            (name,) = spellings
        return (name, True) if self._judge.is_known(name) else (f"the unknown name {name}", False)
