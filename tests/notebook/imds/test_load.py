"""Who has just come is given time to ask, and what AWS is slow to answer takes neither memory nor others' answers.

What is seen while many ask at once and many connections wait: test_faults.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest
from account import Account
from emulator.faults import Fault
from emulator.network import LAYOUTS
from notebooks import OwnNotebook
from waiting import until

from .load import (
    LONGEST_WAIT,
    MOST_FILES,
    MOST_MEMORY,
    PROGRAMS,
    PYTHON,
    ROUNDS,
    SLOW,
    STALLED,
    answered,
    ask_at_once,
    open_files,
    peak_memory,
    proxy,
    slow_connections,
)
from .metadata import get


@pytest.fixture(scope="module", params=LAYOUTS)
def notebook(account: Account, request: pytest.FixtureRequest) -> Iterator[OwnNotebook]:
    """A booted notebook instance of the imds mode; the last test changes its proxy."""
    with account.notebooks_of("imds") as create:
        yield create(request.param, LifecycleConfigName=account.outputs["imds"]["lifecycle_configuration_name"])


@pytest.mark.parametrize(("slow", "at_once"), [(0, 500), (1_000, 500), (SLOW, 1), (SLOW, 500)])
def test_what_is_asked_at_once_is_answered_while_others_wait(notebook: OwnNotebook, slow: int, at_once: int) -> None:
    before = proxy(notebook)
    with slow_connections(notebook, slow, 3 * ROUNDS):
        assert answered(notebook, at_once) < LONGEST_WAIT
    print(f"{peak_memory(notebook)} kB at the peak")
    assert peak_memory(notebook) < MOST_MEMORY
    assert proxy(notebook) == before


def test_whoever_has_just_come_is_given_time_to_ask_however_many_come_after(bare_notebook: OwnNotebook) -> None:
    """Six seconds here, for busy machines; the more there are than the proxy takes wait in front of it, and aren't lost."""
    change = ("SECONDS_TO_ASK = 0.5", "SECONDS_TO_ASK = 6")
    assert change[0] in bare_notebook.script
    done = bare_notebook.run_on_start(script=bare_notebook.script.replace(*change))
    assert done.returncode == 0, done.stderr
    program = """
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
begin, silent = time.monotonic(), []
def connect():
    return socket.create_connection(("169.254.169.254", 80), 30)
def answer(connection):
    connection.sendall(b"PUT /latest/api/token HTTP/1.1\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\\r\\n")
    return connection.recv(12).decode()
first = connect()
silent = [connect() for _ in range(6000)]
time.sleep(1)
print(time.monotonic() - begin, answer(first), answer(connect()), time.monotonic() - begin, sep="\\n")
"""
    said = bare_notebook.run(["/usr/bin/python3", "-c", program], check=True).stdout.split("\n")
    assert float(said[0]) < 6, "the machine is too busy to tell"
    assert said[1] == said[2] == "HTTP/1.1 200"
    assert open_files(bare_notebook) < MOST_FILES


def test_what_waits_for_a_service_that_stalls_takes_no_memory(notebook: OwnNotebook) -> None:
    before = proxy(notebook)
    notebook.go_wrong(metadata=Fault(wait=3600))
    asking = [PYTHON, f"{PROGRAMS}/stalled.py", str(STALLED)]
    assert notebook.run(asking, check=True).stdout.splitlines()[-1] == f"{STALLED} waits"
    print(f"{STALLED} wait for the service: {peak_memory(notebook)} kB at the peak")
    assert peak_memory(notebook) < MOST_MEMORY
    assert open_files(notebook) < MOST_FILES
    assert proxy(notebook) == before
    assert ask_at_once(notebook, 1)[0] == 1, "credentials are there all the same"
    notebook.go_wrong()


def test_a_service_that_answers_byte_by_byte_is_given_up_after_seconds_in_all(notebook: OwnNotebook) -> None:
    slowly = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    notebook.go_wrong(metadata=Fault(answer=slowly, pause=0.5, path="/latest/meta-data/ami-id"))
    begin = time.monotonic()
    assert get(notebook, "/latest/meta-data/ami-id", timeout=20).status == 504
    assert time.monotonic() - begin < 10
    notebook.go_wrong()
    time.sleep(1.2)  # what isn't good is kept for a second
    assert get(notebook, "/latest/meta-data/ami-id").status == 200


def test_a_proxy_that_ends_after_each_opening_opens_ever_fewer_sessions(
    account: Account, notebook: OwnNotebook
) -> None:
    installed = "/usr/local/lib/notebook-attribution/imds-proxy.py"
    changed = notebook.root(
        f"sed -i 's/log(f\"opened .*/sys.exit(1)/w /dev/stdout' {installed}; kill -KILL {proxy(notebook)}"
    )
    assert changed.stdout.strip() == "sys.exit(1)"
    seen = len(account.emulator.records())
    until(lambda: len(openings_since(account, seen)) >= 4, seconds=90)
    openings = openings_since(account, seen)
    # Of whole seconds; on a busy machine each start takes some more.
    gaps = [(after - before).total_seconds() for before, after in pairwise(openings[:4])]
    assert all(gap >= least - 1 for gap, least in zip(gaps, (2, 4, 8), strict=True)), gaps


def openings_since(account: Account, seen: int) -> list[datetime]:
    records = account.records_since(seen)
    return [datetime.fromisoformat(each["eventTime"]) for each in records if each["eventName"] == "AssumeRole"]
