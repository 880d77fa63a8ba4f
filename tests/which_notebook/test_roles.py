"""Which roles notebook instances use, and questions that name none, several, or patterns."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, ROLE_ARN, handshake, opening, others, record, session
from workspace import CHECKOUT

CASES = CHECKOUT.parent / "shared" / "cases"


def of(role: str, name: str, **fields: Any) -> dict[str, Any]:
    return record(session(name, role=role), **fields)


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return write(
        tmp_path / "one.json.gz",
        handshake(time="2026-03-01T08:00:00Z"),
        record(),
        record(session(BASE), time="2026-03-01T10:00:00Z", errorCode="AccessDenied"),
        others(),
        others(requestParameters={"roleName": f"arn:aws:sts::{ACCOUNT}:assumed-role/forged/SageMaker"}),
    )


@pytest.fixture
def several(one: Path) -> Path:
    write(
        one.parent / "more.json.gz",
        of("studio", BASE, time="2026-03-02T00:00:00Z"),
        record(session("churn-model", role="data-lab", path="/team/")),
        record(session(BASE, role="data-lab", path="/team/")),
        record(session(BASE, role="data-lab", path="/team/") | {"sessionContext": {}}),
        record(session(BASE, account=OTHER_ACCOUNT)),
    )
    return one.parent


def test_roles_are_told_by_their_base_sessions(ask: Any, several: Path) -> None:
    answer = ask("roles", several)
    assert (answer.status, answer.err) == (0, "")
    found = {(row["account_id"], row["role_arn"].rpartition("role/")[2]): row for row in answer.json}
    assert {key: (row["calls"], row["unattributed"], row["handshakes"], row["notebooks"]) for key, row in found.items()} == {
        (ACCOUNT, ROLE): (2, 1, 1, ["fraud-model"]),
        (ACCOUNT, "team/data-lab"): (3, 2, 0, ["churn-model"]),
        (ACCOUNT, "studio"): (1, 1, 0, []),
        (OTHER_ACCOUNT, ROLE): (1, 1, 0, []),
    }  # fmt: skip
    row = found[ACCOUNT, ROLE]
    assert (row["first_seen"], row["last_seen"]) == ("2026-03-01T08:00:00Z", "2026-03-01T10:00:00Z")
    assert [each["role_arn"].rpartition("/")[2] for each in answer.json][:2] in ([ROLE, "data-lab"], ["data-lab", ROLE])
    rows = list(csv.DictReader(io.StringIO(ask("roles", several, "--format", "csv").out)))
    assert [each["role_arn"] for each in rows] == [each["role_arn"] for each in answer.json]
    table = ask("roles", several, "--format", "table").out
    assert "forged" not in table
    assert "web-server" not in table
    assert table.count("data-lab") == 1


def test_roles_of_a_time_and_of_a_pattern(ask: Any, several: Path) -> None:
    assert [row["role_arn"] for row in ask("roles", several, "--role", "stud*").json] == [
        f"arn:aws:iam::{ACCOUNT}:role/studio"
    ]
    late = ask("roles", several, "--since", "2026-03-01T23:00:00Z").json
    assert [row["role_arn"].rpartition("/")[2] for row in late] == ["studio"]
    empty = ask("roles", several, "--role", "nobody")
    assert (empty.status, empty.json) == (4, [])


def test_what_is_left_out_is_named_whether_or_not_a_role_is_found(ask: Any, several: Path) -> None:
    (several / "notes.txt").write_text("no log")
    for asked in ([], ["--role", "nobody"]):
        assert "left out 1 file (.txt)" in ask("roles", several, *asked).err


def test_the_only_role_is_taken_and_named(ask: Any, one: Path) -> None:
    named = ask("calls", one, "--role", ROLE)
    for command in ("calls", "summary"):
        answer = ask(command, one)
        assert f"no --role given: using {ROLE_ARN}, the only role" in answer.err
        assert answer.status == 0
    assert ask("calls", one).out == named.out
    assert ask("report", one, "-o", one.parent / "r.html").status == 0


def test_from_a_pipe_too(command: list[str], one: Path) -> None:
    with open(one, "rb") as log:
        done = subprocess.run([*command, "calls", "-"], stdin=log, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3


def test_of_several_roles_one_has_to_be_named(ask: Any, several: Path) -> None:
    for command in ("calls", "summary", "report"):
        answer = ask(command, several, *(["-o", several / "r.html"] if command == "report" else []))
        assert (answer.status, answer.out) == (2, "")
        assert "which role? Several have a session called SageMaker in these sources: " in answer.err
        assert f"{ROLE_ARN}, " in answer.err
        assert f"which-notebook roles {shlex.quote(str(several))}" in answer.err


def test_without_any_such_role_one_has_to_be_named(ask: Any, tmp_path: Path) -> None:
    answer = ask("summary", write(tmp_path / "log.json", others()))
    assert (answer.status, answer.out) == (2, "")
    assert (
        "No role has a session called SageMaker in what was read. Roles in these logs: web-server. Give --role"
        in answer.err
    )


@pytest.mark.parametrize(
    ("asked", "roles"),
    [
        ([ROLE, "studio"], {ROLE, "studio"}),
        (["data-*"], {ROLE, "data-lab"}),
        (["*"], {ROLE, "data-lab", "studio", "web-server"}),
        (["stud?o"], {"studio"}),
        (["data-lab", "nobody"], {"data-lab"}),
        ([f"arn:aws:iam::{ACCOUNT}:role/*"], {ROLE, "data-lab", "studio", "web-server"}),
        ([f"arn:aws:iam::{ACCOUNT}:role/team/*"], {"data-lab"}),
        (["data"], set()),
        (["DATA-*"], set()),
    ],
)
@pytest.mark.parametrize("how", [[], ["--follow"], ["--parse-all"]])
def test_roles_repeat_and_take_patterns(
    ask: Any, several: Path, asked: list[str], roles: set[str], how: list[str]
) -> None:
    options = [part for each in asked for part in ("--role", each)]
    answer = ask("calls", several, *options, *how)
    assert {call["role_arn"].rpartition("/")[2] for call in answer.calls} == roles
    assert answer.status == (0 if roles else 4)
    summary = ask("summary", several, *options, *how).json
    assert summary["role"] == ", ".join(asked)
    assert summary["calls"] + summary["handshakes"] == len(answer.calls)


def test_a_handshake_is_one_within_its_own_role_only(ask: Any, several: Path) -> None:
    across = opening(session(BASE, role="studio"), "fraud-model")
    write(several / "across.json", across)
    calls = {call["event_id"]: call["status"] for call in ask("calls", several, "--role", "*").calls}
    assert calls[across["eventID"]] == "unattributed"


def test_from_an_access_key_to_its_role(ask: Any, several: Path) -> None:
    answer = ask("calls", several, "--access-key", "ASIACHURN-MODEL")
    assert [call["notebook"] for call in answer.calls] == ["churn-model"]
    assert "using the role of the access keys' calls, arn:aws:iam::111122223333:role/team/data-lab" in answer.err
    answer = ask("calls", several, "--access-key", "ASIANOBODY")
    assert (answer.status, answer.out) == (2, "")
    assert "no call of a role with the access key ASIANOBODY" in answer.err


LAKE_ID = "AROAEXAMPLEROLE000001"


def lake(
    principal: str | None = ROLE_ARN,
    *,
    name: str = "fraud-model",
    as_text: bool = False,
    event: str = "lakeformation:GetDataAccess",
    **fields: Any,
) -> dict[str, Any]:
    """Return Lake Formation's record of an engine that read data for a session of the role."""
    added = {"requesterService": "ATHENA", "lakeFormationPrincipal": principal}
    made: dict[str, Any] = {
        "additionalEventData": json.dumps(added) if as_text else added,
        "requestParameters": {"tableArn": f"arn:aws:glue:eu-central-1:{ACCOUNT}:table/sales/orders"},
        "resources": None,
    }
    identity = {"type": "AWSAccount", "principalId": f"{LAKE_ID}:{name}", "accountId": ACCOUNT}
    return record(identity, event, **(made | fields))


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("role", [ROLE, ROLE_ARN, "data-*"])
def test_lake_formation_says_whose_data_access_it_was(ask: Any, tmp_path: Path, role: str, as_text: bool) -> None:
    found = lake(as_text=as_text)
    path = write(tmp_path / "log.json", found, lake(f"arn:aws:iam::{ACCOUNT}:role/other"), others())
    (call,) = ask("calls", path, "--role", role).calls
    assert (call["status"], call["notebook"], call["role_arn"]) == ("attributed", "fraud-model", ROLE_ARN)
    assert call["resources"] == [f"arn:aws:glue:eu-central-1:{ACCOUNT}:table/sales/orders"]
    text = ask("event", found["eventID"], path, "--format", "table").out
    assert "was made in a session of the role under the name fraud-model" in text
    assert "The record has no ARN of its caller" in text
    assert LAKE_ID in text


