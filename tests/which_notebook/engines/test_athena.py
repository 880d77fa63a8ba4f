"""The source athena://, against moto's Athena: start, poll, results, pages, cancel, failures and throttling. Nothing ran on AWS."""

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
import pytest
from athena_gateway import AthenaGateway
from athena_table import make_table, row_of
from moto_server import MotoServer
from own_network import OwnNetwork
from records import ACCOUNT, ROLE

from which_notebook.aws import forget_clients
from which_notebook.calls.scope import Scope
from which_notebook.calls.search import Search
from which_notebook.limits import LIMITS
from which_notebook.progress import Progress
from which_notebook.reading.options import Options
from which_notebook.reading.reader import Reader
from which_notebook.sources.coverage import Coverage
from which_notebook.sources.registry import opened_sources

pytestmark = pytest.mark.emulated

WORKGROUP, DATABASE, TABLE = "notebooks", "logs", "cloudtrail_logs"
SOURCE = f"athena://{WORKGROUP}/{DATABASE}/{TABLE}"
ROLES = ["--role", ROLE]
# How many times more results a query has, whose memory may not grow with them.
MANY_TIMES = 60 if os.environ.get("CI") else 30


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    corpus.write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def rows(logs: Path) -> list[str]:
    """All records as rows: the engine of these tests picks none, so what an answer has was picked by the command."""
    import gzip

    found = [json.loads(gzip.decompress(path.read_bytes()))["Records"] for path in sorted(logs.rglob("*.json.gz"))]
    return [row_of(record) for records in found for record in records]


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with OwnNetwork() as network:
        server = MotoServer(network, tmp_path_factory.mktemp("moto"))
        glue, s3 = server.client("glue"), server.client("s3")
        for bucket in ("audit-logs", "results"):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket="audit-logs", Key="AWSLogs/x.json.gz", Body=bytes(3000))
        glue.create_database(DatabaseInput={"Name": DATABASE})
        make_table(glue, DATABASE, TABLE)
        make_table(glue, DATABASE, "injected", {"projection.account.type": "injected"})
        make_table(glue, DATABASE, "without_identity", without=",sourceidentity:string")
        make_table(glue, DATABASE, "without_partitions", partitions=())
        server.client("athena").create_work_group(Name=WORKGROUP)
        yield server


@pytest.fixture
def athena(moto: MotoServer, rows: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[AthenaGateway]:
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with AthenaGateway(moto.url, moto.client("s3"), lambda sql, parameters: rows).running() as gateway:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gateway.url)
        forget_clients()
        yield gateway
    forget_clients()


def without_counts(text: str) -> str:
    return re.sub(r'"(files|bytes)": [0-9]+', r'"\1": 0', text)


@pytest.mark.parametrize("is_managed", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        ["summary", "--format", "json"],
        ["calls", "--format", "csv"],
        ["calls", "--follow", "--format", "jsonl"],
        ["calls", "--likely", "--format", "jsonl"],
    ],
)
def test_the_answer_is_the_one_from_files(
    athena: AthenaGateway, logs: Path, ask: Callable[..., Any], options: list[str], is_managed: bool
) -> None:
    athena.faults.is_managed = is_managed
    command, *rest = options
    of_files, of_engine = (ask(command, source, *ROLES, *rest) for source in (logs, SOURCE))
    assert of_engine.status == of_files.status == 0
    assert without_counts(of_engine.out) == without_counts(of_files.out) != ""
    assert "Athena scanned 11.4 MB (about 0.00 USD, at 5 USD a TB)" in of_engine.err
    assert ("GetQueryResults" in [operation for operation, _ in athena.requests]) == is_managed


def test_what_is_asked_names_partitions_and_has_every_value_as_a_parameter(
    athena: AthenaGateway, ask: Callable[..., Any]
) -> None:
    ask(
        "calls",
        SOURCE,
        *ROLES,
        "--since",
        "2026-03-02T10:00:00Z",
        "--until",
        "2026-03-03",
        "--account",
        ACCOUNT,
        "--region",
        "us-east-1",
    )
    (asked,) = athena.started()
    assert asked["WorkGroup"] == WORKGROUP
    assert asked["QueryExecutionContext"] == {"Database": DATABASE}
    assert 'FROM "logs"."cloudtrail_logs"' in asked["QueryString"]
    for condition in ('"account" IN (?)', '"region" IN (?)', '"day" >= ?', '"day" <= ?'):
        assert condition in asked["QueryString"]
    assert asked["ExecutionParameters"][:4] == [f"'{ACCOUNT}'", "'us-east-1'", "'2026/03/02'", "'2026/03/10'"]
    assert ROLE not in asked["QueryString"]
    assert asked["QueryString"].count("?") == len(asked["ExecutionParameters"])


