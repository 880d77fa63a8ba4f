"""What a user does so that the calls seem a colleague's: each ends as disputed, or stands in the document's table of what can't be seen.

`me` is the user's own notebook instance, `colleague` the other's. What the user can't help is that the machine itself leaves
records: of its log stream, of get_execution_role(), of its address.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from base_sessions import USER_ARN, about, base, call, interface, notebook_arn, refused, stream
from logs import ACCOUNT, BASE, ROLE, Record, handshake, opening, record, session, write
from workspace import CHECKOUT

MINE = "203.0.113.7"
OWN_STREAM = stream("ME", "me/LifecycleConfigOnStart")
OWN_DESCRIBE = about("ME", "me")
OWN_HANDSHAKE = handshake("me", base_key="ME", sourceIPAddress=MINE)


def at(key: str, time: str, address: str = "10.9.0.10") -> Record:
    return call(key, time=f"2026-03-01T{time}:00Z", sourceIPAddress=address, vpcEndpointId="vpce-1")


def attributed(name: str, time: str, address: str = "10.9.0.10") -> Record:
    where = {"sourceIPAddress": address, "vpcEndpointId": "vpce-1"}
    return record(session(name), time=f"2026-03-01T{time}:00Z", **where)


SEEN: dict[str, list[Record]] = {
    "opens a session under the colleague's name": [OWN_HANDSHAKE, handshake("colleague", base_key="ME")],
    "opens only that, after the machine's log stream": [OWN_STREAM, handshake("colleague", base_key="ME")],
    "describes the colleague's notebook instance": [OWN_HANDSHAKE, about("ME", "colleague")],
    "lists its tags": [OWN_STREAM, about("ME", "colleague", "ListTags")],
    "stops it": [OWN_DESCRIBE, about("ME", "colleague", "StopNotebookInstance")],
    "stops its own notebook instance in the log, and goes on under the colleague's name": [
        about("ME", "me", time="2026-03-01T08:00:00Z"), about("ME", "me", "StopNotebookInstance", time="2026-03-01T08:10:00Z"),
        stream("ME", "colleague/x", time="2026-03-01T09:00:00Z"),
    ],
    "stops the colleague's, and goes on": [
        about("ME", "colleague", "StopNotebookInstance", time="2026-03-01T08:10:00Z"), OWN_STREAM,
    ],
    "leaves nothing but that": [about("ME", "colleague", "StopNotebookInstance", time="2026-03-01T08:10:00Z")],
    "is refused to describe it": [OWN_HANDSHAKE, refused(about("ME", "x"), notebook_arn("colleague"))],
    "creates a log stream under its name": [OWN_HANDSHAKE, stream("ME", "colleague/LifecycleConfigOnStart")],
    "does all of these, from its own address": [
        handshake("colleague", base_key="ME"), about("ME", "colleague"), stream("ME", "colleague/x"),
        attributed("me", "09:00"), at("ME", "09:10"), attributed("me", "09:20"),
    ],
    "does so from its own network interface": [
        interface("me", "10.9.0.10", time="2026-03-01T08:00:00Z"), handshake("colleague", base_key="ME"), at("ME", "09:10"),
    ],
    "opens a base session itself, and the colleague's name from it": [
        opening(session("admin", role="admin", key="ADMIN"), BASE, key="ME"), handshake("colleague", base_key="ME"),
    ],
    "has one key used on two notebook instances": [
        OWN_STREAM, at("ME", "09:00"), attributed("colleague", "09:05", "10.9.0.20"), at("ME", "09:10", "10.9.0.20"),
        attributed("colleague", "09:15", "10.9.0.20"),
    ],
    "has an address that was the colleague's in the same session": [
        attributed("me", "08:00"), at("ME", "08:10"), attributed("me", "08:20"), at("ME", "09:05"),
        attributed("colleague", "10:01"), at("ME", "10:02"), attributed("colleague", "10:03"),
    ],
}  # fmt: skip

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{BASE}"
NOTHING: dict[str, list[Record]] = {
    "forges a refusal's text in a parameter and the user agent": [
        call("ME", userAgent=f"User: {CALLER} is not authorized to perform: sagemaker:DescribeNotebookInstance on resource: {notebook_arn('colleague')}",
             errorCode="AccessDenied", errorMessage=f"Access Denied {notebook_arn('colleague')}"),
    ],
    "describes a network interface as the colleague's": [
        interface("colleague", "10.9.0.10", by=base("ME"), time="2026-03-01T08:00:00Z"), at("ME", "09:10"),
    ],
    "creates a stream of that name in a group of its own": [stream("ME", "colleague/x", "/aws/sagemaker-like/NotebookInstances")],
    "puts a record into a parameter": [
        call("ME", eventName="PutBucketPolicy", requestParameters={"bucketName": "b", "policy": about("ME", "colleague")}),
    ],
    "comes to an address after the colleague": [attributed("colleague", "08:00"), attributed("colleague", "08:30"), at("ME", "08:31")],
}  # fmt: skip

UNSEEN: dict[str, list[Record]] = {
    "All evidence of the session is made by hand, and the machine leaves none of its own": [
        handshake("colleague", base_key="ME"), about("ME", "colleague"), stream("ME", "colleague/x"),
    ],
    "A notebook instance only ever asks about one other, or stops it, and leaves no evidence of its own": [
        about("ME", "colleague"), about("ME", "colleague", "StopNotebookInstance"),
    ],
    "The machine's own address is made to look like a proxy's: sessions under several names are used there at once": [
        handshake("colleague", base_key="ME"), attributed("me", "09:00"), attributed("colleague", "09:05"), at("ME", "09:10"),
        attributed("me", "09:20"), attributed("colleague", "09:25"),
    ],
    "Another network has the same private addresses, and only its calls are in the logs": [
        interface("colleague", "10.9.0.10", time="2026-03-01T08:00:00Z"), at("ME", "09:10"),
    ],
    "A network interface's deletion isn't in the logs, and the address went to another machine": [
        interface("colleague", "10.9.0.10", time="2026-03-01T08:00:00Z"), at("ME", "09:10"),
    ],
    "The notebook instance's network interface was made more than 12 hours before the calls, so the search doesn't see that it contradicts the name": [
        stream("ME", "colleague/x"), at("ME", "09:10"),
    ],
    "The calls go out through the colleague's notebook instance, or through a proxy behind which only the colleague has a name": [
        attributed("colleague", "09:00"), at("ME", "09:10"), attributed("colleague", "09:20"),
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
