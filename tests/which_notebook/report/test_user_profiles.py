"""The report: Studio's user profiles have lanes of their own, which nobody takes for a notebook's."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Page
from records import BASE, Record, at_minute, opening, profile, record, session

from .conftest import COUNT, ROWS, column, lanes, report, write_log
from .test_use import luminance


def of_profile(number: int, name: str) -> Record:
    """Return the record of a user profile's call."""
    return record(profile(name, key=KEY[name], on_behalf_of=f"id-of-{name}"), "s3:ListObjects", time=at_minute(number))


KEY = {"anna": "ASIAOFANNA", "mallory": "ASIAMALLORY"}
# The notebook `anna` and the user profile `anna`; a user profile whose session somebody else opened.
RECORDS = [
    *(record(session("anna"), time=at_minute(number)) for number in range(0, 40, 2)),
    *(of_profile(number, "anna") for number in range(1, 40, 2)),
    *(of_profile(number, "mallory") for number in range(50, 53)),
    record(session(BASE), time=at_minute(60)),
]
FORGED = opening(
    session("admin", role="admin"),
    BASE,
    key=KEY["mallory"],
    asked={"sourceIdentity": "mallory"},
    time=at_minute(45),
)


@pytest.fixture
def shown(page: Page, tmp_path: Path) -> Page:
    page.open(report(write_log(tmp_path / "log", [*RECORDS, FORGED])))
    return page


def test_a_lane_for_each_told_by_words_and_a_ring(shown: Page) -> None:
    assert lanes(shown) == ["Unattributed", "anna", "anna (user profile)", "mallory (user profile)", "Handshakes"][:4]
    assert (
        shown.run("[...document.querySelectorAll('.lane.user-profile .lane-mark')].map(each => each.textContent)")
        == ["○"] * 2
    )
    assert shown.run("document.querySelectorAll('.lane.notebook .lane-mark').length") == 0
    colours = shown.run("['.lane.notebook', '.lane.user-profile', '.lane.unattributed'].map(each => getComputedStyle(document.querySelector(each + ' .lane-label')).color)")  # fmt: skip
    assert len(set(colours)) == 3
    assert shown.run("document.querySelector('#key-person').hidden") is False


def test_it_can_be_picked_by_keys_and_filters_the_rest(shown: Page) -> None:
    shown.run("document.querySelectorAll('.lane.user-profile .lane-name')[0].focus()")
    shown.key("Enter")
    assert shown.run(COUNT) == "20 of 44 calls"
    assert set(column(shown, "notebook")) == {"anna (user profile)"}
    assert set(column(shown, "status")) == {"user-profile"}
    shown.click(".chip")
    shown.type("#search", "on_behalf_of:id-of-mallory")
    assert shown.run(COUNT) == "3 of 44 calls"


def test_figures_table_and_details_name_them(shown: Page) -> None:
    figures = shown.run(
        "Object.fromEntries([...document.querySelectorAll('.figures > div')]"
        ".map(each => [each.querySelector('dt').textContent, Number(each.querySelector('dd').textContent)]))"
    )
    assert (figures["Notebooks"], figures["User profiles"], figures["Unattributed"], figures["Calls"]) == (1, 2, 1, 44)
    names = shown.run("[...document.querySelectorAll('#notebooks tbody th')].map(each => each.textContent)")
    assert names == ["◆Unattributed", "anna", "○anna (user profile)", "○mallory (user profile)"]
    shown.type("#search", "user_profile:anna")
    shown.run(f"{ROWS}[0].click()")
    said = shown.run("document.querySelector('#details').textContent")
    assert "anna (user profile) \u2013 made in a base session with a source identity" in said
    assert "id-of-anna" in said


def test_what_speaks_against_one_stands_in_its_lane(shown: Page) -> None:
    warned = shown.run("[...document.querySelectorAll('#notebooks tbody tr')].map(row => row.children[3].textContent)")
    assert warned == ["0", "0", "0", "1"]
    assert "user profile mallory" in shown.run("document.querySelector('#warnings').textContent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_are_easy_to_read(page: Page, tmp_path: Path, scheme: str) -> None:
    page.media(scheme=scheme)
    page.open(report(write_log(tmp_path / "log", RECORDS)))
    paper = luminance(page.run("getComputedStyle(document.body).backgroundColor"))
    for selector in (".lane.person .lane-label", ".lane.person .lane-mark", "tr.person .link"):
        ink = luminance(page.run(f"getComputedStyle(document.querySelector('{selector}')).color"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, selector


def test_without_any_nothing_is_said_of_them(page: Page, tmp_path: Path) -> None:
    page.open(report(write_log(tmp_path / "log", RECORDS[:3])))
    assert "User profiles" not in page.run("document.querySelector('.figures').textContent")
    assert page.run("document.querySelector('#key-person').hidden") is True