def test_quotes_in_a_value_stay_in_it(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    ask("event", "' OR '1'='1", SOURCE)
    (asked,) = athena.started()
    assert asked["ExecutionParameters"] == ["''' OR ''1''=''1'"]


def test_no_limit_is_warned_of_with_what_it_may_scan(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    answer = ask("summary", SOURCE, *ROLES)
    assert "limits what Athena reads" in answer.err
    assert "it may scan 2.9 KB (about 0.00 USD" in answer.err
    assert "in 1 files" in answer.err
    assert "limits what Athena reads" not in ask("summary", SOURCE, *ROLES, "--since", "2026-03-01").err
    assert (
        "limits what Athena reads"
        in ask("summary", f"athena://{WORKGROUP}/{DATABASE}/without_partitions", *ROLES, "--since", "2026-03-01").err
    )


def test_a_table_with_injected_accounts_keeps_them_in_what_follows(
    athena: AthenaGateway, ask: Callable[..., Any]
) -> None:
    ask("calls", f"athena://{WORKGROUP}/{DATABASE}/injected", *ROLES, "--follow", "--account", ACCOUNT)
    first, *_ = athena.started()
    assert '"account" IN (?)' in first["QueryString"]
    athena.requests.clear()
    ask("calls", SOURCE, *ROLES, "--follow", "--account", ACCOUNT)
    first, *_ = athena.started()
    assert '"account"' not in first["QueryString"]  # a session may have been opened in any


def test_what_a_table_lacks_is_said(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    answer = ask("calls", f"athena://{WORKGROUP}/{DATABASE}/without_identity", *ROLES, "--follow")
    assert "has no useridentity.sessioncontext.sourceidentity" in answer.err
    assert all("sourceidentity" not in asked["QueryString"] for asked in athena.started())


FAILURES = {
    "HIVE_BAD_DATA: Error parsing field value": "can't be read as the table says",
    "Query exhausted resources at this scale factor": "took more than Athena gives to one: ask for less",
    "Query cancelled! : Bytes scanned limit was exceeded": "limit of data scanned stopped the query",
    "CONSTRAINT_VIOLATION: For the injected projected partition column account, the WHERE clause must contain only static equality conditions": "give --account",
    "PERMISSION: Access Denied (Service: Amazon S3; Status Code: 403)": "s3:GetObject and s3:ListBucket on the logs",
    "Insufficient Lake Formation permission(s) on logs": "Lake Formation doesn't grant it",
    "TABLE_NOT_FOUND: line 2:6: Table 'logs.x' does not exist": "there is no such table",
    "Query timeout": "took longer than the quota",
    "The bucket is in S3 Glacier: InvalidObjectState": "some of the files are archived",
    "SYNTAX_ERROR: line 1:1": "--dry-run prints it",
}  # fmt: skip


@pytest.mark.parametrize("message", FAILURES)
def test_a_failure_says_what_it_means_and_what_to_do(
    athena: AthenaGateway, ask: Callable[..., Any], message: str
) -> None:
    athena.faults.ends = [
        {"State": "FAILED", "StateChangeReason": message, "AthenaError": {"ErrorCategory": 2, "ErrorType": 1009}}
    ]
    answer = ask("summary", SOURCE, *ROLES, "--format", "json")
    assert answer.status == 1
    assert FAILURES[message] in answer.err
    assert message in answer.err
    assert len(athena.started()) == 1


def test_a_failure_without_words_is_told_by_its_number(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    athena.faults.ends = [
        {"State": "FAILED", "AthenaError": {"ErrorCategory": 1, "ErrorType": 401, "ErrorMessage": "x"}}
    ]
    assert "the results can't be written" in ask("summary", SOURCE, *ROLES).err


def test_what_may_succeed_again_is_asked_again(athena: AthenaGateway, logs: Path, ask: Callable[..., Any]) -> None:
    athena.faults.ends = [{"State": "FAILED", "StateChangeReason": "SlowDown", "AthenaError": {"Retryable": True}}] * 2
    answer = ask("calls", SOURCE, *ROLES)
    assert answer.status == 0
    assert answer.out == ask("calls", logs, *ROLES).out
    assert len(athena.started()) == 3


REFUSALS = {
    ("StartQueryExecution", "InvalidRequestException", "WorkGroup x is not found."): "there is no such workgroup",
    (
        "StartQueryExecution",
        "InvalidRequestException",
        "No output location provided.",
    ): "the workgroup has no place for results",
    ("StartQueryExecution", "AccessDeniedException", "not authorized"): "athena:StartQueryExecution is missing",
    ("GetQueryExecution", "AccessDeniedException", "not authorized"): "athena:GetQueryExecution is missing",
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_says_what_to_do(
    athena: AthenaGateway, ask: Callable[..., Any], refusal: tuple[str, str, str]
) -> None:
    operation, code, message = refusal
    athena.faults.refusals = {operation: [(code, message)] * 20}
    answer = ask("summary", SOURCE, *ROLES)
    assert answer.status == 1
    assert REFUSALS[refusal] in answer.err


@pytest.mark.parametrize("operation", ["StartQueryExecution", "GetQueryExecution"])
def test_throttling_is_waited_out(athena: AthenaGateway, logs: Path, ask: Callable[..., Any], operation: str) -> None:
    athena.faults.refusals = {operation: [("ThrottlingException", "Rate exceeded")] * 3}
    answer = ask("calls", SOURCE, *ROLES)
    assert answer.status == 0
    assert answer.out == ask("calls", logs, *ROLES).out


def test_an_interrupted_query_is_cancelled(athena: AthenaGateway, moto: MotoServer, command: list[str]) -> None:
    athena.faults.is_endless = True
    process = subprocess.Popen(
        [*command, "summary", SOURCE, *ROLES],
        stderr=subprocess.PIPE,
        text=True,
        # A command in the background of a shell ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        end = time.monotonic() + 60
        while len([each for each, _ in athena.requests if each == "GetQueryExecution"]) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert said.endswith("which-notebook: interrupted\n")
    (asked,) = (asked for operation, asked in athena.requests if operation == "StopQueryExecution")
    execution = moto.client("athena").get_query_execution(QueryExecutionId=asked["QueryExecutionId"])
    assert execution["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_the_progress_tells_state_scan_and_price(
    athena: AthenaGateway,
) -> None:
    said: list[str] = []

    class Said(Progress):
        def state(self, text: str) -> None:
            said.append(text)

    athena.faults.scanned = 2 * 1024**4
    with opened_sources([SOURCE], LIMITS, progress=Said()) as sources:
        list(Reader(sources, Options(limits=LIMITS)).tables(Search(role_names=(ROLE,)), Scope(), Coverage()))
    assert said[-1] == "Athena: succeeded, 2.0 TB (about 10.00 USD, at 5 USD a TB) scanned so far"


def test_a_dry_run_with_likely_prints_what_looks_for_evidence(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    asked = [SOURCE, "--likely", "--dry-run", "--since", "2026-03-02", "--region", "us-east-1"]
    sql = ask("summary", *asked, "--role", arn).out
    assert "= 'CreateNetworkInterface'" in sql
    assert "'for SageMaker Notebook Instance '" in sql
    # From the day before, of any region, and only of the role's account.
    assert "\"day\" >= '2026/03/01'" in sql
    assert "\"account\" IN ('111122223333')" in sql
    assert "us-east-1" not in sql
    assert '"account" IN' not in ask("summary", *asked, "--role", ROLE).out
    assert athena.started() == []


def test_a_dry_run_prints_the_sql_and_runs_nothing(athena: AthenaGateway, ask: Callable[..., Any]) -> None:
    answer = ask("summary", SOURCE, *ROLES, "--dry-run", "--since", "2026-03-01", "--account", ACCOUNT)
    assert answer.status == 0
    assert f"\"account\" IN ('{ACCOUNT}')" in answer.out
    assert "\"day\" >= '2026/03/01'" in answer.out
    assert athena.requests == []


def test_memory_stays_bounded_whatever_the_results(
    athena: AthenaGateway, moto: MotoServer, rows: list[str], run: Callable[..., Any]
) -> None:
    peaks = {}
    for times in (1, MANY_TIMES):
        athena._run = lambda sql, parameters, times=times: rows * times  # type: ignore[misc]
        outcome = run("summary", SOURCE, *ROLES, "--format", "json")
        assert outcome.status == 0, outcome.err
        peaks[times] = outcome.peak
    assert peaks[MANY_TIMES] < peaks[1] + MANY_TIMES * 2 // 3 * 1024**2


@pytest.mark.parametrize(
    "name",
    [
        "athena:",
        "athena://x",
        "athena://a/b",
        "athena://a/b/c/d",
        'athena://a/b"/c',
        'trino://h:1/a/b/c"; DROP TABLE x',
        "athena:///b/c",
        "trino://h/a/b/c",
        "trino://h:1/a/b",
        "trino://user:secret@h:1/a/b/c",
    ],
)
def test_a_name_that_can_not_be_meant_is_refused(name: str, ask: Callable[..., Any]) -> None:
    answer = ask("summary", name, *ROLES)
    assert answer.status == 2
    assert answer.err.count("\n") == 1


def test_no_secret_goes_out_without_tls(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRINO_PASSWORD", "secret")
    monkeypatch.setenv("TRINO_HTTP_SCHEME", "http")
    answer = ask("summary", "trino://trino.example.com:8080/a/b/c", *ROLES)
    assert answer.status == 2
    assert "without TLS" in answer.err
    assert "secret" not in answer.err
