"""No text that a caller may write makes the count of brackets say that a list is closed which isn't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from which_notebook.records.open_lists import OpenLists
from which_notebook.records.record_text import RECORD_START

SMALL = {"eventVersion": "x"}


def texts_before_records(document: str) -> list[tuple[bytes, int]]:
    """Return all that stands before each object that looks like a record, and how many lists are open there."""
    found, depth, at = [], 0, 0
    while at < len(document):
        character = document[at]
        if character == '"':
            at += 1
            while document[at] != '"':
                at += 2 if document[at] == "\\" else 1
        elif character in "[]":
            depth += 1 if character == "[" else -1
        elif document.startswith(RECORD_START, at):
            # The first bracket is the one of the list of records.
            found.append((document[1 : at + len(RECORD_START)].encode(), depth - 1))
        at += 1
    return found


def said(counted: OpenLists, found: list[Any], **layout: Any) -> list[tuple[bool, int]]:
    """Return for each object that looks like a record whether no list is said to be open there, and how many are."""
    document = json.dumps(found, ensure_ascii=False, **layout)
    return [(counted.are_none(text), depth) for text, depth in texts_before_records(document)]


# Pieces of which the marks are made, in strings and keys: whoever makes a call chooses both.
pieces = st.sampled_from(['"', "\\", "[", "]", "}", "{", ",", ":", "a", " ", "\n", '],"a', '}]},{"e', 't":[', "é"])
strings = st.lists(pieces, max_size=6).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 12) | strings | st.just(SMALL),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=20,
)
records = values.map(lambda held: {**SMALL, "requestParameters": held, "eventID": "e"})
LAYOUTS = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 1}])


@pytest.mark.heavy
@settings(max_examples=300)
@given(st.lists(st.lists(records, min_size=1, max_size=5), min_size=1, max_size=3), LAYOUTS)
@example([[{**SMALL, "x": ["]", {"a\\": [1]}, SMALL, SMALL], "y": '],"a'}, SMALL]], {"separators": (",", ":")})
@example([[{**SMALL, "x": [[1], "e", {}, SMALL], "y": "a"}, SMALL]], {"separators": (",", ":")})
@example([[{**SMALL, "x": [{"a\\\\": [{}, SMALL, SMALL]}, SMALL]}, SMALL]], {"separators": (",", ":")})
def test_what_is_open_is_never_said_to_be_closed(files: list[list[Any]], layout: dict[str, Any]) -> None:
    counted = OpenLists()
    for found in files:  # the later ones with what was learned from the earlier ones
        for is_none, depth in said(counted, found, **layout):
            assert not (is_none and depth)


@pytest.mark.parametrize(
    "held",
    [
        {"items": [{"name": "a", "values": ["b", "c"]}]},
        {"policy": '{"Statement":[{"Action":["s3:*"],"Resource":[]}]}'},
        {"policy": json.dumps('{"Statement":[]}')},
        {"filterSet": {}, "items": [], "agent": "[aws-sdk] (x[1])"},
        {"a": [{"b": [{"c": {"d": ["e"]}}]}]},
        {"numbers": [1, 2], "more": [None], "again": [True]},
    ],
)
def test_usual_records_need_no_parse(held: Any) -> None:
    usual = {**SMALL, "requestParameters": held, "resources": [{"ARN": "arn:x"}, {"ARN": "arn:y"}], "eventType": "z"}
    counted = OpenLists()
    for found in ([usual] * 5, [SMALL, usual, SMALL, usual]):
        assert all(is_none == (depth == 0) for is_none, depth in said(counted, found, separators=(",", ":")))


def test_a_text_that_was_made_to_take_up_time() -> None:
    counted = OpenLists()
    for unit in ("]", "[", "}]", '"]},', '\\"[', ",", "]}},{"):
        text = json.dumps({"x": unit * (200_000 // len(unit))}).encode()
        counted.are_none(b'{"y":[' + text + b',{"eventVersion":')
