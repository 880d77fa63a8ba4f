"""The fast path, a full parse and a naive reading give the same calls, whatever the input.

The naive reading (naive_reading.py) shares nothing with the command but the form of its answer, and reads what is valid
JSON; of damaged files it is the full parse that the fast path is held to.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_files import document
from records import BASE, ROLE, ROLE_ARN, Record, handshake, opening, others, record, session
from small_pieces import in_small_pieces
from workspace import CHECKOUT

from which_notebook.calls.call import CALL_FIELDS
from which_notebook.calls.search import Search
from which_notebook.calls.table import CallTable
from which_notebook.judging.attribution import Judge
from which_notebook.limits import LIMITS, Limits
from which_notebook.records.scan import scan

from .naive_reading import Rows, documents, naive

SAMPLES = CHECKOUT.parent / "shared" / "cloudtrail-samples"

# What a call was about is asked for by itself, and tested there.
FIELDS = tuple(name for name in CALL_FIELDS if name != "resources")


def rows_of(data: bytes, limits: Limits = LIMITS, *, cut: bool, role: str = ROLE) -> tuple[Rows, list[str]]:
    """Return the judged calls that the command's reading gives, and what it says is wrong."""
    judge = Judge(role)
    rows: Rows = []
    problems: list[str] = []
    for found in scan(io.BytesIO(data), Search(role_names=judge.role_names), limits, cut=cut):
        table = CallTable.of(found.calls)
        judge.judge(table)
        rows += table.selected(table["status"]).rows(FIELDS)
        problems += found.problems
    return sorted(rows, key=repr), problems


def assert_same(data: bytes, limits: Limits = LIMITS, role: str = ROLE) -> Rows:
    fast, fast_problems = rows_of(data, limits, cut=True, role=role)
    full, full_problems = rows_of(data, limits, cut=False, role=role)
    assert fast == full
    # The fast path doesn't look at what mentions nothing search, so it may know of less.
    assert full_problems or not fast_problems
    return full


def assert_same_of_damaged(data: bytes, limits: Limits = LIMITS) -> Rows:
    """As assert_same; where damage closes all brackets, a parse takes the rest of the line for text, which it leaves out and reports.

    The fast path may find a whole record there. It never misses one.
    """
    full, problems = rows_of(data, limits, cut=False)
    if not any(IN_A_TEXT in problem for problem in problems):
        return assert_same(data, limits)
    fast, _ = rows_of(data, limits, cut=True)
    rest = iter(fast)
    assert all(row in rest for row in full)
    return full


IN_A_TEXT = "neither a record nor a list of records"

# Logs of all kinds

