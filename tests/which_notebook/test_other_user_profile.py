"""The warning `other-user-profile`: a session becomes another user profile, or switches the names off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import BASE, ROLE, Record, opening, profile, record, session

from .conftest import kinds


def in_studio(event: str, of_whom: Record | None = None, error: str | None = None, **asked: Any) -> Record:
    """What anna's session, or another one, asks of Studio."""
    parameters = {"domainId": "d-1"} | asked
    return record(
        of_whom or profile(), f"sagemaker:{event}", requestParameters=parameters, errorCode=error, eventID="it"
    )


OFF: Any = {"domainSettingsForUpdate": {"executionRoleIdentityConfig": "DISABLED"}}
STILL_ON: Any = {"domainSettingsForUpdate": {"executionRoleIdentityConfig": "USER_PROFILE_NAME"}}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (in_studio("CreatePresignedDomainUrl", userProfileName="ben"), "anna"),
        (in_studio("CreateUserProfile", userProfileName="carl"), "anna"),
        (in_studio("UpdateUserProfile", userProfileName="ben"), "anna"),
        (in_studio("UpdateDomain", **OFF), "anna"),
        # Of a session without a name everybody's is another's.
        (in_studio("CreatePresignedDomainUrl", session(BASE), userProfileName="anna"), None),
        (in_studio("CreatePresignedDomainUrl", session("anna"), userProfileName="anna"), None),
    ],
)
def test_who_becomes_another_has_a_warning(ask: Any, tmp_path: Path, call: Record, name: str | None) -> None:
    path = write(tmp_path / "log.json", call)
    found = ask("event", "it", path, "--role", ROLE, "--format", "json").json
    assert (found["user_profile"], kinds(found)) == (name, ["other-user-profile"])
    if name:
        (row,) = ask("summary", path, "--role", ROLE, "--format", "json").json["user_profiles"]
        assert row["warnings"] == {"other-user-profile": 1}


@pytest.mark.parametrize(
    "call",
    [
        in_studio("CreatePresignedDomainUrl", userProfileName="anna"),
        in_studio("UpdateUserProfile", userProfileName="anna"),
        in_studio("CreatePresignedDomainUrl", userProfileName="ben", error="AccessDenied"),
        in_studio("DescribeUserProfile", userProfileName="ben"),
        in_studio("UpdateDomain"),
        in_studio("UpdateDomain", **STILL_ON),
        in_studio("UpdateDomain", **OFF, error="AccessDenied"),
        in_studio("CreatePresignedDomainUrl", userProfileName=["ben"]),
    ],
)
def test_who_stays_who_they_are_has_none(ask: Any, tmp_path: Path, call: Record) -> None:
    found = ask("event", "it", write(tmp_path / "log.json", call), "--role", ROLE, "--format", "json").json
    assert kinds(found) == []


def test_a_session_that_a_user_profile_opened_becomes_another_too(ask: Any, tmp_path: Path) -> None:
    step = opening(profile(), "one", role="etl", key="ASIA1", time="2026-03-01T09:05:00Z")
    calls = [
        in_studio("CreatePresignedDomainUrl", session("one", role="etl", key="ASIA1"), userProfileName=each) | {"eventID": each}
        for each in ("anna", "ben")
    ]  # fmt: skip
    path = write(tmp_path / "log.json", record(profile()), step, *calls)
    (row,) = ask("summary", path, "--role", ROLE, "--follow", "--format", "json").json["user_profiles"]
    assert row["warnings"] == {"other-user-profile": 1}
