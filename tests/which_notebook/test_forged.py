"""An object that looks like a record, within somebody else's record, is never counted: CloudTrail writes what callers ask for."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_files import compact, document, write
from records import ACCOUNT, BASE, ROLE, Record, opening, others, record, session
from small_pieces import in_small_pieces

from which_notebook.calls.search import Search
from which_notebook.calls.table import CallTable
from which_notebook.judging.attribution import Judge
from which_notebook.limits import LIMITS, Limits
from which_notebook.records.scan import scan

MALLORY = {
    "type": "IAMUser",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory",
    "accountId": ACCOUNT,
    "userName": "mallory",
}
SMALL: Record = {"eventVersion": "x"}
STATEMENT: Record = {"Sid": "a", "Effect": "Allow"}


def forged(name: str = "churn-model", **fields: Any) -> Record:
    return record(session(name), **fields)


def asked_for(held: Any, identity: Record = MALLORY, **fields: Any) -> Record:
    """Return the record of a call that asked for something."""
    return record(identity, "s3:PutBucketPolicy", requestParameters={"bucketPolicy": held}, **fields)


def counted(data: bytes, limits: Limits = LIMITS, *, cut: bool = True) -> list[str]:
    """Return which records the command's reading counts."""
    judge, found = Judge(ROLE), []
    for part in scan(io.BytesIO(data), Search(role_names=(ROLE,)), limits, cut=cut):
        table = CallTable.of(part.calls)
        judge.judge(table)
        found += table.selected(table["status"])["event_id"]
    return sorted(found)


def assert_counted(data: bytes, real: Iterable[Record], limits: Limits = LIMITS) -> None:
    """Assert that just these count, compressed or not, whichever way the file is read."""
    expected = sorted(each["eventID"] for each in real)
    for stored in (data, gzip.compress(data, 1)):
        assert counted(stored, limits, cut=False) == expected
        assert counted(stored, limits) == expected


# In which company a forged record stands in its list.
COMPANY: dict[str, Callable[[Record], list[Any]]] = {
    "alone": lambda it: [it],
    "first": lambda it: [it, SMALL],
    "last": lambda it: [SMALL, it],
    "behind an object": lambda it: [STATEMENT, it, SMALL],
    "between small ones": lambda it: [SMALL, it, SMALL],
    "between records": lambda it: [others(), it, others()],
    "between many": lambda it: [*[SMALL] * 2000, it, *[SMALL] * 2000],
    "many": lambda it: [STATEMENT, *[{**it, "eventID": f"{n}"} for n in range(500)], SMALL],
    "behind a text with brackets": lambda it: [{"x": ']},"a"]}', 'y"]},': "[[{", "z": '\\"]}],'}, it, SMALL],
    "behind a text that closes all": lambda it: ["]" * 50 + "}" * 50, {"x": "]}]}"}, it, SMALL],
    "behind lists": lambda it: [[], [[]], {"x": [[], []]}, it, SMALL],
    "in a list in a list": lambda it: [[[STATEMENT, it, SMALL]], it],
    "behind what ends like a record": lambda it: [
        {"requestID": "r", "eventID": "e", "eventType": "AwsApiCall", "eventCategory": "Management"}, it, SMALL,
    ],
}  # fmt: skip
PLACES = [
    "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources", "userIdentity", "tlsDetails",
]  # fmt: skip
REAL = [record(session("fraud-model")), record(session(BASE))]


FORMS: dict[str, Callable[[list[Record], Record], bytes]] = {
    "Records": lambda found, _: document(found),
    "list": lambda found, _: compact(found),
    "lines": lambda found, _: b"\n".join(map(compact, found)),
    "joined": lambda found, _: b"".join(map(compact, found)),
    "indented": lambda found, _: msgspec.json.format(document(found), indent=1),  # json itself takes ten times as long
    "single": lambda _, holder: compact(holder),
}


@pytest.mark.parametrize("company", COMPANY)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_it_never_counts(company: str, place: str, form: str) -> None:
    held: Any = COMPANY[company](forged())
    if place == "userIdentity":
        held = {**MALLORY, "x": held}
    holder = record(**{"identity": MALLORY, place: held} if place != "userIdentity" else {"identity": held})
    before, behind = REAL
    found = [before, holder, behind, others(), holder]
    assert_counted(FORMS[form](found, holder), REAL if form != "single" else [])


