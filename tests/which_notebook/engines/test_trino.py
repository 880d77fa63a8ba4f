"""The same answer from a real Trino as from the files that it reads, through the Glue table that modules/athena made."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engine_corpus as corpus
import ocsf_table
import pytest
from athena_gateway import AthenaGateway
from engine_scene import BUCKET, SAMPLES, SAMPLES_ACCOUNT, Scene, engine_scene, samples
from records import ACCOUNT, ROLE, ROLE_ARN
from trino_server import NotHereError, installed, java

from which_notebook.aws import forget_clients

pytestmark = pytest.mark.toolchain  # a download of 453 MB, and a JVM

LAKE_TABLE = "cloud_trail_mgmt_2_0"
FILES = len(corpus.places())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    try:
        java()
        installed()
    except NotHereError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with engine_scene(tmp_path_factory.mktemp("engine")) as scene:
        yield scene


@pytest.fixture(autouse=True)
def who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRINO_PASSWORD", "TRINO_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRINO_USER", "analyst")
    monkeypatch.setenv("TRINO_HTTP_SCHEME", "http")


def without_counts(text: str) -> str:
    """Return an answer without how many files and bytes were read."""
    return re.sub(
        r'"(files|bytes)":( ?)[0-9]+', r'"\1":\g<2>0', re.sub(r"[0-9,]+ files? \([0-9,]+ bytes\)", "FILES", text)
    )


def without_nulls(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an explanation without members of the record that are null: of a column nothing tells whether they were there."""
    return answer | {"record": {key: value for key, value in answer["record"].items() if value is not None}}


