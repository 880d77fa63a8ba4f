"""Adds up the evidence on each base session: it names one notebook, several (then it is disputed), or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from ..calls.call import BASE_SESSION, Call
from ..calls.clues import Likely
from ..calls.networks import is_of_private_network
from ..calls.table import CallTable
from .base_sessions import OF_A_CALL, BaseSession, session_id
from .evidence.kinds import KIND_OF, PLACE_OF, Kind
from .evidence.named import Named


class Piece(Struct, frozen=True):
    """One piece of evidence: its kind, what it names, whether that is a notebook instance, in how many events, the first of them, and more on how."""

    kind: Kind
    names: str
    is_notebook: bool
    events: int
    event_ids: list[str]
    how: str | None


class ExplainedLikely(Struct, frozen=True):
    """The evidence on one base session: by what it is known, what that comes to, the pieces, who else than SageMaker opened it; and whether the call came from a private address."""

    session: str | None
    likely: Likely | None
    pieces: list[Piece]
    opened_by: str | None
    has_private_address: bool = False


class LikelySessions:
    """What evidence on base sessions comes to, by session."""

    def __init__(
        self,
        likely: Mapping[str, Likely],
        sessions: Mapping[str, BaseSession],
        thing: Callable[[BaseSession, Named], tuple[str, bool]],
    ) -> None:
        self._likely, self._sessions, self._thing = likely, sessions, thing

    def mark(self, table: CallTable) -> None:
        """Set what is likely of each unattributed call."""
        table["likely"] = [
            self._likely.get(session_id(*row) or "") if row[0] == "unattributed" else None
            for row in table.rows(OF_A_CALL)
        ]

    def explained(self, call: Call) -> ExplainedLikely | None:
        """Return what the evidence on a base session's call is; None where the call isn't a base session's, or is a user profile's."""
        session = session_id(*(getattr(call, name) for name in OF_A_CALL))
        if call.session_name != BASE_SESSION or not call.status or call.user_profile:
            return None
        base_session = self._sessions.get(session or "", BaseSession())
        ordered = sorted(base_session.pieces, key=lambda each: (PLACE_OF[each.kind], each.named.text))
        pieces = [
            Piece(
                KIND_OF[each.kind], *self._thing(base_session, each.named), each.events, list(each.event_ids), each.how
            )
            for each in ordered
        ]
        is_private = is_of_private_network(call.source_ip_address)
        return ExplainedLikely(session, self._likely.get(session or ""), pieces, base_session.opened_by, is_private)