ODD_TEXTS = [
    "", ROLE, ROLE_ARN, "fraud-model", '{"eventVersion":"1.11",', ']},{"eventVersion":', "ü\u2028\U0001f4d3", "\\", '"', "\x00\x1f",
    "},", "=1+1", f'"arn":"arn:aws:sts::111122223333:assumed-role/{ROLE}/x"',
]  # fmt: skip
odd_texts = st.sampled_from(ODD_TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
names = st.sampled_from(["fraud-model", BASE, "sagemaker", "a_b", "x" * 64, ""])
roles = st.sampled_from([ROLE, ROLE, f"{ROLE}-2", "web-server", "web-server"])
paths = st.sampled_from(["/", "/team/", f"/{ROLE}/"])
CONTEXTS: list[Any] = [{}, None, {"sessionIssuer": None}, {"sessionIssuer": {}}]


@st.composite
def identities(draw: st.DrawFn) -> Record:
    identity = session(draw(names), role=draw(roles), path=draw(paths), key=draw(st.sampled_from(["ASIA1", "ASIA2"])))
    match draw(st.integers(0, 9)):
        case 0:
            identity.pop(draw(st.sampled_from(sorted(identity))))
        case 1:
            identity["sessionContext"] = draw(st.sampled_from(CONTEXTS))
        case 2:
            identity["sessionContext"]["sourceIdentity"] = draw(odd_texts | st.sampled_from(["anna", "a" * 64, "a\n"]))
            identity["onBehalfOf"] = draw(st.sampled_from([None, {}, {"userId": "u-1"}]))
        case 3:
            identity["arn"] = identity["arn"].rpartition("/")[0]
        case 4:
            identity = {"type": "AWSService", "invokedBy": draw(odd_texts)}
        case 5:
            identity["type"] = draw(st.sampled_from(["IAMUser", None, "FederatedUser", "Unknown"]))
        case 6:
            odd = [
                "asn:aws:sts::111122223333:assumed-role/data-science-execution/x",
                "arn:aws:sts::1:assumed-role/a/b",
                ROLE_ARN,
            ]
            identity["arn"] = draw(st.sampled_from(odd))
        case 7:
            del identity["arn"]
    return identity


INNER = [others(), record(), handshake()]
TIMES = ["2026-03-01T09:00:00.5Z", "2026-03-01T10:00:00+01:00", "2026-03-31T00:00:00Z", "2026-03-01"]


@st.composite
def records(draw: st.DrawFn) -> Record:
    identity = draw(identities())
    if draw(st.integers(0, 3)):
        found = record(identity, requestParameters={"bucketName": "figures"})
    else:
        found = opening(identity, draw(names), role=draw(roles), path=draw(paths))
    # A number that counts on would make of the same draws another log.
    found |= dict.fromkeys(("eventID", "requestID"), f"e-{draw(st.integers(0, 99))}")
    for field in draw(st.lists(st.sampled_from(["userAgent", "errorMessage", "errorCode", "awsRegion"]), max_size=2)):
        found[field] = draw(odd_texts)
    match draw(st.integers(0, 9)):
        case 0:
            found["requestParameters"] = draw(st.none() | odd_texts | st.lists(st.integers(), max_size=3))
        case 1:
            inner = draw(st.sampled_from(INNER))
            around = [
                {"x": inner, "y": 1},
                {"x": [inner]},
                inner,
                [inner],
                {"x": {"x": inner}},
                {"x": inner, "y": [inner]},
                {"x": [inner, inner, inner]},
                [{"x": "]}"}, inner, {"y": ["["]}, inner, "]"],
            ]
            found["requestParameters"] = draw(st.sampled_from(around))
        case 2:
            found["additionalEventData"] = {draw(odd_texts): draw(st.floats(allow_nan=False, allow_infinity=False))}
        case 3:
            found["eventTime"] = draw(st.sampled_from(TIMES))
        case 4:
            found = {name: found[name] for name in draw(st.permutations(sorted(found)))}
    return found


COMPACT: dict[str, Any] = {"separators": (",", ":")}


def in_a_form(found: list[Record], form: str, layout: dict[str, Any], *, ascii_only: bool) -> str:
    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ascii_only, **layout)

    match form:
        case "lines":
            return "".join(json.dumps(each, ensure_ascii=ascii_only, separators=(",", ":")) + "\n" for each in found)
        case "list":
            return text(found)
        case "Events":
            return text({"Events": [{"CloudTrailEvent": text(each)} for each in found]})
        case "EventBridge":
            return "".join(text({"source": "aws.s3", "detail": each}) for each in found)
    return text({"Records": found})


