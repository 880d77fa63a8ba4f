"""The forms in which records lie in files: the answer is the same from all of them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from log_files import compact, document, write
from records import BASE, ROLE, Record, handshake, others, record, session

from which_notebook.limits import Limits

RECORDS = [
    others(),
    record(session("fraud-model")),
    others(errorMessage=f"no {ROLE}"),
    handshake("churn-model", time="2026-03-01T09:00:01Z"),
    record(session(BASE), time="2026-03-01T09:00:02Z", userAgent='quo"te, {"eventVersion": ü'),
]
VERDICTS = [("attributed", "fraud-model"), ("handshake", None), ("unattributed", None)]


def from_event_bridge(found: Record) -> Record:
    kind = {"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}
    return {**kind, "account": found["recipientAccountId"], "resources": [], "detail": found}


def from_lookup_events(found: Record) -> Record:
    return {"EventId": found["eventID"], "EventName": found["eventName"], "CloudTrailEvent": json.dumps(found)}


def sorted_keys(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def lines(each: Callable[[Record], bytes], end: bytes = b"\n") -> bytes:
    return b"".join(each(found) + end for found in RECORDS)


FORMS = {
    "as CloudTrail writes it": document(RECORDS),
    "with a new line at the end": document(RECORDS) + b"\n",
    "with spaces": json.dumps({"Records": RECORDS}).encode(),
    "pretty": json.dumps({"Records": RECORDS}, indent=2).encode(),
    "with CRLF": json.dumps({"Records": RECORDS}, indent=2).replace("\n", "\r\n").encode(),
    "in UTF-8": json.dumps({"Records": RECORDS}, ensure_ascii=False, separators=(",", ":")).encode(),
    "sorted keys": sorted_keys({"Records": RECORDS}),
    "a bare list": compact(RECORDS),
    "a bare list, sorted and pretty": json.dumps(RECORDS, indent=1, sort_keys=True).encode(),
    "a line each": lines(compact),
    "a line each, CRLF, no end": lines(compact, b"\r\n").rstrip(),
    "a line each, sorted keys": lines(sorted_keys),
    "a file a line": lines(lambda found: document([found])),
    "from EventBridge, a line each": lines(lambda found: compact(from_event_bridge(found))),
    "from LookupEvents": compact({"Events": [from_lookup_events(found) for found in RECORDS], "NextToken": "x"}),
    "from LookupEvents, a line each": lines(lambda found: compact(from_lookup_events(found))),
    "from boto3": compact({"ResponseMetadata": {}, "Events": [from_lookup_events(found) for found in RECORDS]}),
    "with more members": document(RECORDS)[:-1] + b',"more":[{"x":[1]}],"count":12}',
    "joined files": document(RECORDS[:2]) + document(RECORDS[2:]),
    "joined files and lists": document(RECORDS[:3]) + b"\n" + compact(RECORDS[3:]) + b"\n",
    "joined lines and files": compact(RECORDS[0]) + b"\n" + document(RECORDS[1:]),
    "with a byte order mark": b"\xef\xbb\xbf" + document(RECORDS),
    "escaped letters": compact(RECORDS).replace(b"science", rb"\u0073cience").replace(b"Sage", rb"\u0053age"),
    "delivered twice": document(RECORDS + RECORDS),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_each_form(ask: Any, tmp_path: Path, form: str, compressed: bool, options: list[str]) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(gzip.compress(FORMS[form]) if compressed else FORMS[form])
    answer = ask("calls", path, "--role", ROLE, *options)
    assert (answer.status, answer.err) == (0, "")
    assert [(call["status"], call["notebook"]) for call in answer.calls] == VERDICTS


@pytest.mark.parametrize("wrap", [compact, lambda found: compact(from_event_bridge(found)), sorted_keys])
def test_a_single_object(ask: Any, tmp_path: Path, wrap: Callable[[Record], bytes]) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(wrap(RECORDS[1]))
    answer = ask("calls", path, "--role", ROLE)
    assert (answer.status, len(answer.calls)) == (0, 1)


def test_the_name_doesnt_tell_whether_it_is_compressed(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(gzip.compress(document(RECORDS[:2])))
    (tmp_path / "b.json.gz").write_bytes(document(RECORDS[2:]))
    answer = ask("calls", tmp_path, "--role", ROLE)
    assert (answer.status, len(answer.calls)) == (0, 3)


def test_a_folder_is_read_with_all_folders_in_it(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "logs/a/b/one.json.gz", RECORDS[1])
    write(tmp_path / "logs/two.json", RECORDS[3])
    (tmp_path / "logs/three.jsonl").write_bytes(compact(RECORDS[4]))
    for name in ("README.md", "notes.txt", "log.json.bak"):
        (tmp_path / "logs" / name).write_text("not a log")
    summary = ask("summary", tmp_path / "logs", "--role", ROLE).json
    assert (summary["files"], summary["calls"], summary["handshakes"], summary["skipped"]) == (3, 2, 1, [])


def test_digests_and_insights_are_no_logs(ask: Any, tmp_path: Path) -> None:
    logs = tmp_path / "AWSLogs/111122223333"
    write(logs / "CloudTrail/eu-west-1/2026/03/01/111122223333_CloudTrail_eu-west-1_20260301T0905Z_x.json.gz", *RECORDS)
    for kind in ("CloudTrail-Digest", "CloudTrail-Insight"):
        folder = logs / kind / "eu-west-1/2026/03/01"
        folder.mkdir(parents=True)
        (folder / f"111122223333_{kind}_eu-west-1_20260301T0905Z.json.gz").write_bytes(b"not read at all")
    (tmp_path / "digest.json").write_bytes(compact({"awsAccountId": "1", "digestStartTime": "x", "logFiles": []}))
    summary = ask("summary", tmp_path, "--role", ROLE).json
    assert (summary["files"], summary["handshakes"], summary["skipped"]) == (2, 1, [])


def test_an_insight_that_names_the_role_is_no_call_and_no_damage(ask: Any, tmp_path: Path) -> None:
    insight = {"eventVersion": "1.09", "eventType": "AwsCloudTrailInsight", "insightDetails": {"userIdentity": ROLE}}
    answer = ask("calls", write(tmp_path / "log.json", insight, RECORDS[1], insight), "--role", ROLE)
    assert (answer.status, len(answer.calls)) == (0, 1)


def test_links_are_followed_and_a_circle_of_them_ends(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/log.json", RECORDS[1])
    write(tmp_path / "single.json", RECORDS[4])
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "folder").symlink_to(tmp_path / "elsewhere")
    (logs / "file.json").symlink_to(tmp_path / "single.json")
    (logs / "circle").symlink_to(logs)
    (tmp_path / "elsewhere/back").symlink_to(logs)
    (logs / "itself").symlink_to(logs / "itself")
    (logs / "gone.json").symlink_to(tmp_path / "gone")
    (tmp_path / "source").symlink_to(logs)
    answer = ask("summary", tmp_path / "source", "--role", ROLE)
    assert (answer.json["files"], answer.json["calls"]) == (2, 2)
    assert [(Path(each["file"]).name, each["reason"]) for each in answer.json["skipped"]] == [
        ("gone.json", "no such file or directory")
    ]


def test_a_folder_far_down(ask: Any, tmp_path: Path) -> None:
    folder = tmp_path / "/".join(["d"] * 1500)
    # Python itself makes and removes folders by recursion.
    subprocess.run(["mkdir", "-p", folder], check=True)
    try:
        (folder / "log.json").write_bytes(document(RECORDS))
        assert ask("summary", tmp_path / "d", "--role", ROLE).json["handshakes"] == 1
    finally:
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)


def test_a_pipe_is_read_as_a_source_and_left_alone_in_a_folder(ask: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(document(RECORDS),))
    writer.start()
    assert len(ask("calls", pipe, "--role", ROLE).calls) == 3
    writer.join()
    write(tmp_path / "log.json", RECORDS[1])
    assert ask("summary", tmp_path, "--role", ROLE).json["files"] == 1


@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_standard_input(command: list[str], options: list[str]) -> None:
    answer = subprocess.run(
        [*command, "calls", "-", "--role", ROLE, *options],
        input=gzip.compress(document(RECORDS[:2])) + gzip.compress(document(RECORDS[2:])),
        capture_output=True,
        check=True,
    )
    assert len(answer.stdout.splitlines()) == 3
    assert answer.stderr == b""


@pytest.mark.parametrize("in_memory", [16 * 1024 * 1024, 1000])
@pytest.mark.parametrize(
    ("content", "of_damaged"),
    [
        (document(RECORDS), 1),
        (gzip.compress(document(RECORDS)), 2),
        (json.dumps({"Records": RECORDS}, indent=1).encode(), 1),
    ],
    ids=["as CloudTrail writes it", "compressed", "with white space"],
)
def test_a_pipe_is_read_as_often_as_it_takes(
    ask: Any, tmp_path: Path, content: bytes, of_damaged: int, in_memory: int
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for piped, status, calls in ((content, 0, 2), (content[:-6], 1, of_damaged)):
        writer = threading.Thread(target=pipe.write_bytes, args=(piped,))
        writer.start()
        answer = ask("summary", pipe, "--role", ROLE, limits=Limits(copied_bytes=in_memory))
        writer.join()
        assert (answer.status, answer.json["calls"]) == (status, calls)


def test_standard_input_that_is_a_file_is_read_from_where_it_stands(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"not this\n" + json.dumps({"Records": RECORDS}, indent=1).encode())
    with open(tmp_path / "log", "rb", buffering=0) as file:
        file.seek(len(b"not this\n"))
        asked = [*command, "calls", "-", "--role", ROLE]
        answer = subprocess.run(asked, stdin=file, capture_output=True, check=True)
    assert (len(answer.stdout.splitlines()), answer.stderr) == (3, b"")


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are UTF-8")
def test_a_file_name_that_is_no_utf8(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / os.fsdecode(b"caf\xe9.json"), RECORDS[1])
    (tmp_path / os.fsdecode(b"bad\xff.json")).write_bytes(b"{")
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert (answer.status, answer.json["calls"]) == (1, 1)
    assert r"bad\udcff.json" in answer.err


def test_a_source_without_logs_is_named(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, reason in ((tmp_path / "empty", "no log files"), (tmp_path / "gone", "no such file or directory")):
        answer = ask("summary", source, "--role", ROLE)
        assert answer.status == 1
        assert reason in answer.err
        assert str(source) in answer.err


def test_an_object_with_records_twice(ask: Any, tmp_path: Path) -> None:
    one, two = (compact(record(session(name))) for name in ("one", "two"))
    (tmp_path / "log.json").write_bytes(b'{"Records":[' + one + b'],"note":{"Records":[]},"Records":[' + two + b"]}")
    for option in ([], ["--parse-all"]):
        found = ask("calls", tmp_path / "log.json", "--role", ROLE, *option).calls
        assert [call["notebook"] for call in found] == ["one", "two"]


def test_what_is_no_file_in_a_folder_is_counted(ask: Any, tmp_path: Path) -> None:
    write(tmp_path / "log.json", record())
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert answer.json["left_out"] == [{"ending": ".json", "reason": "no regular file", "files": 2}]
    assert "left out 2 files (.json): no regular file" in answer.err


@pytest.mark.parametrize("above", ["CloudTrail-Digest", "CloudTrail-Insight/2026"])
def test_what_folders_above_the_source_are_called_tells_nothing(ask: Any, tmp_path: Path, above: str) -> None:
    write(tmp_path / above / "logs/log.json", record())
    write(tmp_path / above / "logs/CloudTrail-Digest/log.json", record())
    for folder in (tmp_path / above, tmp_path / above / "logs"):
        answer = ask("calls", folder, "--role", ROLE)
        assert (answer.status, len(answer.calls)) == (0, 1)
    assert ask("calls", tmp_path, "--role", ROLE).status == 1
