"""However many connections are held open, and however long a request is: others still get answers."""

from __future__ import annotations

import time

import pytest
from account import Account
from emulator.network import Layout

from .load import open_files
from .metadata import credentials, session_of

HOLD = """
import socket, time, sys
connections = []
for number in range(3000):
    connection = socket.create_connection(("169.254.169.254", 80), 5)
    connections.append(connection)
    connection.sendall({first!r})
print("held", flush=True)
end = time.monotonic() + 8
while time.monotonic() < end:
    for connection in connections:
        try:
            connection.send({more!r})
        except OSError:
            pass
    time.sleep(0.2)
"""


@pytest.mark.parametrize(
    ("first", "more"),
    [(b"", b""), (b"GET /latest/ HTTP/1.1\r\n", b"x: y\r\n"), (b"GET /", b"x" * 2000)],
    ids=["silent", "slow", "endless"],
)
def test_while_others_hold_connections_open(account: Account, layout: Layout, first: bytes, more: bytes) -> None:
    notebook = account.notebook("imds", layout)
    notebook.write("/tmp/hold.py", HOLD.format(first=first, more=more))
    notebook.run(["bash", "-c", "rm -f /tmp/held; setsid /usr/bin/python3 /tmp/hold.py </dev/null >/tmp/held 2>&1 &"])
    end = time.monotonic() + 10
    while not notebook.exists("/tmp/held") or "held" not in notebook.read("/tmp/held"):
        assert time.monotonic() < end
        time.sleep(0.1)
    for _ in range(3):
        started = time.monotonic()
        assert session_of(notebook, credentials(notebook)) == notebook.name
        assert time.monotonic() - started < 3
        assert open_files(notebook) < 4300
    notebook.run(["pkill", "-f", "/tmp/hold.py"])


def test_who_is_too_slow_is_cut_off_also_with_a_byte_a_second(account: Account, layout: Layout) -> None:
    notebook = account.notebook("imds", layout)
    program = """
import socket, time
silent, talking = (socket.create_connection(("169.254.169.254", 80), 5) for _ in range(2))
started, connections = time.monotonic(), {silent, talking}
for connection in connections:
    connection.settimeout(0.5)
    connection.sendall(b"GET / HTTP/1.1\\r\\nx: ")
while connections and time.monotonic() < started + 30:
    for connection in [*connections]:
        try:
            if connection is talking:
                connection.send(b"x")
            ended = not connection.recv(1)
        except socket.timeout:
            continue
        except OSError:
            ended = True
        if ended:
            connections.remove(connection)
            print(time.monotonic() - started)
"""
    seconds = [float(each) for each in notebook.run(["/usr/bin/python3", "-c", program], check=True).stdout.split()]
    assert len(seconds) == 2
    assert all(9 < each < 13 for each in seconds)
