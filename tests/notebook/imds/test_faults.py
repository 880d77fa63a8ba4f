"""What ec2-user sees while something is broken in the imds mode, and within what time all is well again.

Everything is tried in both network layouts, with the same outcome. The table of docs/threat-model.md is written from what is seen here (`make tables`). Sessions last for seconds here, not
for an hour, so that their end can be awaited; all else is as it is.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from threading import Lock

import pytest
from account import Account
from botocore.exceptions import ClientError
from document_table import WRITE, Table
from emulator.faults import Fault
from emulator.network import LAYOUTS, Layout
from notebooks import OwnNotebook
from workspace import CHECKOUT

from .load import CI, REQUESTS, SLOW, ask_at_once, proxy, slow_connections
from .metadata import credentials, session_of
from .test_protocol import PASSED_ON

TABLE = Table(CHECKOUT / "docs" / "threat-model.md", "fault")
PROGRAMS = Path(__file__).resolve().parent / "programs"
PYTHON = "/usr/bin/python3"
LOG = "/var/log/notebook-attribution.log"
SESSION = 6
OUTAGE = 8.0  # seconds: longer than the session that is open when it begins
# Under load likewise; a busy machine needs time to open the next.
LOADED_SESSION, LOADED = (6, 8) if CI else (5, 6)

SOME, NONE = "credentials", "no credentials"


def started(notebook: OwnNotebook, session_seconds: int, change: Callable[[str], str] | None = None) -> OwnNotebook:
    """Run the script, changed or not, with sessions of so many seconds."""
    script = notebook.script.replace('DurationSeconds="3600"', f'DurationSeconds="{session_seconds}"')
    done = notebook.run_on_start(script=change(script) if change else script)
    assert done.returncode == 0, done.stderr
    return notebook


class Watched:
    """A started notebook instance whose user asks for credentials all the time."""

    def __init__(self, account: Account, notebook: OwnNotebook) -> None:
        self.notebook = notebook
        self._account = account
        self._pool = ThreadPoolExecutor(1)
        notebook.root("rm -f /tmp/watching /tmp/well")
        self._said = self._pool.submit(notebook.run, [PYTHON, str(PROGRAMS / "watch.py")], check=True)
        end = time.monotonic() + 20
        while not notebook.exists("/tmp/watching"):
            assert time.monotonic() < end
            time.sleep(0.1)

    def seen(self) -> tuple[tuple[str, ...], float]:
        """All is well from now on: return what was seen, in order, and after how many seconds credentials came."""
        well = time.monotonic()
        self.notebook.run(["touch", "/tmp/well"], check=True)
        answers = [line.split() for line in self._said.result().stdout.splitlines()]
        keys = [key for _, key in answers]
        opened = {
            record["responseElements"]["credentials"]["accessKeyId"]: record["requestParameters"]["roleSessionName"]
            for record in self._account.emulator.records()
            if record["eventName"] == "AssumeRole" and record.get("responseElements")
        }
        assert {opened[key] for key in keys if key != "-"} == {self.notebook.name}, "of no other session, ever"
        assert keys[-1] != "-", "it never became well again"
        assert session_of(self.notebook, credentials(self.notebook)) == self.notebook.name, "they are of use, too"
        kinds = [NONE if key == "-" else SOME for key in keys]
        good = next(float(moment) for moment, key in answers if float(moment) > well and key != "-")
        return tuple(kind for kind, _ in groupby(kinds)), good - well


Scenario = Callable[[Callable[..., Watched]], tuple[tuple[str, ...], float]]


def outage(*faults: dict[str, Fault], session_seconds: int = SESSION) -> Scenario:
    """Let these faults be, one after the other, and then all be well; which leaves the notebook instance as it was."""

    def scenario(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
        user = watched(session_seconds, unchanged=True)
        for fault in faults:
            user.notebook.go_wrong(**fault)
            time.sleep(OUTAGE / len(faults))
        user.notebook.go_wrong()
        return user.seen()

    return scenario


def answer(status: str, body: str) -> str:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    )


def sts_error(status: str, code: str) -> str:
    return answer(status, f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")


def passing_on_stalls(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
    """Let the service stall for what is passed on alone, and ask for all of that at once and again, past a session's end."""
    session, asked = (20, 25) if CI else (10, 13)  # seconds
    user = watched(session)
    needed = "/latest/(api/|meta-data/(iam/security-credentials|services/domain))"
    user.notebook.go_wrong(metadata=Fault(wait=3600, path=f"(?!{needed})"))
    asking = [
        PYTHON,
        str(PROGRAMS / "ask_all.py"),
        str(asked),
        *(path for path in PASSED_ON if "domain" not in path),
    ]
    user.notebook.run(asking, check=True)
    user.notebook.go_wrong()
    return user.seen()