FORMS = st.sampled_from(["Records", "Records", "Records", "list", "lines", "Events", "EventBridge"])
LAYOUTS = st.sampled_from([COMPACT, COMPACT, COMPACT, {}, {"indent": 1}, {**COMPACT, "sort_keys": True}])
BETWEEN = st.sampled_from(["", "\n", " \r\n\t"])


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Return a log of some records in one of the forms, or several such behind each other."""
    several = st.lists(st.lists(records(), max_size=4), min_size=1, max_size=3)
    parts = [in_a_form(each, draw(FORMS), draw(LAYOUTS), ascii_only=draw(st.booleans())) for each in draw(several)]
    for word in draw(st.sampled_from([[], [], [], ["science", "arn"], ["userIdentity", "AssumedRole"]])):
        parts[-1] = parts[-1].replace(word, f"\\u{ord(word[0]):04x}{word[1:]}")
    return draw(BETWEEN).join(parts).encode()


@given(logs())
def test_of_generated_logs(data: bytes) -> None:
    assert assert_same(data) == naive(data)
    assert assert_same(data, role=ROLE_ARN) == naive(data, role=ROLE_ARN)


SIMPLE = st.lists(st.sampled_from([others(), record(), handshake(), record(session(BASE))]), min_size=1, max_size=8)
PUNCTUATION = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b"\0", b"\xff"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a log with a few bytes changed, cut off, doubled or taken out."""
    data = bytearray(draw(logs() | SIMPLE.map(document)))
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        match draw(st.sampled_from(["flip", "punctuation", "cut", "double", "remove", "remove some", "space"])):
            case "flip" if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "punctuation":
                data[at : at + 1] = draw(st.sampled_from(PUNCTUATION))
            case "cut":
                del data[at:]
            case "double":
                data[end:end] = data[at:end]
            case "remove":
                del data[at:end]
            case "remove some":
                del data[at : at + draw(st.integers(1, 30))]
            case "space":
                data[at:at] = draw(st.sampled_from([b" ", b"\n", b"\r\n\t"]))
    return bytes(data)


def has_half_a_character(data: bytes) -> bool:
    """Return whether a text in the log, also one that another member of its name replaces, has half a surrogate pair."""
    values = list(documents(data.decode(), object_pairs_hook=list))
    return bool(re.search("[\ud800-\udfff]", json.dumps(values, ensure_ascii=False)))


@given(damaged())
def test_of_damaged_logs(data: bytes) -> None:
    full = assert_same_of_damaged(data)
    try:
        expected = naive(data)
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    # Such a record is refused, and named.
    if not has_half_a_character(data):
        assert full == expected


@pytest.mark.heavy
@pytest.mark.parametrize("left_out", [[], ["sessionContext"], ["principalId"], ["sessionContext", "principalId"]])
def test_of_every_bit_of_an_identity(left_out: list[str]) -> None:
    """What the drawn damage hits by chance, such as an ARN that begins with `asn:` where nothing else names the role."""
    identity = {key: value for key, value in session("fraud-model").items() if key not in left_out}
    whole = document([others(), record(identity), others()])
    start = whole.index(json.dumps(identity, **COMPACT).encode())
    end = whole.index(b'"eventTime"', start)
    for place in range(start, end):
        for bit in range(8):
            data = bytearray(whole)
            data[place] ^= 1 << bit
            full = assert_same(bytes(data))
            try:
                expected = naive(bytes(data))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            if not has_half_a_character(bytes(data)):
                assert full == expected, bytes(data[start:end])


@given(logs(), st.integers(60, 4000), st.booleans())
def test_of_small_pieces(data: bytes, size: int, compressed: bool) -> None:
    stored = gzip.compress(data, 1) if compressed else data
    small = in_small_pieces(size)
    assert assert_same(stored, small) == naive(data)


@given(damaged(), st.integers(300, 4000))
def test_of_damaged_logs_in_small_pieces(data: bytes, size: int) -> None:
    small = in_small_pieces(size)
    assert_same_of_damaged(data, small)


@given(logs(), st.data())
def test_of_damaged_gzip_files(data: bytes, drawn: st.DataObject) -> None:
    middle = drawn.draw(st.integers(0, len(data)))
    stored = bytearray(gzip.compress(data[:middle], 1) + gzip.compress(data[middle:], 1))
    assert assert_same(bytes(stored)) == naive(data)
    at = drawn.draw(st.integers(2, len(stored) - 1))
    stored[at] ^= 1 << drawn.draw(st.integers(0, 7))
    del stored[drawn.draw(st.integers(at, len(stored))) :]
    assert_same(bytes(stored))


