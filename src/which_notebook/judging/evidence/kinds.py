"""The kinds of evidence, one row each: what it is, how a user can have made it, and what finds it in a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from ...calls.table import CallTable
from . import handshake, in_scope_of, log_stream, names_itself
from .named import Named


class Kind(Struct, frozen=True):
    """One kind of evidence: its name; what it is; the sentence of `event` on a session, with what it names; how somebody could have made it so.

    `named` finds it in a row; where that is None, it takes many rows to find it.
    """

    name: str
    meaning: str
    sentence: str
    forged: str
    named: Callable[[CallTable, int], Iterator[Named]] | None = None


KINDS = (
    Kind(
        "handshake",
        "the base session opened the notebook session of that name",
        "it opened the notebook session {name}",
        "in profile mode, the user can open a session under a colleague's name",
        handshake.named,
    ),
    Kind(
        "in-scope-of",
        "the record's `inScopeOf`, which AWS writes, says for what the credentials were issued. Not seen for SageMaker so far",
        "AWS wrote that its credentials were issued to {name}",
        "no way is known",
        in_scope_of.named,
    ),
    Kind(
        "log-stream",
        "the base session created a log stream of that notebook instance, or of a job, an endpoint or Studio, or IAM refused it",
        "it created a log stream of {name}, or tried to",
        "the user can create, or try to create, a log stream under a colleague's name",
        log_stream.named,
    ),
    Kind(
        names_itself.KIND,
        "the base session described or stopped that notebook instance, or listed its tags",
        "it asked about {name}, or stopped it",
        "the user can describe or stop a colleague's notebook instance, or list its tags",
        names_itself.named,
    ),
    Kind(
        "address",
        "the base session called from a private address that was that notebook instance's at the time",
        "it called from a private address that was {name}'s at the time",
        "whoever sends calls through another notebook instance, or has its address, calls from there; and one made-up piece of "
        "evidence in a session names the sessions with other keys at its address, too",
    ),
)
"""In the order in which they are shown."""

KIND_OF = {kind.name: kind for kind in KINDS}
PLACE_OF = {kind.name: place for place, kind in enumerate(KINDS)}
"""Where each stands among them."""
