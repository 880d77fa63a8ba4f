"""--likely in the answers: calls, summary, groups, event; with the other options, sources and the cache."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from base_sessions import about, call, stream
from log_files import write
from records import ROLE, Record, handshake, opening, record, session
from workspace import CHECKOUT

RECORDS = [
    handshake("fraud-model", base_key="KA", time="2026-03-01T09:00:00Z", sourceIPAddress="203.0.113.7", eventID="opened"),
    record(time="2026-03-01T09:01:00Z"),
    call("KA", time="2026-03-01T08:30:00Z", eventID="first"),
    call("KA", time="2026-03-01T10:30:00Z", errorCode="AccessDenied", eventID="last"),
    about("KB", "churn-model", time="2026-03-01T09:10:00Z", eventID="asked"),
    handshake("fraud-model", base_key="KB", time="2026-03-01T09:11:00Z", sourceIPAddress="203.0.113.7", eventID="cheated"),
    stream("KC", "job-1/algo-1-1", "/aws/sagemaker/TrainingJobs", time="2026-03-01T09:12:00Z"),
    call("KD", time="2026-03-01T09:13:00Z", eventID="silent"),
]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.json.gz", *RECORDS)


def rows(ask: Any, log: Path, *options: str) -> list[tuple[str | None, str, str | None, str | None]]:
    found = ask("calls", log, "--role", ROLE, "--likely", *options).calls
    return [(each["notebook"], each["status"], each["likely_notebook"], each["likely_evidence"]) for each in found]


FRAUD = (None, "unattributed", "fraud-model", "handshake")
DISPUTED = (None, "unattributed", None, "handshake names-itself")
JOB = (None, "unattributed", None, "log-stream")
SILENT = (None, "unattributed", None, None)
OPENED = (None, "handshake", None, None)
ATTRIBUTED = ("fraud-model", "attributed", None, None)


def test_the_status_stays_and_only_unattributed_calls_are_likely_somebodys(ask: Any, log: Path) -> None:
    assert rows(ask, log) == [FRAUD, OPENED, ATTRIBUTED, DISPUTED, OPENED, JOB, SILENT, FRAUD]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--notebook", "fraud-model"], [FRAUD, ATTRIBUTED, FRAUD]),
        (["--notebook", "churn-model"], []),
        (["--status", "unattributed", "--errors-only"], [FRAUD]),
        (["--notebook", "fraud-model", "--status", "attributed"], [ATTRIBUTED]),
        (["--access-key", "KB", "--event-source", "sagemaker"], [DISPUTED]),
        (["--since", "2026-03-01T10:00:00Z"], [FRAUD]),
        (["--until", "2026-03-01T08:45:00Z"], [FRAUD]),
        (["--region", "eu-central-1", "--account", "111122223333", "--event-name", "GetObject"], [FRAUD, ATTRIBUTED, SILENT, FRAUD]),
        (["--resource", "figures", "--notebook", "fraud-model", "--follow"], [FRAUD, ATTRIBUTED, FRAUD]),
    ],
    ids=lambda each: " ".join(each) if each and isinstance(each[0], str) else "",
)  # fmt: skip
def test_it_combines_with_the_other_options(ask: Any, log: Path, options: list[str], expected: Any) -> None:
    assert rows(ask, log, *options) == expected


def test_an_empty_answer_says_that_calls_are_disputed_with_that_name(ask: Any, log: Path) -> None:
    found = ask("calls", log, "--role", ROLE, "--likely", "--notebook", "churn-model")
    assert found.calls == []
    assert "1 call is disputed between churn-model and something else" in found.err
    assert "disputed" not in ask("calls", log, "--role", ROLE, "--notebook", "churn-model").err
    other_day = ["--notebook", "churn-model", "--since", "2026-03-01T10:00:00Z"]
    assert "disputed" not in ask("calls", log, "--role", ROLE, "--likely", *other_day).err


def test_without_it_nothing_changes(ask: Any, log: Path) -> None:
    found = ask("calls", log, "--role", ROLE, "--notebook", "fraud-model").calls
    assert [each["status"] for each in found] == ["attributed"]
    assert not any(name.startswith("likely") for name in found[0])
    assert not {"likely", "disputed", "no_notebook"} & ask("summary", log, "--role", ROLE).json.keys()


def test_evidence_stands_in_files_of_another_region_and_day(ask: Any, tmp_path: Path) -> None:
    def put(found: Record, region: str, day: str) -> None:
        write(tmp_path / f"AWSLogs/111122223333/CloudTrail/{region}/{day}/{found['eventID']}.json.gz", found)

    asked = call("KA", time="2026-03-02T00:30:00Z")
    put(asked, "eu-central-1", "2026/03/02")
    put(handshake(base_key="KA", time="2026-03-01T23:50:00Z", awsRegion="us-east-1"), "us-east-1", "2026/03/01")
    options = ["--since", "2026-03-02", "--until", "2026-03-02", "--region", "eu-central-1"]
    assert rows(ask, tmp_path, *options) == [FRAUD]


def test_a_session_that_a_chain_leads_to_is_chained_and_nobodys_likely(ask: Any, tmp_path: Path) -> None:
    back = opening(session("fraud-model"), "SageMaker", key="KA", time="2026-03-01T09:02:00Z")
    path = write(
        tmp_path / "log.json", record(), back, call("KA", time="2026-03-01T09:05:00Z"), about("KA", "churn-model")
    )
    chained = [each for each in rows(ask, path, "--follow") if each[1] == "chained"]
    assert [each[0] for each in chained] == ["fraud-model"] * len(chained) != []
    assert {each[2] for each in rows(ask, path)} == {None}


def test_fail_on_unattributed_counts_likely_calls(ask: Any, log: Path) -> None:
    assert ask("calls", log, "--role", ROLE, "--likely", "--fail-on", "unattributed").status == 3


def test_the_cache_does_not_mix_answers(ask: Any, log: Path) -> None:
    asked = [ask("calls", log, "--role", ROLE, *options).out for options in ([], ["--likely"]) * 2]
    fresh = [ask("calls", log, "--role", ROLE, "--no-cache", *options).out for options in ([], ["--likely"])]
    assert asked == fresh * 2
    assert fresh[0] != fresh[1]


def test_columns_in_every_format(ask: Any, log: Path, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    for form in ("json", "jsonl", "csv", "parquet", "table"):
        assert (
            ask(
                "calls", log, "--role", ROLE, "--likely", "--follow", "--format", form, "-o", tmp_path / f"out.{form}"
            ).status
            == 0
        )
    header = (tmp_path / "out.csv").read_text().splitlines()[0].split(",")
    assert header[-3:] == ["via", "likely_notebook", "likely_evidence"]
    expected = [[each[2], each[3]] for each in rows(ask, log)]
    for found in (
        json.loads((tmp_path / "out.json").read_text()),
        list(map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())),
        pyarrow.read_table(tmp_path / "out.parquet").to_pylist(),
    ):
        assert [[each["likely_notebook"], each["likely_evidence"]] for each in found] == expected
    assert "fraud-model      handshake" in (tmp_path / "out.table").read_text()


def test_the_summary_parts_the_unattributed_calls(ask: Any, log: Path) -> None:
    found = ask("summary", log, "--role", ROLE, "--likely").json
    assert found["unattributed"]["calls"] == 5
    (likely,) = found["likely"]
    assert (likely["notebook"], likely["calls"], likely["errors"], likely["evidence"]) == (
        "fraud-model",
        2,
        1,
        {"handshake": 1},
    )
    (disputed,) = found["disputed"]
    assert disputed["notebooks"] == ["churn-model", "fraud-model"]
    assert disputed["evidence"] == {"churn-model": {"names-itself": 1}, "fraud-model": {"handshake": 1}}
    (job,) = found["no_notebook"]
    assert (job["others"], job["calls"]) == (["training job job-1"], 1)
    text = ask("summary", log, "--role", ROLE, "--likely", "--format", "table").out
    at = [text.index(part) for part in (
        "(unattributed)", "  likely fraud-model (handshake)", "  disputed: churn-model or fraud-model (handshake, names-itself)",
        "  no notebook instance: training job job-1 (log-stream)", "  nothing names it", "no proof",
    )]  # fmt: skip
    assert at == sorted(at)


def test_the_summarys_csv_has_a_row_for_each_part(ask: Any, log: Path) -> None:
    lines = [
        line.split(",") for line in ask("summary", log, "--role", ROLE, "--likely", "--format", "csv").out.splitlines()
    ]
    parts = [(line[4], *line[-2:]) for line in lines if line[1] == "unattributed"]
    assert parts == [
        ("2", "fraud-model", "handshake"),
        ("1", "", "handshake names-itself"),
        ("1", "", "log-stream"),
        ("1", "", ""),
    ]


@pytest.mark.parametrize("by", ["resource", "event", "day", "session"])
def test_groups_tell_likely_calls_apart(ask: Any, log: Path, by: str) -> None:
    found = ask("summary", log, "--role", ROLE, "--likely", "--by", by).json["groups"]
    # A call counts under each of its resources.
    found = [each for each in found if by != "resource" or each["resource"] == "arn:aws:s3:::figures/day"]
    counts = [(each["likely_notebook"], each["calls"]) for each in found if each["status"] == "unattributed"]
    assert sum(calls for name, calls in counts if name == "fraud-model") == 2
    assert sum(calls for name, calls in counts if name is None) == 5 - 2
    assert "likely_notebook" not in ask("summary", log, "--role", ROLE, "--by", by).json["groups"][0]
    assert (
        "(unattributed, likely fraud-model)"
        in ask("summary", log, "--role", ROLE, "--likely", "--by", by, "--format", "table").out
    )


def test_event_says_why_and_how_it_could_be_made_so(ask: Any, log: Path) -> None:
    text = ask("event", "first", log, "--likely", "--format", "table").out
    assert "All evidence on its session, KA, names fraud-model" in text
    assert "handshake: it opened the notebook session fraud-model (1 event: opened)." in text
    assert "There is only one kind of evidence." in text
    assert text.count("What speaks against this name:") == 1
    assert text.count("Warnings about the attribution:") == 1
    assert "the user can open a session under a colleague's name" in text
    found = ask("event", "first", log, "--likely").json
    assert (found["status"], found["notebook"], found["likely_notebook"]) == ("unattributed", None, "fraud-model")
    assert found["likely"]["evidence"] == [
        {
            "kind": "handshake",
            "names": "fraud-model",
            "is_notebook": True,
            "events": 1,
            "event_ids": ["opened"],
            "how": None,
        }
    ]


def test_event_of_a_disputed_call(ask: Any, log: Path) -> None:
    found = ask("event", "asked", log, "--likely").json
    assert (found["likely_notebook"], found["likely_evidence"]) == (None, "handshake names-itself")
    assert found["likely"]["against"] == [
        "Against churn-model: handshake names fraud-model.", "Against fraud-model: names-itself names churn-model.",
    ]  # fmt: skip


def test_event_of_a_call_that_nothing_names_and_of_a_handshake(ask: Any, log: Path) -> None:
    assert (
        ask("event", "silent", log, "--likely").json["likely"]["verdict"].startswith("Nothing in these sources names")
    )
    found = ask("event", "opened", log, "--likely").json
    assert (found["likely_notebook"], found["likely"]["notebook"]) == (None, "fraud-model")
    assert "likely" not in ask("event", "first", log).json


SAMPLES = CHECKOUT.parent / "shared" / "cloudtrail-samples"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real CloudTrail records to compare with are not on this machine")
def test_of_real_logs_nothing_is_likely_without_evidence(ask: Any, tmp_path: Path) -> None:
    """No session of SageMaker's is among them; made such ones, their records name no notebook instance either."""
    whole = ask("summary", SAMPLES, "--role", "*", "--likely", "--follow")
    base_sessions = tmp_path / "log.json"
    written = (text(path) for path in SAMPLES.rglob("*") if path.name.endswith((".json", ".json.gz")))
    base_sessions.write_text(
        "\n".join(re.sub(r"(:assumed-role/[^/\"]+/|AROA[A-Z0-9]+:)[^\"]+", r"\1SageMaker", each) for each in written)
    )
    made = ask("summary", base_sessions, "--role", "*", "--likely")
    for answer in (whole, made):
        assert answer.status == 0
        found = answer.json
        assert found["calls"] > 100
        assert found["likely"] == found["disputed"] == []
    assert whole.json["no_notebook"] == []
    assert made.json["unattributed"]["calls"] > 100