@pytest.mark.parametrize("form", ["Records", "list", "lines"])
@pytest.mark.parametrize("size", [400, 1024, 4096])
def test_of_a_long_log_in_small_pieces(form: str, size: int) -> None:
    chance = random.Random(size)  # noqa: S311 - which records, no secret
    found = [others() if chance.random() < 0.9 else record(session(chance.choice(["a", BASE]))) for _ in range(300)]
    data = in_a_form(found, form, COMPACT, ascii_only=True).encode()
    small = in_small_pieces(size)
    assert assert_same(data, small) == assert_same(gzip.compress(data), small) == naive(data) != []


def test_a_piece_may_end_anywhere_behind_the_records() -> None:
    data = document([record()])[:-1] + b',"x":12,"y":{"z":["]"]},"w":null}\n'
    for size in range(data.rindex(b"eventCategory"), len(data) + 1):
        small = in_small_pieces(size)
        assert rows_of(data, small, cut=False) == rows_of(data, small, cut=True) == (naive(data), [])


@pytest.mark.parametrize("size", [500, 2000, 10_000])
def test_a_piece_may_end_in_a_record_that_holds_another(size: int) -> None:
    found = [record(requestParameters={"x": others(), "y": [record()]}, userAgent=f"agent {n}") for n in range(20)]
    small = in_small_pieces(size)
    assert assert_same(document(found), small) == naive(document(found))


@pytest.mark.parametrize("held", [[record(), others()], [others(), record()], [record()]])
def test_a_piece_may_end_in_somebody_elses_record_that_holds_some(held: list[Record]) -> None:
    data = document([others(requestParameters={"x": held}, userAgent=f"agent {n}") for n in range(4)])
    for size in range(300, 3000, 23):
        small = in_small_pieces(size)
        assert assert_same(data, small) == []


def with_escapes(found: list[Record], word: str) -> bytes:
    """Return a log in which the records that say so escape a word's first letter."""
    texts = [json.dumps(each, **COMPACT) for each in found]
    escaped = f"\\u{ord(word[0]):04x}{word[1:]}"
    return f'{{"Records":[{",".join(t.replace(word, escaped) if "escaped" in t else t for t in texts)}]}}'.encode()


@pytest.mark.parametrize("word", ["science", "arn", "userIdentity"])
@pytest.mark.parametrize("between", [0, 100, 200, 1000])
@pytest.mark.parametrize(("before", "behind"), [(0, 0), (1, 0), (0, 1)])
def test_a_writer_may_escape_letters(word: str, between: int, before: int, behind: int) -> None:
    many = [others(requestID=f"r-{number}") for number in range(between)]
    plain = [record()]
    data = with_escapes([*plain * before, *many, record(userAgent="escaped"), *many, *plain * behind], word)
    assert len(assert_same(data)) == len(assert_same(gzip.compress(data))) == 1 + before + behind


def test_the_known_limit_of_escapes() -> None:
    """Stated in cutting.py: a writer that escapes letters in some records only, and not in others close by."""
    near, far = ([others(requestID=f"r-{number}") for number in range(count)] for count in (100, 600))
    for between in (near, far):
        data = with_escapes([*near, record(), *between, record(userAgent="escaped"), *between, record()], "science")
        assert len(rows_of(data, cut=False)[0]) == 3
        small = in_small_pieces(2**19)
        assert len(rows_of(gzip.compress(data), small, cut=True)[0]) == (2 if between is near else 3)


# The real records


def role_names(data: bytes) -> set[str]:
    found = re.findall(rb"(?:assumed-role|:role)/(?:[\w+=,.@/-]+/)?([\w+=,.@-]{3,64})", data)
    return {name.decode() for name in found}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real CloudTrail records to compare with are not on this machine")
def test_of_real_logs() -> None:
    answered = 0
    for path in sorted(SAMPLES.rglob("*.json")):
        data = path.read_bytes()
        for role in role_names(data):
            rows = assert_same(data, role=role)
            answered += bool(rows)
            assert rows == naive(data, role), (path, role)
            assert rows_of(data, cut=True, role=role)[1] == [], path
    assert answered > 20
