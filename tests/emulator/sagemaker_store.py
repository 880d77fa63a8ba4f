"""The notebook instances, lifecycle configurations and Studio domains of one account and region, and how they are listed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .sagemaker_machine import Machine
from .sagemaker_validation import ValidationError

# Both as AWS's own model has them: attributes by the API's names.
Description = dict[str, Any]

_SORT_KEYS = {"Name": None, "Status": "NotebookInstanceStatus"}


@dataclass
class StoredNotebook:
    """A notebook instance, described as the API does it."""

    description: Description
    tags: dict[str, str]
    booted_before: bool = False
    machine: Machine | None = None

    @property
    def name(self) -> str:
        """The instance's name."""
        return str(self.description["NotebookInstanceName"])

    @property
    def status(self) -> str:
        """The instance's status; setting it also sets when it was last changed."""
        return str(self.description["NotebookInstanceStatus"])

    @status.setter
    def status(self, status: str) -> None:
        self.description["NotebookInstanceStatus"] = status
        self.description["LastModifiedTime"] = now()


@dataclass
class LifecycleConfiguration:
    """A lifecycle configuration, described as the API does it."""

    description: Description
    tags: dict[str, str]


@dataclass
class StudioResource:
    """A domain, or something in one, described as the API does it; an app with its session's credentials."""

    description: Description
    tags: dict[str, str]
    session: dict[str, Any] | None = None


@dataclass
class Store:
    """All of one account and region, by name."""

    notebook_instances: dict[str, StoredNotebook] = field(default_factory=dict)
    lifecycle_configurations: dict[str, LifecycleConfiguration] = field(default_factory=dict)
    job_sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    studio: dict[tuple[str, ...], StudioResource] = field(default_factory=dict)
    """By kind, domain and names."""


def now() -> datetime:
    """Return the time as the API gives it."""
    return datetime.now(UTC)


def page(
    found: list[Description], request: dict[str, Any], name_key: str, default_size: int = 10
) -> tuple[list[Description], str | None]:
    """Sort, filter by name and times, and cut one page; return it with the token of the next.

    SortBy CreationTime, descending, is what the service does unless told otherwise.
    """
    for key, name in (("CreationTime", "CreationTime"), ("LastModifiedTime", "LastModifiedTime")):
        if before := request.get(f"{name}Before"):
            found = [each for each in found if each[key] < before]
        if after := request.get(f"{name}After"):
            found = [each for each in found if each[key] > after]
    if contained := request.get("NameContains"):
        found = [each for each in found if contained in each[name_key]]
    sort_by = request.get("SortBy", "CreationTime")
    sort_key = _SORT_KEYS.get(sort_by, sort_by) or name_key
    descending = request.get("SortOrder", "Ascending" if sort_by == "Name" else "Descending") == "Descending"
    found = sorted(found, key=lambda each: (each[sort_key], each[name_key]), reverse=descending)

    start = _position(request.get("NextToken"))
    end = start + (request.get("MaxResults") or default_size)
    token = base64.b64encode(str(end).encode()).decode() if end < len(found) else None
    return found[start:end], token


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValidationError("Invalid NextToken") from error