def text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


HOSTILE = ("\x1b[2J", "</script><script>", "=cmd|' /C calc'!A0", "a\nb", "\u202e", "' OR '1'='1", "x" * 500)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_text_in_every_output(ask: Any, tmp_path: Path, text: str) -> None:
    records = [
        handshake(text, base_key="KA"), call("KA", eventID="it"), stream("KA", f"{text}/x", "/aws/sagemaker/TrainingJobs"),
        stream("KA", f"{text}/x", f"/aws/sagemaker/{text}"), about("KA", text), stream("KA", f"{text}/x"),
        opening({"type": "AWSAccount", "principalId": text}, "SageMaker", key="KA"),
        record({**call("KA")["userIdentity"], "inScopeOf": {"sourceArn": f"arn:aws:sagemaker:eu-central-1:111122223333:space/{text}"}}),
    ]  # fmt: skip
    path = write(tmp_path / "log.json", *records)
    for command in ("summary", "calls"):
        for form in ("table", "json", "csv"):
            out = ask(command, path, "--role", ROLE, "--likely", "--format", form).out
            assert not any(char in out for char in ("\x1b", "\u202e"))
            if form == "csv":
                cells = [cell for row in csv.reader(out.splitlines()) for cell in row]
                assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    for form in ("table", "json"):
        out = ask("event", "it", path, "--role", ROLE, "--likely", "--format", form).out
        assert not any(char in out for char in ("\x1b", "\u202e"))
    assert ask("report", path, "--role", ROLE, "--likely", "-o", tmp_path / "report.html").status == 0
    assert "</script><script>" not in (tmp_path / "report.html").read_text()
    assert [each["notebook"] for each in ask("summary", path, "--role", ROLE, "--likely").json["likely"]] == []