ROLES = ["--role", ROLE]
QUESTIONS: dict[str, list[str]] = {
    "summary": ["summary", *ROLES, "--format", "json"],
    "of an ARN": ["summary", "--role", ROLE_ARN, "--format", "json"],
    "of a session's ARN": ["summary", "--role", f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/x", "--format", "json"],
    "of all roles": ["calls", "--role", "*", "--format", "jsonl"],
    "by resource": ["summary", *ROLES, "--by", "resource", "--format", "json"],
    "by day": ["summary", *ROLES, "--by", "day", "--format", "csv"],
    "table": ["calls", *ROLES, "--format", "table"],
    "calls": ["calls", *ROLES, "--format", "csv"],
    "since": ["calls", *ROLES, "--format", "jsonl", "--since", "2026-03-02T09:02:00Z"],
    "until": ["calls", *ROLES, "--format", "jsonl", "--until", "2026-03-02"],
    "one day": ["calls", *ROLES, "--format", "jsonl", "--since", "2026-03-02", "--until", "2026-03-02", "--delivered-within", "0"],
    "one account": ["summary", *ROLES, "--format", "json", "--account", ACCOUNT],
    "one region": ["summary", *ROLES, "--format", "json", "--region", "us-east-1"],
    "account, region, day": ["calls", *ROLES, "--format", "jsonl", "--account", ACCOUNT, "--region", "us-east-1", "--since", "2026-03-03"],
    "notebook": ["calls", *ROLES, "--format", "jsonl", "--notebook", "churn-model"],
    "status": ["calls", *ROLES, "--format", "jsonl", "--status", "unattributed,unknown-name"],
    "event name": ["calls", *ROLES, "--format", "jsonl", "--event-name", "Get*"],
    "event source": ["calls", *ROLES, "--format", "jsonl", "--event-source", "dynamodb"],
    "errors": ["calls", *ROLES, "--format", "jsonl", "--errors-only"],
    "resource": ["calls", *ROLES, "--format", "jsonl", "--resource", "s3://figures/day/"],
    "access key": ["calls", "--format", "jsonl", "--access-key", "ASIANOTEBOOK1111EU01"],
    "hostile access key": ["calls", "--format", "jsonl", "--access-key", "KEY ' OR '1'='1"],
    "follow": ["calls", *ROLES, "--format", "jsonl", "--follow"],
    "follow in an account": ["summary", *ROLES, "--format", "json", "--follow", "--account", ACCOUNT, "--since", "2026-03-02"],
    "likely": ["calls", *ROLES, "--format", "jsonl", "--likely"],
    "likely in a region and day": ["summary", *ROLES, "--format", "json", "--likely", "--region", "us-east-1", "--since", "2026-03-02", "--until", "2026-03-02"],
    "roles": ["roles", "--format", "json"],
    "nothing fits": ["summary", *ROLES, "--format", "json", "--notebook", "no-such"],
    "fail on": ["summary", *ROLES, "--format", "json", "--fail-on", "unattributed"],
    **{f"role {role}": ["calls", "--role", role, "--format", "jsonl"] for role in corpus.LIKE_ROLES},
    "role with a wildcard": ["calls", "--role", "data?science", "--format", "jsonl"],
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_one_from_files(scene: Scene, ask: Callable[..., Any], question: str) -> None:
    command, *options = QUESTIONS[question]
    of_files = ask(command, scene.folder, *options)
    of_engine = ask(command, scene.source, *options)
    assert of_files.out
    assert without_counts(of_engine.out) == without_counts(of_files.out)
    assert of_engine.status == of_files.status


@pytest.mark.parametrize("name", ["GetObject", "AssumeRole", "GetItem", "ListBuckets"])
def test_an_event_is_explained_as_from_files(scene: Scene, ask: Callable[..., Any], name: str) -> None:
    found = next(call for call in ask("calls", scene.folder, *ROLES).calls if call["event_name"] == name)
    of_files = ask("event", found["event_id"], scene.folder, *ROLES, "--format", "json")
    of_engine = ask("event", found["event_id"], scene.source, *ROLES, "--format", "json")
    assert without_nulls(of_engine.json) == without_nulls(of_files.json)
    assert list(of_engine.json) == list(of_files.json)


@pytest.mark.parametrize("name", corpus.HOSTILE[::3])
def test_no_text_of_a_caller_or_a_user_becomes_sql(scene: Scene, ask: Callable[..., Any], name: str) -> None:
    of_files = ask("event", name, scene.folder)
    of_engine = ask("event", name, scene.source)
    assert of_engine.status == of_files.status == 1
    assert of_engine.err.endswith(of_files.err.splitlines()[-1] + "\n")


def test_a_report_is_the_one_from_files(scene: Scene, ask: Callable[..., Any], tmp_path: Path) -> None:
    texts = []
    for number, source in enumerate((scene.folder, scene.source)):
        assert ask("report", source, *ROLES, "-o", tmp_path / f"{number}.html").status == 0
        texts.append(re.sub('"made":"[^"]*"', "", (tmp_path / f"{number}.html").read_text()))
    assert without_counts(texts[1]) == without_counts(texts[0])


@pytest.mark.parametrize(
    ("session_name", "key"), [("fraud-model", "ASIANOTEBOOK1111EU01"), ("SageMaker", "ASIABASE1111EU01")]
)
def test_a_finding_leads_where_it_does_from_files(
    scene: Scene, ask: Callable[..., Any], tmp_path: Path, session_name: str, key: str
) -> None:
    details = {
        "accessKeyId": key,
        "principalId": f"AROAEXAMPLE1111000001:{session_name}",
        "userName": ROLE,
        "userType": "AssumedRole",
    }
    finding = {
        "schemaVersion": "2.0", "accountId": ACCOUNT, "id": "f-1", "type": "UnauthorizedAccess:IAMUser/x", "title": "x",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": details},
        "service": {"eventFirstSeen": "2026-03-01T08:00:00Z", "eventLastSeen": "2026-03-01T20:00:00Z", "count": 2},
    }  # fmt: skip
    (tmp_path / "finding.json").write_text(json.dumps(finding))
    of_files, of_engine = (
        ask("finding", tmp_path / "finding.json", each, *ROLES, "--format", "json")
        for each in (scene.folder, scene.source)
    )
    assert of_engine.out == of_files.out
    assert re.search('"calls": [1-9]', of_engine.out)


def test_only_the_partitions_that_are_asked_for_are_read(scene: Scene, ask: Callable[..., Any]) -> None:
    read = {
        "all": ask("summary", scene.source, *ROLES, "--dry-run").out,
        "account": ask("summary", scene.source, *ROLES, "--dry-run", "--account", ACCOUNT).out,
        "region and days": ask(
            "summary", scene.source, *ROLES, "--dry-run", "--region", "us-east-1", "--since", "2026-03-02", "--until", "2026-03-03", "--delivered-within", "0"
        ).out,
        "one file": ask(
            "summary", scene.source, *ROLES, "--dry-run", "--account", ACCOUNT, "--region", "us-east-1", "--since", "2026-03-03", "--until", "2026-03-03", "--delivered-within", "0"
        ).out,
    }  # fmt: skip
    bytes_read = {name: scanned(scene, sql) for name, sql in read.items()}
    per_file = {path: path.stat().st_size for path in scene.folder.rglob("*.json.gz")}

    def size_of(*parts: str) -> int:
        return sum(size for path, size in per_file.items() if all(part in str(path) for part in parts))

    assert bytes_read == {
        "all": size_of(""),
        "account": size_of(f"/{ACCOUNT}/"),
        "region and days": size_of("/us-east-1/2026/03/02") + size_of("/us-east-1/2026/03/03"),
        "one file": size_of(f"/{ACCOUNT}/", "/us-east-1/2026/03/03"),
    }
    assert len(per_file) == FILES + len(samples())
    assert scene.files_of(f"account = '{ACCOUNT}' AND region = 'us-east-1' AND day = '2026/03/03'") == 1


def scanned(scene: Scene, dry_run: str) -> int:
    """Return how many bytes of files Trino reads for what --dry-run printed."""
    sql = dry_run.split("\n", 1)[1].rstrip().removesuffix(";")
    return scene.trino.bytes_read(sql, scene.schema)


def test_the_views_rows_are_the_commands_calls(scene: Scene, ask: Callable[..., Any]) -> None:
    rows = scene.trino.query("SELECT * FROM notebook_calls", scene.schema)
    names = [str(row[0]) for row in scene.trino.query("DESCRIBE notebook_calls", scene.schema)]
    of_view = {str(row[0]): dict(zip(names, row, strict=True)) for row in rows}
    # An identity without an ARN tells no role: only other records of the same one do, which no view looks at.
    of_command = {
        call["event_id"]: call
        for call in ask("calls", scene.folder, *ROLES, "--format", "jsonl").calls
        if call["status"] != "chained"
    }
    nameless = {each for each in of_command if each not in of_view}
    assert {json.loads(ask("event", each, scene.folder, *ROLES, "--format", "json").out)["record"]["userIdentity"]["type"] for each in list(nameless)[:3]} == {"AWSAccount"}  # fmt: skip
    assert of_view.keys() <= of_command.keys()
    assert len(of_view) > 10 * len(corpus.HOSTILE)
    for event_id, row in of_view.items():
        call = of_command[event_id]
        assert call["resources"][: len(row["resources"] or [])] == (row["resources"] or [])
        for name in call.keys() - {"resources"}:
            assert row[name] == call[name], (event_id, name)


def test_what_sql_prints_gives_the_views_rows(scene: Scene, ask: Callable[..., Any]) -> None:
    printed = ask(
        "sql", "trino", f"{scene.schema}.cloudtrail_logs", *ROLES, "--since", "2026-03-02", "--account", ACCOUNT
    ).out
    rows = scene.trino.query(printed, scene.schema)
    of_view = scene.trino.query(
        f"SELECT * FROM notebook_calls WHERE account = '{ACCOUNT}' AND event_time >= '2026-03-02T00:00:00Z' AND account_id = '{ACCOUNT}'",
        scene.schema,
    )
    assert rows
    assert sorted(rows, key=repr) == sorted(of_view, key=repr)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real CloudTrail records to compare with are not on this machine")
def test_real_records_are_among_them(scene: Scene, ask: Callable[..., Any]) -> None:
    ((count,),) = scene.trino.query(
        f"SELECT count(*) FROM cloudtrail_logs WHERE account = '{SAMPLES_ACCOUNT}'", scene.schema
    )
    assert count == sum(len(each) for each in samples())
    assert count > 2000
    calls = ask(*QUESTIONS["of all roles"][:1], scene.source, *QUESTIONS["of all roles"][1:]).calls
    assert len({call["role_arn"] for call in calls if call["event_time"] < "2026"}) > 10


# AWS's older table: no sourceidentity in the session, no onbehalfof, no event category, and no partitions.
OLDER = """
SELECT eventversion,
  CAST(ROW(useridentity.type, useridentity.principalid, useridentity.arn, useridentity.accountid, useridentity.invokedby,
      useridentity.accesskeyid, useridentity.username,
      ROW(useridentity.sessioncontext.attributes, useridentity.sessioncontext.sessionissuer))
    AS ROW(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar, accesskeyid varchar, username varchar,
      sessioncontext ROW(attributes ROW(creationdate varchar, mfaauthenticated varchar),
        sessionissuer ROW(type varchar, principalid varchar, arn varchar, accountid varchar, username varchar)))) AS useridentity,
  eventtime, eventsource, eventname, awsregion, sourceipaddress, useragent, errorcode, errormessage, requestparameters,
  responseelements, additionaleventdata, requestid, eventid, resources, eventtype, apiversion, readonly, recipientaccountid,
  serviceeventdetails, sharedeventid, vpcendpointid
FROM cloudtrail_logs
"""


def test_an_older_table_gives_what_it_has(scene: Scene, ask: Callable[..., Any]) -> None:
    scene.trino.query(f"CREATE VIEW older AS {OLDER}", scene.schema)
    options = [*ROLES, "--format", "jsonl", "--since", "2026-03-02", "--until", "2026-03-03"]
    of_engine = ask("calls", scene.source.replace("cloudtrail_logs", "older"), *options)
    lacking = dict.fromkeys(("source_identity", "event_category", "user_profile", "on_behalf_of"))
    expected = [call | lacking for call in ask("calls", scene.folder, *options).calls]
    of_profiles = [call for call in expected if call["status"] == "user-profile"]
    for call in of_profiles:
        opens = call["event_name"] == "AssumeRole"
        call["status"] = "handshake" if opens else "unattributed"
    assert of_profiles
    assert of_engine.calls == expected != []
    lacks = "useridentity.sessioncontext.sourceidentity, useridentity.onbehalfof.userid, eventcategory"
    assert f"has no {lacks}" in of_engine.err


@pytest.fixture(scope="module")
def lake(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table as Security Lake keeps it; the folder has the same records as files."""
    folder = tmp_path_factory.mktemp("lake")
    records = [
        each | {"requestID": each.get("requestID") or "r"}
        for each in corpus.records(ACCOUNT, corpus.REGIONS[0], corpus.FIRST)
        if (identity := each["userIdentity"])["type"] == "AssumedRole"
        and not identity["sessionContext"].get("sourceIdentity")
    ]
    ocsf_table.make(scene.moto.client("s3"), scene.moto.client("glue"), BUCKET, scene.schema, LAKE_TABLE, records)
    corpus.write_log(folder, ACCOUNT, corpus.REGIONS[0], corpus.FIRST, records)
    return folder


@pytest.mark.parametrize(
    "options",
    [[], ["--since", "2026-03-01T09:00:00Z", "--until", "2026-03-01T19:10:00Z"], ["--follow"], ["--account", ACCOUNT]],
)
def test_security_lakes_table_gives_the_same_calls(
    scene: Scene, ask: Callable[..., Any], options: list[str], lake: Path
) -> None:
    of_files = ask("calls", lake, *ROLES, "--format", "jsonl", *options).calls
    of_engine = ask(
        "calls", scene.source.replace("cloudtrail_logs", LAKE_TABLE), *ROLES, "--format", "jsonl", *options
    ).calls
    # These the table of this test hasn't, as the shapes of test_shapes.py haven't.
    without = {"vpc_endpoint_id": None, "error_code": None}
    assert [call | without for call in of_engine] == [call | without for call in of_files] != []


@pytest.mark.parametrize(
    "question",
    ["summary", "calls", "one day", "one account", "follow", "hostile access key", "roles", "role data_science"],
)
def test_athena_gives_what_trino_computes(
    scene: Scene, ask: Callable[..., Any], question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module's own table and workgroup, Athena's API, and a real engine behind it."""
    own = f'"{scene.outputs["database_name"]}"."cloudtrail_logs"'

    def computed(sql: str, parameters: list[str]) -> list[str]:
        assert own in sql
        text = sql.replace(own, f'"{scene.schema}"."cloudtrail_logs"').replace("'", "''")
        using = f" USING {', '.join(parameters)}" if parameters else ""
        return [str(row[0]) for row in scene.trino.query(f"EXECUTE IMMEDIATE '{text}'{using}", scene.schema)]

    for name, value in scene.moto.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    command, *options = QUESTIONS[question]
    of_files = ask(command, scene.folder, *options)
    with AthenaGateway(scene.moto.url, scene.moto.client("s3"), computed).running() as gateway:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gateway.url)
        forget_clients()
        of_engine = ask(command, scene.outputs["source"], *options)
        forget_clients()
    assert without_counts(of_engine.out) == without_counts(of_files.out)
    assert of_engine.status == of_files.status
    assert gateway.started()


def test_an_interrupted_query_is_cancelled(scene: Scene, command: list[str]) -> None:
    """Ctrl-C, while a query runs that gives its rows a hundred million times over."""
    scene.trino.query(
        f"CREATE VIEW endless AS SELECT logs.* FROM {scene.schema}.cloudtrail_logs AS logs "
        "CROSS JOIN UNNEST(sequence(1, 10000)) CROSS JOIN UNNEST(sequence(1, 10000))",
        scene.schema,
    )
    process = subprocess.Popen(
        [*command, "summary", scene.source.replace("cloudtrail_logs", "endless"), *ROLES],
        stderr=subprocess.PIPE,
        text=True,
        # A command in the background of a shell ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )

    def queries() -> list[list[Any]]:
        return scene.trino.query(
            "SELECT state, error_code FROM system.runtime.queries WHERE \"user\" = 'analyst' AND query LIKE '%endless%' "
            "AND query LIKE '%useridentity%' ORDER BY created DESC LIMIT 1"
        )

    try:
        end = time.monotonic() + 120
        while not any(state == "RUNNING" for state, _ in queries()):
            assert time.monotonic() < end, (process.poll(), queries())
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
        scene.trino.query("DROP VIEW endless", scene.schema)
    assert process.returncode == 130
    assert said.endswith("which-notebook: interrupted\n")
    assert queries() == [["FAILED", "USER_CANCELED"]]


def test_a_table_that_is_not_there_is_named(scene: Scene, ask: Callable[..., Any]) -> None:
    answer = ask("summary", scene.source.replace("cloudtrail_logs", "no_such"), *ROLES)
    assert answer.status == 1
    assert "TABLE_NOT_FOUND" in answer.err
    answer = ask("summary", scene.source.replace("cloudtrail_logs", "cloudtrail_files"), *ROLES)
    assert answer.status == 2
    assert "holds no CloudTrail records" in answer.err


def test_a_server_that_does_not_answer_is_named(ask: Callable[..., Any]) -> None:
    answer = ask("summary", "trino://127.0.0.1:1/a/b/c", *ROLES)
    assert answer.status == 1
    assert "Trino can't be asked" in answer.err
