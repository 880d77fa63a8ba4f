"""The patterns of IAM policies: wildcards, policy variables, ARNs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from .maybe import Maybe

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}
_ARN_PARTS = 6


class Other(Struct, frozen=True):
    """A value that isn't known, except that it isn't this one."""

    than: str


Value = str | Other | None
"""A condition key's value; None: the request has no such key."""


def matches(pattern: str, value: Value, *, ignore_case: bool = False) -> Maybe:
    """Return whether a pattern with `*` and `?`, in which no variable is left, matches a value."""
    if value is None:
        return False
    if isinstance(value, Other):
        return False if pattern == value.than and not re.search(r"[*?]", pattern) else None
    if not re.search(r"[\[*?]", pattern) and not ignore_case:
        return pattern == value
    return bool(re.fullmatch(_regex(pattern), value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)))


def matches_arn(pattern: str, value: Value) -> Maybe:
    """Return whether a pattern matches an ARN; None where it depends on whether a wildcard reaches over a colon."""
    whole = matches(pattern, value)
    if pattern == "*" or not whole or not isinstance(value, str):
        return whole
    patterns, parts = pattern.split(":", _ARN_PARTS - 1), value.split(":", _ARN_PARTS - 1)
    if len(patterns) == len(parts) and all(map(matches, patterns, parts)):
        return True
    return None


def filled_in(pattern: str, context: Mapping[str, Value], version: str) -> str | None:
    """Return the pattern with its variables' values as literal text; None where that can't be told.

    `context` holds what is known, by condition key in lower case. Wildcards that stand for themselves come back as `[*]`
    and `[?]`, which `matches` takes as such.
    """
    # [ is no wildcard in IAM: what stands there is escaped, so that the two forms can't be confused.
    escaped = pattern.replace("[", "[[]")
    if "${" not in escaped:
        return escaped
    if version != "2012-10-17":
        return None
    known = True

    def value(variable: re.Match[str]) -> str:
        nonlocal known
        name = variable[1].strip()
        replacement = _LITERAL.get(name, context.get(name.lower()))
        if not isinstance(replacement, str):
            known = False
            return ""
        return re.sub(r"[\[*?]", r"[\g<0>]", replacement)

    filled = _VARIABLE.sub(value, escaped)
    return filled if known and "${" not in _VARIABLE.sub("", escaped) else None


def as_literal(pattern: str) -> str:
    """Return what `filled_in` gave, for comparing it: every character stands for itself."""
    return re.sub(r"\[([\[*?])\]", r"\1", pattern)


def _regex(pattern: str) -> str:
    parts = re.split(r"(\[[\[*?]\]|[*?])", pattern)
    wild = {"*": ".*", "?": "."}
    return "".join(wild.get(part) or re.escape(as_literal(part)) for part in parts)
