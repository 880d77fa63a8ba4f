"""Conditions of a WHERE clause. A value is always a parameter; only names of columns stand in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from ..source import SourceError

_NAME = re.compile(r"[\w$.-]{1,255}", re.ASCII)
_LIKE_MARKS = re.compile(r"([\\%_])")


class Condition(Struct, frozen=True):
    """SQL with a question mark for each of its parameters."""

    text: str
    parameters: tuple[str, ...] = ()

    @property
    def with_values(self) -> str:
        """The text with the parameters in their places."""
        values = iter(self.parameters)
        return re.sub(r"\?", lambda mark: literal(next(values)), self.text)


def quoted(*path: str) -> str:
    """Return a name as SQL has it, or the way to a struct's field. Raises SourceError where it holds other letters than names do."""
    for each in path:
        if not _NAME.fullmatch(each):
            raise SourceError(f"{each!r} is no name of a table or column: letters, digits, _, -, . and $ are taken")
    return ".".join(f'"{each}"' for each in path)


def literal(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def is_one_of(column: str, values: Iterable[str]) -> Condition:
    """Return the condition that a column has one of these values."""
    parameters = tuple(values)
    return Condition(f"{column} IN ({', '.join('?' * len(parameters))})", parameters)


def holds(column: str, text: str) -> Condition:
    """Return the condition that a text stands somewhere in a column."""
    return Condition(f"strpos({column}, ?) > 0", (text,))


def like(column: str, *parts: str) -> Condition:
    """Return the condition that a column is like a pattern: `parts` with any text between them; see `pattern`."""
    return Condition(f"{column} LIKE ? ESCAPE '\\'", ("%".join(parts),))


def pattern(text: str, *, wildcards: bool = False) -> str:
    """Return a text as a part of `like`'s; with `wildcards`, `*` and `?` stand for any text and any letter."""
    escaped = _LIKE_MARKS.sub(r"\\\1", text)
    return escaped.replace("*", "%").replace("?", "_") if wildcards else escaped


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of these is met. There must be one."""
    return _joined(" OR ", list(conditions))


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all of these are met. There must be one."""
    return _joined(" AND ", list(conditions))


def _joined(word: str, conditions: list[Condition]) -> Condition:
    if len(conditions) == 1:
        return conditions[0]
    text = word.join(f"({each.text})" for each in conditions)
    return Condition(text, tuple(value for each in conditions for value in each.parameters))
