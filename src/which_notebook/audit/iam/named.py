"""The resources that policies name. Where a policy names one, a test with another name proves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .patterns import Value, as_literal, filled_in
from .policy import Policy, statements_of

_NAME = re.compile("[A-Za-z0-9-]{1,63}")
# In the place of wildcards: part of a name that nobody gives.
_FILLINGS = {"*": "0b9e", "?": "0"}


def names_in(policies: Iterable[Policy], context: Mapping[str, Value]) -> Iterator[str]:
    """Yield names of notebook instances that the resources of these policies fit, as far as they tell."""
    for statement in statements_of(policies):
        for pattern in statement.resources():
            filled = filled_in(pattern, context, statement.version)
            if filled is None or re.match(r"arn:[^:]*:(?!sagemaker:)[a-z0-9-]+:", filled):
                continue
            end = re.split("[/:]", filled)[-1]
            parts = re.split(r"(\[[\[*?]\]|[*?])", end)
            name = "".join(_FILLINGS.get(part) or as_literal(part) for part in parts)
            if _NAME.fullmatch(name):
                yield name
