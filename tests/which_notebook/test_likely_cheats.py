"""What a user does so that the calls seem a colleague's: each ends as disputed, or stands in the document's table of what can't be seen.

`me` is the user's own notebook instance, `colleague` the other's. What the user can't help is that the machine itself leaves
records: of its log stream, of get_execution_role(), of its address.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from base_sessions import (
    PUBLIC,
    USER_ARN,
    about,
    attributed_at,
    base,
    call,
    call_at,
    interface,
    notebook_arn,
    refused,
    stream,
)
from log_files import write
from records import ACCOUNT, BASE, ROLE, Record, handshake, opening, record, session
from workspace import CHECKOUT

OWN_STREAM = stream("ME", "me/LifecycleConfigOnStart")
OWN_DESCRIBE = about("ME", "me")
OWN_HANDSHAKE = handshake("me", base_key="ME", sourceIPAddress=PUBLIC)


SEEN: dict[str, list[Record]] = {
    "opens a session under the colleague's name": [OWN_HANDSHAKE, handshake("colleague", base_key="ME")],
    "opens only that, after the machine's log stream": [OWN_STREAM, handshake("colleague", base_key="ME")],
    "describes the colleague's notebook instance": [OWN_HANDSHAKE, about("ME", "colleague")],
    "lists its tags": [OWN_STREAM, about("ME", "colleague", "ListTags")],
    "stops it": [OWN_DESCRIBE, about("ME", "colleague", "StopNotebookInstance")],
    "stops its own notebook instance in the log, and goes on under the colleague's name": [
        about("ME", "me", time="08:00"), about("ME", "me", "StopNotebookInstance", time="08:10"),
        stream("ME", "colleague/x", time="09:00"),
    ],
    "stops the colleague's, and goes on": [
        about("ME", "colleague", "StopNotebookInstance", time="08:10"), OWN_STREAM,
    ],
    "leaves nothing but that": [about("ME", "colleague", "StopNotebookInstance", time="08:10")],
    "is refused to describe it": [OWN_HANDSHAKE, refused(about("ME", "x"), notebook_arn("colleague"))],
    "creates a log stream under its name": [OWN_HANDSHAKE, stream("ME", "colleague/LifecycleConfigOnStart")],
    "does all of these, from its own address": [
        handshake("colleague", base_key="ME"), about("ME", "colleague"), stream("ME", "colleague/x"),
        attributed_at("09:00", "me"), call_at("ME", "09:10"), attributed_at("09:20", "me"),
    ],
    "does so from its own network interface": [
        interface("me", "10.9.0.10", time="08:00"), handshake("colleague", base_key="ME"), call_at("ME", "09:10"),
    ],
    "opens a base session itself, and the colleague's name from it": [
        opening(session("admin", role="admin", key="ADMIN"), BASE, key="ME"), handshake("colleague", base_key="ME"),
    ],
    "has one key used on two notebook instances": [
        OWN_STREAM, call_at("ME", "09:00"), attributed_at("09:05", "colleague", sourceIPAddress="10.9.0.20"), call_at("ME", "09:10", sourceIPAddress="10.9.0.20"),
        attributed_at("09:15", "colleague", sourceIPAddress="10.9.0.20"),
    ],
    "has an address that was the colleague's in the same session": [
        attributed_at("08:00", "me"), call_at("ME", "08:10"), attributed_at("08:20", "me"), call_at("ME", "09:05"),
        attributed_at("10:01", "colleague"), call_at("ME", "10:02"), attributed_at("10:03", "colleague"),
    ],
}  # fmt: skip

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{BASE}"
NOTHING: dict[str, list[Record]] = {
    "forges a refusal's text in a parameter and the user agent": [
        call("ME", userAgent=f"User: {CALLER} is not authorized to perform: sagemaker:DescribeNotebookInstance on resource: {notebook_arn('colleague')}",
             errorCode="AccessDenied", errorMessage=f"Access Denied {notebook_arn('colleague')}"),
    ],
    "describes a network interface as the colleague's": [
        interface("colleague", "10.9.0.10", by=base("ME"), time="08:00"), call_at("ME", "09:10"),
    ],
    "creates a stream of that name in a group of its own": [stream("ME", "colleague/x", "/aws/sagemaker-like/NotebookInstances")],
    "puts a record into a parameter": [
        call("ME", event="s3:PutBucketPolicy", requestParameters={"bucketName": "b", "policy": about("ME", "colleague")}),
    ],
    "comes to an address after the colleague": [attributed_at("08:00", "colleague"), attributed_at("08:30", "colleague"), call_at("ME", "08:31")],
}  # fmt: skip

UNSEEN: dict[str, list[Record]] = {
    "All evidence of the session is made by hand, and the machine leaves none of its own": [
        handshake("colleague", base_key="ME"), about("ME", "colleague"), stream("ME", "colleague/x"),
    ],
    "A notebook instance only ever asks about one other, or stops it, and leaves no evidence of its own": [
        about("ME", "colleague"), about("ME", "colleague", "StopNotebookInstance"),
    ],
    "The machine's own address is made to look like a proxy's: sessions under several names are used there at once": [
        handshake("colleague", base_key="ME"), attributed_at("09:00", "me"), attributed_at("09:05", "colleague"), call_at("ME", "09:10"),
        attributed_at("09:20", "me"), attributed_at("09:25", "colleague"),
    ],
    "Another network has the same private addresses, and only its calls are in the logs": [
        interface("colleague", "10.9.0.10", time="08:00"), call_at("ME", "09:10"),
    ],
    "A network interface's deletion isn't in the logs, and the address went to another machine": [
        interface("colleague", "10.9.0.10", time="08:00"), call_at("ME", "09:10"),
    ],
    "The notebook instance's network interface was made more than 12 hours before the calls, so the search doesn't see that it contradicts the name": [
        stream("ME", "colleague/x"), call_at("ME", "09:10"),
    ],
    "The calls go out through the colleague's notebook instance, or through a proxy behind which only the colleague has a name": [
        attributed_at("09:00", "colleague"), call_at("ME", "09:10"), attributed_at("09:20", "colleague"),
    ],
    "The colleague's own base session is used: its keys were taken from there": [
        stream("ME", "colleague/LifecycleConfigOnStart"), handshake("colleague", base_key="ME"), record(base("ME"), sourceIPAddress="198.51.100.9"),
    ],
}  # fmt: skip


def answer(ask: Any, tmp_path: Path, records: list[Record]) -> dict[str, Any]:
    found: dict[str, Any] = ask(
        "summary", write(tmp_path / "log.json.gz", *records, call("ME")), "--role", ROLE, "--likely"
    ).json
    return found


@pytest.mark.parametrize("cheat", SEEN)
def test_a_cheat_that_is_seen_is_disputed(ask: Any, tmp_path: Path, cheat: str) -> None:
    found = answer(ask, tmp_path, SEEN[cheat])
    assert "colleague" not in [row["notebook"] for row in found["likely"]]
    (row,) = found["disputed"]
    assert "colleague" in row["notebooks"]
    assert len([*row["notebooks"], *row["others"]]) == (3 if "goes on" in cheat else 2)


@pytest.mark.parametrize("cheat", NOTHING)
def test_a_cheat_that_makes_no_evidence_names_nobody(ask: Any, tmp_path: Path, cheat: str) -> None:
    found = answer(ask, tmp_path, NOTHING[cheat])
    assert found["likely"] == found["disputed"] == []


@pytest.mark.parametrize("cheat", UNSEEN)
def test_what_cannot_be_seen_stands_in_the_document(ask: Any, tmp_path: Path, cheat: str) -> None:
    found = answer(ask, tmp_path, UNSEEN[cheat])
    assert [row["notebook"] for row in found["likely"]] == ["colleague"]
    document = (CHECKOUT / "docs/which-notebook.md").read_text()
    assert re.search(rf"^\| {re.escape(cheat)} \|", document, re.MULTILINE)


def test_a_colleague_is_not_made_anothers_by_what_a_cheat_does(ask: Any, tmp_path: Path) -> None:
    """What one session's user does takes nothing from another session's evidence."""
    theirs = [stream("THEIRS", "colleague/LifecycleConfigOnStart"), call("THEIRS")]
    records = [*theirs, *(each for cheat in SEEN.values() for each in cheat), about("ME", "me", userAgent=USER_ARN)]
    found = ask(
        "calls", write(tmp_path / "log.json.gz", *records), "--role", ROLE, "--likely", "--access-key", "THEIRS"
    ).calls
    assert {each["likely_notebook"] for each in found} == {"colleague"}
