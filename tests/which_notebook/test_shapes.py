"""The same calls come out of one log in whatever shape, compression and encoding it is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from base_sessions import about, base, call, interface, notebook_arn, refused, stream
from botocore.model import StructureShape
from botocore.session import get_session
from calls_of_content import calls_in
from document_table import WRITE, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from log_files import compact, document, write
from records import ACCOUNT, BASE, ROLE, Record, handshake, others, record, session
from shapes import BINARY, ENCODINGS, PACKINGS, SHAPES, as_csv, athena_row, event_bridge, text
from workspace import CHECKOUT

from which_notebook.records.shapes.wrappers import WRAPPERS, Wrapper

LOG = [
    handshake("churn-model", time="2026-03-01T08:59:59Z"),
    others(),
    record(session("fraud-model", key="ASIAEXAMPLE000000001")),
    record(session("churn-model"), time="2026-03-01T09:00:01Z", errorCode="AccessDenied", userAgent='a "q", {x=y} ü'),
    record(session(BASE), time="2026-03-01T09:00:02Z"),
]
CASES = CHECKOUT.parent / "shared" / "cases"


# Of each kind of clue one, in the record's own fields and in those that differ from service to service.
TELLING = [
    stream("K1", "fraud-model/LifecycleConfigOnStart"),
    refused(about("K2", "x"), notebook_arn("fraud-model")),
    about("K3", "fraud-model"),
    handshake("fraud-model", base_key="K4", sourceIPAddress="203.0.113.7"),
    interface("fraud-model", "10.9.0.10"),
    *(call(f"K{number}", sourceIPAddress="10.9.0.10" if number == 5 else "203.0.113.7") for number in range(1, 7)),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_evidence_comes_out_of_every_shape(ask: Any, tmp_path: Path, shape: str) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(SHAPES[shape](TELLING))
    answer = ask("calls", kept, "--role", ROLE, "--likely", "--status", "unattributed")
    assert (answer.status, answer.err) == (0, "")
    found = {each["access_key_id"] for each in answer.calls if each["likely_notebook"] == "fraud-model"}
    assert found == {"K1", "K2", "K3", "K4", "K5"}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_calls_come_out_of_every_shape(ask: Any, tmp_path: Path, shape: str) -> None:
    plain, kept = tmp_path / "plain.json", tmp_path / "kept"
    plain.write_bytes(document(LOG))
    kept.write_bytes(SHAPES[shape](LOG))
    expected = ask("calls", plain, "--role", ROLE)
    answer = ask("calls", kept, "--role", ROLE)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out == expected.out
    assert len(answer.calls) == 4


@pytest.mark.parametrize("shape", SHAPES)
def test_each_command_reads_it_and_damage_costs_little(ask: Any, tmp_path: Path, shape: str) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "kept").write_bytes(SHAPES[shape](LOG))
    details = {
        "accessKeyId": "ASIAEXAMPLE000000001",
        "principalId": "AROAEXAMPLEROLE000001:fraud-model",
        "userName": ROLE,
    }
    (tmp_path / "finding.json").write_bytes(compact({"service": {}, "resource": {"accessKeyDetails": details}}))
    asked: dict[str, list[Any]] = {
        "summary": [folder, "--role", ROLE],
        "calls": [folder, "--role", ROLE],
        "report": [folder, "--role", ROLE, "-o", tmp_path / "report.html"],
        "event": [LOG[2]["eventID"], folder, "--role", ROLE],
        "roles": [folder],
        "finding": [tmp_path / "finding.json", folder],
    }
    whole = {name: ask(name, *arguments) for name, arguments in asked.items()}
    assert {name: (answer.status, answer.err) for name, answer in whole.items()} == dict.fromkeys(asked, (0, ""))
    assert (whole["summary"].json["calls"], len(whole["calls"].calls)) == (3, 4)
    assert (whole["event"].json["notebook"], whole["event"].json["status"]) == ("fraud-model", "attributed")
    assert [(role["role_arn"].split("/")[-1], role["calls"], role["handshakes"]) for role in whole["roles"].json] == [
        (ROLE, 3, 1)
    ]
    (actor,) = whole["finding"].json[0]["actors"]
    assert (actor["notebook"] or actor["session_name"], actor["calls"]) == ("fraud-model", 1)
    data = SHAPES[shape](LOG * 50)
    (folder / "kept").write_bytes(data[: len(data) * 2 // 3])
    for name, arguments in asked.items():
        cut = ask(name, *[folder / "kept" if each == folder else each for each in arguments])
        assert cut.status in (0, 1), (name, cut.err)
        assert "Traceback" not in cut.err
        # Lines that end where a line does aren't known to be cut off.
        assert cut.status == 1 or name != "summary" or cut.json["calls"] > 0


SCOPED = record(base("K7", inScopeOf={"sourceArn": notebook_arn("fraud-model")}), sourceIPAddress="203.0.113.7")
EVIDENCE = {"K1": "`log-stream`", "K3": "`names-itself`", "K4": "`handshake`", "K5": "`address`", "K7": "`in-scope-of`"}


def evidence_lost_in(ask: Any, kept: Path, shape: Any) -> str:
    """Return the document's words for which evidence doesn't come out of a form."""
    kept.write_bytes(shape([*TELLING, SCOPED]))
    answer = ask("calls", kept, "--role", ROLE, "--likely", "--status", "unattributed", "--no-cache")
    assert answer.status == 0
    found = {each["access_key_id"] for each in answer.calls if each["likely_notebook"]}
    return " ".join(name for key, name in EVIDENCE.items() if key not in found) or "none"


def kept_in(data: bytes, damaged: bytes) -> tuple[str, str]:
    """Return the document's words for what a form gives, whole and cut off."""
    whole, problems = calls_in(data)
    expected, _ = calls_in(document(LOG))
    assert not problems
    assert len(whole) == len(expected)
    lost = {name for call, plain in zip(whole, expected, strict=True) for name in call if call[name] != plain[name]}
    some, problems = calls_in(damaged)
    assert problems
    return ", ".join(sorted(lost)) or "none", "the calls before it count" if some else "no call counts"


