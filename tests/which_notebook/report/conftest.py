"""The report of a log, and a browser that opens it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import PROGRAMS, Browser, Page
from emulator.needs import skip_or_fail
from log_files import write
from records import BASE, ROLE, ROLE_ARN, Record, at_minute, handshake, record, session

from which_notebook.answers.report import write_report
from which_notebook.calls.call import Call
from which_notebook.calls.table import CallTable
from which_notebook.cli import main
from which_notebook.judging.attribution import Judge
from which_notebook.judging.warnings import Warnings
from which_notebook.limits import LIMITS
from which_notebook.sources.coverage import Coverage

ROOT = Path(__file__).parents[3]

ROWS = "document.querySelectorAll('.calls-table tbody tr:not(.empty)')"
COUNT = "document.querySelector('#calls-count').textContent"
CHIPS = "[...document.querySelectorAll('.chip')].map(chip => chip.textContent.replace(' \u00d7', ''))"


FRAUD, RISK = session("fraud-model"), session("risk-lab")
# Two notebooks, in turn; the base session now and then; a name that can be no notebook's; two names of one base session.
RECORDS = [
    *(record(FRAUD, "s3:PutObject" if number % 4 == 0 else "s3:GetObject", time=at_minute(number)) for number in range(0, 400, 2)),
    *(record(RISK, "kms:Decrypt", time=at_minute(number)) for number in range(1, 400, 4)),
    *(record(RISK, "glue:GetTable", time=at_minute(number), errorCode="AccessDenied") for number in range(3, 40, 4)),
    *(
        record(session(BASE), "ec2:DescribeInstances", time=at_minute(number), sourceIPAddress="10.9.0.77")
        for number in range(500, 507)
    ),
    *(record(session("me@laptop"), time=at_minute(number)) for number in (600, 601)),
    handshake("fraud-model", time=at_minute(700)),
    handshake("risk-lab", time=at_minute(701)),
]  # fmt: skip


def write_log(folder: Path, records: list[Record]) -> Path:
    """Write a log into a folder."""
    write(folder / "log.json", *records)
    return folder


def report(log: Path, *options: str, name: str = "report.html") -> Path:
    """Let the command write the report of a log beside it."""
    path = log.parent / name
    assert main(["report", str(log), "--role", ROLE, "--no-cache", "-o", str(path), *options]) in (0, 1, 4)
    return path


def write_calls(path: Path, calls: list[Call], **options: Any) -> Path:
    """Write the report of some calls."""
    judge, table = Judge(ROLE), CallTable.of(calls)
    judge.judge(table)
    with path.open("wb") as file:
        write_report([table], Warnings(judge), ROLE, Coverage(), file, **({"limits": LIMITS} | options))
    return path


def call(event_id: str, event_time: str, **fields: Any) -> Call:
    """Return a call of the role's."""
    return Call(event_id, event_time, "s3.amazonaws.com", "GetObject", session_name="a", role_arn=ROLE_ARN, **fields)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    if not any(map(shutil.which, PROGRAMS)):
        skip_or_fail("needs Chromium, to look at the report")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def only_page(browser: Browser) -> Iterator[Page]:
    """One page for all: a new one is a new process of the browser's."""
    with browser.page() as page:
        yield page


@pytest.fixture
def page(only_page: Page) -> Iterator[Page]:
    """A page of the browser as if it were new, that has no troubles at the end."""
    only_page.reset()
    yield only_page
    assert only_page.troubles() == []


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of the records."""
    return write_log(tmp_path_factory.mktemp("report") / "log", RECORDS)


@pytest.fixture(scope="module")
def sample(log: Path) -> Path:
    """Its report."""
    return report(log)


@pytest.fixture
def shown(page: Page, sample: Path) -> Page:
    """Its report, opened."""
    page.open(sample)
    return page


# What would run, or show something else than it is.
SCRIPTS = [
    "</script><script>window.owned=1</script>",
    "<!--<script>",
    "<img src=x onerror=window.owned=1>",
    "\"'><svg/onload=window.owned=1>",
    "javascript:window.owned=1",
    "]]>&lt;script&gt;window.owned=1&amp;",
    "a\u2028b\u2029c\u202ed\u2066e\u200bf\x00g\x1b[31m\u3164h",
    "SCRIPT STYLE POLICY DATA\n",
    "__proto__",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a log whose texts are such."""
    records = []
    for number, text in enumerate(SCRIPTS):
        identity = session(text, path=f"/{text}/", key=text, source_identity=text, on_behalf_of=text)
        made = record(
            identity, time=at_minute(number), eventID=f"{text}{number}", eventSource=text, eventName=text, awsRegion=text,
            recipientAccountId=text, errorCode=text, sourceIPAddress=text, userAgent=text * 200, vpcEndpointId=text,
        )  # fmt: skip
        records += [made, handshake(text, time=at_minute(20 + number))]
    folder = write_log(tmp_path_factory.mktemp("hostile") / "log", records)
    (folder / "<img src=x onerror=window.owned=1>.json.gz").write_bytes(b"\x1f\x8bno")
    return report(folder)


def column(page: Page, name: str) -> list[str]:
    """Return a column's texts."""
    texts: list[str] = page.run(f"[...{ROWS}].map(row => row.querySelector('.{name}').textContent)")
    return texts


def lanes(page: Page) -> list[str]:
    """Return the lanes' names."""
    texts: list[str] = page.run("[...document.querySelectorAll('.lanes .lane-label')].map(each => each.textContent)")
    return texts


def place(page: Page, lane: int, share: float) -> tuple[float, float]:
    """Return a place in a lane, by its share of the width."""
    box = page.box(f".lanes .lane:nth-child({lane}) .strip")
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2
