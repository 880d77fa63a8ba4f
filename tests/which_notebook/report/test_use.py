"""The report, as a person uses it in a browser: timeline, filters, table; how it looks; many calls."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from browser import Page
from records import ROLE_ARN, START

from which_notebook.calls.call import CALL_FIELDS, Call

from .conftest import (
    CHIPS,
    COUNT,
    FRAUD,
    RECORDS,
    ROWS,
    column,
    lanes,
    place,
    write_calls,
)

# The timeline


def test_a_lane_for_each_notebook_and_first_for_what_has_none(shown: Page) -> None:
    assert lanes(shown) == ["Unattributed", "me@laptop", "fraud-model", "risk-lab", "Handshakes"]
    assert shown.run("document.querySelector('.lane.unattributed .lane-mark').textContent") == "◆"


def test_a_lane_that_is_picked_filters_bars_and_table(shown: Page) -> None:
    shown.click(".lanes .lane:nth-child(4) .lane-name")
    assert shown.run(CHIPS) == ["risk-lab"]
    assert shown.run(COUNT) == "110 of 321 calls"
    assert set(column(shown, "notebook")) == {"risk-lab"}
    assert shown.run("[...document.querySelectorAll('#events .bar')].map(bar => bar.textContent)") == [
        "kms:Decrypt100", "glue:GetTable10",
    ]  # fmt: skip
    shown.click(".chip")
    assert shown.run(COUNT) == "321 calls"


def test_a_span_that_is_dragged_filters_the_rest(shown: Page) -> None:
    shown.drag(place(shown, 3, 0.0), place(shown, 3, 0.2))
    times = column(shown, "event_time")
    total = int(shown.run(COUNT).split()[0])
    assert 50 < total < 150
    assert times[0] == "2026-03-01 08:00:00"
    assert shown.run("document.querySelector('.window').hidden") is False
    shown.click("#zoom-all")
    assert shown.run(COUNT) == "321 calls"


def test_the_wheel_zooms_with_ctrl_and_scrolls_without(shown: Page) -> None:
    x, y = place(shown, 3, 0.1)
    shown.wheel(x, y, -600, ctrl=True)
    assert int(shown.run(COUNT).split()[0]) < 321
    shown.wheel(x, y, 3000, ctrl=True)
    assert shown.run(COUNT) == "321 calls"
    shown.wheel(x, y, 100)
    shown.wait_for("scrollY > 0")
    assert shown.run(COUNT) == "321 calls"


def test_hovering_tells_what_is_there(shown: Page) -> None:
    # The whole range has a little room before the first call.
    for share in (0.004, 0.006, 0.008, 0.01, 0.012):
        shown.hover(*place(shown, 3, share))
        if not shown.run("document.querySelector('#tip').hidden"):
            break
    tip = shown.run("[...document.querySelector('#tip').children].map(line => line.textContent)")
    assert tip[0] == "fraud-model"
    assert "08:0" in tip[1]
    assert "s3:" in " ".join(tip)


def test_the_timeline_by_keyboard(shown: Page) -> None:
    shown.run("document.querySelector('#timeline').focus()")
    shown.key("ArrowRight")
    readout = shown.run("document.querySelector('#readout').textContent")
    assert readout.startswith("Unattributed. ")
    assert "ec2:DescribeInstances" in readout
    shown.key("ArrowDown")
    assert shown.run("document.querySelector('#readout').textContent").startswith("me@laptop. ")
    shown.key("Enter")
    assert shown.run(COUNT) == "2 of 321 calls"
    shown.key("Escape")
    assert shown.run(COUNT) == "321 calls"
    shown.key("+")
    assert shown.run(COUNT) != "321 calls"
    shown.key("-")
    assert shown.run(COUNT) == "321 calls"


def test_what_is_told_of_the_bins_adds_up_to_the_lane(shown: Page) -> None:
    told = shown.run("""(() => {
      const press = (key) => document.querySelector('#timeline').dispatchEvent(new KeyboardEvent('keydown', { key }));
      const readout = () => document.querySelector('#readout').textContent;
      ['ArrowDown', 'ArrowDown', 'ArrowDown', ...Array(300).fill('ArrowLeft')].forEach(press);
      const told = [];
      for (; told.at(-1) !== readout(); press('ArrowRight')) told.push(readout());
      return told;
    })()""")
    assert all(each.startswith("fraud-model. ") for each in told)
    many = [re.search(r"(\d+) calls", each) for each in told]
    assert sum(int(each[1]) if each else 1 for each in many) == 200


# Bars, search, order


def test_a_bar_is_a_filter(shown: Page) -> None:
    shown.click("#services .bar[title='kms']")
    assert set(column(shown, "event_name")) == {"kms:Decrypt"}
    assert shown.run("document.activeElement.title") == "kms"
    shown.click("#services .bar[title='glue']")
    assert shown.run(COUNT) == "110 of 321 calls"


FOUND_BY = {
    "accessdenied": 10,
    "risk-lab decrypt": 100,
    "kms:decrypt": 100,
    "error_code:denied": 10,
    "session_name:sage": 9,
    'event_name:"get"': 0,
    'event_name:"GetTable"': 10,
    RECORDS[-5]["eventID"]: 1,
    "2026-03-01T16:2": 7,
    "me@laptop": 2,
    "user_agent:me@laptop": 0,
    "<script>": 0,
}


def test_search(shown: Page) -> None:
    for query, count in FOUND_BY.items():
        shown.type("#search", query)
        assert shown.run(COUNT) == f"{count} of 321 calls", query
        shown.type("#search", "")
        assert shown.run(COUNT) == "321 calls"


def test_status_and_errors_only(shown: Page) -> None:
    shown.run(
        "(field => { field.value = 'unattributed'; field.dispatchEvent(new Event('change')); })(document.querySelector('#status'))"
    )
    shown.settle()
    assert shown.run(COUNT) == "7 of 321 calls"
    shown.click("#chips .chip")
    shown.click("#errors-only")
    assert set(column(shown, "error_code")) == {"AccessDenied"}


def test_a_head_sorts_and_sorts_back(shown: Page) -> None:
    assert column(shown, "event_time")[0] == "2026-03-01 08:00:00"
    shown.click("th.event_time button")
    assert column(shown, "event_time")[0] == "2026-03-01 19:41:00"
    shown.click("th.event_name button")
    assert column(shown, "event_name")[0] == "ec2:DescribeInstances"
    assert shown.run("document.querySelector('th.event_name').ariaSort") == "ascending"
    shown.click("th.error_code button")
    assert column(shown, "error_code")[:2] == ["AccessDenied", "AccessDenied"]


def test_only_rows_in_sight_exist_and_the_keyboard_reaches_all(shown: Page) -> None:
    assert shown.run(f"{ROWS}.length") < 40
    assert shown.run("document.querySelector('.calls-table table').ariaRowCount") == "322"
    shown.run(f"{ROWS}[0].focus()")
    for key, row in (("ArrowDown", 3), ("End", 322), ("ArrowUp", 321), ("Home", 2)):
        shown.key(key)
        assert shown.run("document.activeElement.ariaRowIndex") == str(row)
    shown.run("document.querySelector('.scroller').scrollTop = 1e9")
    shown.settle()
    assert column(shown, "event_time")[-1] == "2026-03-01 19:41:00"


def test_one_call_with_all_its_fields(shown: Page) -> None:
    shown.run(f"{ROWS}[0].focus()")
    shown.key("Enter")
    fields = shown.run(
        "Object.fromEntries([...document.querySelectorAll('#details dt')].map(name => [name.textContent, name.nextSibling.firstChild.textContent]))"
    )
    assert len(fields) == len(CALL_FIELDS) + 1
    assert fields["Event id"] == RECORDS[0]["eventID"]
    assert fields["Role"] == ROLE_ARN
    assert fields["VPC endpoint"] == "\u2013"
    shown.key("ArrowRight")
    assert shown.run("document.querySelector('#details h2').textContent") == "kms:Decrypt"
    shown.key("Escape")
    shown.settle()
    assert shown.run("document.querySelector('#details').open") is False
    assert shown.run("document.activeElement.ariaRowIndex") == "3"


def test_any_column_can_be_shown(shown: Page) -> None:
    shown.click("#columns summary")
    shown.click("#column-choice label:nth-child(12) input")
    assert column(shown, "access_key_id")[0] == FRAUD["accessKeyId"] == "ASIAFRAUD-MODEL"


def test_a_warning_leads_to_its_call(shown: Page) -> None:
    titles = shown.run("[...document.querySelectorAll('#warnings h3')].map(title => title.textContent)")
    assert titles == ["Name of no known notebook", "One base session, several names"]
    shown.click("#warnings ul:last-of-type .link")
    assert shown.run("document.querySelector('#details h2').textContent") == "sts:AssumeRole"
    assert "ASIABASE" in shown.run("document.querySelector('#details .note').textContent")


# How it looks


@pytest.mark.parametrize("which", ["sample", "hostile"])
def test_a_phone_needs_no_scrolling_sideways(page: Page, which: str, request: pytest.FixtureRequest) -> None:
    page.resize(375, 812, phone=True)
    page.open(request.getfixturevalue(which))
    assert page.run("document.documentElement.scrollWidth") == 375
    assert page.run(
        "document.querySelector('.scroller').scrollWidth <= document.querySelector('.scroller').clientWidth"
    )
    page.run(f"{ROWS}[0].click()")
    assert page.run("document.querySelector('#details').scrollWidth") <= 375


def luminance(colour: str) -> float:
    # https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_easy_to_read(page: Page, sample: Path, scheme: str) -> None:
    page.media(scheme=scheme)
    page.open(sample)
    paper = luminance(page.run("getComputedStyle(document.body).backgroundColor"))
    assert (paper > 0.5) is (scheme == "light")
    for selector in ("body", ".muted", ".figures .attention dd", ".link", ".tick", "td.none", ".lane-count"):
        ink = luminance(page.run(f"getComputedStyle(document.querySelector('{selector}')).color"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, selector


def test_paper_shows_a_bounded_table_in_light(page: Page, sample: Path) -> None:
    page.media(scheme="dark", kind="print")
    page.open(sample)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('#print-table tbody tr').length") == 100
    assert "first 100 of 321 calls" in page.run("document.querySelector('#print-table').textContent")
    assert page.run("document.querySelector('.scroller').offsetHeight") == 0
    assert luminance(page.run("getComputedStyle(document.body).backgroundColor")) > 0.9
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('#print-table tr').length") == 0
    assert page.pdf().startswith(b"%PDF")


def test_all_that_can_be_used_has_a_name(shown: Page) -> None:
    nodes = shown.call("Accessibility.getFullAXTree")["nodes"]
    used = [node for node in nodes if not node["ignored"] and node["role"]["value"] in ("button", "combobox", "searchbox", "checkbox", "grid", "group", "region")]  # fmt: skip
    assert len(used) > 20
    assert [node for node in used if not node.get("name", {}).get("value")] == []


def test_motion_only_where_it_is_liked(page: Page, sample: Path) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    page.open(sample)
    assert page.run("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


# Many calls


@pytest.mark.timeout(300)
def test_a_hundred_thousand_calls_can_be_used(page: Page, tmp_path: Path) -> None:
    calls = [
        Call(
            f"00000000-0000-4000-8000-{number:012}", f"{START + timedelta(seconds=number * 7):%Y-%m-%dT%H:%M:%SZ}",
            "s3.amazonaws.com", f"Get{number % 40}x", "eu-central-1", "111122223333", None, None,
            "SageMaker" if number % 997 == 0 else f"notebook-{number % 25}", ROLE_ARN, f"ASIA{number // 500}", "10.9.0.1", None, "Boto3",
        )
        for number in range(100_000)
    ]  # fmt: skip
    path = write_calls(tmp_path / "report.html", calls)
    assert path.stat().st_size < 60 * 100_000
    page.open(path)
    assert page.run(COUNT) == "100,000 calls"
    page.type("#search", "notebook:notebook-7 get7x")
    assert page.run(COUNT) == "500 of 100,000 calls"
    page.type("#search", "")
    page.click("th.event_name button")
    page.run(f"{ROWS}[0].focus()")
    page.key("End")
    assert page.run("document.activeElement.ariaRowIndex") == "100001"
    assert column(page, "event_name")[-1] == "s3:Get39x"
