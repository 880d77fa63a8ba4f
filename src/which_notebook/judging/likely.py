"""--likely: which notebook instance a base session's calls most likely came from, as far as other records tell.

An access key id belongs to one session, and a base session to one notebook instance, job or app. So what one of its calls
names holds for all of them, before and after. Where all evidence names one notebook instance, the session is likely that
one's; where it doesn't, that is disputed. It stays unattributed all the same, since none of this is proof.

A call without an access key is matched by its session's start. Several notebook instances can start at once. So it gets a
name only if all sessions of that start have the same name. What such a call shows counts for other calls without a key only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ..calls.call import BASE_SESSION
from ..calls.clues import Likely
from ..calls.networks import is_of_private_network
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..limits import Limits
from ..reading.reader import Reader
from ..sources.coverage import Coverage
from ..times import earlier, later
from .attribution import Judge
from .base_sessions import OF_A_CALL, BaseSession, is_start, session_id, start_of
from .evidence import names_itself
from .evidence.address import Addresses, AddressOf, AtAddress, seconds
from .evidence.kinds import KINDS, PLACE_OF
from .evidence.named import Named
from .evidence.time_spans import NEXT_WITHIN
from .likely_sessions import LikelySessions

# The service that opens base sessions, by CloudTrail's own word: anybody can have a name that looks like it.
_SAGEMAKER = "sagemaker.amazonaws.com"


def search_for_evidence(judge: Judge) -> Search:
    """Return what to read for before the calls: the role's calls with their clues, and network interfaces."""
    return replace(judge.search, with_clues=True)


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
    sessions = evidence.conclude(explained=explained)
    for note in evidence.notes():
        covered.note(note)
    return sessions, covered


