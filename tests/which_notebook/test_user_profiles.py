"""Studio: which calls are a user profile's, and whom they are made for, in every form of records."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import BASE, IDENTITY_STORE, ROLE, others, profile, record, session
from shapes import SHAPES
from user_profiles import ANNA, FRAUD, NOBODY, USER_ID, by_sagemaker, calls

# Which calls are a user profile's


def test_a_call_of_a_user_profile(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json.gz", by_sagemaker(), record(profile(on_behalf_of=USER_ID)), record(session(BASE)))
    found, shared = ask("calls", path, "--role", ROLE).calls
    assert (found["status"], found["user_profile"], found["notebook"], found["source_identity"]) == ("user-profile", "anna", None, "anna")  # fmt: skip
    assert (found["session_name"], found["on_behalf_of"]) == (BASE, USER_ID)
    # A shared space's session, and one of a domain that isn't switched on, carry none.
    assert (shared["status"], shared["user_profile"], shared["on_behalf_of"]) == ("unattributed", None, None)
    assert calls(ask, tmp_path, record(profile()), options=["--parse-all"]) == [ANNA]


@pytest.mark.parametrize(
    "name",
    ["anna@example.com", "anna.b", "anna_b", "-anna", "anna-", "a" * 64, "anna\n", "an na", "x\x1b[2J", "änna", "anna,b=c", ""],
)  # fmt: skip
def test_what_no_user_profile_can_be_called_is_none(ask: Any, tmp_path: Path, name: str) -> None:
    assert calls(ask, tmp_path, record(profile(name))) == [NOBODY]


@pytest.mark.parametrize("name", ["a", "a" * 63, "A-1--b", "SageMaker"])
def test_what_one_can_be_called_is_one(ask: Any, tmp_path: Path, name: str) -> None:
    assert calls(ask, tmp_path, record(profile(name))) == [("user-profile", None, name)]


def test_another_session_that_carries_a_source_identity_keeps_its_status(ask: Any, tmp_path: Path) -> None:
    own = record(session("fraud-model", source_identity="fraud-model"))
    of_another = record(session("fraud-model", source_identity="anna"))
    unknown = record(session("not_a_notebook", source_identity="anna"))
    found = calls(ask, tmp_path, own, of_another, unknown, others())
    assert found == [FRAUD, FRAUD, ("unknown-name", None, None)]


@pytest.mark.parametrize("value", [1, ["anna"], {"userId": 1}, {"userId": ["x"]}])
def test_odd_members_are_named_and_never_half_read(ask: Any, tmp_path: Path, value: object) -> None:
    answer = ask(
        "calls", write(tmp_path / "log.json", record({**profile(), "onBehalfOf": value}), record()), "--role", ROLE
    )
    assert (answer.status, len(answer.calls)) == (1, 1)
    assert "onBehalfOf" in answer.err


@pytest.mark.parametrize("value", [None, {}, {"userId": None}, {"identityStoreArn": IDENTITY_STORE}])
def test_a_user_that_is_not_said_is_none(ask: Any, tmp_path: Path, value: object) -> None:
    path = write(tmp_path / "log.json", record({**profile(), "onBehalfOf": value}))
    assert [each["on_behalf_of"] for each in ask("calls", path, "--role", ROLE).calls] == [None]


def test_on_behalf_of_stands_in_notebooks_calls_too(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", record(session(on_behalf_of=USER_ID)))
    (found,) = ask("calls", path, "--role", ROLE).calls
    assert (found["status"], found["on_behalf_of"]) == ("attributed", USER_ID)


# In every form of records


LACKING = {"Sentinel, JSON", "Sentinel, CSV", "Elastic, without the original event"}
"""What these keep of an identity has neither; the calls are unattributed there."""


@pytest.mark.parametrize("name", SHAPES)
def test_in_every_form(ask: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / ("log.parquet" if "Parquet" in name else "log")
    path.write_bytes(SHAPES[name]([record(profile(on_behalf_of=USER_ID)), record()]))
    answer = ask("calls", path, "--role", ROLE, "--format", "jsonl")
    found = {
        (call["status"], call["user_profile"], call["source_identity"], call["on_behalf_of"]) for call in answer.calls
    }
    studios = NOBODY[:1] + (None,) * 3 if name in LACKING else ("user-profile", "anna", "anna", USER_ID)
    assert found == {("attributed", None, None, None), studios}


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "x\x1b[2J\u202e", "</script>", "a\nb"])
def test_whom_a_call_is_made_for_is_shown_and_not_obeyed(ask: Any, tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "log.json", record(profile(on_behalf_of=text), eventID="it"))
    (row,) = csv.DictReader(io.StringIO(ask("calls", path, "--role", ROLE, "--format", "csv").out))
    assert not row["on_behalf_of"].startswith(("=", "@"))
    assert [each["on_behalf_of"] for each in ask("calls", path, "--role", ROLE).calls] == [text]
    out = ask("event", "it", path, "--role", ROLE, "--format", "table").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\nb" not in out
