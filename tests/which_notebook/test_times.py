"""Times as a person writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from workspace import CHECKOUT

from which_notebook.times import FORMS, TimeError, parse_time

NOW = datetime(2026, 3, 10, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
        ("2026-03-01T09:30:00+02:00", "2026-03-01T07:30:00Z", "2026-03-01T07:30:00Z"),
        ("2026-03-01T09:30", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
        ("2026-03-01 09:30", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
        ("2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z"),
        ("20260301", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z"),
        (" today ", "2026-03-10T00:00:00Z", "2026-03-10T23:59:59Z"),
        ("Yesterday", "2026-03-09T00:00:00Z", "2026-03-09T23:59:59Z"),
        ("now", "2026-03-10T12:30:15Z", "2026-03-10T12:30:15Z"),
        ("30m", "2026-03-10T12:00:15Z", "2026-03-10T12:00:15Z"),
        ("24h", "2026-03-09T12:30:15Z", "2026-03-09T12:30:15Z"),
        ("7 d", "2026-03-03T12:30:15Z", "2026-03-03T12:30:15Z"),
        ("2w", "2026-02-24T12:30:15Z", "2026-02-24T12:30:15Z"),
        ("0999-12-31", "0999-12-31T00:00:00Z", "0999-12-31T23:59:59Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time(text: str, since: str, until: str) -> None:
    assert (parse_time(text, now=NOW), parse_time(text, end_of_day=True, now=NOW)) == (since, until)


def test_the_help_and_the_document_have_each_form(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ask("calls", "--help")
    document = (CHECKOUT / "docs/which-notebook.md").read_text()
    for text in (capsys.readouterr().out, document, f"TIME is {FORMS}"):
        _, said = text.split("TIME is an ISO time", 1)
        forms = re.findall(r"2026-03-01T09:30:00Z|\b(?:now|today|yesterday|\d+[mhdw])\b", said)[:8]
        assert forms == ["2026-03-01T09:30:00Z", "now", "today", "yesterday", "30m", "24h", "7d", "2w"]
        for form in forms:
            parse_time(form)


@pytest.mark.parametrize("text", ["", "soon", "7", "7y", "-1d", "2026-02-30", "2026-03-01T25:00", "999999w", "12:00"])
def test_no_time(text: str) -> None:
    with pytest.raises(TimeError, match=r"invalid time .*: write an ISO time"):
        parse_time(text, now=NOW)
