"""One question has one answer: however calls are cut into lists, whichever process read them, and whatever was asked before."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from log_files import document, write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, START, Record, handshake, opening, record, session

from which_notebook.limits import LIMITS, Limits

CUTS = [
    LIMITS,
    Limits(judged_calls=1),
    Limits(judged_calls=7, sorted_calls=100),
    Limits(sorted_calls=40, judged_calls=3),
]


def at(second: int) -> str:
    return (START.replace(minute=second // 60, second=second % 60)).strftime("%Y-%m-%dT%H:%M:%SZ")


def numbered(second: int, place: int, found: Record) -> Record:
    return {**found, "eventTime": at(second), "eventID": f"{second:04}-{place}", "requestID": f"{second:04}-{place}"}


def in_one_second() -> list[Record]:
    """Return sessions that are used in the second in which they are opened, in another region and from another address."""
    calls = [numbered(0, 0, handshake(key="ASIAK0", sourceIPAddress="52.0.0.1"))]
    for second in range(1, 60):
        key = f"ASIAK{second}"
        used = {"sourceIPAddress": "52.0.0.2", "awsRegion": "us-east-1"}
        calls += [
            numbered(second, 1, record(session(key=key), **used)),
            numbered(second, 5, handshake(key=key, sourceIPAddress="52.0.0.1")),
            numbered(second, 7, record(session(key="ASIAK0"), **(used | {"sourceIPAddress": "52.0.0.1"}))),
        ]
    return calls


def with_many_warnings() -> list[Record]:
    """Return more than are kept, each about something else, of two kinds."""
    user = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/%d"}
    calls = []
    for number in range(1100):
        by = {**user, "arn": user["arn"] % number}
        found = opening(by, "fraud-model", key=f"ASIAO{number}") if number % 2 else record(session(f"bad_{number:05}"))
        calls.append(numbered(number, 0, found))
    return calls


@pytest.mark.parametrize("calls", [in_one_second, with_many_warnings])
def test_however_calls_are_cut_into_lists(ask: Any, tmp_path: Path, calls: Any) -> None:
    write(tmp_path / "log.json", *calls())
    asked = ("summary", tmp_path, "--role", ROLE, "--no-cache")
    for form in ("table", "json"):
        first, *others = (ask(*asked, "--format", form, limits=limits).out for limits in CUTS)
        assert [each == first for each in others] == [True] * len(others)
        assert "warning" in first


def test_which_warnings_are_kept(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "log.json", *with_many_warnings())
    lists = []
    for number, limits in enumerate(CUTS):
        path = tmp_path / f"{number}.html"
        assert ask("report", tmp_path / "log.json", "--role", ROLE, "--no-cache", "-o", path, limits=limits).status == 0
        (head,) = re.findall(r'<script type="application/json" id="head">(.*?)</script>', path.read_text())
        lists.append(json.loads(head)["warning_list"])
    assert len(lists[0]) == 1000
    assert [each == lists[0] for each in lists] == [True] * len(lists)


def test_warnings_beyond_those_that_are_kept_are_said_to_be_there(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "log.json", *with_many_warnings())
    out = ask("summary", tmp_path, "--role", ROLE, "--format", "table").out
    assert "and 990 more warnings in the report, which lists the earliest alone." in out


def test_what_could_not_be_read_is_in_the_order_of_files_and_not_of_processes(ask: Any, tmp_path: Path) -> None:
    for number in range(200):
        data = document([record(session())] * 50)
        damaged = data.replace(b',"', b',,"', 1) if number % 3 else data
        (tmp_path / f"{number:03}.json.gz").write_bytes(gzip.compress(damaged))
    small = Limits(worth_workers_bytes=1, batch_files=2)
    answers = [
        ask("summary", tmp_path, "--role", ROLE, "--no-cache", "--jobs", str(jobs), limits=small) for jobs in (1, 3, 3)
    ]
    assert answers[0].out == answers[1].out == answers[2].out
    assert answers[0].err == answers[1].err
    files = [each["file"] for each in answers[0].json["skipped"]]
    assert files == sorted(files) != []


def test_what_another_question_learned_is_not_remembered(ask: Any, tmp_path: Path) -> None:
    """A record without an ARN counts by what the files that are asked for say of its role's unique id."""
    nameless = {"type": "AWSAccount", "principalId": "AROAEXAMPLEROLE000001:fraud-model", "accountId": ACCOUNT}
    layout = tmp_path / "AWSLogs" / ACCOUNT / "CloudTrail"
    for region, found in (("eu-central-1", record(nameless)), ("us-east-1", record(session(BASE)))):
        folder = layout / region / "2026/03/01"
        folder.mkdir(parents=True)
        write(folder / f"{ACCOUNT}_CloudTrail_{region}_20260301T0800Z_a.json", {**found, "awsRegion": region})
    asked = ("summary", tmp_path, "--role", ROLE, "--region", "eu-central-1", "--format", "json")
    before = ask(*asked, "--no-cache").json["calls"]
    ask(*asked, "--likely")
    assert ask(*asked).json["calls"] == ask(*asked, "--no-cache").json["calls"] == before == 0


def test_of_two_paths_of_one_length_the_same_is_told_always(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ("/aaa/", "/bbb/")
    write(tmp_path / "log.json", *(numbered(at, 0, record(session(BASE, path=path))) for at, path in enumerate(paths)))
    found = set()
    for seed in range(6):
        monkeypatch.setenv("PYTHONHASHSEED", str(seed))
        found.add(run("roles", tmp_path, "--no-cache", "--format", "json").out)
    assert len(found) == 1
    assert ROLE_ARN.replace("role/", "role/bbb/") in found.pop()