def killed(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
    user = watched(3600)
    user.notebook.root("kill -KILL $(pgrep -f '[i]mds-proxy.py serve')")
    (_, *since), seconds = user.seen()
    return tuple(since), seconds


def disk_full(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
    """Fill the file system that the log is on, by the log itself: its last page would else take some lines more."""
    user = watched(SESSION)
    before = proxy(user.notebook)
    filled = user.notebook.root(f"mount -o remount,size=1m /var/log && cat /dev/zero >>{LOG}; echo >>{LOG}")
    assert "No space left" in filled.stderr
    time.sleep(OUTAGE)
    assert proxy(user.notebook) == before
    user.notebook.root(f": >{LOG}")
    return user.seen()


def log_closed(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
    """Start the proxy with neither standard output nor standard error."""
    user = watched(SESSION, lambda script: script.replace('exec >>"$log" 2>&1', "exec >&- 2>&-"))
    before = proxy(user.notebook)
    assert not user.notebook.exists(LOG)
    time.sleep(OUTAGE)
    assert proxy(user.notebook) == before
    return user.seen()


def agent_restarts(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
    """Let SageMaker's agent put its NAT rules in front, until the script's guard looks at them again."""
    user = watched(3600)
    user.notebook.restart_agent()
    sequence, seconds = user.seen()
    # The guard may look at once, and then nobody notices.
    assert sequence in {(SOME,), (SOME, NONE, SOME)}
    return (NONE, SOME), seconds


def clock_jumps(hours: int) -> Scenario:
    """Let the clock jump once: that of the proxy alone, for no namespace has a clock of its own."""

    def scenario(watched: Callable[..., Watched]) -> tuple[tuple[str, ...], float]:
        jump = f'real = time.time\ntime.time = lambda: real() + {hours * 3600} * os.path.exists("/run/jumped")\n'
        user = watched(
            SESSION,
            lambda script: script.replace("\nimport time\n", f"\nimport os\nimport time\n{jump}", 1),
        )
        user.notebook.root("touch /run/jumped")
        time.sleep(OUTAGE)
        return user.seen()

    return scenario


AGENT_RESTARTS = "SageMaker's agent restarts and puts its NAT rules in front"
SCENARIOS: dict[str, Scenario] = {
    "the proxy is killed": killed,
    "the disk is full": disk_full,
    "the proxy's standard error is closed": log_closed,
    "STS answers slowly (2 s)": outage({"sts": Fault(wait=2)}, session_seconds=10),
    "STS answers with errors (500)": outage({"sts": Fault(answer=sts_error("500 Internal Server Error", "InternalFailure"))}),
    "STS throttles (400)": outage({"sts": Fault(answer=sts_error("400 Bad Request", "Throttling"))}),
    "STS answers with garbage": outage(
        {"sts": Fault(answer=answer("200 OK", "<html>"))},
        {"sts": Fault(answer="\x00\xff" * 50)},
        {"sts": Fault(answer=answer("200 OK", "x" * 100_000))},
        {"sts": Fault(answer=answer("200 OK", "<a><Arn>arn:aws:sts::111122223333:assumed-role/imds/SageMaker</Arn></a>"))},
    ),
    "STS doesn't answer": outage({"sts": Fault(wait=3600)}),
    "STS answers a byte a second": outage({"sts": Fault(answer=answer("200 OK", "x" * 100), pause=1)}),
    "STS closes each connection": outage({"sts": Fault(answer="")}),
    "the real metadata service stalls": outage({"metadata": Fault(wait=3600)}),
    "the real metadata service answers a byte a second": outage({"metadata": Fault(answer=answer("200 OK", "x" * 100), pause=1)}),
    "the real metadata service stalls for every request that is passed on": passing_on_stalls,
    "the real metadata service answers with errors (503)": outage({"metadata": Fault(answer=answer("503 Service Unavailable", ""))}),
    "the clock jumps an hour ahead": clock_jumps(1),
    "the clock jumps an hour back": clock_jumps(-1),
    AGENT_RESTARTS: agent_restarts,
}  # fmt: skip

# Within how many seconds of the fault's end, at most. After an outage of six seconds the next try is sixteen seconds
# off at most; after a longer one a minute.
WELL_WITHIN = {"the proxy is killed": 5, "the disk is full": 2, "the proxy's standard error is closed": 2, "STS answers slowly (2 s)": 2, "the real metadata service stalls for every request that is passed on": 2, "the clock jumps an hour ahead": 2, "the clock jumps an hour back": 2, AGENT_RESTARTS: 10}  # fmt: skip
WELL_WITHIN_OTHERWISE = 20

AT_A_TIME = 6
# Of both layouts in turn: fewer notebook instances of a layout are then needed at once.
CASES = [(layout, fault) for fault in SCENARIOS for layout in LAYOUTS if (layout, fault) != ("plain", AGENT_RESTARTS)]

HELD = "a client keeps credentials until they expire"

# These would disturb the others, and so come after them: how many connections wait, and how many ask at once.
LOADS = {
    "500 clients ask at once": (0, 500),
    "10,000 connections wait, each with half a request": (SLOW, 1),
    "500 clients ask at once, while 1,000 connections wait": (1_000, 500),
}


@pytest.fixture(scope="module", autouse=True)
def no_proxies() -> Iterator[None]:
    """Keep botocore, in threads, from going through the environment, which pytest changes before each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.utils.getproxies", dict)
        yield


@pytest.fixture(scope="module")
def observed(account: Account) -> Iterator[dict[tuple[Layout, str], Future[tuple[tuple[str, ...], float]]]]:
    """Let some happen at once, each on a notebook instance that no other has meanwhile: most of the time is waiting."""
    at_hand: dict[tuple[Layout, int], list[OwnNotebook]] = defaultdict(list)
    lock = Lock()
    with account.notebooks_of("imds") as new_notebook, ThreadPoolExecutor(AT_A_TIME) as pool:

        def observe(layout: Layout, fault: str) -> tuple[tuple[str, ...], float]:
            left: list[tuple[int, OwnNotebook]] = []
            changed: list[tuple[int, OwnNotebook]] = []

            def watched(
                session_seconds: int, change: Callable[[str], str] | None = None, *, unchanged: bool = False
            ) -> Watched:
                with lock:
                    same = at_hand[layout, session_seconds]
                    found = same.pop() if unchanged and same else None
                if found:
                    found.resume()
                notebook = found or started(new_notebook(layout), session_seconds, change)
                (left if unchanged else changed).append((session_seconds, notebook))
                return Watched(account, notebook)

            seen = SCENARIOS[fault](watched)
            for _, notebook in changed:
                notebook.stop()
            for session_seconds, notebook in left:
                notebook.pause()
                at_hand[layout, session_seconds].append(notebook)
            return seen

        yield {each: pool.submit(observe, *each) for each in CASES}


table = TABLE.collecting("module")
"""What was seen, by fault."""


def in_words(sequence: tuple[str, ...]) -> str:
    """What ec2-user sees from the fault's beginning until all is well."""
    return {
        (SOME,): "nothing",
        (NONE, SOME): NONE,
        (SOME, NONE, SOME): "the previous session until it expires, then no credentials",
    }[sequence]


@pytest.mark.parametrize(("where", "fault"), CASES)
def test_what_is_seen_meanwhile_and_within_what_time_it_is_well_again(
    observed: dict[tuple[Layout, str], Future[tuple[tuple[str, ...], float]]],
    table: dict[str, tuple[str, ...]],
    where: Layout,
    fault: str,
) -> None:
    sequence, seconds = observed[where, fault].result()
    limit = WELL_WITHIN.get(fault, WELL_WITHIN_OTHERWISE)
    print(f"{fault}: {sequence}, well after {seconds:.1f} s")
    assert seconds < limit
    row = (in_words(sequence), f"{limit} s")
    assert table.setdefault(fault, row) == row, "as in the other layout"
    assert WRITE or table[fault] == TABLE.documented()[fault]


@pytest.fixture(params=LAYOUTS)
def notebook(account: Account, request: pytest.FixtureRequest) -> Iterator[OwnNotebook]:
    """A notebook instance that has just started: its session is to end while the load lasts, and not before."""
    with account.notebooks_of("imds") as create:
        yield started(create(request.param), LOADED_SESSION)


def test_credentials_that_end_while_a_client_holds_them(
    notebook: OwnNotebook, table: dict[str, tuple[str, ...]]
) -> None:
    held = credentials(notebook)
    assert session_of(notebook, held) == notebook.name
    time.sleep(LOADED_SESSION)
    with pytest.raises(ClientError, match="ExpiredToken"):
        session_of(notebook, held)
    refused = time.monotonic()
    assert session_of(notebook, credentials(notebook)) == notebook.name
    assert time.monotonic() - refused < 2
    table[HELD] = ("`ExpiredToken`, once", "2 s")
    assert WRITE or table[HELD] == TABLE.documented()[HELD]


@pytest.mark.parametrize("load", LOADS)
def test_what_is_seen_under_load(
    account: Account, notebook: OwnNotebook, table: dict[str, tuple[str, ...]], load: str
) -> None:
    slow, at_once = LOADS[load]
    user = Watched(account, notebook)
    with slow_connections(notebook, slow, LOADED):
        assert ask_at_once(notebook, at_once)[0] == at_once
    sequence, seconds = user.seen()
    assert seconds < 2
    table[load] = (in_words(sequence), "2 s")
    assert WRITE or table[load] == TABLE.documented()[load]


def test_every_row_of_the_documented_table_is_tried() -> None:
    assert WRITE or [*TABLE.documented()] == [*SCENARIOS, HELD, *LOADS]


def test_many_thousand_requests_leave_no_trace_in_memory(account: Account) -> None:
    notebook = account.notebook("imds")

    def after(number: int) -> int:
        notebook.run([PYTHON, str(PROGRAMS / "flood.py"), str(number)], check=True, timeout=100)
        status = notebook.root("cat /proc/$(pgrep -f '[i]mds-proxy.py serve')/status").stdout
        return int(status.split("VmRSS:")[1].split()[0])

    first = after(1_000)
    assert after(REQUESTS - 1_000) - first < 1024, "no more than the noise of the allocator, in kB"
