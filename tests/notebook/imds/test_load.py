"""However much is asked at once, and however many connections wait: who asks quickly is answered, and memory is bounded."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import pairwise

import pytest
from emulator.faults import Fault

from .conftest import Account, BareNotebook
from .load import PROGRAMS, PYTHON, ask_at_once, open_files, peak_memory, proxy, slow_connections

MOST_MEMORY = 64 * 1024  # kB, at the peak
MOST_FILES = 2048 + 50
STALLED = 10_000  # requests
LONGEST_WAIT = 5.0  # seconds, of the fastest of three; on a machine with nothing else to do it is a tenth of that


@pytest.mark.parametrize(("slow", "at_once"), [(0, 500), (1_000, 500), (10_000, 1)])
def test_what_is_asked_at_once_is_answered_while_others_wait(notebook: BareNotebook, slow: int, at_once: int) -> None:
    before = proxy(notebook)
    with slow_connections(notebook, slow, 20):
        alone = []
        for number in (1, at_once, 1, at_once, 1):
            answered, slowest = ask_at_once(notebook, number)
            print(f"{slow} slow, {number} at once: {answered} answered within {slowest:.2f} s")
            assert answered == number
            alone += [slowest] if number == 1 else []
            assert open_files(notebook) < MOST_FILES
    assert min(alone) < LONGEST_WAIT
    print(f"{slow} slow: {peak_memory(notebook)} kB at the peak")
    assert peak_memory(notebook) < MOST_MEMORY
    assert proxy(notebook) == before


def test_what_waits_for_a_service_that_stalls_takes_no_memory(notebook: BareNotebook) -> None:
    before = proxy(notebook)
    notebook.go_wrong(metadata=Fault(wait=3600))
    asking = [PYTHON, f"{PROGRAMS}/stalled.py", str(STALLED)]
    assert notebook.run(asking, check=True).stdout.split() == [str(STALLED)]
    print(f"{STALLED} wait for the service: {peak_memory(notebook)} kB at the peak")
    assert peak_memory(notebook) < MOST_MEMORY
    assert open_files(notebook) < MOST_FILES
    assert proxy(notebook) == before
    assert ask_at_once(notebook, 1)[0] == 1, "credentials are there all the same"


def test_a_proxy_that_ends_after_each_opening_opens_ever_fewer_sessions(
    account: Account, notebook: BareNotebook
) -> None:
    installed = "/usr/local/lib/notebook-attribution/imds-proxy.py"
    changed = notebook.root(
        f"sed -i 's/log(f\"opened .*/sys.exit(1)/w /dev/stdout' {installed}; kill -KILL {proxy(notebook)}"
    )
    assert changed.stdout.strip() == "sys.exit(1)"
    seen = len(account.emulator.records())
    end = time.monotonic() + 90
    while len(openings := openings_since(account, seen)) < 4:
        assert time.monotonic() < end, openings
        time.sleep(0.5)
    # Of whole seconds; on a busy machine each start takes some more.
    gaps = [(after - before).total_seconds() for before, after in pairwise(openings[:4])]
    assert all(gap >= least - 1 for gap, least in zip(gaps, (2, 4, 8), strict=True)), gaps


def openings_since(account: Account, seen: int) -> list[datetime]:
    records = account.records_since(seen)
    return [datetime.fromisoformat(each["eventTime"]) for each in records if each["eventName"] == "AssumeRole"]
