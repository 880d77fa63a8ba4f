"""The types of a table's columns, as Glue (`struct<arn:string>`) and Trino (`row(arn varchar)`) write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

Type = dict[str, "Type"] | str
"""A struct's fields by their names in small letters; of any other type, its text."""

_STRUCT = re.compile(r"(?:struct<(.*)>|row\((.*)\))", re.DOTALL)
_FIELD = re.compile(r"\"?([\w$ -]+?)\"?(?:\s*:\s*|\s+)(.+)", re.DOTALL)
_OPENING, _CLOSING = "<(", ">)"
_DEEPEST = 20


def type_of(text: str, depth: int = 0) -> Type:
    """Return the type that a text says; what can't be told is a text of its own."""
    text = text.strip().lower()
    struct = _STRUCT.fullmatch(text)
    if not struct or depth > _DEEPEST:
        return text
    fields = [_FIELD.fullmatch(each.strip()) for each in _parts(struct[1] or struct[2] or "")]
    return {field[1]: type_of(field[2], depth + 1) for field in fields if field}


def has(types: Type, *path: str) -> bool:
    """Return whether a struct has a field, however deep."""
    for name in path:
        if not isinstance(types, dict) or name not in types:
            return False
        types = types[name]
    return True


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between the commas of the outermost level."""
    start = depth = 0
    for place, letter in enumerate(text):
        depth += (letter in _OPENING) - (letter in _CLOSING)
        if letter == "," and not depth:
            yield text[start:place]
            start = place + 1
    yield text[start:]