@pytest.mark.parametrize(
    "found",
    [
        lake(f"arn:aws:iam::{OTHER_ACCOUNT}:role/{ROLE}"),
        lake(f"arn:aws:iam::{ACCOUNT}:user/{ROLE}"),
        lake(None),
        lake(event="lakeformation:GetTable"),
        lake(event="glue:GetDataAccess"),
        lake(additionalEventData=None, requestParameters={"lakeFormationPrincipal": ROLE_ARN}),
        lake(additionalEventData=[ROLE_ARN]),
    ],
)
def test_nothing_else_makes_lake_formations_record_the_roles(ask: Any, tmp_path: Path, found: dict[str, Any]) -> None:
    answer = ask("calls", write(tmp_path / "log.json", found), "--role", ROLE)
    assert answer.calls == []
    assert "not counted: calls whose records have no ARN" in answer.err


def test_the_roles_own_records_come_before_what_lake_formation_says(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", lake(f"arn:aws:iam::{ACCOUNT}:role/other"), record())
    assert {call["role_arn"] for call in ask("calls", path, "--role", ROLE).calls} == {ROLE_ARN}
    assert len(ask("calls", path, "--role", ROLE).calls) == 2


@pytest.mark.parametrize("options", [[], ["--role", ROLE]])
@pytest.mark.parametrize("shared", [{}, {"sharedEventID": "s", "requestID": "r"}])
def test_the_owners_copy_is_explained_by_event(ask: Any, tmp_path: Path, options: list[str], shared: Any) -> None:
    identity = {"type": "AWSAccount", "principalId": f"{LAKE_ID}:fraud-model", "accountId": ACCOUNT}
    copy = record(identity, recipientAccountId=OTHER_ACCOUNT, **shared)
    path = write(tmp_path / "log.json", copy, record(session("fraud-model"), **shared))
    text = ask("event", copy["eventID"], path, *options, "--format", "table").out
    assert "was made in a session of the role under the name fraud-model" in text
    assert "The record has no ARN of its caller" in text


def test_the_field_cases(ask: Any) -> None:
    if not CASES.is_dir():
        pytest.skip(
            "the records from the field that it reads aren't part of the project (shared/cases beside the clone)"
        )
    statuses = [call["status"] for call in ask("calls", CASES / "15-principal-only", "--role", "shared").calls]
    assert sorted(statuses) == ["attributed"] * 3 + ["unattributed"] * 2
    (call,) = ask("calls", CASES / "15-principal-only/b.json", "--role", "shared").calls
    assert call["notebook"] == "fraud-model"
    (actor,) = ask("finding", CASES / "14-shapes/guardduty.json", CASES / "15-principal-only").json[0]["actors"]
    assert (actor["notebook"], actor["calls"]) == ("fraud-model", 1)


def test_lake_formations_word_counts_beside_an_inventory_too(ask: Any, tmp_path: Path) -> None:
    """A role that was created anew under its name has another unique id than the inventory's."""
    outputs = {
        "role_arn": ROLE_ARN,
        "role_unique_id": "AROAEXAMPLEROLE000009",
        "session_arns": {"fraud-model": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/fraud-model"},
    }
    inventory = tmp_path / "outputs.json"
    inventory.write_text(json.dumps(outputs))
    (call,) = ask("calls", write(tmp_path / "log.json", lake()), "--inventory", inventory).calls
    assert (call["status"], call["role_arn"]) == ("attributed", ROLE_ARN)
