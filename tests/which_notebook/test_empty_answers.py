"""An empty answer says why it is empty, and an answer what the logs lack: none passes for an all-clear."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, ROLE, ROLE_ARN, handshake, opening, others, record, session

CALLS = [
    record(session("a"), time="2026-03-01T10:00:00Z"),
    record(session("a"), "s3:PutObject", time="2026-03-02T10:00:00Z"),
    record(session("b", path="/service-role/"), time="2026-03-02T11:00:00Z", awsRegion="us-east-1"),
    record(session("x", role="data-engineering"), time="2026-03-02T11:00:00Z"),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.json.gz", *CALLS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--since 2026-04-01", "--since left out 3 of them"),
        ("--until 2025-01-01", "--until left out 3 of them"),
        ("--since 2026-04-01 --until 2026-04-02", "--since and --until left out 3 of them"),
        ("--region eu-west-3", "--region left out 3 of them"),
        ("--account 999999999999", "--account left out 3 of them"),
        ("--event-source kms", "--event-source left out 3 of them"),
        ("--event-name Decrypt", "--event-name left out 3 of them"),
        ("--event-name PutObject --region us-east-1", "--region left out 2 of them"),
        ("--event-name PutObject --region us-east-1", "--event-name left out 1 of them"),
        ("--errors-only", "--errors-only left out 3 of them"),
        ("--notebook c", "--notebook left out 3 of them"),
        ("--status unattributed", "--status left out 3 of them"),
    ],
)
@pytest.mark.parametrize("command", ["calls", "summary"])
def test_it_says_which_option_took_the_roles_calls_away(
    ask: Any, log: Path, command: str, options: str, said: str
) -> None:
    answer = ask(command, log, "--role", ROLE, *options.split())
    assert answer.status == 0
    assert said in answer.err
    covered = "from 2026-03-01T10:00:00Z to 2026-03-02T11:00:00Z; regions eu-central-1, us-east-1; account"
    assert (
        f"The role has 3 calls in what was read, handshakes included, but the options leave out all of them: {covered} {ACCOUNT}; notebooks a, b"
        in answer.err
    )
    assert "AssumeRole" not in answer.out + answer.err
    if command == "summary":
        assert any(said == text for text in answer.json["why_empty"])


@pytest.mark.parametrize("command", ["calls", "summary"])
@pytest.mark.parametrize(
    ("role", "said"),
    [
        (ROLE.upper(), f"Roles in these logs: {ROLE}"),
        ("data-sience-exection", f"Roles in these logs: {ROLE}"),
        ("web", f"Roles in these logs: data-engineering, {ROLE}"),
        (f"arn:aws:iam::999999999999:role/{ROLE}", f"There are calls of {ROLE_ARN}, arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}"),
    ],
)  # fmt: skip
def test_a_role_that_isnt_there_has_a_status_of_its_own_and_the_nearest_names(
    ask: Any, log: Path, command: str, role: str, said: str
) -> None:
    answer = ask(command, log, "--role", role)
    assert answer.status == 4
    assert f"No call of the role {role} is in what was read: 1 file" in answer.err
    assert said in answer.err


def test_an_arn_without_its_path_is_told_the_one_with_it(ask: Any, tmp_path: Path) -> None:
    answer = ask("calls", write(tmp_path / "log.json", CALLS[2]), "--role", ROLE_ARN)
    assert answer.status == 4
    assert f"There are calls of arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}: give that ARN" in answer.err


def test_nothing_is_claimed_where_nothing_was_read(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"")
    for source in (tmp_path / "missing", tmp_path / "bad.json"):
        answer = ask("summary", source, "--role", ROLE)
        assert answer.status == 1
        assert "Roles in these logs" not in answer.err
    assert "nothing is known of this role" in ask("summary", tmp_path / "missing", "--role", ROLE).err


def test_the_options_are_named_that_leave_no_file_to_read(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/01/x.json.gz", record(session("a")))
    answer = ask("calls", tmp_path, "--role", ROLE, "--since", "2026-03-03", "--region", "us-east-1")
    assert "Nothing was read with --since, --region, so nothing is known of this role" in answer.err
    assert answer.status == 4


def test_the_table_doesnt_say_that_there_is_no_call(ask: Any, log: Path) -> None:
    assert "No call of this role" not in ask("summary", log, "--role", ROLE.upper(), "--format", "table").out


@pytest.mark.parametrize("name", ["s3:GetObject", "S3:getobject", "s3.amazonaws.com:GetObject", "s3:Get*", "getobject"])
def test_an_event_name_as_the_command_prints_it(ask: Any, log: Path, name: str) -> None:
    assert len(ask("calls", log, "--role", ROLE, "--event-name", name).calls) == 2
    assert ask("calls", log, "--role", ROLE, "--event-name", f"kms:{name.rpartition(':')[2]}").out == ""


def test_a_sessions_arn_stands_for_its_role(ask: Any, log: Path) -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}"
    for role in (arn, f"{arn}/a", f"{arn}/{BASE}"):
        assert len(ask("calls", log, "--role", role).calls) == 3
    assert ask("calls", log, "--role", arn.replace(ACCOUNT, "999999999999")).status == 4


def test_what_the_logs_lack_is_said(ask: Any, tmp_path: Path) -> None:
    own = tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail"
    for day in (1, 2, 4):
        write(own / f"eu-west-1/2026/03/0{day}/x.json.gz", record(session("a"), time=f"2026-03-0{day}T10:00:00Z"))
    asked = ["--since", "2026-03-01", "--until", "2026-03-05", "--region", "eu-west-1,eu-central-1,us-east-1"]
    missing = ask("summary", tmp_path, "--role", ROLE, *asked).json["missing"]
    assert missing[:3] == [
        "There is no log file of the region eu-central-1",
        "There is no log file of the region us-east-1",
        "There is no log file of 2 of the days from 2026-03-01 to 2026-03-05 (2026-03-03, 2026-03-05)",
    ]
    assert "There is no AssumeRole call that opened one of these sessions" in missing[3]
    assert f"  {missing[2]}." in ask("summary", tmp_path, "--role", ROLE, *asked, "--format", "table").out


def test_who_opened_a_session_is_told_whoever_it_was(ask: Any, tmp_path: Path) -> None:
    user = {
        "type": "IAMUser",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/eve",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAEVE",
    }
    write(tmp_path / "log.json", opening(user, "a", key="ASIAEVE"), record(session("a", key="ASIAEVE")))
    answer = ask("summary", tmp_path, "--role", ROLE, "--format", "table").out
    assert "was opened by" in answer
    assert "There is no AssumeRole call" not in answer


def test_with_a_handshake_and_every_day_nothing_is_missing(ask: Any, tmp_path: Path) -> None:
    path = tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/2026/03/01/x.json.gz"
    write(path, handshake("a"), record(session("a")), others())
    assert ask("summary", tmp_path, "--role", ROLE).json["missing"] == []


# What is left out, and what is delivered late


@pytest.mark.parametrize("name", ["LOG.JSON.GZ", "firehose-1-2026-03-01-09-00-00", "000000.gz", "log.txt", "log"])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_of_a_folder_is_a_log_by_what_it_holds(ask: Any, tmp_path: Path, name: str, compressed: bool) -> None:
    data = gzip.decompress(write(tmp_path / "elsewhere/log.json.gz", *CALLS).read_bytes())
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_bytes(gzip.compress(data) if compressed else data)
    answer = ask("summary", tmp_path / "logs", "--role", ROLE)
    assert (answer.status, answer.json["calls"], answer.json["left_out"]) == (0, 3, [])


def test_what_is_left_out_is_counted_by_its_ending(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "log.json", *CALLS)
    for name, data in (
        ("a.zst", b"\x28\xb5\x2f\xfd1234"), ("b.zst", b"\x28\xb5\x2f\xfd5678"), ("c.parquet", b"PAR1x"),
        ("README", b"about"), ("x\x1b[2J.\x1b[31mtxt", b"about"), ("state.tfstate", b"{}"), ("e.gz", gzip.compress(b"x")),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert (answer.status, answer.json["calls"]) == (0, 3)
    assert {(each["ending"], each["files"]) for each in answer.json["left_out"]} == {
        (".zst", 2), (".parquet", 1), ("no ending", 1), (".\x1b[31mtxt", 1), (".tfstate", 1), (".gz", 1),
    }  # fmt: skip
    assert "left out 2 files (.zst): damaged zstd file (" in answer.err
    assert "\x1b" not in answer.err


def test_a_record_delivered_days_late_is_found(ask: Any, tmp_path: Path) -> None:
    for late in (0, 4, 20):
        day = 1 + late
        path = tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/{day:02}/x.json.gz"
        write(path, record(session("a"), time="2026-03-01T10:00:00Z"))
    asked = ["summary", tmp_path, "--role", ROLE, "--since", "2026-03-01", "--until", "2026-03-01"]
    assert ask(*asked).json["calls"] == 2
    assert ask(*asked, "--delivered-within", "30").json["calls"] == 3
    assert ask(*asked, "--delivered-within", "0").json["calls"] == 1


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({}, False),
        ({"eventCategory": None}, False),
        ({"eventCategory": "Management", "eventName": "ListBuckets"}, True),
        ({"eventCategory": None, "eventName": "Decrypt", "eventSource": "kms.amazonaws.com"}, True),
    ],
)
def test_logs_without_data_events_say_so(ask: Any, tmp_path: Path, fields: dict[str, Any], lacks: bool) -> None:
    path = write(tmp_path / "log.json", handshake("a", eventCategory="Management"), record(session("a"), **fields))
    missing = ask("summary", path, "--role", ROLE).json["missing"]
    assert any("None of this role's calls is a data event" in text for text in missing) is lacks