def cut_off(shape: Any, times: int = 60) -> bytes:
    many = [{**found, "eventID": f"{number}-{found['eventID']}"} for number in range(times) for found in LOG]
    data: bytes = shape(many)
    return data[: len(data) * 2 // 3]


@pytest.mark.heavy
def test_the_document_has_each_shape(ask: Any, tmp_path: Path) -> None:
    rows = {
        name: (fields, evidence_lost_in(ask, tmp_path / "kept", shape), cut)
        for name, shape in SHAPES.items()
        for fields, cut in [kept_in(shape(LOG), cut_off(shape))]
    }
    for name, pack in PACKINGS.items():
        title = f"compressed with {name}" if name != "zip" else "files in a zip archive"
        fields, cut = kept_in(
            pack(document(LOG)), cut_off(lambda many, pack=pack: pack(document(many)), 400)
        )  # several blocks
        rows[title] = (
            fields,
            evidence_lost_in(ask, tmp_path / "kept", lambda found, pack=pack: pack(document(found))),
            cut,
        )
    for name, encode in ENCODINGS.items():
        fields, cut = kept_in(encode(document(LOG)), cut_off(lambda many, encode=encode: encode(document(many))))
        rows[name] = (
            fields,
            evidence_lost_in(ask, tmp_path / "kept", lambda found, encode=encode: encode(document(found))),
            cut,
        )
    table = Table(CHECKOUT / "docs/which-notebook.md", "records kept as")
    if WRITE:
        table.write(rows)
    assert table.documented() == rows


@settings(max_examples=60)
@given(st.data())
def test_a_log_gives_the_same_however_it_is_kept(data: st.DataObject) -> None:
    names = st.text(alphabet="abcXYZ019+=,.@-", min_size=1, max_size=20)
    agents = st.text(min_size=0, max_size=30).filter(
        lambda each: each.isprintable() and each.strip() not in ("", "-", "null")
    )
    number = data.draw(st.integers(1, 4))
    log = [
        record(session(data.draw(names)), userAgent=data.draw(agents), time=f"2026-03-01T09:00:{n:02}Z")
        for n in range(number)
    ]
    shape = data.draw(st.sampled_from(sorted(SHAPES)))
    kept = SHAPES[shape](log)
    if not any(word in shape for word in BINARY):
        encoding = data.draw(st.sampled_from([None, *ENCODINGS]))
        kept = ENCODINGS[encoding](kept) if encoding else kept
    packings = (
        data.draw(st.lists(st.sampled_from(sorted(PACKINGS)), max_size=1 if "within gzip" in shape else 2, unique=True))
        if "Parquet" not in shape
        else []
    )
    for number, packing in enumerate(packings):
        if packing != "zip" or number == len(packings) - 1:
            kept = PACKINGS[packing](kept)
    assert calls_in(kept) == calls_in(document(log))


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["log", "log.json", "log.gz"])
def test_a_compression_is_told_by_its_first_bytes(ask: Any, tmp_path: Path, packing: str, name: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    data = PACKINGS[packing](document(LOG * 20))
    (logs / name).write_bytes(data)
    answer = ask("summary", logs, "--role", ROLE)
    assert (answer.status, answer.json["calls"], answer.json["left_out"]) == (0, 3, [])
    (logs / name).write_bytes(data[:-30])
    answer = ask("summary", logs / name, "--role", ROLE)
    assert answer.status == 1
    assert packing in answer.err


@pytest.mark.parametrize("shape", [name for name in SHAPES if not any(word in name for word in BINARY)])
def test_a_wrapper_within_another_callers_record_is_no_record(shape: str) -> None:
    forged = SHAPES[shape]([record(session("forged"))]).decode()
    mallory = {
        "type": "IAMUser",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory",
        "accountId": ACCOUNT,
        "userName": "mallory",
    }
    try:
        held: Any = json.loads(forged)
    except ValueError:
        held = {"lines": forged.splitlines()}
    holders = [
        record(mallory, requestParameters=asked, responseElements=asked, userAgent=forged)
        for asked in (held, forged, {"x": [held, held]})
    ]
    for name, keep in SHAPES.items():
        found, _ = calls_in(keep([*holders, LOG[2], *holders]))
        assert {call["session_name"] for call in found} == {"fraud-model"}, name


@pytest.mark.parametrize("name", ["eventJson", "eventjson"])
def test_cloudtrail_lakes_text_of_an_event_is_read_however_the_column_is_written(name: str) -> None:
    expected = calls_in(document(LOG))
    rows = [[{name: text(found)}] for found in LOG]
    assert calls_in(compact({"QueryStatus": "FINISHED", "QueryResultRows": rows})) == expected
    assert calls_in(as_csv([{name: text(found)} for found in LOG])) == expected


def test_an_event_of_another_source_on_the_bus_is_no_record() -> None:
    forged = {**event_bridge(record(session("forged"))), "source": "my.app"}
    for wrapped in (
        forged,
        {"Messages": [{"Body": text(forged)}]},
        {"results": [[{"field": "@message", "value": text(forged)}]]},
    ):
        assert calls_in(compact(wrapped)) == ([], [])


def test_a_struct_that_another_text_may_have_made_is_not_guessed() -> None:
    row = {"eventname": "GetObject", "eventsource": "s3.amazonaws.com", "eventid": "1", "eventtime": "2026-03-01T09:00:00Z",
           "useridentity": f"{{type=WebIdentityUser, principalid=x, arn=arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/forged, arn=null}}"}  # fmt: skip
    found, problems = calls_in(compact([row]))
    assert found == []
    assert problems


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PAR1" + b"x" * 100, "damaged Parquet file"),
        (b"Obj\x01" + b"x" * 100, "an Avro file"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"<?xml version='1.0'?>", "XML"),
        (
            compact({"schemaVersion": "2.0", "accountId": "1", "resource": {}, "type": "x"}),
            "a GuardDuty finding: give it to `which-notebook finding`",
        ),
        (compact({"Findings": [{"AccountId": "1"}]}), "a GuardDuty finding: give it to `which-notebook finding`"),
        (
            compact({"source": "aws.guardduty", "detail": {"schemaVersion": "2.0", "accountId": "1", "service": {}}}),
            "a GuardDuty finding: give it",
        ),
        (
            compact([{"SchemaVersion": "2018-10-08", "AwsAccountId": "1", "Resources": []}]),
            "a GuardDuty finding: give it",
        ),
        (PACKINGS["gzip"](PACKINGS["zip"](b"x")), "unpack it first"),
        (
            b"Events:\n- AccessKeyId: x\n  CloudTrailEvent: '{}'\n",
            "YAML of `lookup-events`: print it with --output json",
        ),
        (b"EVENTS\tASIAX\t" + compact(LOG[2]) + b"\tx\n", "columns of `lookup-events`: print it with --output json"),
        (
            b"|  CloudTrailEvent |  " + compact(LOG[2]) + b"  |\n",
            "a table of `lookup-events`: print it with --output json",
        ),
        (b"Event name,Event time,User name,Event source\nX,now,fraud-model,x\n", "which lacks the caller's ARN"),
        (as_csv([{**athena_row(LOG[2])}]).split(b"\n", 1)[1], "CSV without a first line that names the columns"),
        (
            as_csv(
                [
                    {
                        "EventName": "X",
                        "EventSource": "s",
                        "AwsEventId": "1",
                        "TimeGenerated [Berlin]": "1/1/2026, 1:00:00.000 PM",
                        "UserIdentityArn": LOG[2]["userIdentity"]["arn"],
                    }
                ]
            ),
            "a row of Sentinel's in local time (TimeGenerated [Berlin]): export it in UTC",
        ),
        (b"PK\x03\x04" + b"x" * 50, "damaged zip archive"),
        (PACKINGS["gzip"](PACKINGS["gzip"](PACKINGS["gzip"](PACKINGS["gzip"](b"{}")))), "compressed more than 3 times"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_form_is_named_as_what_it_is(data: bytes, reason: str) -> None:
    found, (problem,) = calls_in(data)
    assert found == []
    assert reason in problem


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("begin", [b"", b"sep=%s\r\n", b"sep=%s\r\n\r\n", b"\r\n\n"])
def test_csv_by_what_separates_its_columns(delimiter: str, begin: bytes) -> None:
    data = begin.replace(b"%s", delimiter.encode()) + as_csv(list(map(athena_row, LOG)), delimiter)
    assert calls_in(data) == calls_in(document(LOG))


@pytest.mark.skipif(
    not CASES.exists(),
    reason="the records from the field that it reads aren't part of the project (shared/cases beside the clone)",
)
@pytest.mark.parametrize("folder", ["07-forms", "14-shapes"])
def test_the_cases_from_the_field(ask: Any, folder: str) -> None:
    role, expected = ("data-science", [("handshake", None), ("attributed", "alpha")])
    if folder == "14-shapes":
        role, expected = "shared", [("attributed", "fraud-model")]
    for path in sorted((CASES / folder).iterdir()):
        answer = ask("calls", path, "--role", role)
        if path.name == "guardduty.json":
            assert (answer.status, "a GuardDuty finding" in answer.err) == (1, True)
            continue
        assert (answer.status, answer.err) == (0, ""), path
        found = [(call["status"], call["notebook"]) for call in answer.calls]
        assert found == (
            expected * 2 if path.name in ("cwl-export.json", "firehose-concatenated.json") else expected
        ), path


@pytest.mark.parametrize(
    "shape", ["CloudWatch Logs, subscription filter", "Athena, `get-query-results`", "Elasticsearch, `_search`"]
)
def test_an_answer_longer_than_what_is_read_at_once(shape: str) -> None:
    log: list[Record] = [record(session("fraud-model"), userAgent="x" * 5000) for _ in range(1500)]
    found, problems = calls_in(SHAPES[shape](log))
    assert (len(found), problems) == (len(log), [])


def test_memory_stays_bounded_on_one_long_line(tmp_path: Path, run: Any) -> None:
    """`LONG_LINE_MB=2000` makes the line as long as the documents say."""
    megabytes = int(os.environ.get("LONG_LINE_MB", "120"))
    other = compact({**others(), "userAgent": "x" * 4000})
    with open(tmp_path / "long.json", "wb") as file:
        file.write(b'{ "Records" : [' + compact(LOG[2]))
        for _ in range(megabytes * 1_000_000 // (len(other) + 1)):
            file.write(b"," + other)
        file.write(b"]}")
    answer = run("summary", tmp_path / "long.json", "--role", ROLE, "--no-cache", "--jobs", "1")
    assert answer.json["calls"] == 1
    assert answer.peak < 200_000_000


def test_a_bomb_in_a_zip_archive_takes_bounded_memory(tmp_path: Path, run: Any) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
        for _ in range(250):  # more than may be in memory
            member.write(b"\0" * 1_000_000)
    write(tmp_path / "good.json", LOG[2])
    for name in ("bomb.zip", ""):
        answer = run("summary", tmp_path / name, "--role", ROLE, "--no-cache", "--jobs", "1")
        assert answer.json["calls"] == (0 if name else 1), answer.err  # it came to its end, in bounded time
        assert answer.peak < 200_000_000


MODELS = {
    "awscloudtrail": "cloudtrail",
    "AWSSimpleQueueService": "sqs",
    "AmazonCloudWatchLogs": "logs",
    "athena": "athena",
}


@pytest.mark.parametrize(
    "wrapper", [each for each in WRAPPERS if "/APIReference/" in each.source], ids=lambda each: each.name
)
def test_what_wraps_records_by_an_api_is_what_that_api_answers(wrapper: Wrapper) -> None:
    service, *_, page = wrapper.source.removeprefix("https://docs.aws.amazon.com/").split("/")
    name = page.removeprefix("API_").removesuffix(".html")
    model = get_session().get_service_model(MODELS[service])
    shape = model.operation_model(name).output_shape if name in model.operation_names else model.shape_for(name)
    assert isinstance(shape, StructureShape)
    assert {member.removeprefix("@") for member in wrapper.members} <= set(shape.members)
