"""The imds mode's firewall on machines with odd tools, rules of others and name servers, and with an old bash.

The agent answers BASE.
"""

from __future__ import annotations

import re

import pytest
from emulator.needs import needs_root as needs_root
from workspace import CHECKOUT

from .networks import NOTHING, SERVICE, Network
from .test_firewall import USER, leads_to_agent
from .test_firewall import agent_network as agent_network
from .test_firewall import firewall as firewall


@pytest.mark.parametrize("comment", [r"two\n: lines", r"three\nlines\n: of text", r"caf\351"])
def test_what_a_comment_holds_changes_nothing(agent_network: Network, comment: str) -> None:
    """A line of it may look like one that ends what is listed; its bytes needn't be the locale's text."""
    commented = f"-m comment --comment \"$(printf '{comment}')\" -j ACCEPT"
    agent_network.rule(f"iptables -A FORWARD {commented}; iptables -A FORWARD -d 10.77.0.99 -j ACCEPT")
    leads_to_agent(agent_network)
    agent_network.script("export LC_ALL=C.UTF-8; set_metadata_service closed; set_metadata_service closed")
    assert agent_network.ask(SERVICE, user=USER) == agent_network.ask_agent(user=USER) == NOTHING
    listed = agent_network.script("export LC_ALL=C.UTF-8; list_rules | LC_ALL=C sed -n '/^-A FORWARD/{s/ -m.*//; p}'")
    assert listed.splitlines() == ["-A FORWARD", "-A FORWARD -d 10.77.0.99/32 -j ACCEPT"]


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("nameserver", ""),
        ("nameserver localhost", ""),
        ("nameserver FD00:EC2::253", ""),
        ("nameserver ::ffff:10.77.0.2", ""),
        ("nameserver\t10.77.0.2", "10.77.0.2/32"),
        ("nameserver fe80::1%eth0", "fe80::1/128"),
    ],
)
def test_however_a_name_server_is_written(agent_network: Network, line: str, address: str) -> None:
    """What names no address that can be read makes no rule, and fails no start."""
    file = agent_network.tools / "resolv.conf"
    file.write_text(f"{line}\n")
    rules = agent_network.script(
        f"/usr/bin/mount --bind {file} /etc/resolv.conf; set_metadata_service closed; list_rules"
    )
    asked = set(re.findall(r"-A notebook-attribution -d (\S+) -p udp -m udp --dport 53 -j RETURN", rules))
    assert asked - {"169.254.169.253/32", "fd00:ec2::253/128"} == ({address} if address else set())


def test_no_array_may_be_empty() -> None:
    """In bash before 4.4, which Amazon Linux 2 has, an empty array is an unset variable, and ends the script."""
    script = "".join((CHECKOUT / "scripts" / name).read_text() for name in ("imds-mode.sh", "on-start.sh"))
    arrays = set(re.findall(r"\$\{(\w+)\[@\]", script))
    assert {name for name in arrays if not re.search(rf"^  {name}=\([^)]", script, re.MULTILINE)} == set()
    assert "mapfile" not in script
