"""The imds mode's firewall, when rules and addresses change later: the ways that were found stay closed, new ones are closed.

The agent answers BASE, the proxy NOTEBOOK.
"""

from __future__ import annotations

from emulator.needs import needs_root as needs_root

from .networks import NOTHING, SERVICE, Network, answering
from .test_firewall import TO_SERVICE, USER, all_answers, expected, leads_to_agent, to_agent
from .test_firewall import agent_network as agent_network
from .test_firewall import firewall as firewall


def watched(network: Network, changes: str, rounds: int = 4, before_each: str = ":") -> str:
    """Have the watch run while these commands do, and for so many rounds since; return what it says.

    A further command comes before each of its looks.
    """
    return network.script(f"""{{
        folder=$(/usr/bin/mktemp -d)
        : >"$folder/finished"
        : >"$folder/rounds"
        ( sleep() {{ printf . >>"$folder/rounds"; command sleep 0.1; {before_each}; }}; keep_closed ) &
        watch=$!
        wait_for_rounds() {{
          local begun=$(<"$folder/rounds") now
          until now=$(<"$folder/rounds") && ((${{#now}} >= ${{#begun}} + $1)); do
            kill -0 "$watch" || exit 1
            command sleep 0.1
          done
        }}
        wait_for_rounds 2
        {changes}
        wait_for_rounds {rounds}
        kill "$watch"
        wait "$watch"
        true
        }}""")


def test_rules_that_come_later_and_in_front_open_nothing(agent_network: Network) -> None:
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    with answering(agent_network.notebook, "169.254.255.254", 254, "NOTEBOOK"):
        # SageMaker's agent and Docker start again; the second is to another agent, which isn't known yet.
        agent_network.run(agent_network.agent, "ip", "address", "add", "10.77.0.9/24", "dev", "eth0")
        with answering(agent_network.agent, "10.77.0.9", 9081, "BASE"):
            for rule in (
                f"iptables -t nat -I OUTPUT {TO_SERVICE} {to_agent(agent_network)}",
                f"iptables -t nat -I OUTPUT {TO_SERVICE} -j DNAT --to-destination 10.77.0.9:9081",
                f"iptables -t nat -I PREROUTING -i docker0 {TO_SERVICE} {to_agent(agent_network)}",
                "iptables -I FORWARD -i docker0 -j ACCEPT",
                "iptables -I OUTPUT -j ACCEPT",
                "iptables -F",
            ):
                agent_network.rule(rule)
                found = all_answers(agent_network)
                for who in ("a user", "a container"):
                    assert found[f"{who} asks the service"] in {NOTHING, "NOTEBOOK"}, rule
                    assert found[f"{who} asks the agent"] == NOTHING, rule
            assert agent_network.ask(SERVICE, user=USER) == NOTHING, "the new rule is before ours"
            assert agent_network.ask("10.77.0.9", 9081, user=USER) == "BASE", "this way isn't known yet"
            agent_network.script("set_metadata_service closed")
            assert all_answers(agent_network) == expected("NOTEBOOK")
            assert agent_network.ask("10.77.0.9", 9081, user=USER) == NOTHING


def test_the_watch_sets_again_what_others_changed(agent_network: Network) -> None:
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    with answering(agent_network.notebook, "169.254.255.254", 254, "NOTEBOOK"):
        change = f"iptables -w -t nat -I OUTPUT {TO_SERVICE} {to_agent(agent_network)}"
        watched(agent_network, f"{change}; iptables -w -F; iptables -w -t mangle -F")
        assert all_answers(agent_network) == expected("NOTEBOOK")


def test_the_watch_sets_again_what_is_changed_twice_in_the_same_way(agent_network: Network) -> None:
    """As when the agent starts again before each of two looks: what the second finds, the first has found and set."""
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    rule = f"OUTPUT {TO_SERVICE} {to_agent(agent_network)}"
    restart = f"iptables -w -t nat -D {rule} && iptables -w -t nat -I {rule}"
    twice = f"if ((${{restarts:=0}} < 2)) && [[ -e $folder/now ]]; then {restart}; ((++restarts)); fi"
    with answering(agent_network.notebook, "169.254.255.254", 254, "NOTEBOOK"):
        watched(agent_network, ': >"$folder/now"', before_each=f"{twice}; :")
        assert all_answers(agent_network) == expected("NOTEBOOK")


def test_a_way_stays_closed_when_its_rule_goes(agent_network: Network) -> None:
    """As when the agent starts again: its own rule is away for a while, and the agent isn't."""
    way = ("10.77.0.3", 9081)
    agent_network.run(agent_network.agent, "ip", "address", "add", "10.77.0.3/24", "dev", "eth0")
    with answering(agent_network.agent, *way, "BASE"):
        agent_network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} -j DNAT --to-destination 10.77.0.3:9081")
        agent_network.script("set_metadata_service closed")
        watched(agent_network, "iptables -w -t nat -F")
        assert agent_network.ask(*way) == "BASE"
        assert agent_network.ask(*way, user=USER) == agent_network.ask(*way, where=agent_network.container) == NOTHING


def test_a_way_stays_closed_when_the_rules_cannot_be_listed(agent_network: Network) -> None:
    way = ("10.77.0.3", 9081)
    agent_network.run(agent_network.agent, "ip", "address", "add", "10.77.0.3/24", "dev", "eth0")
    with answering(agent_network.agent, *way, "BASE"):
        agent_network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} -j DNAT --to-destination 10.77.0.3:9081")
        agent_network.script("set_metadata_service closed")
        for name in ("iptables-save", "nft"):
            (agent_network.tools / name).unlink()
        agent_network.script("set_metadata_service kept")
        assert agent_network.ask(*way, user=USER) == NOTHING


def test_the_watch_sets_the_rest_when_a_rule_cannot_be_read(agent_network: Network) -> None:
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    agent_network.rule("iptables -t nat -A PREROUTING -s 172.18.0.0/16 -p tcp -j REDIRECT --to-ports 3128-3130")
    with answering(agent_network.notebook, "169.254.255.254", 254, "NOTEBOOK"):
        said = watched(agent_network, "iptables -w -F; iptables -w -t mangle -F", rounds=20)
        assert all_answers(agent_network) == expected("NOTEBOOK")
    assert "-A PREROUTING -s 172.18.0.0/16" in said
    assert said.count("can't read where this NAT rule leads:") <= 3, "when rules changed, and not in each of 20 rounds"


def test_the_watch_sees_that_the_agents_address_becomes_the_instances(agent_network: Network) -> None:
    way = ("10.99.0.2", 9081)
    agent_network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} -j DNAT --to-destination 10.99.0.2:9081")
    agent_network.script("set_metadata_service closed")
    watched(agent_network, "ip address add 10.99.0.2/32 dev lo")
    with answering(agent_network.notebook, *way, "BASE"):
        assert agent_network.ask(*way, user=USER) == agent_network.ask(*way, where=agent_network.container) == NOTHING
