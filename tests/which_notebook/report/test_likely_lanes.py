"""The parts of the unattributed lane, with --likely: nobody may take them for attributed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from base_sessions import stream
from browser import Page
from records import BASE, Record, at_minute, handshake, record, session

from .conftest import COUNT, RECORDS, SCRIPTS, lanes, report, write_log

SHOWN = "[...document.querySelectorAll('.lanes .lane:not([hidden]) .lane-label')].map(each => each.textContent)"
LIKELY = "likely fraud-model (handshake)"
DISPUTED = "disputed: fraud-model or risk-lab (handshake)"


def of(key: str, numbers: range, **fields: Any) -> list[Record]:
    """Return calls of a base session."""
    return [record(session(BASE, key=key), "s3:ListBuckets", time=at_minute(number), **fields) for number in numbers]


@pytest.fixture(scope="module")
def likely(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a log with base sessions of which evidence says something."""
    records = [
        *RECORDS,
        handshake(base_key="KA", time=at_minute(800)), *of("KA", range(801, 811)), *of("KA", range(811, 813), errorCode="AccessDenied"),
        *of("ASIABASE", range(820, 823)),
    ]  # fmt: skip
    return report(write_log(tmp_path_factory.mktemp("likely") / "log", records), "--likely")


def test_the_parts_are_there_once_the_lane_is_opened_by_keyboard(page: Page, likely: Path) -> None:
    page.open(likely)
    assert page.run(SHOWN) == ["Unattributed", "me@laptop", "fraud-model", "risk-lab", "Handshakes"]
    page.run("document.querySelector('.opener').focus()")
    assert page.run("document.activeElement.ariaExpanded") == "false"
    page.key("Enter")
    assert page.run("document.activeElement.ariaExpanded") == "true"
    opened = [
        "Unattributed",
        LIKELY,
        DISPUTED,
        "nothing names it",
        "me@laptop",
        "fraud-model",
        "risk-lab",
        "Handshakes",
    ]
    assert page.run(SHOWN) == lanes(page) == opened
    counts = page.run("[...document.querySelectorAll('.lanes .lane-count')].map(each => Number(each.textContent))")
    assert counts[0] == sum(counts[1:4]) == 22
    page.key("Enter")
    assert LIKELY not in page.run(SHOWN)


def test_the_timelines_keys_pass_hidden_parts_and_reach_shown_ones(page: Page, likely: Path) -> None:
    page.open(likely)
    for is_open in (False, True):
        if is_open:
            page.click(".opener")
        page.run("document.querySelector('#timeline').focus()")
        page.key("ArrowRight")
        assert page.run("document.querySelector('#readout').textContent").startswith("Unattributed. ")
        page.key("ArrowDown")
        expected = LIKELY if is_open else "me@laptop"
        assert page.run("document.querySelector('#readout').textContent").startswith(f"{expected}. ")
        page.key("ArrowUp")
    page.key("ArrowDown")
    page.key("Enter")
    assert page.run(COUNT).startswith("12 of ")


def test_the_lane_takes_its_parts_along_as_a_filter(page: Page, likely: Path) -> None:
    page.open(likely)
    page.click(".lanes .lane:first-child .lane-name")
    assert page.run(COUNT).startswith("22 of ")
    page.click(".opener")
    assert page.run("document.querySelectorAll('.lanes .lane.doubt.dimmed').length") == 0


def test_a_likely_call_stays_unattributed_and_is_drawn_and_told_as_such(page: Page, likely: Path) -> None:
    page.open(likely)
    page.click(".opener")
    page.settle()
    drawn = page.run("""(() => {
      const share = (lane) => {
        const canvas = [...document.querySelectorAll('.lanes .lane')].find((each) => each.querySelector('.lane-label').textContent === lane).querySelector('canvas');
        const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set();
        for (let at = 0; at < width * height; at += 1) if (data[at * 4 + 3] === 255) colours.add([...data.slice(at * 4, at * 4 + 3)].join());
        return [...colours];
      };
      const accent = (() => { const box = document.createElement('div'); box.style.color = 'var(--accent)'; document.body.append(box);
        const found = getComputedStyle(box).color.match(/\\d+/g).join(); box.remove(); return found; })();
      return [share('likely fraud-model (handshake)').includes(accent), share('risk-lab').includes(accent)];
    })()""")
    # No spot has the colour of a notebook's own calls.
    assert drawn == [False, True]
    assert page.run("document.querySelector('#key-likely').hidden") is False
    assert "no proof" in page.run("document.querySelector('#key-likely').textContent")
    page.click(".lanes .lane.likely .lane-name")
    page.run("document.querySelector('.calls-table tbody tr').click()")
    told = page.run("document.querySelector('#details').textContent")
    assert "nobody can tell which one made it" in told
    assert "Likely notebook (no proof)fraud-model" in told


def test_without_it_the_page_has_nothing_of_it(page: Page, log: Path) -> None:
    page.open(report(log, name="plain.html"))
    assert page.run("document.querySelector('.opener')") is None
    assert page.run("document.querySelector('#key-likely').hidden") is True
    assert "column-likely" not in (log.parent / "plain.html").read_text()


def test_hostile_names_of_parts_are_text(page: Page, tmp_path: Path) -> None:
    records = []
    for number, text in enumerate(SCRIPTS):
        records += [
            stream(f"K{number}", f"{text}/x", "/aws/sagemaker/TrainingJobs", time=at_minute(number)),
            handshake(base_key=f"K{number}", time=at_minute(50 + number)),
            handshake("a", base_key=f"J{number}", time=at_minute(90 + number)),
        ]
    page.open(report(write_log(tmp_path / "log", records), "--likely"))
    page.run("document.querySelector('.opener').click()")
    page.settle()
    assert page.run("window.owned") is None
    assert any("<img" in each for each in page.run(SHOWN))


def test_a_phone_needs_no_scrolling_sideways(page: Page, likely: Path) -> None:
    page.resize(390, 800)
    page.open(likely)
    page.run("document.querySelector('.opener').click()")
    page.settle()
    assert page.run("document.documentElement.scrollWidth") <= 390