class Evidence:
    """Collects evidence on base sessions from the role's calls, the oldest first; `conclude` says what it comes to.

    Above the `limits`, new sessions get no name, nor do those that use private addresses from then on, and no address names
    a session alone: what speaks against a name may not be remembered.
    """

    def __init__(self, judge: Judge, limits: Limits, known: Iterable[AddressOf] = ()) -> None:
        self._judge = judge
        self._limits = limits
        self._sessions: dict[str, BaseSession] = {}
        self._opened: dict[str, str] = {}
        self._addresses = Addresses(known, limits)
        self._of_inventory: defaultdict[str, set[str]] = defaultdict(set)
        for name in judge.names:
            self._of_inventory[name.lower()].add(name)
        self._without_start: set[str] = set()
        self._full_at: str | None = None

    def see(self, table: CallTable) -> None:
        """Take in calls that are not older than those before."""
        self._judge.judge(table)
        sessions = [
            session_id(*row) if row[0] is not None and row[1] == BASE_SESSION else None for row in table.rows(OF_A_CALL)
        ]
        self._see_openings(table)
        self._see_sessions(table, sessions)
        self._see_clues(table, sessions)
        self._see_addresses(table, sessions)

    def conclude(self, *, explained: bool = False) -> LikelySessions:
        """Return what all that was seen comes to, which is then forgotten; `explained`: with all pieces, which take memory."""
        by_records = {session: self._likely(session, base_session) for session, base_session in self._sessions.items()}
        self._conclude_addresses(by_records)
        self._conclude_starts(by_records)
        known = {
            session: likely
            for session, likely in by_records.items()
            if likely and not self._sessions[session].is_unsure
        }
        sessions, self._sessions = self._sessions, {}
        return LikelySessions(known, sessions if explained else {}, self._thing)

    def notes(self) -> Iterator[str]:
        """Yield, in sentences, what there was no room for."""
        remedy = "ask for less at once, with --since and --until"
        if self._full_at:
            yield (
                f"--likely: there are more than {self._limits.evidence_sessions:,} base sessions, or sessions called {BASE_SESSION} that somebody "
                f"else opened. Nothing is said of those whose first call came at {self._full_at} or later: {remedy}"
            )
        if self._full_since is not None:
            yield (
                "--likely: there are more base sessions or uses of private addresses than are remembered. So no address names a session by "
                "itself, and nothing is said of sessions that used a private address after that or within the hour before: "
                f"{remedy}"
            )

    @property
    def _full_since(self) -> int | None:
        """Since when something wasn't taken in that addresses could tell."""
        of_sessions = seconds(self._full_at) if self._full_at else None
        return min((at for at in (of_sessions, self._addresses.full_at) if at is not None), default=None)

    def _conclude_addresses(self, by_records: dict[str, Likely | None]) -> None:
        """Add what addresses tell, from which sessions that other evidence names count, too."""
        full_since = self._full_since
        if full_since is not None:
            # A use an hour later could have been of the same span.
            for session in self._addresses.users_since(full_since - NEXT_WITHIN):
                self._sessions[session].is_unsure = True
        name_of = {session: likely.notebook for session, likely in by_records.items() if likely and likely.notebook}
        doubtful = []
        for at in self._addresses.evidence(name_of):
            if at.is_doubtful:
                doubtful.append(at)
            elif full_since is None or by_records[at.session]:
                self._add_address(at, by_records)
        for at in doubtful:
            if (named := by_records[at.session]) and at.notebook not in named.notebooks:
                self._add_address(at, by_records)

    def _add_address(self, at: AtAddress, by_records: dict[str, Likely | None]) -> None:
        session = self._sessions[at.session]
        session.add("address", Named(at.notebook), at.use.calls, (at.use.first_event,), at.how)
        by_records[at.session] = self._likely(at.session, session)

    def _conclude_starts(self, by_records: dict[str, Likely | None]) -> None:
        """Add to sessions that are known by their start alone what names all that began then: nothing, if one of these has no name."""
        keyless = {base_session.start: session for session, base_session in self._sessions.items() if is_start(session)}
        if self._full_at:
            self._without_start |= {role for role, _ in filter(None, keyless)}
        for start, session in keyless.items():
            if start is None or start[0] in self._without_start:
                self._sessions[session].is_unsure = True
        for session, base_session in self._sessions.items():
            if is_start(session) or not (same := keyless.get(base_session.start)):
                continue
            with_start = self._sessions[same]
            with_start.opened_by = with_start.opened_by or base_session.opened_by
            with_start.is_unsure |= base_session.is_unsure or by_records[session] is None
            for piece in base_session.pieces:
                with_start.add(piece.kind, piece.named, piece.events, piece.event_ids, piece.how)
            with_start.stopped = {**(with_start.stopped or {}), **(base_session.stopped or {})} or None
            with_start.last_seen = max(with_start.last_seen, base_session.last_seen)
        for session in keyless.values():
            by_records[session] = self._likely(session, self._sessions[session])

    def _see_openings(self, table: CallTable) -> None:
        """Remember which sessions somebody else than SageMaker opened."""
        for row, opening in table.openings.items():
            if opening.session_name != BASE_SESSION or not self._judge.is_role(opening.role_arn):
                continue
            if not opening.access_key_id or opening.service == _SAGEMAKER:
                continue
            opener = opening.principal or "somebody"
            if base_session := self._sessions.get(opening.access_key_id):
                base_session.opened_by = opener
            elif len(self._opened) < self._limits.evidence_sessions:
                self._opened[opening.access_key_id] = opener
            else:
                self._full_at = min(self._full_at or table["event_time"][row], table["event_time"][row])

    def _see_sessions(self, table: CallTable, sessions: list[str | None]) -> None:
        times = table["event_time"]
        last = dict(zip(sessions, times, strict=True))
        first = dict(zip(reversed(sessions), reversed(times), strict=True))
        rows = zip(sessions, table.rows(("role_id", "role_arn", "session_start")), strict=True)
        for session, (role_id, role_arn, started) in dict.fromkeys(rows):
            if session and (base_session := self._session(session, first[session])):
                base_session.start, base_session.last_seen = (
                    base_session.start or start_of(role_id, role_arn, started),
                    last[session],
                )
                if role := base_session.start is None and (role_id or role_arn):
                    self._without_start.add(role)

    def _session(self, session: str, time: str) -> BaseSession | None:
        """Return what is known of a session that calls; None where there is no room for it."""
        known = self._sessions.get(session)
        if known is None:
            if self._full_at and time >= self._full_at:
                return None
            if len(self._sessions) >= self._limits.evidence_sessions:
                self._full_at = time
                return None
            known = self._sessions[session] = BaseSession(opened_by=self._opened.pop(session, None))
        return known

    def _see_clues(self, table: CallTable, sessions: list[str | None]) -> None:
        for row in sorted(table.openings.keys() | table.clues.keys()):
            event_id, time = table["event_id"][row], table["event_time"][row]
            if session := self._sessions.get(sessions[row] or ""):
                for kind in KINDS:
                    for named in kind.named(table, row) if kind.named else ():
                        session.add(kind.name, named, 1, (event_id,))
                        if names_itself.stops(table, row):
                            session.stops(named, time)
            clues = table.clues.get(row)
            if clues and clues.interface:
                account, region = table["account_id"][row], table["aws_region"][row]
                self._addresses.see_interface(clues.interface, account or "", region, time)

    def _see_addresses(self, table: CallTable, sessions: list[str | None]) -> None:
        private = set(filter(is_of_private_network, set(table["source_ip_address"])))
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
            if (
                address not in private
                or not (who := session or notebook)
                or (session and session not in self._sessions)
            ):
                continue
            place = (role_arn.split(":")[4], region, endpoint, address)
            if not self._addresses.see(place, who, is_name=session is None, time=time, event_id=event_id) and session:
                self._sessions[session].is_unsure = True

    def _likely(self, session: str, base_session: BaseSession) -> Likely | None:
        counts: Counter[tuple[str, str, bool]] = Counter()
        for piece in base_session.pieces:
            counts[piece.kind, *self._thing(base_session, piece.named)] += piece.events
        named_by = sorted(counts, key=lambda each: (PLACE_OF[each[0]], *each))
        notebooks = sorted({text for _, text, is_notebook in named_by if is_notebook})
        others = sorted({text for _, text, is_notebook in named_by if not is_notebook})
        if base_session.opened_by:
            others.append(f"a session that {base_session.opened_by} opened")
        for named, time in (base_session.stopped or {}).items():
            if names_itself.goes_on(time, base_session.last_seen):
                others.append(f"a session that stopped {self._thing(base_session, named)[0]} and went on calling")
        if not notebooks and not others:
            return None
        evidence = tuple((kind, text, counts[kind, text, is_it]) for kind, text, is_it in named_by)
        return Likely(session, tuple(notebooks), tuple(others), evidence)

    def _thing(self, base_session: BaseSession, named: Named) -> tuple[str, bool]:
        """Return what a session's evidence names, and whether it is a notebook instance that is known.

        How a name is spelled tell the inventory and the session's own evidence: another session's may be made up.
        """
        if not named.is_notebook:
            return named.text, False
        name = named.text
        if not named.is_spelled:
            spellings = self._of_inventory.get(name, set()) | base_session.spellings.get(name, set())
            if len(spellings) == 1:
                (name,) = spellings
        return (name, True) if self._judge.is_known(name) else (f"the unknown name {name}", False)
