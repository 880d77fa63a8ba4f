"""Three-valued logic: yes, no, unknown. The result is unknown unless the known parts decide it."""

from __future__ import annotations

from collections.abc import Iterable

Maybe = bool | None
"""True, False, or None: can't be told."""


def either(answers: Iterable[Maybe]) -> Maybe:
    """Return whether one of them is true."""
    result: Maybe = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result


def every(answers: Iterable[Maybe]) -> Maybe:
    """Return whether all of them are true."""
    return opposite(either(map(opposite, answers)))


def opposite(answer: Maybe) -> Maybe:
    """Return the contrary."""
    return None if answer is None else not answer
