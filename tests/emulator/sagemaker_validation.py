"""Checks a request against the service's own model, in the words in which SageMaker refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import regex
from botocore.model import ListShape, Shape, StructureShape
from localstack.aws.api import CommonServiceException


class ValidationError(CommonServiceException):
    """SageMaker's `ValidationException`."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message, 400, True)


def validate(shape: Shape | None, request: dict[str, Any]) -> None:
    """Raise ValidationError where the request breaks a constraint of the operation's input shape."""
    broken = list(_broken(shape, request, "")) if shape else []
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise ValidationError(f"{len(broken)} validation {errors} detected: {'; '.join(broken)}")


def _broken(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
            if value.get(name) is not None:
                yield from _broken(member, value[name], inner)
            elif name in shape.required_members:
                yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"
        return
    if isinstance(shape, ListShape):
        yield from _out_of_range(shape, value, len(value), path, "length")
        for number, member in enumerate(value, 1):
            yield from _broken(shape.member, member, f"{path}.{number}.member")
    elif shape.type_name == "string":
        enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
        yield from _out_of_range(shape, value, len(value), path, "length")
        if enum and value not in enum:
            yield _message(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]")
        # Patterns are Java's, with classes such as \p{L}, which Python's own module lacks.
        if pattern and not regex.fullmatch(pattern, value):
            yield _message(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    elif shape.type_name in {"integer", "long"}:
        yield from _out_of_range(shape, value, value, path, "value")


def _out_of_range(shape: Shape, value: Any, size: int, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _message(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _message(value, path, f"Member must have {what} less than or equal to {most}")


def _message(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
