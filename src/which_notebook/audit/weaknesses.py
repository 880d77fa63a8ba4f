"""What speaks against a role, whether notebook instances or Studio's apps use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .changes import Steps
from .findings import Effect, Finding
from .iam.maybe import Maybe


def other_principals(
    others: Mapping[str, Maybe], what: str, effect_of: Callable[[Maybe], Effect], change_of: Callable[[str], Steps]
) -> Iterator[Finding]:
    """Yield who else `what` holds for, such as that they can open a session; the steps are given who they are."""
    for is_sure, who in _by_certainty(others, sorted):
        problem = f"{perhaps(is_sure)}{who} can {what}"
        yield Finding("other-principals", effect_of(is_sure), problem, change_of(who))


def powers(
    code: str, answers: Mapping[str, Maybe], problem: str, effect_of: Callable[[Maybe], Effect], change: Steps
) -> Iterator[Finding]:
    """Yield that these actions are allowed; the problem has a `{}` for them."""
    for is_sure, these in _by_certainty(answers, list):
        yield Finding(code, effect_of(is_sure), f"{perhaps(is_sure)}{problem.format(these)}", change)


def perhaps(is_sure: Maybe) -> str:
    """Return the word before a problem that can't be told for sure."""
    return "" if is_sure else "perhaps "


def _by_certainty(
    answers: Mapping[str, Maybe], order: Callable[[Iterator[str]], list[str]]
) -> Iterator[tuple[Maybe, str]]:
    certainties: tuple[Maybe, ...] = (True, None)
    for is_sure in certainties:
        if names := ", ".join(order(each for each, answer in answers.items() if answer is is_sure)):
            yield is_sure, names
