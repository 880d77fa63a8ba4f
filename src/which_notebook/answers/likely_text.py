"""The evidence on a base session, in sentences and as JSON has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..judging.likely_sessions import ExplainedLikely, Piece
from ..words import counted

NO_PROOF = "The call stays unattributed: a user can make such evidence by hand, so it is no proof."
_NOTHING_AGAINST = "Nothing in these sources, from 12 hours before to 12 hours after."


def verdict(explained: ExplainedLikely) -> str:
    """Return in a sentence what the evidence comes to."""
    likely = explained.likely
    if explained.session is None:
        return "Nothing tells its session: the record has neither an access key id nor when the session began."
    if likely is None and explained.pieces:
        return (
            f"Nothing is said of the session {explained.session}, since some evidence against a name may be missing. Either too much "
            "was read to be remembered, or the call has no key, and another session may have begun at the same time."
        )
    if likely is None:
        return f"Nothing in these sources names what the session {explained.session} is of."
    if likely.notebook:
        return f"All evidence on its session, {likely.session}, names {likely.notebook}. So it likely was that notebook instance."
    if likely.notebooks:
        several = ", ".join((*likely.notebooks, *likely.others))
        return f"Evidence on its session, {likely.session}, disagrees, so it is disputed: {several}."
    return f"Its session, {likely.session}, is no notebook instance's: {', '.join(likely.others)}."


def why(explained: ExplainedLikely) -> list[str]:
    """Return in sentences the evidence for the notebook instance that it likely was; of a disputed one, all of it."""
    return list(map(_sentence, explained.pieces))


def against(explained: ExplainedLikely) -> list[str]:
    """Return in sentences what speaks against the notebook instance that is named, each named one where it is disputed."""
    return list(_against(explained))


def _against(explained: ExplainedLikely) -> Iterator[str]:
    likely = explained.likely
    if likely is None or not likely.notebooks:
        return
    if explained.opened_by:
        yield (
            f"{explained.opened_by} opened the session, and not SageMaker, which opens a notebook instance's: whatever it names "
            "may be that caller's choice."
        )
    for name in likely.notebooks:
        if others := [piece for piece in explained.pieces if piece.names != name]:
            yield f"Against {name}: " + "; ".join(f"{each.kind.name} names {each.names}" for each in others) + "."
    if likely.notebook and len(likely.kinds) == 1:
        yield "There is only one kind of evidence."
    if likely.notebook and "address" not in likely.kinds and explained.has_private_address:
        yield (
            "Nothing tells whose private address the call came from: a network interface that was made more than 12 hours before isn't "
            "looked for. --addresses has it."
        )


def by_hand(explained: ExplainedLikely) -> list[str]:
    """Return in sentences how somebody could have made the evidence so."""
    kinds = dict.fromkeys(piece.kind for piece in explained.pieces)
    return [f"{kind.name}: {kind.forged}." for kind in kinds]


def likely_lines(explained: ExplainedLikely) -> Iterator[str]:
    """Yield the lines of the explanation."""
    yield "Which notebook instance it likely was:"
    yield f"  {verdict(explained)}"
    yield from (f"    {sentence}" for sentence in why(explained))
    if explained.likely and explained.likely.notebooks:
        yield "  What speaks against this name:"
        yield from (f"    {sentence}" for sentence in against(explained) or [_NOTHING_AGAINST])
        yield "  How a user could have made it so:"
        yield from (f"    {sentence}" for sentence in by_hand(explained))
        yield f"  {NO_PROOF}"
    yield ""


def plain_likely(explained: ExplainedLikely) -> dict[str, Any]:
    """Return the evidence as it is put out as JSON."""
    likely = explained.likely
    return {
        "session": explained.session,
        "notebook": likely.notebook if likely else None,
        "notebooks": list(likely.notebooks) if likely else [],
        "others": list(likely.others) if likely else [],
        "evidence": [
            {
                "kind": piece.kind.name,
                "names": piece.names,
                "is_notebook": piece.is_notebook,
                "events": piece.events,
                "event_ids": piece.event_ids,
                "how": piece.how,
            }
            for piece in explained.pieces
        ],
        "opened_by": explained.opened_by,
        "verdict": verdict(explained),
        "against": against(explained),
        "by_hand": by_hand(explained),
    }


def _sentence(piece: Piece) -> str:
    more = ", …" if piece.events > len(piece.event_ids) else ""
    events = f"{counted(piece.events, 'event')}: {', '.join(piece.event_ids)}{more}"
    how = f": {piece.how}" if piece.how else ""
    return f"{piece.kind.name}: {piece.kind.sentence.format(name=piece.names)}{how} ({events})."
