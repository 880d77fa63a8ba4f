"""What can be asked, how, and what the exit status says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from log_files import compact, write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, ROLE_ARN, handshake, opening, others, record, session

CALLS = [
    record(session("a"), time="2026-03-01T00:00:00Z", eventID="0"),
    record(session("a"), "s3:PutObject", time="2026-03-01T23:59:59Z", eventID="1", errorCode="AccessDenied"),
    record(session("b"), "kms:Decrypt", time="2026-03-02T00:00:00Z", eventID="2"),
    record(session("b"), time="2026-03-02T12:00:00Z", eventID="3", awsRegion="us-east-1"),
    record(session(BASE), time="2026-03-03T00:00:00Z", eventID="4", recipientAccountId=OTHER_ACCOUNT),
    record(session("no_name"), time="2026-03-04T00:00:00Z", eventID="5"),
    handshake("a", time="2026-03-05T00:00:00Z", eventID="6"),
    others(time="2026-03-05T00:00:00Z"),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.json.gz", *CALLS)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", "0123456"),
        ("--since 2026-03-02", "23456"),
        ("--until 2026-03-01", "01"),
        ("--until 20260301", "01"),
        ("--since 2026-03-01T23:59:59Z --until 2026-03-02T00:00:00Z", "12"),
        ("--since 2026-03-02T01:00:00+01:00 --until 2026-03-02T01:00:00+01:00", "2"),
        ("--since 0001-01-01 --until 9999-12-31", "0123456"),
        ("--since 1d", ""),
        ("--notebook a", "01"),
        ("--notebook a,b --notebook c", "0123"),
        ("--notebook A", ""),
        ("--event-name put*", "1"),
        ("--event-name Decrypt,Put?bject", "12"),
        ("--event-name Put", ""),
        ("--event-source kms", "2"),
        ("--event-source kms.amazonaws.com,STS", "26"),
        ("--region us-east-1", "3"),
        (f"--account {OTHER_ACCOUNT}", "4"),
        (f"--account {ACCOUNT} --region eu-central-1 --notebook b", "2"),
        ("--status unattributed", "4"),
        ("--status unattributed,handshake --status unknown-name", "456"),
        ("--errors-only", "1"),
        (f"--role {ROLE_ARN}", "0123456"),
    ],
)
def test_what_is_asked_for(ask: Any, log: Path, options: str, found: str) -> None:
    answer = ask("calls", log, "--role", ROLE, *options.split())
    assert answer.status == 0
    assert (answer.err == "") is bool(found)  # an empty answer says why
    assert "".join(call["event_id"] for call in answer.calls) == found
    summary = ask("summary", log, "--role", ROLE, *options.split()).json
    assert summary["calls"] + summary["handshakes"] == len(found)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("", 3),
        ("--notebook a", 3),
        ("--status attributed", 3),
        ("--until 2026-03-02", 0),
        (f"--account {ACCOUNT}", 0),
        ("--errors-only", 0),
        ("--role another", 3),
    ],
)
def test_fail_on_unattributed(ask: Any, log: Path, options: str, status: int) -> None:
    for command in ("calls", "summary"):
        answer = ask(command, log, "--role", ROLE, "--fail-on", "unattributed", *options.split())
        assert answer.status == status
        assert ("which-notebook: 1 unattributed call (--fail-on" in answer.err) is (status == 3)
        assert answer.out or command == "calls"
        assert ask(command, log, "--role", "another", "--fail-on", "unattributed").status == 4


@pytest.mark.parametrize(
    ("command", "missing"), [("finding", "FILE"), ("summary", "SOURCE"), ("event", "EVENT_ID, SOURCE")]
)
def test_what_is_missing_is_named_and_nothing_else(ask: Any, command: str, missing: str) -> None:
    answer = ask(command)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert f"the following arguments are required: {missing}" in answer.err
    assert f"{missing}, " not in answer.err


def test_the_exit_status_of_what_couldnt_be_read(ask: Any, log: Path) -> None:
    (log.parent / "bad.json").write_bytes(b"")
    assert ask("summary", log.parent, "--role", ROLE).status == 1
    assert ask("summary", log.parent, "--role", ROLE, "--fail-on", "unattributed").status == 3


def test_a_source_whose_name_ends_in_a_colon_is_named_with_one(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    answer = ask("summary", "cloudtrail:", "--role", ROLE)
    assert (answer.status, "which-notebook: could not read cloudtrail: no AWS region" in answer.err) == (1, True)


WRONG = {
    "summary LOG --limit 3 --role r": "--limit is for --by",
    "summary LOG --by week --role r": "invalid choice: 'week'",
    "summary --role r": "SOURCE (see which-notebook summary --help)",
    "calls LOG --role r --colour": "unrecognized arguments: --colour (see which-notebook calls --help)",
    "calls LOG --rol r": "unrecognized arguments: --rol r",
    "calls LOG --role r --notebook fraud*": "wildcards aren't taken here",
    "calls LOG --role r --access-key ASIA*": "wildcards aren't taken here",
    "calls LOG --role r --region us-*": "invalid region 'us-*'",
    "calls LOG --role r --since x": "--since: invalid time 'x'",
    "sql lake --role r --delivered-within 3": "sql lake takes no --delivered-within",
    "finding LOG --dry-run": "unrecognized arguments: --dry-run (see which-notebook finding --help)",
    "--colour": "COMMAND (see which-notebook --help)",
    "summary LOG --role r --since soon": "invalid time 'soon': write an ISO time",
    "summary LOG --role r --until 2026-13-01": "invalid time '2026-13-01': write an ISO time",
    "summary LOG --role r --since 2026-03-02 --until 2026-03-01": "--since 2026-03-02 is after --until 2026-03-01",
    "summary LOG --role a/b": "'a/b' is no role: give its name",
    "summary LOG --role arn:aws:sts::111122223333:federated-user/r": "is no role: give its name",
    "calls LOG --role r --notebook ": "'' is empty: name at least one",
    **{f"calls LOG --role r {option} ": "'' is empty: " for option in (
        "--resource", "--access-key", "--event-name", "--event-source", "--status", "--region", "--account", "--since",
        "--until", "--inventory", "--output", "-o", "--role",
    )},
    "event  LOG --role r": "'' is empty: give a value",
    "finding  LOG": "'' is empty: give a value",
    "summary LOG  --role r": "'' is empty: give a value",
    "roles LOG --resource ": "'' is empty: give a value",
    "report LOG --role r --format csv -o x": "unrecognized arguments: --format csv",
    "calls LOG --role r --delivered-within a-week": "must be a number of days from 0 to 3650, not 'a-week'",
    "summary LOG --role arn:aws:iam::111122223333:role/x/": "is no role: give its name",
    "calls LOG --role r --status bad": "invalid status 'bad': choose from attributed, unattributed",
    "calls LOG --role r --jobs 0": "argument --jobs: must be a number from 1 to 256, not '0'",
    "calls LOG --role r --format xml": "invalid choice: 'xml'",
    "summary LOG --role r --format parquet": "invalid choice: 'parquet'",
    "event e LOG --format csv": "invalid choice: 'csv'",
    "report LOG --role r": "a report is a file: give --output report.html",
    "summary cloudtrail --role r": "the account's event history is cloudtrail:",
    "summary s3:// --role r": "write s3://BUCKET",
    "summary s3: --role r": "write s3://BUCKET",
    "summary s3:bucket --role r": "s3:bucket is no source: give a file, a folder, -, s3://BUCKET/PREFIX, cloudtrail:, athena://WORKGROUP/DATABASE/TABLE or trino://",
    "summary https://example.com/logs --role r": "https://example.com/logs is no source: give a file, a folder",
    "summary arn:aws:s3:::bucket --role r": "arn:aws:s3:::bucket is no source: give a file, a folder",
    "summary LOG --role r --account 12": "invalid account id '12': it must have 12 digits",
    "calls LOG --role r -o no-such.xlsx": "no-such.xlsx has an ending that is no format: give --format too, one of table, json",
    "calls LOG --role r -o no-such.json.gz": "no-such.json.gz has an ending that is no format",
    "report LOG --role r -o no-such.csv": "a report is an HTML file: give --output report.html, not no-such.csv",
    "summary LOG --inventory no-such.json": "can't read the inventory no-such.json: no such file or directory",
    "summary LOG --inventory LOG": "holds no JSON",
    "bad": "invalid choice: 'bad'",
    "": "COMMAND",
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_says_in_one_line_what_to_write(ask: Any, log: Path, line: str) -> None:
    answer = ask(*(word.replace("LOG", str(log)) for word in line.split(" ")) if line else ())
    assert (answer.status, answer.out) == (2, "")
    assert WRONG[line] in answer.err
    assert answer.err.startswith("which-notebook: ")
    assert answer.err.count("\n") == 1


ARNS = {name: f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{name}" for name in ("a", "team-*", "q?")}
OUTPUTS = {"role_arn": ROLE_ARN, "role_name": ROLE, "session_arns": ARNS, "notebook_instances": {"a": {"arn": "x"}}}


def printed(values: dict[str, Any]) -> dict[str, Any]:
    """Return outputs as `terraform output -json` prints them."""
    return {name: {"sensitive": False, "type": "string", "value": value} for name, value in values.items()}


INVENTORIES = {
    "the module's outputs": (printed(OUTPUTS), ROLE_ARN),
    "within another output": (printed({"url": "x", "notebooks": OUTPUTS}), ROLE_ARN),
    "of examples/basic": (printed({"session_arns": ARNS, "notebook_urls": {"a": "a.notebook.aws"}}), ROLE),
    "terraform output -json notebooks": (OUTPUTS, ROLE_ARN),
}


@pytest.mark.parametrize("form", INVENTORIES)
def test_an_inventory_tells_the_role_and_which_names_are_real(ask: Any, tmp_path: Path, form: str) -> None:
    content, role = INVENTORIES[form]
    (tmp_path / "outputs.json").write_text(json.dumps(content))
    names = ["a", "b", "team-x", "team", "q1", "q12", BASE]
    path = write(tmp_path / "log.json", *(record(session(name), eventID=name) for name in names))
    found = ask("calls", path, "--inventory", tmp_path / "outputs.json").calls
    assert {call["event_id"] for call in found if call["status"] == "attributed"} == {"a", "team-x", "q1"}
    assert {call["event_id"] for call in found if call["status"] == "unknown-name"} == {"b", "team", "q12"}
    assert ask("summary", path, "--inventory", tmp_path / "outputs.json").json["role"] == role


def test_an_inventory_in_utf_16_as_an_old_powershell_writes_it(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(printed(OUTPUTS)), encoding="utf-16")
    path = write(tmp_path / "log.json", record(session("a")))
    assert ask("summary", path, "--inventory", tmp_path / "outputs.json").json["calls"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "holds no `session_arns` of this module"),
        (b"[1]", "holds no `session_arns` of this module"),
        (b'{"session_arns":{"value":{"a":"x"},"sensitive":false}}', "holds no `session_arns` of this module"),
        (b'{"session_arns":{"value":{},"sensitive":false}}', "holds no `session_arns` of this module"),
        (b"[" * 100_000, "holds no JSON"),
        (compact({"x": OUTPUTS, "y": {**OUTPUTS, "role_arn": f"{ROLE_ARN}-2"}}), "holds several roles"),
    ],
)
def test_an_inventory_that_is_none(ask: Any, tmp_path: Path, log: Path, content: bytes, said: str) -> None:
    (tmp_path / "outputs.json").write_bytes(content)
    answer = ask("summary", log, "--inventory", tmp_path / "outputs.json")
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err


DAYS = ["2026/02/28", "2026/03/01", "2026/03/02", "2026/03/03"]


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ("", 16),
        ("--region eu-west-1", 8),
        (f"--account {ACCOUNT}", 8),
        (f"--account {ACCOUNT} --region eu-west-1 --since 2026-03-02", 2),
        ("--since 2026-03-01T12:00:00Z", 12),
        # A file may be delivered days after.
        ("--until 2026-02-28 --delivered-within 1", 8),
        ("--until 2026-02-28", 16),
        ("--until 2026-02-28 --delivered-within 0", 4),
        ("--until 9999-12-31", 16),
    ],
)
def test_a_path_tells_which_files_need_no_reading(ask: Any, tmp_path: Path, options: str, read: int) -> None:
    for account in (ACCOUNT, OTHER_ACCOUNT):
        for region in ("eu-west-1", "eu-central-1"):
            for day in DAYS:
                write(tmp_path / f"AWSLogs/o-abc123/{account}/CloudTrail/{region}/{day}/x.json.gz", others())
    answer = ask("summary", tmp_path, "--role", ROLE, *options.split())
    assert (answer.status, answer.json["files"]) == (4, read)


def test_help_and_version(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["summary", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            ask(*arguments)
        assert ended.value.code == 0
        assert "which-notebook" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        ask("audit", "--help")
    of_each = capsys.readouterr().out.split("verdicts of a ")[1:]
    assert [text.split(",")[0].split(":")[0] for text in of_each] == ["notebook instance", "Studio domain"]
    assert ["enforced" in text for text in of_each] == [True, False]
    for shell in ("bash", "zsh", "tcsh"):
        assert "which" in ask("completion", shell).out


def test_the_completion_completes_in_bash_as_the_help_says(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "which-notebook").write_text(f'#!/bin/bash\nexec {shlex.join(command)} "$@"\n')
    (tmp_path / "which-notebook").chmod(0o755)
    said = subprocess.run([*command, "completion", "--help"], capture_output=True, text=True, check=True).stdout
    (line,) = (line.strip() for line in re.findall("(?m)^ +(eval .*bash.*) ~/.bashrc$", said))
    asked = "COMP_WORDS=(which-notebook su); COMP_CWORD=1; $(complete -p which-notebook | grep -o '_shtab[a-z_]*') x su"
    script = f'{line}\n{asked}\necho "${{COMPREPLY[*]}}"'
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    found = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "summary\n"


def test_openings_by_others_are_read_for_warnings_and_not_counted(ask: Any, tmp_path: Path) -> None:
    user = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/jane"}
    path = write(tmp_path / "log.json", opening(user, "a"), record(session("a")))
    found = ask("summary", path, "--role", ROLE).json
    assert (found["calls"], found["handshakes"]) == (1, 0)
    assert found["notebooks"][0]["warnings"] == {"opened-by-another": 1}


def test_sources_may_stand_on_both_sides_of_an_option(ask: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "log.json", record(session(name)))
    answer = ask("calls", tmp_path / "a", "--role", ROLE, tmp_path / "b")
    assert {call["notebook"] for call in answer.calls} == {"a", "b"}


def test_of_several_roles_those_without_a_call_are_named(ask: Any, log: Path) -> None:
    answer = ask("summary", log, "--role", ROLE, "--role", "data-sience", "--role", "other-*")
    assert "No call of the role data-sience or other-* is in what was read" in answer.err
    assert answer.json["calls"] > 0
    assert "No call of the role" not in ask("summary", log, "--role", ROLE, "--role", ROLE_ARN).err


@pytest.mark.parametrize("options", ["", "--dry-run", "--dry-run --output asked.sql"])
def test_a_table_without_a_region(tmp_path: Path, options: str) -> None:
    settings = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    answer = subprocess.run(
        [sys.executable, "-m", "which_notebook", "summary", "athena://w/d/t", "--role", ROLE, *options.split()],
        env={"PATH": os.environ["PATH"], **settings}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert "no AWS region: set AWS_REGION or AWS_DEFAULT_REGION" in answer.stderr
    assert re.search("Traceback|can't write", answer.stderr) is None
    assert list(tmp_path.iterdir()) == []
