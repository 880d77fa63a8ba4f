"""The figures of docs/scale.md follow from the numbers that stand there."""

from __future__ import annotations

from document_table import WRITE, Cells, Table
from workspace import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "scale.md"
NUMBERS = {name: float(cells[0].replace(",", "")) for name, cells in Table(DOCUMENT, "number").documented().items()}
FIGURES = Table(DOCUMENT, "question")

ATHENA, ELSEWHERE, IN_REGION = "Athena", "the command, elsewhere", "the command, in the region"


def number(name: str) -> float:
    """Return a number of the table of numbers."""
    return NUMBERS[name]


def bytes_of(accounts: float, days: float) -> float:
    """Return the compressed bytes of so many accounts and days."""
    events = accounts * days * number("events of an account a day")
    return events * number("bytes of a record") / number("compressed to one part in")


def files_of(accounts: float, days: float) -> float:
    return accounts * days * number("regions in use") * number("files of an account and region a day")


def seconds(accounts: float, days: float, *, in_region: bool) -> float:
    megabytes = bytes_of(accounts, days) / 1e6
    where = "in the region" if in_region else "elsewhere"
    transfer = megabytes / number(f"MB a second into a machine {where}")
    # From elsewhere the line is what counts; a request's way is longer there, and as many are under way.
    requests = files_of(accounts, days) / number("files a second into a machine in the region")
    reading = megabytes * number("compressed to one part in")
    reading /= number("MB a second read, uncompressed, by one process") * number("processes")
    return max(transfer, requests, reading)


def dollars(accounts: float, days: float, *, by: str) -> float:
    requests = files_of(accounts, days) / 1000 * number("dollars for 1,000 GET requests")
    if by == ATHENA:
        return requests + max(bytes_of(accounts, days) / 1e12, 1e-5) * number("dollars for a TB that Athena scans")
    return requests + (bytes_of(accounts, days) / 1e9 * number("dollars for a GB out of AWS") if by == ELSEWHERE else 0)


def figures() -> dict[str, Cells]:
    """Return the row of each question, by its first cell."""
    all_, kept, asked = number("accounts"), number("days kept"), number("days asked")
    read = asked + number("days after these that are read too")
    rows: dict[str, Cells] = {}

    def add(question: str, accounts: float, days: float, by: str) -> None:
        took = "-" if by == ATHENA else duration(seconds(accounts, days, in_region=by == IN_REGION))
        rows[f"{question}: {by}"] = (size(bytes_of(accounts, days)), took, price(dollars(accounts, days, by=by)))

    rows["a day of all accounts, compressed"] = (size(bytes_of(all_, 1)), "-", "-")
    add("any, without projection or a range of days", all_, kept, ATHENA)
    for accounts, name in ((all_, "all accounts"), (1, "one account")):
        for by in (ATHENA, IN_REGION, ELSEWHERE):
            add(f"{name}, {asked:.0f} days", accounts, read, by)
    rows["100,000 events of one account and region: the event history"] = ("-", duration(100_000 / 50 / 2), "0")
    return rows


def size(count: float) -> str:
    unit, name = next((unit, name) for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")) if count >= unit)
    return f"{count / unit:,.3g} {name}"


def duration(count: float) -> str:
    unit, name = next(
        (unit, name) for unit, name in ((3600, "hours"), (60, "minutes"), (0.001, "seconds")) if count >= unit
    )
    return f"{count / (1 if name == 'seconds' else unit):,.2g} {name}"


def price(count: float) -> str:
    return f"{count:,.2f}" if count >= 0.1 else f"{count:.3f}"


def test_the_figures_are_those_that_the_numbers_give() -> None:
    if WRITE:
        FIGURES.write(figures())
    assert FIGURES.documented() == figures()
