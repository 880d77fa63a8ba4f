"""What ran before the script, which may hold the base session or a connection to where it is handed out."""

from __future__ import annotations

import time

from .conftest import BareNotebook
from .metadata import credentials


def test_while_the_script_runs_nobody_gets_the_base_session(bare_notebook: BareNotebook) -> None:
    """A loop, begun before, takes credentials as often as it can; from the script's first rule on only its own.

    It is another user's, for the script ends ec2-user's.
    """
    program = """
import json, sys, time, urllib.request
url, folder, names = "http://169.254.169.254/latest/", "meta-data/iam/security-credentials/", []
open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
for _ in range(100000):
    try:
        request = urllib.request.Request(url + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        token = {"X-aws-ec2-metadata-token": open(request, timeout=1).read().decode()}
        get = lambda path: open(urllib.request.Request(url + path, headers=token), timeout=1).read().decode()
        names.append(json.loads(get(folder + get(folder)))["AccessKeyId"])
    except OSError:
        names.append("nothing")
    if names[-1] != names[-2:][0]:
        with __import__("builtins").open("/tmp/seen", "a") as seen:
            seen.write(names[-2] + "\\n" + names[-1] + "\\n")
"""
    bare_notebook.write("/tmp/loop.py", program)
    bare_notebook.run(
        ["bash", "-c", "setsid /usr/bin/python3 /tmp/loop.py </dev/null >/tmp/loop.log 2>&1 &"], user="daemon"
    )
    time.sleep(1)
    base = credentials(bare_notebook, user="root")["AccessKeyId"]
    assert bare_notebook.run_on_start().returncode == 0
    own = credentials(bare_notebook)["AccessKeyId"]
    time.sleep(1)
    seen = bare_notebook.read("/tmp/seen").split()
    assert seen == [base, "nothing", "nothing", own]


def test_a_connection_from_before_the_rule_is_cut(bare_notebook: BareNotebook) -> None:
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
    time.sleep(0.5)
    assert bare_notebook.run_on_start().returncode == 0
    bare_notebook.run(["touch", "/tmp/go"])
    time.sleep(4)
    first, second = bare_notebook.read("/tmp/kept.log").split()
    assert first == "True"
    assert second in {"TimeoutError", "ConnectionRefusedError", "ConnectionResetError"}


def test_what_ran_before_is_ended_and_what_runs_since_has_its_own_session(bare_notebook: BareNotebook) -> None:
    """Whatever holds credentials from before; also what starts another in its place all the time."""
    for command in (
        "sleep 1000",
        "unshare --user --map-root-user sleep 2000",
        "bash -c 'while :; do sleep 0.01; done'",
    ):
        bare_notebook.run(["bash", "-c", f"setsid {command} </dev/null >/tmp/out 2>&1 &"])
    time.sleep(0.5)
    seen = bare_notebook.root("pgrep -fc '[s]leep (1000|2000)'").stdout
    assert int(seen) >= 2
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.root("pgrep -f '[s]leep (1000|2000|0.01)'").stdout == ""
