"""Reads IAM policies, for the few questions that the audit asks.

It is no IAM: it knows the elements and operators that role policies are made of, and says of everything else that it can't
tell. Where it says yes or no, that is what IAM says:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Organizations' policies, VPC endpoints' policies and session policies are out of its sight.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from .maybe import Maybe, either, every, opposite
from .patterns import Value, as_literal, filled_in, matches, matches_arn

_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_OPERATORS = {
    "StringEquals": (False, "equals"),
    "StringNotEquals": (True, "equals"),
    "StringEqualsIgnoreCase": (False, "equals in any case"),
    "StringNotEqualsIgnoreCase": (True, "equals in any case"),
    "StringLike": (False, "like"),
    "StringNotLike": (True, "like"),
    # To IAM the two are one: both take wildcards.
    "ArnEquals": (False, "arn"),
    "ArnLike": (False, "arn"),
    "ArnNotEquals": (True, "arn"),
    "ArnNotLike": (True, "arn"),
}


class Request(Struct, frozen=True):
    """What is asked of IAM: an action on a resource, and what is known of the rest.

    `context` holds condition keys in lower case; one that isn't in it may have any value or none.
    """

    action: str
    resource: str
    context: Mapping[str, Value]


class Statement(Struct, frozen=True):
    """One statement of a policy, with the policy's version."""

    content: Mapping[str, Any]
    version: str

    @property
    def allows(self) -> bool:
        """Whether it allows; otherwise it denies."""
        return self.content.get("Effect") == "Allow"

    @property
    def sid(self) -> str:
        """Its Sid, or nothing."""
        return str(self.content.get("Sid") or "")

    def covers(self, request: Request, *, in_trust_policy: bool = False) -> Maybe:
        """Return whether action, resource and conditions fit, leaving the principal aside."""
        if set(self.content) - _ELEMENTS:
            return None

        # One after the other: the first that doesn't fit decides, and conditions can have thousands of values.
        def fits() -> Iterator[Maybe]:
            yield self._action(request)
            yield self._resource(request, in_trust_policy)
            yield self.conditions(request.context)

        return every(fits())

    def principals(self) -> list[tuple[str, str]] | None:
        """Return whom a trust statement speaks of, as (kind, who); None where that can't be told."""
        principal = self.content.get("Principal")
        if principal == "*":
            return [("AWS", "*")]
        if not isinstance(principal, Mapping) or "NotPrincipal" in self.content:
            return None
        named = [(str(kind), who) for kind, some in principal.items() for who in _texts(some)]
        return named if all(_are_texts(some) for some in principal.values()) else None

    def resources(self) -> list[str]:
        """Return the patterns of resources that it names, to speak of them or of all others."""
        named = [self.content.get(name, []) for name in ("Resource", "NotResource")]
        return [text for each in named if _are_texts(each) for text in _texts(each)]

    def conditions(self, context: Mapping[str, Value]) -> Maybe:
        """Return whether all conditions hold."""
        block = self.content.get("Condition", {})
        if not isinstance(block, Mapping):
            return None
        return every(
            self._condition(operator, str(key).lower(), values, context)
            for operator, keys in block.items()
            for key, values in (keys.items() if isinstance(keys, Mapping) else [("", None)])
        )

    def _action(self, request: Request) -> Maybe:
        fitting = {
            name: either(matches(pattern, request.action, ignore_case=True) for pattern in _texts(self.content[name]))
            if _are_texts(self.content[name])
            else None
            for name in ("Action", "NotAction")
            if name in self.content
        }
        if len(fitting) != 1:
            return None
        return fitting["Action"] if "Action" in fitting else opposite(fitting["NotAction"])

    def _resource(self, request: Request, in_trust_policy: bool) -> Maybe:
        names = [name for name in ("Resource", "NotResource") if name in self.content]
        if in_trust_policy:
            return None if names else True
        if len(names) != 1 or not _are_texts(self.content[names[0]]):
            return None
        filled = [filled_in(each, request.context, self.version) for each in _texts(self.content[names[0]])]
        fits = either(None if each is None else matches_arn(each, request.resource) for each in filled)
        return fits if names[0] == "Resource" else opposite(fits)

    def _condition(self, operator: str, key: str, values: Any, context: Mapping[str, Value]) -> Maybe:
        if key not in context or not _are_texts(values) or not values:
            return None
        value = context[key]
        if operator == "Null":
            search = {text.lower() for text in _texts(values)}
            return None if len(search) != 1 or search - {"true", "false"} else (value is None) == ("true" in search)
        name = operator.removesuffix("IfExists")
        if name not in _OPERATORS:
            return None
        if name != operator and value is None:
            return True
        negated, how = _OPERATORS[name]
        filled = [filled_in(text, context, self.version) for text in _texts(values)]
        # A variable without a value spoils its statement even where the key is absent; so this comes first.
        fits = either(None if pattern is None else _compare(how, pattern, value) for pattern in filled)
        return opposite(fits) if negated else fits


class Policy(Struct, frozen=True):
    """A policy's statements; `is_whole` is false where it holds something that can't be read."""

    statements: tuple[Statement, ...]
    is_whole: bool = True

    def denies(self, request: Request) -> Maybe:
        """Return whether a statement of this identity policy or boundary denies."""
        return either((*(each.covers(request) for each in self.statements if not each.allows), self._unread()))

    def allows(self, request: Request) -> Maybe:
        """Return whether a statement of this identity policy or boundary allows, leaving denials aside."""
        return either((*(each.covers(request) for each in self.statements if each.allows), self._unread()))

    def _unread(self) -> Maybe:
        return False if self.is_whole else None


def read_policy(document: Any) -> Policy:
    """Return a policy as IAM's API gives it: parsed, or as text, which may be URL-encoded."""
    try:
        if isinstance(document, str):
            document = json.loads(document if document.lstrip().startswith("{") else unquote(document))
    except ValueError:
        return Policy((), is_whole=False)
    if not isinstance(document, Mapping):
        return Policy((), is_whole=False)
    content = document.get("Statement", [])
    listed = content if isinstance(content, list) else [content]
    version = document.get("Version", "2008-10-17")
    sound = [
        each
        for each in listed
        if isinstance(each, Mapping) and isinstance(each.get("Effect"), str) and each["Effect"] in ("Allow", "Deny")
    ]
    return Policy(tuple(Statement(each, str(version)) for each in sound), is_whole=len(sound) == len(listed))


def statements_of(policies: Iterable[Policy]) -> Iterator[Statement]:
    """Yield the statements of several policies."""
    for policy in policies:
        yield from policy.statements


def _compare(how: str, pattern: str, value: Value) -> Maybe:
    if how == "like":
        return matches(pattern, value)
    if how == "arn":
        # A value that is no ARN never fits; IAM's own words on that are few.
        return matches_arn(pattern, value)
    if value is None:
        return False
    if not isinstance(value, str):
        return False if as_literal(pattern) == value.than else None
    if how == "equals":
        return as_literal(pattern) == value
    return as_literal(pattern).lower() == value.lower()


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [each for each in value if isinstance(each, str)]


def _are_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))
