"""The report, as a person sees it in a browser: what it says, of odd data and hostile text, too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser import Page, PageError
from log_files import write
from records import ROLE, ROLE_ARN, record, session

from which_notebook.answers.report import write_report
from which_notebook.calls.call import CALL_FIELDS
from which_notebook.calls.table import CallTable
from which_notebook.cli import main
from which_notebook.judging.attribution import Judge
from which_notebook.judging.chains import Chains, Origin
from which_notebook.judging.warnings import Warnings
from which_notebook.limits import LIMITS, Limits
from which_notebook.sources.coverage import Coverage

from .conftest import (
    COUNT,
    RECORDS,
    ROWS,
    SCRIPTS,
    call,
    column,
    lanes,
    report,
    write_calls,
    write_log,
)

# What it says


def test_the_figures_are_those_of_the_summary(
    shown: Page, log: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    main(["summary", str(log), "--role", ROLE, "--no-cache", "--format", "json"])
    summary = json.loads(capsysbinary.readouterr().out)
    notebooks, unknown, unattributed = summary["notebooks"], summary["unknown_names"], summary["unattributed"]
    figures = shown.run(
        "Object.fromEntries([...document.querySelectorAll('.figures > div')]"
        ".map(each => [each.querySelector('dt').textContent, Number(each.querySelector('dd').textContent)]))"
    )
    assert figures == {
        "Calls": summary["calls"],
        "Notebooks": len(notebooks),
        "Unattributed": unattributed["calls"],
        "Unknown names": sum(row["calls"] for row in unknown),
        "Errors": sum(row["errors"] for row in [*notebooks, *unknown, unattributed]),
        "Warnings": sum(sum(row["warnings"].values()) for row in [*notebooks, *unknown]),
        "Handshakes": summary["handshakes"],
    }
    rows = shown.run(
        "[...document.querySelectorAll('#notebooks tbody tr:not(.handshake)')].map(row => [...row.children].map(cell => cell.textContent))"
    )
    assert [
        (re.sub("^[◆◇](unknown name: )?", "", row[0]), int(row[1]), int(row[2]), row[4], row[5]) for row in rows
    ] == [
        (name, row["calls"], row["errors"], *(row[seen][:16].replace("T", " ") for seen in ("first_seen", "last_seen")))
        for name, row in [
            ("Unattributed", unattributed),
            *((row["session_name"], row) for row in unknown),
            *((row["notebook"], row) for row in notebooks),
        ]
    ]


def test_the_head_says_whose_calls_of_when_and_what_was_asked(page: Page, log: Path) -> None:
    page.open(report(log, "--since", "2026-03-01", "--event-name", "Get*", "--errors-only", name="asked.html"))
    assert page.run("document.querySelector('h1').textContent") == ROLE
    assert page.run("document.title") == f"{ROLE} \u2013 which notebook made which call"
    assert "1 Mar 2026, 08:03 \u2013 08:39 UTC" in page.run("document.querySelector('#range').textContent")
    asked = page.run("document.querySelector('#asked').textContent")
    assert asked == "Only what was asked for: since 2026-03-01 00:00:00; event name Get*; errors only."
    assert page.run(COUNT) == "10 calls"


def test_what_could_not_be_read_is_named(page: Page, tmp_path: Path) -> None:
    folder = write_log(tmp_path / "log", RECORDS[:3])
    (folder / "<b>broken.json.gz").write_bytes(b"\x1f\x8bno")
    page.open(report(folder))
    assert page.run("document.querySelector('#skipped summary').textContent").startswith("1 part of the logs")
    assert "<b>broken.json.gz" in page.run("document.querySelector('#skipped li').textContent")


def test_the_text_stands_alike_in_rows_of_every_status(page: Page, tmp_path: Path) -> None:
    page.open(report(write_log(tmp_path / "log", RECORDS[:3] + RECORDS[-12:])))
    places = page.run(
        f"""[...{ROWS}].map(row => [...row.querySelectorAll('td')].map(cell => {{
            const text = document.createRange();
            text.selectNodeContents(cell);
            return text.getBoundingClientRect().top - cell.getBoundingClientRect().top;
        }}))"""
    )
    assert len(set(map(str, column(page, "status")))) == 4
    assert len({round(place) for row in places for place in row}) == 1, places


NOTES = "[...document.querySelectorAll('#notices p.note')].map(note => note.textContent)"


def test_what_the_summary_says_of_the_logs_stands_on_the_page_too(page: Page, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", RECORDS[:3])
    page.open(report(log))
    (opened,) = page.run(NOTES)
    assert opened.startswith("There is no AssumeRole call that opened one of these sessions")
    page.open(report(log, "--notebook", "another"))
    why, left_out = page.run(NOTES)
    assert why.startswith(
        "The role has 3 calls in what was read, handshakes included, but the options leave out all of them"
    )
    assert left_out == "--notebook left out 3 of them."


def test_a_log_without_a_call_is_a_page_too(page: Page, tmp_path: Path) -> None:
    page.open(report(write_log(tmp_path / "log", [])))
    assert "no call found" in page.run("document.querySelector('#range').textContent")
    assert page.run("document.querySelector('.calls-table .empty').textContent") == "No call fits."


def test_beyond_its_limit_the_page_says_what_is_left_out(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), f"2026-03-01T08:00:{number:02}Z") for number in range(9)]
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(report_calls=4)))
    note = page.run("document.querySelector('.note').textContent")
    assert "the oldest 4 of 9 calls" in note
    assert note.endswith("--since 2026-03-01T08:00:03Z.")
    assert page.run(COUNT) == "4 calls"
    assert page.run("document.querySelector('.figures dd').textContent") == "9"


# Odd data


def test_any_time_and_any_id_is_shown_as_it_is(page: Page, tmp_path: Path) -> None:
    times = [
        "0001-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2026-02-28T23:59:59.250000Z", "2026-02-30T00:00:00Z",
        "2026-03-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ]  # fmt: skip
    ids = [
        "00000000-0000-0000-0000-000000000001", "1A2B3C4D-5E6F-7A8B-9C0D-1E2F3A4B5C6D", "", "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
        "12345678-1234-1234-1234-12345678 abc", "id",
    ]  # fmt: skip
    page.open(write_calls(tmp_path / "report.html", list(map(call, ids, times))))
    assert column(page, "event_time") == [time.replace("T", " ").removesuffix("Z") for time in times]
    page.click("#columns summary")
    page.click("#column-choice label:nth-child(17) input")
    assert column(page, "event_id") == ids
    page.type("#search", "1a2b3c4d")
    assert page.run(COUNT) == "2 of 6 calls"


def test_a_text_that_is_written_twice_is_one(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), "2026-03-01T08:00:00Z", user_agent=f"agent {number % 5}") for number in range(30)]
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(column_texts_bytes=400)))
    for number in range(5):
        page.type("#search", f'user_agent:"agent {number}"')
        assert page.run(COUNT) == "6 of 30 calls"


def test_what_waits_in_a_file_comes_back(page: Page, tmp_path: Path) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(9)]
    calls = [call(each, f"2026-03-01T08:00:0{each[-1]}Z") for each in ids]
    limits = Limits(column_bytes=7, column_read_bytes=10)
    page.open(write_calls(tmp_path / "report.html", calls, limits=limits))
    page.click("#columns summary")
    page.click("#column-choice label:nth-child(17) input")
    assert column(page, "event_id") == ids
    assert column(page, "event_time")[-1] == "2026-03-01 08:00:08"


def test_names_by_the_thousand_share_a_lane(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), "2026-03-01T08:00:00Z") for number in range(9)]
    for number, each in enumerate(calls):
        each.session_name = "SageMaker" if number == 8 else f"name-{number}"
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(lanes=3)))
    assert lanes(page) == ["Unattributed", "name-0", "name-1", "name-2", "More names"]
    assert page.run("document.querySelector('.lane.more-names .lane-count').textContent") == "5"
    page.click(".lane.more-names .lane-name")
    assert column(page, "notebook") == ["name-3", "name-4", "name-5", "name-6", "name-7"]


def test_the_lane_of_more_names_has_the_warnings_about_them(ask: Any, tmp_path: Path) -> None:
    log = write(tmp_path / "log.json", *(record(session(f"no_name_{number}")) for number in range(9)))
    ask("report", log, "--role", ROLE, "--output", tmp_path / "report.html", limits=Limits(lanes=3))
    (head, *_) = re.findall(
        '<script [^>]*type="application/json"[^>]*>(.*?)</script>', (tmp_path / "report.html").read_text()
    )
    warnings = {lane["name"] or lane["kind"]: lane["warnings"] for lane in json.loads(head)["lanes"]}
    assert warnings == {"no_name_0": 1, "no_name_1": 1, "no_name_2": 1, "more-names": 6}


def test_chained_calls_stand_in_their_notebooks_lane(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), "2026-03-01T08:00:00Z", access_key_id=f"KEY-{number}") for number in range(3)]
    calls[2].role_arn = "arn:aws:iam::1:role/other"
    table, judge = CallTable.of(calls), Judge(ROLE)
    Chains({"KEY-2": Origin("a", ROLE_ARN, f"{ROLE}/a > other/task")}).judge(table, judge)
    with (tmp_path / "report.html").open("wb") as file:
        write_report([table], Warnings(judge), ROLE, Coverage(), file, LIMITS)
    page.open(tmp_path / "report.html")
    assert lanes(page) == ["a"]
    cells = "[...document.querySelectorAll('#notebooks {} > *')].slice(1, 3).map(cell => cell.textContent)"
    assert page.run(cells.format("thead tr")) == ["Calls", "Chained"]
    assert page.run(cells.format("tbody tr")) == ["3", "1"]
    page.type("#search", "via:task")
    assert column(page, "status") == ["chained"]


# Hostile text


def test_nothing_in_a_log_is_ever_run(page: Page, hostile: Path) -> None:
    page.open(hostile)
    page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.run("document.querySelectorAll('script, img, svg, iframe, object, embed, link').length") == 1
    page.run("document.querySelectorAll('#warnings .link, .bar, #notebooks .link').forEach(each => each.click())")
    page.settle()
    page.run("document.querySelector('#details').close(); [...document.querySelectorAll('.chips .link')].pop().click()")
    page.settle()
    seen = []
    for number in range(len(SCRIPTS)):
        page.run(f"{ROWS}[{number}].click()")
        page.settle()
        seen.append(
            page.run("[...document.querySelectorAll('#details dd')].map(field => field.firstChild.textContent)")
        )
        page.run("document.querySelector('#details').close()")
        page.settle()
    assert page.run("window.owned === undefined")
    assert seen[0].count(SCRIPTS[0]) >= 8
    assert SCRIPTS[6] not in seen[6]
    assert "a\\u2028b\\u2029c\\u202ed\\u2066e\\u200bf\\x00g\\x1b[31m\\u3164h" in seen[6]


def test_the_embedded_data_is_no_markup(hostile: Path) -> None:
    data = re.findall(rb'<script type="application/json"[^>]*>(.*?)</script>\n', hostile.read_bytes(), re.DOTALL)
    assert len(data) > len(CALL_FIELDS)
    for each in data:
        assert not re.search(rb"[<>&\x00-\x1f\x7f-\xff]", each)
        json.loads(each)


def test_the_page_itself_forbids_code_and_requests(page: Page, sample: Path) -> None:
    page.open(sample)
    with pytest.raises(PageError, match="TrustedHTML"):
        page.run("document.body.innerHTML = '<p>x</p>'")
    with pytest.raises(PageError, match="createPolicy"):
        page.run("trustedTypes.createPolicy('own', { createHTML: (text) => text })")
    with pytest.raises(PageError, match="Failed to fetch"):
        page.run("fetch('data:,x')")
    page.run(
        "document.body.append(Object.assign(document.createElement('style'), { textContent: '* { color: red }' }))"
    )
    assert page.run("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    refused = page.troubles()
    assert len(refused) >= 3
    page.forget_troubles()


# What it is made of


def test_nothing_is_loaded_from_elsewhere(sample: Path) -> None:
    text = sample.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"https?://|url\(|@import", text)
