"""The report of a log, and a browser that opens it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import PROGRAMS, Browser, Page
from emulator.needs import skip_or_fail

from which_notebook.answers.report import write_report
from which_notebook.calls.call import Call
from which_notebook.calls.table import CallTable
from which_notebook.cli import main
from which_notebook.judging.attribution import Judge
from which_notebook.judging.warnings import Warnings
from which_notebook.sources.coverage import Coverage

ROLE = "data-science-execution"
ROLE_ARN = f"arn:aws:iam::111122223333:role/{ROLE}"
ROOT = Path(__file__).parents[3]
START = datetime.fromisoformat("2026-03-02T08:00:00Z")

ROWS = "document.querySelectorAll('.calls-table tbody tr:not(.empty)')"
COUNT = "document.querySelector('#calls-count').textContent"
CHIPS = "[...document.querySelectorAll('.chip')].map(chip => chip.textContent.replace(' \u00d7', ''))"


def record(number: int, session: str, event: str = "s3:GetObject", **changes: Any) -> dict[str, Any]:
    """Return a record, so many minutes after the start."""
    service, name = event.split(":")
    return {
        "eventTime": f"{START + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "sourceIPAddress": "10.9.0.12",
        "userAgent": "[Boto3/1.42.34]",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{session}",
            "arn": f"arn:aws:sts::111122223333:assumed-role/{ROLE}/{session}",
            "accountId": "111122223333",
            "accessKeyId": f"ASIA{session[:8].upper()}",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE_ARN}},
        },
        **changes,
    }


def handshake(number: int, name: str, base_key: str) -> dict[str, Any]:
    """Return the record of a notebook session's opening."""
    made = record(number, "SageMaker", "sts:AssumeRole")
    made["userIdentity"]["accessKeyId"] = base_key
    made["requestParameters"] = {"roleArn": ROLE_ARN, "roleSessionName": name}
    made["responseElements"] = {"credentials": {"accessKeyId": f"ASIANEW{number}"}}
    return made


# Two notebooks, in turn; the base session now and then; a name that can be no notebook's; two names of one base session.
RECORDS = [
    *(record(number, "fraud-model", "s3:PutObject" if number % 4 == 0 else "s3:GetObject") for number in range(0, 400, 2)),
    *(record(number, "risk-lab", "kms:Decrypt") for number in range(1, 400, 4)),
    *(record(number, "risk-lab", "glue:GetTable", errorCode="AccessDenied") for number in range(3, 40, 4)),
    *(record(number, "SageMaker", "ec2:DescribeInstances", sourceIPAddress="10.9.0.77") for number in range(500, 507)),
    *(record(number, "me@laptop") for number in (600, 601)),
    handshake(700, "fraud-model", "ASIABASE"),
    handshake(701, "risk-lab", "ASIABASE"),
]  # fmt: skip


def write_log(folder: Path, records: list[dict[str, Any]]) -> Path:
    """Write a log into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "log.json").write_text(json.dumps({"Records": records}))
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
        write_report([table], Warnings(judge), ROLE, Coverage(), file, **options)
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
        made = record(
            number, text, eventSource=text, eventName=text, awsRegion=text, recipientAccountId=text, errorCode=text
        )
        made.update(sourceIPAddress=text, userAgent=text * 200, vpcEndpointId=text, eventID=f"{text}{number}")
        made["userIdentity"]["accessKeyId"] = text
        made["userIdentity"]["sessionContext"]["sourceIdentity"] = text
        made["userIdentity"]["onBehalfOf"] = {"userId": text, "identityStoreArn": text}
        made["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = f"arn:aws:iam::111122223333:role/{text}/{ROLE}"
        records += [made, handshake(20 + number, text, "ASIABASE")]
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
