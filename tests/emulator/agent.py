"""SageMaker's agent, which on some images stands in the place of the metadata service.

What AWS's own scripts for such images find there (local_mode_setup.sh of aws-samples, run on the instance): an interface
`veth_def_agent`, the agent at 169.254.0.2:9081, a NAT rule that sends 169.254.169.254:80 to it, one like it for each
bridge of Docker's, and a routing table `agent` with a route to each bridge. Made up, since no source tells it: the
instance's own address on that cable, a second address of the agent's, which no rule names, and by which packets the
table is used.
"""

from __future__ import annotations

from typing import Literal

INTERFACE = "veth_def_agent"
ADDRESS, PORT = "169.254.0.2", 9081
OTHER_ADDRESS = "169.254.0.3"
INSTANCE_ADDRESS = "169.254.0.1"
ROUTING_TABLE, ROUTING_TABLE_NUMBER = "agent", 100

_TO_AGENT = f"-d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination {ADDRESS}:{PORT}"
NAT_RULES = (f"OUTPUT {_TO_AGENT}", f"PREROUTING -i docker0 {_TO_AGENT}")


def own_side(instance: str) -> list[str]:
    """Return the `ip` commands for the agent's namespace; the argument is the path of the instance's."""
    return [
        f"link add veth0 type veth peer name {INTERFACE} netns {instance}",
        "link set lo up",
        f"addr add {ADDRESS}/24 dev veth0",
        f"addr add {OTHER_ADDRESS}/24 dev veth0",
        "link set veth0 up",
        f"route add default via {INSTANCE_ADDRESS}",
    ]


def instance_side(gateway: str) -> list[str]:
    """Return the `ip` commands for the instance's namespace."""
    return [
        f"addr add {INSTANCE_ADDRESS}/24 dev {INTERFACE}",
        f"link set {INTERFACE} up",
        # The agent's packets go out by this table, and so never find a bridge that isn't in it.
        f"route add default via {gateway} table {ROUTING_TABLE_NUMBER}",
        f"rule add iif {INTERFACE} lookup {ROUTING_TABLE_NUMBER}",
    ]


def iptables(how: Literal["-A", "-I", "-D"], rule: str) -> list[str]:
    """Return the command that appends, inserts in front, or deletes one of the agent's NAT rules."""
    return ["iptables", "-w", "-t", "nat", how, *rule.split()]
