"""Maps and structs as query engines print them, in which no letter is escaped: what has two readings makes no resource."""

from __future__ import annotations

from typing import Any

import pytest
from calls_of_content import WANTED
from hypothesis import assume, given
from hypothesis import strategies as st
from log_files import compact
from records import record, session
from shapes import athena_row, ecs, lake_row, printed, printed_map, text

from which_notebook.calls.search import Search
from which_notebook.limits import LIMITS
from which_notebook.records.scan import scan
from which_notebook.records.shapes import printed as reader

BUCKET = "arn:aws:s3:::mine"


def read(data: bytes) -> tuple[list[Any], list[str]]:
    """Return the calls with their resources, and the problems."""
    import io

    parts = list(scan(io.BytesIO(data), Search(role_names=WANTED.role_names, with_resources=True), LIMITS))
    return [call for part in parts for call in part.calls], [problem for part in parts for problem in part.problems]


def of_object(key: str) -> dict[str, Any]:
    resources = [{"type": "AWS::S3::Object", "ARN": f"{BUCKET}/{key}"}, {"type": "AWS::S3::Bucket", "ARN": BUCKET}]
    return record(session(), requestParameters={"bucketName": "mine", "key": key}, resources=resources)


SHAPES: dict[str, Any] = {
    "Athena": athena_row,
    "CloudTrail Lake": lake_row,
    "Elastic": lambda found: ecs(found, original=False),
}


def as_printed(shape: str, found: dict[str, Any]) -> bytes:
    row = SHAPES[shape](found)
    return compact({"QueryResultRows": [[{name: value} for name, value in row.items()]]} if "Lake" in shape else [row])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("key", ["day/a b,c.csv", "a=b/c=d.csv", "a[1].csv", "x}", "{", "null", "ü, v"])
def test_the_resources_are_the_records(shape: str, key: str) -> None:
    (expected,), _ = read(compact([of_object(key)]))
    (call,), problems = read(as_printed(shape, of_object(key)))
    assert set(call.resources) == set(expected.resources) or problems
    assert problems == [] or set("{}[]") & set(key)


HOSTILE = [
    "x, bucketName=patients", "x, key=y, bucketName=patients", "x, x-amz-copy-source=patients/p.csv", "x}, {arn=arn:aws:s3:::patients",
    "x, arn=arn:aws:s3:::patients", "x, accountid=1, type=AWS::S3::Object}, {arn=arn:aws:s3:::patients/y",
    "x, accountid=null, type=AWS::S3::Object}, {type=z, arn=arn:aws:secretsmanager:eu-west-1:111122223333:secret:patients-AbCdEf",
    "{bucketName=patients}", "x, secretId=patients", "[{arn=arn:aws:s3:::patients}]", "x, tableName=patients",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_makes_no_other_resource(shape: str, key: str) -> None:
    (call,), _ = read(as_printed(shape, of_object(key)))
    # As a part of its own object's ARN it may stand there.
    assert [arn for arn in call.resources if not arn.startswith(BUCKET)] == []


@pytest.mark.parametrize("key", HOSTILE[:3])
def test_what_is_left_out_is_named(key: str) -> None:
    (call,), problems = read(as_printed("CloudTrail Lake", of_object(key)))
    assert f"record {call.event_id}: requestParameters left out" in " ".join(problems) or "x-amz" in key


plain = st.text(alphabet="abcXYZ09 _-./:,é", min_size=1, max_size=12).filter(lambda each: each not in ("null",))
names = st.text(alphabet="abcdefgh", min_size=1, max_size=6)
values = st.recursive(plain, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3), max_leaves=6)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_a_struct_is_read_as_it_was_printed(value: dict[str, Any]) -> None:
    assert reader.struct(printed(value)) == value


@given(
    st.dictionaries(names, st.text(max_size=20) | st.dictionaries(names, st.text(max_size=9)), min_size=1, max_size=4)
)
def test_a_map_is_never_read_as_fewer_fields_than_it_has(value: dict[str, Any]) -> None:
    try:
        found = reader.parameters(printed_map(value))
    except reader.AmbiguousError:
        return
    assert set(value) <= set(found)
    assume(set(value) == set(found))
    texts = {name: each if isinstance(each, str) else text(each) for name, each in value.items()}
    for name, each in texts.items():
        assert found[name] in (each, value[name], None) or each[:1] in "{["


@given(st.text(alphabet='{}[]=, ab"null', max_size=40))
def test_nothing_else_is_raised(found: str) -> None:
    for read_it in (reader.struct, reader.parameters, reader.resources):
        try:
            read_it("{" + found if read_it is not reader.resources else "[" + found)
        except reader.AmbiguousError:
            continue
