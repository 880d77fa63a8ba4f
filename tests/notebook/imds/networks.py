"""An instance's network with SageMaker's agent, without an instance: network namespaces, and firewalls in them.

The notebook's namespace has two cables: one to the agent's, and one to a container's, whose packets it forwards. The
script's own functions set its firewall, with no more tools on their PATH than a test gives them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from workspace import CHECKOUT

ANSWER = Path(__file__).resolve().parent / "programs" / "answer.py"
SERVICE, SERVICE_IPV6 = "169.254.169.254", "fd00:ec2::254"
NOTHING = ""
_numbers = count(1)

# What on-start.sh has, and comes before.
_SCRIPT = f"""
set -uo pipefail
again=again make_room=room
say() {{ printf '%s\\n' "$*"; }}
fail() {{ say "FAILED: $1"; exit 1; }}
must() {{ local purpose=$1 said; shift; said=$("$@" 2>&1) || fail "can't $purpose: $said"; }}
source {str(CHECKOUT)!r}/scripts/imds-mode.sh
"""
# Of each kind of firewall, the programs; what the script uses besides.
FIREWALLS = {
    "nft backend": {f"{ip}tables{part}": f"{ip}tables-nft{part}" for ip in ("ip", "ip6") for part in ("", "-save", "-restore")},
    "legacy backend": {f"{ip}tables{part}": f"{ip}tables-legacy{part}" for ip in ("ip", "ip6") for part in ("", "-save", "-restore")},
}  # fmt: skip
_BASICS = ("bash", "ip", "sed", "grep", "sort", "cat", "printf", "diff", "nft", "sleep", "mv")


@dataclass(frozen=True)
class Network:
    """The namespaces, by name, and where the agent answers."""

    notebook: str
    agent: str
    container: str
    address: str
    port: int
    tools: Path

    def run(self, where: str, *command: str, user: int = 0, check: bool = True) -> str:
        """Run a command in a namespace; return what it printed."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        entered = ["ip", "netns", "exec", where, *become, *command]
        done = subprocess.run(entered, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def script(self, text: str, check: bool = True) -> str:
        """Run a few lines after the script's functions, as root in the notebook's namespace."""
        path = f"PATH={self.tools}"
        return self.run(
            self.notebook,
            "env",
            path,
            f"{self.tools}/bash",
            "-c",
            f"{_SCRIPT}\nknown={self.tools}/known\n{text} 2>&1",
            check=check,
        )

    def rule(self, command: str) -> None:
        """Add a rule in the notebook's namespace, by the firewall that the test gives the script, or nft."""
        self.run(self.notebook, "env", f"PATH={self.tools}:{os.environ['PATH']}", "bash", "-c", command)

    def ask(self, address: str, port: int = 80, *, where: str | None = None, user: int = 0) -> str:
        """Return the answer, or nothing."""
        host = f"[{address}]" if ":" in address else address
        curl = ("curl", "--silent", "--globoff", "--noproxy", "*", "--max-time", "1", f"http://{host}:{port}/")
        return self.run(where or self.notebook, *curl, user=user, check=False)

    def ask_agent(self, **options: object) -> str:
        """Ask the agent at its own address."""
        return self.ask(self.address, self.port, **options)  # type: ignore[arg-type]


@contextmanager
def answering(where: str, address: str, port: int, word: str, user: int = 0) -> Iterator[None]:
    """Let something answer for as long as the block lasts."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    command = ["ip", "netns", "exec", where, *become, "/usr/bin/python3", str(ANSWER), address, str(port), word]
    with subprocess.Popen(command) as process:
        try:
            end = time.monotonic() + 30
            host = f"[{address}]" if ":" in address else address
            curl = ["ip", "netns", "exec", where, "curl", "-s", "-g", "--max-time", "1", f"http://{host}:{port}/"]
            while subprocess.run(curl, capture_output=True, check=False).stdout != word.encode():
                assert time.monotonic() < end, f"nothing answers at {address}:{port}"
                time.sleep(0.1)
            yield
        finally:
            process.kill()


def _tools(folder: Path, firewall: str) -> None:
    # curl and the like are the test's own, and found elsewhere.
    for name, program in {**{name: name for name in _BASICS}, **FIREWALLS[firewall]}.items():
        found = shutil.which(program)
        if found:
            (folder / name).symlink_to(found)


@contextmanager
def network(address: str, port: int, firewall: str) -> Iterator[Network]:
    """Make the namespaces, with the agent at an address, and remove them whatever happens."""
    name = f"nb{os.getpid()}-{next(_numbers)}"
    notebook, agent, container = (f"{name}-{part}" for part in ("notebook", "agent", "box"))
    is_ipv6 = ":" in address
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        _tools(folder, firewall)
        for namespace in (notebook, agent, container):
            subprocess.run(["ip", "netns", "add", namespace], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "delete", namespace], check=False)
            subprocess.run(
                ["ip", "netns", "exec", namespace, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad"], check=True
            )  # fmt: skip
        commands = f"""
-n {notebook} link add veth_agent type veth peer name eth0 netns {agent}
-n {notebook} link add docker0 type veth peer name eth0 netns {container}
-n {notebook} address add 169.254.0.1/16 dev veth_agent
-n {notebook} address add 10.77.0.1/24 dev veth_agent
-n {notebook} address add fd00:77::1/64 dev veth_agent nodad
-n {notebook} address add 172.17.0.1/16 dev docker0
-n {notebook} address add fd00:17::1/64 dev docker0 nodad
-n {notebook} link set lo up
-n {notebook} link set veth_agent up
-n {notebook} link set docker0 up
-n {notebook} route add default dev veth_agent
-n {notebook} -6 route add default dev veth_agent
-n {agent} address add {address}/{64 if is_ipv6 else 24} dev eth0{" nodad" if is_ipv6 else ""}
-n {agent} address add 169.254.0.200/16 dev eth0
-n {agent} address add fd00:77::200/64 dev eth0 nodad
-n {agent} link set lo up
-n {agent} link set eth0 up
-n {agent} route add 172.17.0.0/16 dev eth0 via 169.254.0.1
-n {agent} -6 route add fd00:17::/64 via fd00:77::1
-n {container} address add 172.17.0.2/16 dev eth0
-n {container} address add fd00:17::2/64 dev eth0 nodad
-n {container} link set lo up
-n {container} link set eth0 up
-n {container} route add default via 172.17.0.1
-n {container} -6 route add default via fd00:17::1
"""
        for command in commands.split("\n"):
            if command:
                subprocess.run(["ip", *command.split()], check=True)
        forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
        subprocess.run(["ip", "netns", "exec", notebook, "sh", "-c", forward], check=True)
        stack.enter_context(answering(agent, address, port, "BASE"))
        yield Network(notebook, agent, container, address, port, folder)
