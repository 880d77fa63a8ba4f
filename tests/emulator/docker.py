"""Docker on a notebook instance, as its network sees it: a container behind a bridge, and what the daemon does to iptables.

A container is a network namespace whose packets the instance forwards. At its start the daemon puts two rules in front of
the chains' others (moby, libnetwork/drivers/bridge: setupIPTablesInternal); and where SageMaker's agent is, AWS's scripts
then add the bridge to the routing table `agent` and send the container's requests for credentials to the agent.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emulator import agent

if TYPE_CHECKING:
    from emulator.notebook_instance import NotebookInstance

_SUBNET, _BRIDGE_ADDRESS = "172.17.0.0/16", "172.17.0.1"
_START = f"""
ip netns add box && ip link add docker0 type veth peer name eth0 netns box
ip address add {_BRIDGE_ADDRESS}/16 dev docker0 && ip link set docker0 up
ip -n box address add 172.17.0.2/16 dev eth0 && ip -n box link set eth0 up
ip -n box route add default via {_BRIDGE_ADDRESS}
echo 1 > /proc/sys/net/ipv4/ip_forward
"""
_RULES = (
    ("nat", f"POSTROUTING -s {_SUBNET} ! -o docker0 -j MASQUERADE"),
    ("filter", "FORWARD -i docker0 ! -o docker0 -j ACCEPT"),
)


class Docker:
    """A running daemon with one container."""

    def __init__(self, notebook: NotebookInstance) -> None:
        self._notebook = notebook
        self._has_agent = notebook.layout == "agent"
        started = notebook.root(_START)
        if started.returncode:
            raise OSError(f"can't start a container: {started.stderr}")
        self.restart()
        if self._has_agent:
            route = f"ip route add {_SUBNET} via {_BRIDGE_ADDRESS} dev docker0 table {agent.ROUTING_TABLE}"
            notebook.root(route)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the container's root."""
        return self._notebook.root(f"ip netns exec box {shlex.join(command)}")

    def restart(self) -> None:
        """Put all rules in front, as the daemon and AWS's scripts do after a restart, whichever were there before."""
        rules = [*_RULES, *(("nat", rule) for rule in agent.NAT_RULES if self._has_agent and "docker0" in rule)]
        for table, rule in rules:
            self._notebook.in_network("iptables", "-w", "-t", table, "-D", *rule.split())
            self._notebook.in_network("iptables", "-w", "-t", table, "-I", *rule.split(), check=True)

    def end(self) -> None:
        """Remove the container and Docker's own rules."""
        self._notebook.root("ip netns del box")
        for table, rule in _RULES:
            self._notebook.in_network("iptables", "-w", "-t", table, "-D", *rule.split())


@contextmanager
def running_docker(notebook: NotebookInstance) -> Iterator[Docker]:
    """Run Docker on a notebook instance for as long as the block lasts."""
    docker = Docker(notebook)
    try:
        yield docker
    finally:
        docker.end()
