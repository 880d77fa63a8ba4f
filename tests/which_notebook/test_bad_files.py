"""One bad file never hides the good ones: it is named with its reason, and what can be had of it is kept."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from log_files import compact, document, write
from records import ROLE, others, record, session

GOOD = record(session("good"))
KEPT = record(session("kept"))
KEPT_FILE = document([KEPT])
BROKEN = compact(record(session("lost")))[:-200]
# Too varied to be compressed to one block.
LONG = [record(session("kept"), requestID=f"{number * 2654435761 % 2**32:08x}") for number in range(2000)]
# The megabytes of a bomb, and the seconds that it may take: more than one value may have, 16 MiB, also where it isn't CI.
BOMB_MEGABYTES, BOMB_SECONDS = (24, 10) if os.environ.get("CI") else (18, 7)
NESTED = b'{"eventVersion":"1.11","userAgent":"' + ROLE.encode() + b'","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def member(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def with_trailer(data: bytes, *, checksum: int | None = None, size: int | None = None) -> bytes:
    whole = member(data)
    stated = [int.from_bytes(whole[-8:-4], "little"), int.from_bytes(whole[-4:], "little")]
    wrong = [stated[0] if checksum is None else checksum, stated[1] if size is None else size]
    return whole[:-8] + b"".join(each.to_bytes(4, "little") for each in wrong)


def with_damage(whole: bytes, at: int) -> bytes:
    return whole[:at] + b"\xff" * 100 + whole[at + 100 :]


# What the file holds, its reason, and whether something is kept of it.
BAD = {
    "empty": (b"", "empty file", False),
    "empty, compressed": (member(b""), "empty file", False),
    "two bytes": (b"\x1f\x8b", "truncated gzip file", False),
    "zeros": (b"\0" * 1000, "form: binary data", False),
    "text": (b"Access denied\n", "form: text in an unknown form", False),
    "HTML": (b"<!doctype html><p>Not found", "form: an HTML page", False),
    "gzip's mark and garbage": (b"\x1f\x8b\x08\x00garbage that is no deflate data", "damaged", False),
    "gzip's mark and another method": (b"\x1f\x8b\x07\x00" + b"x" * 50, "no gzip file", False),
    "truncated gzip": (member(document(LONG))[:-3000], "truncated gzip file", True),
    "trailer cut off": (member(KEPT_FILE)[:-5], "truncated gzip file", True),
    "wrong size": (with_trailer(KEPT_FILE, size=12), "damaged gzip file (incorrect length check)", True),
    "size of nothing": (with_trailer(KEPT_FILE, size=0), "damaged gzip file (incorrect length check)", True),
    "size of 4 GiB": (with_trailer(KEPT_FILE, size=2**32 - 1), "damaged gzip file", True),
    "wrong checksum": (with_trailer(KEPT_FILE, checksum=1), "damaged gzip file (incorrect data check)", True),
    "damage in the middle": (with_damage(member(document(LONG)), 9000), "damaged gzip file", True),
    "something behind": (member(KEPT_FILE) + b"<html>", "something that is no gzip follows", True),
    "second member damaged": (member(KEPT_FILE) + member(KEPT_FILE)[:20] + b"\xff" * 30, "damaged gzip file", True),
    "truncated JSON": (KEPT_FILE[:-2] + b"," + BROKEN, "damaged JSON at character", True),
    "list not closed": (KEPT_FILE[:-2], "the JSON ends too early", True),
    "list closed twice": (KEPT_FILE + b"]", "more closing brackets", True),
    "half a record between others": (
        KEPT_FILE[:-2] + b"," + BROKEN + b"," + compact(others()) + b"]}", "damaged JSON at character", True,
    ),
    "half a line between others": (
        json.dumps(GOOD, sort_keys=True).encode()[:-100] + b"\n" + json.dumps(KEPT, sort_keys=True).encode(),
        "damaged JSON at character 0",
        True,
    ),
    "JSON of another shape": (b'{"name":"x","version":2}', "no CloudTrail record, but an object with name, version", False),
    "an empty object": (b"{}", "an object with nothing in it", False),
    "a number": (b"12", "form: text in an unknown form", False),
    "a list of texts": (b'["x","y"]', "neither a record nor a list of records", False),
    "one record of another shape": (compact({"Records": [{"s3": {}}, KEPT]}), "but an object with s3", True),
    "Records that are no list": (b'{"Records":{"x":1}}', "array", False),
    "no userIdentity": (document([record(userIdentity=None, eventID="e-1", userAgent=ROLE), KEPT]), "record e-1", True),
    "userIdentity is text": (document([record(userIdentity=ROLE, eventID="e-1"), KEPT]), "record e-1", True),
    "no eventID": (document([record(eventID=None), KEPT]), "record without eventID", True),
    "eventID is a number": (document([record(eventID=7), KEPT]), "record without eventID", True),
    "eventTime is no time": (document([record(eventTime="soon", eventID="e-1"), KEPT]), "'soon' is no time", True),
    "30 February": (document([record(time="2026-02-30T09:00:00Z"), KEPT]), "is no time", True),
    "year 0": (document([record(time="0000-03-01T09:00:00Z"), KEPT]), "is no time", True),
    "userAgent is an object": (document([record(userAgent={"x": 1}, eventID="e-1"), KEPT]), "record e-1", True),
    "sessionContext is a list": (
        document([record({**session(), "sessionContext": []}, eventID="e-1"), KEPT]), "record e-1", True,
    ),
    "NaN": (document([record(requestParameters={"x": float("nan")}), KEPT]), "JSON is malformed", True),
    "nested too deep": (KEPT_FILE[:-2] + b"," + NESTED + b"]}", "nested too deep", True),
    "only brackets": (b"[" * 1_000_000, "nested too deep", False),
    "invalid UTF-8": (
        document([record(userAgent="caf\xe9"), KEPT]).replace(rb"\u00e9", b"\xe9"), "invalid UTF-8", True,
    ),
    "invalid UTF-8 in another role's record, which has an escaped letter": (
        document([others(userAgent="\xe9 x"), KEPT]).replace(rb"\u00e9 x", rb"\u0041" + b"\xe9"), "invalid UTF-8", True,
    ),
    "invalid UTF-8 in a key": (
        document([record(café=1), KEPT]).replace(rb"\u00e9", b"\xe9"), "invalid UTF-8", True,
    ),
    "a wrapped record that is no JSON": (
        compact({"Events": [{"CloudTrailEvent": "{oops"}, {"CloudTrailEvent": json.dumps(KEPT)}]}), "malformed", True,
    ),
    "a wrapped record that is no text": (compact([{"CloudTrailEvent": 5}, KEPT]), "neither a record", True),
    "a detail that is no record": (compact([{"source": "aws.s3", "detail": "x"}, KEPT]), "neither a record", True),
    "one bad record of a list behind something": (
        compact({"x": 1, "Records": [record(userIdentity=ROLE, eventID="e-1"), KEPT]}), "record e-1", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_a_bad_file_is_named_with_its_reason_and_hides_nothing(
    ask: Any, tmp_path: Path, kind: str, options: list[str]
) -> None:
    content, reason, is_kept = BAD[kind]
    (tmp_path / "bad.json.gz").write_bytes(content)
    write(tmp_path / "a-good.json.gz", GOOD)
    write(tmp_path / "z-good.json.gz", record(session("good"), time="2026-03-02T09:00:00Z"))
    answer = ask("summary", tmp_path, "--role", ROLE, *options)
    assert answer.status == 1
    calls = {row["notebook"]: row["calls"] for row in answer.json["notebooks"]}
    assert calls.pop("good") == 2
    assert set(calls) == ({"kept"} if is_kept else set())
    skipped = answer.json["skipped"]
    assert {Path(each["file"]).name for each in skipped} == {"bad.json.gz"}
    assert any(reason in each["reason"] for each in skipped), skipped
    assert f"could not read {tmp_path / 'bad.json.gz'}: " in answer.err
    assert reason in answer.err


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_huge_numbers_are_no_damage(ask: Any, tmp_path: Path, options: list[str]) -> None:
    path = write(tmp_path / "log.json", record(requestParameters={"x": 1}), others(requestParameters={"x": 1}))
    path.write_bytes(path.read_bytes().replace(b'{"x":1}', b'{"x":' + b"9" * 5000 + b',"y":-1e99999}'))
    answer = ask("calls", path, "--role", ROLE, *options)
    assert (answer.status, len(answer.calls)) == (0, 1)


WITHOUT_KNOWN_ENDING = {
    "wrong checksum": (with_trailer(KEPT_FILE, checksum=1), 1),
    "trailer cut off": (member(KEPT_FILE)[:-5], 1),
    "damaged from its start": (member(KEPT_FILE)[:10] + b"\xff" * 300, 1),
    "damaged before its first record": (member(b" " * 30) + b"\x1f\x8b\x08\x00" + b"\xff" * 300, 1),
    "an empty member first": (member(b"") + member(KEPT_FILE), 0),
    "blank members first": (member(b"\n") * 50 + member(KEPT_FILE), 0),
    "something behind": (member(KEPT_FILE) + b"<html>", 1),
}


@pytest.mark.parametrize("name", ["part-0001", "part-1.gz"])
@pytest.mark.parametrize("kind", WITHOUT_KNOWN_ENDING)
def test_a_folder_gives_of_a_gzip_what_its_own_path_gives(ask: Any, tmp_path: Path, name: str, kind: str) -> None:
    content, status = WITHOUT_KNOWN_ENDING[kind]
    (tmp_path / name).write_bytes(content)
    write(tmp_path / "a-good.json", GOOD)
    by_path = ask("summary", tmp_path / name, "--role", ROLE).json
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert (answer.status, answer.json["left_out"]) == (status, [])
    assert (answer.json["calls"], answer.json["skipped"]) == (by_path["calls"] + 1, by_path["skipped"])


def test_a_gzip_of_something_else_is_left_out(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "nothing.gz").write_bytes(member(b""))
    (tmp_path / "text.gz").write_bytes(member(b"hello"))
    (tmp_path / "noise.gz").write_bytes(member(os.urandom(200_000)))
    (tmp_path / "zeros.gz").write_bytes(member(b"\0" * 20_000_000))
    write(tmp_path / "a-good.json", GOOD)
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert answer.status == 0
    assert answer.json["left_out"] == [{"ending": ".gz", "reason": "no CloudTrail records", "files": 4}]


@pytest.mark.parametrize("same_length", [True, False])
def test_a_gzip_of_several_members_is_read_to_its_end(ask: Any, tmp_path: Path, same_length: bool) -> None:
    first, second = document([record(session("one"))]), document([record(session("two"))])
    if same_length:
        assert len(first) == len(second)
    else:
        second += b"\n"
    (tmp_path / "log.json.gz").write_bytes(member(first) + member(second))
    answer = ask("calls", tmp_path, "--role", ROLE)
    assert (answer.status, {call["notebook"] for call in answer.calls}) == (0, {"one", "two"})


def test_zeros_behind_a_gzip_are_padding(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(member(KEPT_FILE) + b"\0" * 512)
    answer = ask("calls", tmp_path, "--role", ROLE)
    assert (answer.status, len(answer.calls)) == (0, 1)


def test_most_of_what_stands_before_the_damage_is_kept(ask: Any, tmp_path: Path) -> None:
    whole = member(document(LONG))
    (tmp_path / "log.json.gz").write_bytes(whole[: len(whole) * 9 // 10])
    answer = ask("calls", tmp_path, "--role", ROLE)
    assert answer.status == 1
    assert len(answer.calls) > len(LONG) * 0.85


def test_many_bad_records_are_told_in_a_few_lines(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(b"{}\n" * 5000 + compact(KEPT))
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert answer.json["notebooks"][0]["calls"] == 1
    reasons = [each["reason"] for each in answer.json["skipped"]]
    assert len(reasons) <= 11
    assert reasons[-1] == "and 4,990 more problems"


def test_many_bad_files_are_told_in_a_few_lines_and_named_in_json(ask: Any, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.json").write_bytes(b"")
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert len(answer.err.splitlines()) == 3
    assert len(answer.json["skipped"]) == 50


def test_a_file_that_vanished_meanwhile(ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from which_notebook.reading import parts

    write(tmp_path / "a.json", GOOD)
    gone = write(tmp_path / "gone.json", KEPT)
    read = parts.read_file_parts

    def once_it_is_gone(*arguments: Any, **options: Any) -> Any:
        gone.unlink()
        return read(*arguments, **options)

    monkeypatch.setattr(parts, "read_file_parts", once_it_is_gone)
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert (answer.status, answer.json["calls"]) == (1, 1)
    assert answer.json["skipped"] == [{"file": str(gone), "reason": "no such file or directory"}]


@pytest.mark.parametrize("again", [["summary", "--follow"], ["summary"]])
def test_a_bad_file_is_named_each_time(ask: Any, tmp_path: Path, again: list[str]) -> None:
    logs = tmp_path / "logs"
    write(logs / "good.json", GOOD)
    (logs / "bad.json").write_bytes(b"")
    for command, *options in (["summary", "--follow"], again, again):
        answer = ask(command, logs, "--role", ROLE, *options)
        assert (answer.status, len(answer.json["skipped"])) == (1, 1)


def test_what_may_not_be_read_is_named(command: list[str], tmp_path: Path, powerless: list[str]) -> None:
    logs = tmp_path / "logs"
    write(logs / "good.json", GOOD)
    write(logs / "secret.json", KEPT).chmod(0)
    write(logs / "closed" / "log.json", KEPT)
    (logs / "closed").chmod(0)
    asked = [*powerless, *command, "summary", str(logs), "--role", ROLE, "--no-cache"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    (logs / "closed").chmod(0o700)
    assert answer.returncode == 1, answer.stderr
    found = json.loads(answer.stdout)
    assert found["calls"] == 1
    reasons = {(Path(each["file"]).name, each["reason"]) for each in found["skipped"]}
    assert reasons == {("closed", "permission denied"), ("secret.json", "permission denied")}


def bomb(path: Path, head: bytes, unit: bytes, megabytes: int) -> None:
    squeezer = zlib.compressobj(1, wbits=31)
    part = unit * (2**20 // len(unit))
    path.write_bytes(
        squeezer.compress(head) + b"".join(squeezer.compress(part) for _ in range(megabytes)) + squeezer.flush()
    )


@pytest.mark.parametrize("deep", [101, 150, 250, 1000])
def test_what_is_nested_too_deep_hides_nothing_however_it_is_packed(tmp_path: Path, ask: Any, deep: int) -> None:
    data = b"[" * deep + b",".join(compact({**KEPT, "eventID": f"e-{number}"}) for number in range(100))
    (tmp_path / "log.json").write_bytes(data)
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(data))
    answers = [ask("summary", tmp_path / name, "--role", ROLE) for name in ("log.json", "log.json.gz")]
    # The record behind the first hundred brackets may be what doesn't fit.
    assert answers[0].json["calls"] == answers[1].json["calls"] >= 99
    assert "nested too deep" in answers[0].err
    assert answers[0].err.replace("log.json", "log.json.gz") == answers[1].err


@pytest.mark.heavy
@pytest.mark.parametrize("unit", [b"\0", b" ", b"[", b"{}\n", b'"', b'{"eventVersion":', b"},"], ids=repr)
@pytest.mark.parametrize("head", [b"", b'{"Records":[{"eventVersion":"'], ids=["bare", "in a record"])
def test_a_bomb_takes_bounded_time(tmp_path: Path, ask: Any, unit: bytes, head: bytes) -> None:
    bomb(tmp_path / "bomb.json.gz", head, unit, BOMB_MEGABYTES)
    write(tmp_path / "good.json", GOOD)
    before = time.process_time()  # other load of the machine doesn't count
    answer = ask("summary", tmp_path, "--role", ROLE, "--no-cache", "--jobs", "1")
    assert time.process_time() - before < BOMB_SECONDS
    assert answer.json["calls"] == 1, answer.err
    assert re.search("could not read .*bomb", answer.err)


def test_much_damage_takes_a_time_that_grows_with_it(tmp_path: Path, ask: Any) -> None:
    took, line = [], compact(KEPT).replace(b',"', b',,"', 1)
    for lines in (2_500, 20_000):
        path = tmp_path / f"{lines}.jsonl"
        path.write_bytes(b"\n".join([line] * lines + [compact(KEPT)]))
        before = time.process_time()  # other load of the machine doesn't count
        answer = ask("summary", path, "--role", ROLE, "--no-cache", "--jobs", "1")
        took.append(time.process_time() - before)
        assert (answer.status, answer.json["calls"]) == (1, 1)
    # Eight times as much; some 60 times as long, where each line's trouble is looked for from the file's start on.
    assert took[1] < 25 * took[0]


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_a_bomb_takes_bounded_memory(tmp_path: Path, run: Any, options: list[str]) -> None:
    bomb(tmp_path / "bomb.json.gz", b'{"Records":[{"eventVersion":"', b"a", 250)
    write(tmp_path / "good.json", GOOD)
    answer = run("summary", tmp_path, "--role", ROLE, "--no-cache", "--jobs", "1", *options)
    assert json.loads(answer.out)["calls"] == 1, answer.err
    assert answer.peak < 200_000_000


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
def test_many_lines_of_something_else_hide_no_record(ask: Any, tmp_path: Path, options: list[str]) -> None:
    lines = [b'{"source":"vpcflow","n":%d}' % number for number in range(100_000)]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join([*lines, compact(KEPT)]))
    answer = ask("summary", tmp_path, "--role", ROLE, *options)
    assert (answer.status, answer.json["calls"]) == (1, 1)
    assert "and 99,990 more problems" in answer.err
    assert "unread" not in answer.err


@pytest.mark.parametrize("prefix", [b"2026-11-20T09:00:00.000Z ", b"Nov 20 09:00:00 host logger: "])
def test_a_prefix_on_each_line_hides_no_record(ask: Any, tmp_path: Path, prefix: bytes) -> None:
    lines = [prefix + compact({**KEPT, "eventID": f"e-{number}"}) for number in range(25_000)]
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines), 1))
    answer = ask("summary", tmp_path, "--role", ROLE)
    assert answer.json["calls"] == 25_000
    assert answer.status == 0  # CloudWatch Logs exports records so, and syslog writes them so


def test_files_that_are_no_logs_are_told_by_kind(tmp_path: Path, ask: Any) -> None:
    for number in range(30):
        (tmp_path / f"text-{number:02}.json").write_text("hello\n{oh\n[dear\n")
        (tmp_path / f"other-{number:02}.json").write_text(f'{{"a{number}": 1}}')
    (tmp_path / "picture.json").write_bytes(b"\0\1\2" * 1000)
    (tmp_path / "log.json").write_bytes(KEPT_FILE)
    answer = ask("calls", tmp_path, "--role", ROLE)
    assert (answer.status, len(answer.calls)) == (1, 1)
    picture, first, second, last = sorted(answer.err.splitlines())
    assert picture.endswith("picture.json: not a log in a supported form: binary data")
    assert re.fullmatch(
        r".*could not read 30 files \(.*other-00.json, .*other-01.json, .*other-02.json and 27 more\): no CloudTrail record, but an object",
        first,
    )
    assert re.fullmatch(
        r".*could not read 30 files \(.*text-00.json, .*text-01.json, .*text-02.json and 27 more\): not a log in a supported form: text in an unknown form",
        second,
    )
    assert last.endswith("summary --format json has each of them, with its own reason")
    of_files = {each["file"] for each in ask("summary", tmp_path, "--role", ROLE).json["skipped"]}
    assert len(of_files) == 61
