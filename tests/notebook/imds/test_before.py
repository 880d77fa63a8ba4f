"""What ran before the script, which may hold the base session or a connection to where it is handed out.

That a loop from before gets nothing but its own from the script's first rule on: the races of the attacks.
"""

from __future__ import annotations

from notebooks import OwnNotebook
from waiting import until


def test_a_connection_from_before_the_rule_is_cut(bare_notebook: OwnNotebook) -> None:
    program = """
import socket, time, pathlib
connection = socket.create_connection(("169.254.169.254", 80), 5)
ask = b"PUT /latest/api/token HTTP/1.1\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\\r\\n"
connection.sendall(ask)
print(len(connection.recv(1000)) > 0, flush=True)
while not pathlib.Path("/tmp/go").exists():
    time.sleep(0.1)
connection.settimeout(3)
try:
    connection.sendall(ask)
    print(connection.recv(1000))
except OSError as error:
    print(type(error).__name__)
"""
    bare_notebook.write("/tmp/kept.py", program)
    bare_notebook.run(
        ["bash", "-c", "setsid /usr/bin/python3 /tmp/kept.py </dev/null >/tmp/kept.log 2>&1 &"], user="daemon"
    )

    def said(lines: int) -> list[str] | None:
        found = bare_notebook.read("/tmp/kept.log").split() if bare_notebook.exists("/tmp/kept.log") else []
        return found if len(found) == lines else None

    until(lambda: said(1), seconds=10)
    assert bare_notebook.run_on_start().returncode == 0
    bare_notebook.run(["touch", "/tmp/go"])
    first, second = until(lambda: said(2), seconds=20)
    assert first == "True"
    assert second in {"TimeoutError", "ConnectionRefusedError", "ConnectionResetError"}


def test_what_ran_before_is_ended_and_what_runs_since_has_its_own_session(bare_notebook: OwnNotebook) -> None:
    """Whatever holds credentials from before; also what starts another in its place all the time."""
    for command in (
        "sleep 1000",
        "unshare --user --map-root-user sleep 2000",
        "bash -c 'while :; do sleep 0.01; done'",
    ):
        bare_notebook.run(["bash", "-c", f"setsid {command} </dev/null >/tmp/out 2>&1 &"])
    running = "pgrep -f '[s]leep 1000' && pgrep -f '[s]leep 2000' && pgrep -f '[s]leep 0.01'"
    until(lambda: bare_notebook.root(running).returncode == 0, seconds=10)
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.root("pgrep -f '[s]leep (1000|2000|0.01)'").stdout == ""