@pytest.mark.parametrize(
    "identity", [MALLORY, session("fraud-model"), session(BASE)], ids=["a user", "a notebook", "base"]
)
def test_nor_in_a_record_of_the_role_itself(identity: Record) -> None:
    holder = asked_for([STATEMENT, forged(), SMALL], identity)
    assert_counted(document([*REAL, holder, others()]), REAL if identity is MALLORY else [*REAL, holder])


@pytest.mark.parametrize("size", [1_000, 30_000, 250_000, 600_000, 1_000_000])
@pytest.mark.parametrize("where", ["before", "behind", "around"])
def test_nor_in_a_record_that_fills_windows(size: int, where: str) -> None:
    half = [SMALL] * (size // 2 // 21)
    text = {"x": "[" * (size // 2)}
    held = {
        "before": [text, *half, forged(), SMALL],
        "behind": [STATEMENT, forged(), *half, text],
        "around": [*half, forged(), *half],
    }[where]
    for before in (0, 150, 300):
        others_before = [others() for _ in range(before)]
        assert_counted(document([*others_before, REAL[0], *others_before, asked_for(held), others(), REAL[1]]), REAL)


def test_the_limit_that_the_document_names(ask: Any, tmp_path: Path) -> None:
    """An old record that doesn't begin a file or a part of one isn't seen, and may be of any length."""
    filling = [{"eventVersion": "1.11", "x": "x" * 1000}] * 3000
    asked = {"bucketPolicy": [*filling, record(session("forged"), eventVersion="1.11"), *filling[:3]]}
    holder = record(MALLORY, eventVersion="1.02", requestParameters=asked)
    around = [others() for _ in range(3000)]
    path = write(tmp_path / "log.json", REAL[0], *around, holder, *around, REAL[1])
    for options, forgeries in (([], 1), (["--parse-all"], 0)):
        names = [call["notebook"] for call in ask("calls", path, "--role", ROLE, *options).calls]
        assert (len(names), names.count("forged")) == (2 + forgeries, forgeries)


@pytest.mark.parametrize("version", ["1.00", "1.01", "1.02", "1.03", "1.04"])
@pytest.mark.parametrize("large", [True, False])
def test_nor_in_a_record_of_the_time_before_records_had_a_limit(version: str, large: bool) -> None:
    """Event version 1.05 brought it."""
    old = {"eventVersion": version}
    held = [STATEMENT, *[SMALL] * (70_000 if large else 10), forged(), SMALL]
    filler = [others(**old) for _ in range(500)]
    assert_counted(document([*filler, {**asked_for(held), **old}, *filler, *REAL]), REAL)


@pytest.mark.parametrize("size", [700, 1_000, 5_000])
def test_nor_wherever_pieces_end(size: int) -> None:
    chance = random.Random(size)  # noqa: S311 - places, no secret
    for _ in range(20):
        held = [*[SMALL] * chance.randrange(30), STATEMENT, forged(), *[SMALL] * chance.randrange(30), forged(), SMALL]
        filler = [others() for _ in range(chance.randrange(8))]
        found = [*filler, asked_for(held), *filler, REAL[0], asked_for(held), REAL[1], *filler]
        small = in_small_pieces(size, event_bytes=10_000)
        assert_counted(document(found), REAL, small)
        assert_counted(b"\n".join(map(compact, found)), REAL, small)


@pytest.mark.parametrize("size", [500, 3_000, 2**19])
def test_nor_behind_a_record_that_closes_a_list_for_it(size: int) -> None:
    """However far back is looked, that may be to a place within another such record."""
    for few in range(3, 100, 7):
        closing, opening = asked_for([SMALL] * 190), asked_for([*[SMALL] * few, STATEMENT, forged(), SMALL])
        for before in ([], [others()] * 5, [closing] * 3):
            small = in_small_pieces(size, event_bytes=5_000)
            assert_counted(
                document([*before, closing, opening, REAL[0], *before, closing, opening, REAL[1]]), REAL, small
            )


@pytest.mark.parametrize("cut_off", ["behind it", "within it", "at the end of its list"])
def test_nor_where_the_file_was_cut_off(cut_off: str) -> None:
    whole = document([*REAL, asked_for([STATEMENT, forged(eventID="forged"), SMALL])])
    at = {"behind it": whole.index(b'{"eventVersion":"x"'), "within it": whole.index(b'"forged"') + 8}
    data = whole[: at.get(cut_off, whole.rindex(b"]}") - 10)]
    assert counted(data) == counted(data, cut=False) == sorted(each["eventID"] for each in REAL)
    damaged = gzip.compress(data)[:-9]
    assert set(counted(damaged)) <= {each["eventID"] for each in REAL}


@pytest.mark.parametrize("levels", [150, 990, 1_100, 5_000, 100_000])
def test_nor_in_a_record_that_is_nested_too_deep_to_be_read(levels: int) -> None:
    deep = b'{"x":[' * levels + compact(STATEMENT) + b"," + compact(forged()) + b"," + compact(SMALL) + b"]}" * levels
    holder = compact(asked_for("deep")).replace(b'"deep"', deep)
    first, last = map(compact, REAL)
    for data in (b'{"Records":[%s,%s,%s]}', b"%s\n%s\n%s\n"):
        assert_counted(data % (first, holder, last), REAL)


def test_nor_in_a_text() -> None:
    inside = json.dumps([STATEMENT, forged(), SMALL])
    held = [asked_for(inside), asked_for(json.dumps(inside)), others(errorMessage=inside), others(userAgent=inside)]
    assert_counted(document([*held, *REAL]), REAL)
    wrapped = compact({"Events": [{"CloudTrailEvent": compact(each).decode()} for each in (*held, *REAL)]})
    assert_counted(wrapped, REAL)


def event(detail: Any, source: str = "aws.s3") -> Record:
    """Return a record, or something else, as EventBridge wraps it."""
    return {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": source, "detail": detail}


def test_nor_in_an_event_that_somebody_put_on_the_bus() -> None:
    """No caller of PutEvents can name a source that begins with aws."""
    put = [
        event(forged(), "my.application"),
        event({"Records": [forged()]}, "my.application"),
        event({"Records": [forged()]}),
        event({"detail": forged()}),
        event(asked_for([STATEMENT, forged(), SMALL])),
    ]
    real = [event(each) for each in REAL]
    for data in (compact([*put, *real]), b"\n".join(map(compact, [*put, *real]))):
        assert_counted(data, REAL)


def test_by_default_and_as_an_event(ask: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json.gz", asked_for([STATEMENT, forged(eventID="forged-1"), SMALL], eventID="real-1"))
    answer = ask("summary", path, "--role", ROLE)
    assert (answer.status, answer.json["calls"]) == (4, 0)  # no call of the role
    answer = ask("event", "forged-1", path)
    assert (answer.status, answer.out) == (1, "")
    assert "no record with the event id forged-1 was found" in answer.err
    assert ask("event", "real-1", path).json["record"]["userIdentity"] == MALLORY


@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_nor_does_a_forged_opening(ask: Any, tmp_path: Path, options: list[str]) -> None:

    made = opening(session("fraud-model"), "job", role="reader", key="ASIA2")
    used = record(session("job", role="reader", key="ASIA2"))
    path = write(tmp_path / "log.json.gz", asked_for([STATEMENT, made, SMALL]), used, *REAL)
    assert len(ask("calls", path, "--role", ROLE, *options).calls) == len(REAL)


JOINTS = [",", ", ", ",\n", "\n,\n", " , ", "\r\n,\r\n\t", "\n", "", " "]


@pytest.mark.parametrize("joint", JOINTS)
@pytest.mark.parametrize("company", ["behind an object", "between small ones", "behind what ends like a record"])
def test_nor_in_a_file_that_was_joined_of_others(joint: str, company: str) -> None:
    """The list of records that is closed by then doesn't stand for the one that is open."""
    held = COMPANY[company](forged())
    usual = asked_for(held)
    # So that all ends as a file's list of records does.
    last = {key: each for key, each in usual.items() if key != "requestParameters"} | {"x": held}
    for whole in ({"Records": [REAL[0], others(), others()]}, [REAL[0], others()]):
        joined: list[list[Any]] = [
            [whole, usual, {"Records": [others(), REAL[1]]}],
            [whole, last],
            [whole, {"digestStartTime": "x", "y": []}, last],
            [whole, {"Records": []}, last],
        ]
        for values in joined:
            for layout in ({"separators": (",", ":")}, {"indent": 1}):
                data = joint.join(json.dumps(each, **layout) for each in values).encode()
                assert_counted(data, REAL if len(values) == 3 and values[1] is usual else REAL[:1])


# Of any kind

texts = st.sampled_from(["", "]", "]}", '"', '\\"]},', "},", '{"eventVersion":', "[[", ROLE]) | st.text(max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.builds(forged) | st.just(SMALL) | st.just(STATEMENT),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)


@st.composite
def holders(draw: st.DrawFn) -> Record:
    identity = draw(st.sampled_from([MALLORY, session("i-0abc", role="web-server")]))
    return record(identity) | {draw(st.sampled_from(PLACES[:5])): draw(values) for _ in range(draw(st.integers(0, 2)))}


@given(st.lists(holders() | st.sampled_from([*REAL, others()]), max_size=8), st.integers(60, 3000), st.booleans())
def test_nor_anything_else(found: list[Record], size: int, as_lines: bool) -> None:
    data = b"\n".join(map(compact, found)) if as_lines else document(found)
    real = [each for each in REAL for _ in range(found.count(each))]
    small = in_small_pieces(size, event_bytes=2_000_000)
    assert_counted(data or b"[]", real, small)


HELD = [STATEMENT, forged(), STATEMENT]
LONG = "y" * 30_000


def behind(head: bytes, found: list[Record]) -> bytes:
    """Return a CloudTrail file with other members before its list."""
    return b"{" + head + b"," + document(found)[1:]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "head",
    [b'"account":"1"', b'"x":{"Records":[1]} ,\n"\\"y":[{}]', b'"x":' + compact(HELD)],
    ids=["a text", "lists", "something like a record"],
)
def test_a_long_list_behind_other_members_is_read_whole(head: bytes) -> None:
    found = [asked_for([*HELD, LONG], session("fraud-model")) for _ in range(560)]  # 17 MB
    assert_counted(behind(head, found), found)
    assert_counted(behind(head, found)[:-1] + b',"n":' + compact(HELD) + b"}", found)


TOO_LONG = 17_000_000
LONG_HELD = [*HELD, "y" * TOO_LONG, *HELD]
# Made when it is asked for: they are 17 MB each.
LONG_VALUES: dict[str, Callable[[], bytes]] = {
    "a record": lambda: compact({"Records": [REAL[0], asked_for(LONG_HELD), REAL[1]]}),
    "a record with its keys in another order": lambda: json.dumps(
        [REAL[0], asked_for(LONG_HELD), REAL[1]], sort_keys=True
    ).encode(),
    "a record with a list of records": lambda: compact([REAL[0], {"x": 1, **others(), "Records": LONG_HELD}, REAL[1]]),
    "a record of many small things": lambda: compact(
        [REAL[0], others(x=[*HELD, *[SMALL] * 900_000, *HELD]), REAL[1]]
    ),
    "a line": lambda: b"\n".join([compact(REAL[0]), json.dumps({"x": LONG_HELD}).encode(), compact(REAL[1])]),
    "what follows the list": lambda: document(REAL[:1])[:-1] + b',"x":' + compact(LONG_HELD) + b"}",
    "what precedes the list": lambda: behind(b'"x":' + compact(LONG_HELD), REAL),
    "a record that is nested too deep": lambda: compact(REAL[0])
    + b'{"x":' + b"[" * 100_000 + compact(LONG_HELD)[1:-1] + b"]" * 100_000 + b"}" + compact(REAL[1]),
}  # fmt: skip


@lru_cache(maxsize=1)
def long_value(kind: str) -> bytes:
    return LONG_VALUES[kind]()


@pytest.mark.parametrize("options", [[], ["--parse-all"]])
@pytest.mark.parametrize("kind", LONG_VALUES)
def test_nor_in_a_value_that_is_too_long(ask: Any, tmp_path: Path, kind: str, options: list[str]) -> None:
    (tmp_path / "log.json").write_bytes(long_value(kind))
    answer = ask("calls", tmp_path, "--role", ROLE, *options)
    # What stands behind it is left unread, which is said.
    assert REAL[0]["eventID"] in [call["event_id"] for call in answer.calls] or kind == "what precedes the list"
    assert {call["event_id"] for call in answer.calls} <= {each["eventID"] for each in REAL}
    assert answer.status == 1 or len(answer.calls) == 2


@pytest.mark.parametrize("what", [b'"x"', b"17", b"null", b'"' + b"x" * 300 + b'"'])
def test_nor_behind_something_else_in_the_list(what: bytes) -> None:
    holder = compact({"a": HELD})
    listed = b",".join([compact(REAL[0]), what, holder, what, compact(REAL[1])])
    assert_counted(b'{"Records":[' + listed + b"]}", REAL)
    assert_counted(b"[" + what + b"," + listed + b"]", REAL)
    assert_counted(b"[" + listed.replace(b",", b", ") + b"," + what + b"]", REAL)
