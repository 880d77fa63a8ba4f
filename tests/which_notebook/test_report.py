"""The report, as a person sees it in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import PROGRAMS, Browser, Page, PageError
from emulator.needs import skip_or_fail

from which_notebook.answers.report import write_report
from which_notebook.calls.call import CALL_FIELDS, Call
from which_notebook.calls.table import CallTable
from which_notebook.cli import main
from which_notebook.judging.attribution import Judge
from which_notebook.judging.chains import Chains, Origin
from which_notebook.judging.warnings import Warnings
from which_notebook.limits import Limits
from which_notebook.sources.coverage import Coverage

# One browser for all.

ROLE = "data-science-execution"
ROLE_ARN = f"arn:aws:iam::111122223333:role/{ROLE}"
ROOT = Path(__file__).parents[2]
START = datetime.fromisoformat("2026-03-02T08:00:00Z")

ROWS = "document.querySelectorAll('.calls-table tbody tr:not(.empty)')"
COUNT = "document.querySelector('#calls-count').textContent"
CHIPS = "[...document.querySelectorAll('.chip')].map(chip => chip.textContent.replace(' \u00d7', ''))"


def record(number: int, session: str, event: str = "s3:GetObject", **changes: Any) -> dict[str, Any]:
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
    folder.mkdir(exist_ok=True)
    (folder / "log.json").write_text(json.dumps({"Records": records}))
    return folder


def report(log: Path, *options: str, name: str = "report.html") -> Path:
    path = log.parent / name
    assert main(["report", str(log), "--role", ROLE, "--no-cache", "-o", str(path), *options]) in (0, 1, 4)
    return path


def write_calls(path: Path, calls: list[Call], **options: Any) -> Path:
    judge, table = Judge(ROLE), CallTable.of(calls)
    judge.judge(table)
    with path.open("wb") as file:
        write_report([table], Warnings(judge), ROLE, Coverage(), file, **options)
    return path


def call(event_id: str, event_time: str, **fields: Any) -> Call:
    return Call(event_id, event_time, "s3.amazonaws.com", "GetObject", session_name="a", role_arn=ROLE_ARN, **fields)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not any(map(shutil.which, PROGRAMS)):
        skip_or_fail("needs Chromium, to look at the report")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as page:
        yield page
        assert page.troubles() == []


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_log(tmp_path_factory.mktemp("report") / "log", RECORDS)


@pytest.fixture(scope="module")
def sample(log: Path) -> Path:
    return report(log)


@pytest.fixture
def shown(page: Page, sample: Path) -> Page:
    page.open(sample)
    return page


def column(page: Page, name: str) -> list[str]:
    texts: list[str] = page.run(f"[...{ROWS}].map(row => row.querySelector('.{name}').textContent)")
    return texts


def lanes(page: Page) -> list[str]:
    texts: list[str] = page.run("[...document.querySelectorAll('.lanes .lane-label')].map(each => each.textContent)")
    return texts


def place(page: Page, lane: int, share: float) -> tuple[float, float]:
    box = page.box(f".lanes .lane:nth-child({lane}) .strip")
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


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
    page.open(report(log, "--since", "2026-03-02", "--event-name", "Get*", "--errors-only", name="asked.html"))
    assert page.run("document.querySelector('h1').textContent") == ROLE
    assert page.run("document.title") == f"{ROLE} \u2013 which notebook made which call"
    assert "2 Mar 2026, 08:03 \u2013 08:39 UTC" in page.run("document.querySelector('#range').textContent")
    asked = page.run("document.querySelector('#asked').textContent")
    assert asked == "Only what was asked for: since 2026-03-02 00:00:00; event name Get*; errors only."
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
    assert why.startswith("The role has 3 calls in what was read, and the options leave none")
    assert left_out == "--notebook left out 3 of them."


def test_a_log_without_a_call_is_a_page_too(page: Page, tmp_path: Path) -> None:
    page.open(report(write_log(tmp_path / "log", [])))
    assert "no call found" in page.run("document.querySelector('#range').textContent")
    assert page.run("document.querySelector('.calls-table .empty').textContent") == "No call fits."


def test_beyond_its_limit_the_page_says_what_is_left_out(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), f"2026-03-02T08:00:{number:02}Z") for number in range(9)]
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(report_calls=4)))
    note = page.run("document.querySelector('.note').textContent")
    assert "the oldest 4 of 9 calls" in note
    assert note.endswith("--since 2026-03-02T08:00:03Z.")
    assert page.run(COUNT) == "4 calls"
    assert page.run("document.querySelector('.figures dd').textContent") == "9"


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
    assert times[0] == "2026-03-02 08:00:00"
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


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("accessdenied", 10),
        ("risk-lab decrypt", 100),
        ("kms:decrypt", 100),
        ("error_code:denied", 10),
        ("session_name:sage", 9),
        ('event_name:"get"', 0),
        ('event_name:"GetTable"', 10),
        ("00000000-0000-4000-8000-000000000505", 1),
        ("2026-03-02T16:2", 7),
        ("me@laptop", 2),
        ("user_agent:me@laptop", 0),
        ("<script>", 0),
    ],
)
def test_search(shown: Page, query: str, count: int) -> None:
    shown.type("#search", query)
    assert shown.run(COUNT) == f"{count} of 321 calls"
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
    assert column(shown, "event_time")[0] == "2026-03-02 08:00:00"
    shown.click("th.event_time button")
    assert column(shown, "event_time")[0] == "2026-03-02 19:41:00"
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
    assert column(shown, "event_time")[-1] == "2026-03-02 19:41:00"


def test_one_call_with_all_its_fields(shown: Page) -> None:
    shown.run(f"{ROWS}[0].focus()")
    shown.key("Enter")
    fields = shown.run(
        "Object.fromEntries([...document.querySelectorAll('#details dt')].map(name => [name.textContent, name.nextSibling.firstChild.textContent]))"
    )
    assert len(fields) == len(CALL_FIELDS) + 1
    assert fields["Event id"] == "00000000-0000-4000-8000-000000000000"
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
    assert column(shown, "access_key_id")[0] == "ASIAFRAUD-MO"


def test_a_warning_leads_to_its_call(shown: Page) -> None:
    titles = shown.run("[...document.querySelectorAll('#warnings h3')].map(title => title.textContent)")
    assert titles == ["Name of no known notebook", "One base session, several names"]
    shown.click("#warnings ul:last-of-type .link")
    assert shown.run("document.querySelector('#details h2').textContent") == "sts:AssumeRole"
    assert "ASIABASE" in shown.run("document.querySelector('#details .note').textContent")


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
    calls = [call(str(number), "2026-03-02T08:00:00Z", user_agent=f"agent {number % 5}") for number in range(30)]
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(column_texts_bytes=400)))
    for number in range(5):
        page.type("#search", f'user_agent:"agent {number}"')
        assert page.run(COUNT) == "6 of 30 calls"


def test_what_waits_in_a_file_comes_back(page: Page, tmp_path: Path) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(9)]
    calls = [call(each, f"2026-03-02T08:00:0{each[-1]}Z") for each in ids]
    limits = Limits(column_bytes=7, column_read_bytes=10)
    page.open(write_calls(tmp_path / "report.html", calls, limits=limits))
    page.click("#columns summary")
    page.click("#column-choice label:nth-child(17) input")
    assert column(page, "event_id") == ids
    assert column(page, "event_time")[-1] == "2026-03-02 08:00:08"


def test_names_by_the_thousand_share_a_lane(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), "2026-03-02T08:00:00Z") for number in range(9)]
    for number, each in enumerate(calls):
        each.session_name = "SageMaker" if number == 8 else f"name-{number}"
    page.open(write_calls(tmp_path / "report.html", calls, limits=Limits(lanes=3)))
    assert lanes(page) == ["Unattributed", "name-0", "name-1", "name-2", "More names"]
    assert page.run("document.querySelector('.lane.more-names .lane-count').textContent") == "5"
    page.click(".lane.more-names .lane-name")
    assert column(page, "notebook") == ["name-3", "name-4", "name-5", "name-6", "name-7"]


def test_chained_calls_stand_in_their_notebooks_lane(page: Page, tmp_path: Path) -> None:
    calls = [call(str(number), "2026-03-02T08:00:00Z", access_key_id=f"KEY-{number}") for number in range(3)]
    calls[2].role_arn = "arn:aws:iam::1:role/other"
    table, judge = CallTable.of(calls), Judge(ROLE)
    Chains({"KEY-2": Origin("a", ROLE_ARN, f"{ROLE}/a > other/task")}).judge(table, judge)
    with (tmp_path / "report.html").open("wb") as file:
        write_report([table], Warnings(judge), ROLE, Coverage(), file)
    page.open(tmp_path / "report.html")
    assert lanes(page) == ["a"]
    cells = "[...document.querySelectorAll('#notebooks {} > *')].slice(1, 3).map(cell => cell.textContent)"
    assert page.run(cells.format("thead tr")) == ["Calls", "Chained"]
    assert page.run(cells.format("tbody tr")) == ["3", "1"]
    page.type("#search", "via:task")
    assert column(page, "status") == ["chained"]


# Hostile text

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
    records = []
    for number, text in enumerate(SCRIPTS):
        made = record(
            number, text, eventSource=text, eventName=text, awsRegion=text, recipientAccountId=text, errorCode=text
        )
        made.update(sourceIPAddress=text, userAgent=text * 200, vpcEndpointId=text, eventID=f"{text}{number}")
        made["userIdentity"]["accessKeyId"] = text
        made["userIdentity"]["sessionContext"]["sourceIdentity"] = text
        made["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = f"arn:aws:iam::111122223333:role/{text}/{ROLE}"
        records += [made, handshake(20 + number, text, "ASIABASE")]
    folder = write_log(tmp_path_factory.mktemp("hostile") / "log", records)
    (folder / "<img src=x onerror=window.owned=1>.json.gz").write_bytes(b"\x1f\x8bno")
    return report(folder)


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


# What it is made of


def test_nothing_is_loaded_from_elsewhere(sample: Path) -> None:
    text = sample.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"https?://|url\(|@import", text)
