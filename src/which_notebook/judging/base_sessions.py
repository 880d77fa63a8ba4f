"""A base session: by what it is known, and what its records name.

A call without a key, such as one that a service makes for the session, is known by the role and the time at which the session
began.
"""

from __future__ import annotations

from msgspec import Struct

from .evidence.named import Named

OF_A_CALL = ("status", "session_name", "role_arn", "access_key_id", "role_id", "session_start")
"""Columns by which a base session's call is known, see `session_id`."""

_EVENTS_NAMED = 3
# A session that names more is nobody's in any case.
_PIECES_AT_MOST = 50


class Told(Struct):
    """That some events of a session, by a kind of evidence, name something; the first of them; and more on how, in words."""

    kind: str
    named: Named
    events: int
    event_ids: tuple[str, ...]
    how: str | None = None


class BaseSession(Struct):
    """What the records of one base session name, by kind of evidence: in how many events, and in which ones first.

    There may be very many sessions, most of them with one piece of evidence or none. `stopped`: when it first stopped which
    notebook instance. `is_unsure`: it may have had evidence for which there was no room.
    """

    start: tuple[str, str] | None = None
    pieces: tuple[Told, ...] = ()
    opened_by: str | None = None
    last_seen: str = ""
    stopped: dict[Named, str] | None = None
    is_unsure: bool = False

    def add(self, kind: str, named: Named, events: int, event_ids: tuple[str, ...], how: str | None = None) -> None:
        """Take in that some more events name something."""
        for piece in self.pieces:
            if piece.kind == kind and piece.named == named:
                piece.events += events
                piece.event_ids = (*piece.event_ids, *event_ids)[:_EVENTS_NAMED]
                return
        if len(self.pieces) < _PIECES_AT_MOST:
            self.pieces = (*self.pieces, Told(kind, named, events, event_ids[:_EVENTS_NAMED], how))

    def stops(self, named: Named, time: str) -> None:
        """Take in that the session stopped a notebook instance."""
        stopped = self.stopped = self.stopped or {}
        if len(stopped) < _PIECES_AT_MOST:
            stopped.setdefault(named, time)

    @property
    def spellings(self) -> dict[str, set[str]]:
        """How its own evidence spells names, by their small letters."""
        spellings: dict[str, set[str]] = {}
        for piece in self.pieces:
            if piece.named.is_notebook and piece.named.is_spelled:
                spellings.setdefault(piece.named.text.lower(), set()).add(piece.named.text)
        return spellings


def session_id(
    status: str | None,
    session_name: str | None,
    role_arn: str | None,
    access_key_id: str | None,
    role_id: str | None,
    session_start: str | None,
) -> str | None:
    """Return by what a base session is known: its access key, or else its role and start."""
    return access_key_id or " ".join(start_of(role_id, role_arn, session_start) or ()) or None


def start_of(role_id: str | None, role_arn: str | None, session_start: str | None) -> tuple[str, str] | None:
    """Return by what a session is known that has no access key."""
    role = role_id or role_arn
    return (role, session_start) if role and session_start else None


def is_start(session: str) -> bool:
    """Return whether a session is known by its start."""
    return " " in session
