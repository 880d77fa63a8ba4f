"""An instance's network with SageMaker's agent, without an instance: network namespaces, and firewalls in them.

The notebook's namespace has two cables: one to the agent's, and one to a container's, whose packets it forwards. The
script's own functions set its firewall, with no more tools on their PATH than a test gives them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from emulator import kernel
from workspace import CHECKOUT

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

    def ask(
        self,
        address: str,
        port: int = 80,
        *,
        where: str | None = None,
        user: int = 0,
        kind: socket.SocketKind = socket.SOCK_STREAM,
        patience: float = 1,
    ) -> str:
        """Return the answer, or nothing; `patience` in seconds, all of which what is dropped takes."""

        def asked() -> str:
            with suppress(OSError), _socket(address, kind, user) as connection:
                connection.settimeout(patience)
                connection.connect(_resolved(address, port))
                connection.send(b"?")
                return connection.recv(100).decode()
            return NOTHING

        return _inside(where or self.notebook, asked)

    def ask_agent(self, **options: object) -> str:
        """Ask the agent at its own address."""
        return self.ask(self.address, self.port, **options)  # type: ignore[arg-type]


T = TypeVar("T")


def _inside(namespace: str, act: Callable[[], T]) -> T:
    """Act in a network namespace, which a thread can have for itself."""

    def entered() -> T:
        with open(f"/run/netns/{namespace}", "rb") as there:
            kernel.setns(there.fileno(), kernel.CLONE_NEWNET)
        return act()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(entered).result()


def _socket(address: str, kind: socket.SocketKind, user: int) -> socket.socket:
    """Open a socket as a user does: the firewall goes by whose it is."""
    with kernel.as_file_user(user):
        return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)


def _resolved(address: str, port: int) -> Any:
    """Return an address as a socket takes it; one of a network card's with the card's number."""
    return socket.getaddrinfo(address, port)[0][4]


@contextmanager
def answering(
    where: str, address: str, port: int, word: str, user: int = 0, kind: socket.SocketKind = socket.SOCK_STREAM
) -> Iterator[None]:
    """Let a server of a user's answer everyone with a word for as long as the block lasts."""
    listener = _inside(where, lambda: _socket(address, kind, user))
    with listener, ThreadPoolExecutor(1) as pool:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(_resolved(address, port))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        served = pool.submit(_serve, listener, word, user)
        try:
            yield
        finally:
            with suppress(OSError):  # one for datagrams isn't connected, and is shut down all the same
                listener.shutdown(socket.SHUT_RDWR)
            served.result()


def _serve(listener: socket.socket, word: str, user: int) -> None:
    """Answer everyone, until the listener is shut down."""
    # What is accepted belongs to whoever accepts it.
    with suppress(OSError), kernel.as_file_user(user):
        while True:
            _answer(listener, word)


def _answer(listener: socket.socket, word: str) -> None:
    """Answer once what comes next."""
    if listener.type == socket.SOCK_DGRAM:
        _, client = listener.recvfrom(100)
        if not client:
            raise OSError
        listener.sendto(word.encode(), client)
        return
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.recv(100)
        connection.sendall(word.encode())


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
            _inside(namespace, partial(_set_kernel, "ipv6/conf/default/accept_dad", "0"))
        commands = {
            notebook: f"""
link add veth_agent type veth peer name eth0 netns {agent}
link add docker0 type veth peer name eth0 netns {container}
address add 169.254.0.1/16 dev veth_agent
address add 10.77.0.1/24 dev veth_agent
address add fd00:77::1/64 dev veth_agent nodad
address add 172.17.0.1/16 dev docker0
address add fd00:17::1/64 dev docker0 nodad
link set lo up
link set veth_agent up
link set docker0 up
route add default dev veth_agent
route add ::/0 dev veth_agent
""",
            agent: f"""
address add {address}/{64 if is_ipv6 else 24} dev eth0{" nodad" if is_ipv6 else ""}
address add 169.254.0.200/16 dev eth0
address add fd00:77::200/64 dev eth0 nodad
link set lo up
link set eth0 up
route add 172.17.0.0/16 dev eth0 via 169.254.0.1
route add fd00:17::/64 via fd00:77::1
""",
            container: """
address add 172.17.0.2/16 dev eth0
address add fd00:17::2/64 dev eth0 nodad
link set lo up
link set eth0 up
route add default via 172.17.0.1
route add ::/0 via fd00:17::1
""",
        }
        for namespace, lines in commands.items():
            subprocess.run(["ip", "-n", namespace, "-batch", "-"], input=lines.strip(), text=True, check=True)
        for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            _inside(notebook, partial(_set_kernel, setting, "1"))
        stack.enter_context(answering(agent, address, port, "BASE"))
        yield Network(notebook, agent, container, address, port, folder)


def _set_kernel(setting: str, value: str) -> None:
    """Set one of the network's settings in the present namespace."""
    Path("/proc/sys/net", setting).write_text(value)
