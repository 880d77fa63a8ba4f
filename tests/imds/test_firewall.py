"""The imds mode's firewall, wherever the metadata service's address leads: to an agent within its range or without.

The agent answers BASE, the proxy NOTEBOOK, a server of ec2-user's JUPYTER. Nothing but the proxy may ever answer a user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from emulator.needs import needs_root as needs_root

from .networks import FIREWALLS, NOTHING, SERVICE, SERVICE_IPV6, Network, answering, network

USER = 1000
AGENT = ("169.254.0.2", 9081)
PLACES = (AGENT, ("169.254.33.7", 80), ("10.77.0.2", 9081))
IPV6_PLACE = ("fd00:77::2", 9081)

TO_SERVICE = f"-d {SERVICE} -p tcp --dport 80"


def to_agent(network: Network) -> str:
    return f"-j DNAT --to-destination {network.address}:{network.port}"


def leads_to_agent(network: Network) -> None:
    """Have the service's address lead to the agent, as SageMaker's own rules do."""
    network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} {to_agent(network)}")
    network.rule(f"iptables -t nat -A PREROUTING -i docker0 {TO_SERVICE} {to_agent(network)}")
    assert network.ask(SERVICE, user=USER) == network.ask(SERVICE, where=network.container) == "BASE", (
        "the trial is real"
    )


def all_answers(network: Network) -> dict[str, str]:
    """Ask in every way, and return who answered."""
    asked = {
        "root asks the service": network.ask(SERVICE),
        "root asks the agent": network.ask_agent(),
        "a user asks the service": network.ask(SERVICE, user=USER),
        "a user asks the agent": network.ask_agent(user=USER),
        "a container asks the service": network.ask(SERVICE, where=network.container),
        "a container asks the agent": network.ask_agent(where=network.container),
    }
    # Its own server, which it opened, and which the agent asks.
    with answering(network.notebook, "169.254.0.1", 8888, "JUPYTER", USER):
        asked["the agent asks the notebook's server"] = network.ask("169.254.0.1", 8888, where=network.agent)
        asked["a user asks the notebook's server"] = network.ask("169.254.0.1", 8888, user=USER)
    return asked


def expected(service: str) -> dict[str, str]:
    return {
        "root asks the service": "BASE",
        "root asks the agent": "BASE",
        "a user asks the service": service,
        "a user asks the agent": NOTHING,
        "a container asks the service": service,
        "a container asks the agent": NOTHING,
        "the agent asks the notebook's server": "JUPYTER",
        "a user asks the notebook's server": "JUPYTER",
    }


@pytest.fixture(params=[*FIREWALLS])
def firewall(request: pytest.FixtureRequest, needs_root: None) -> str:
    """A firewall that an image may have."""
    name: str = request.param
    return name


@pytest.fixture
def agent_network(firewall: str) -> Iterator[Network]:
    """A network whose agent is where AWS's scripts have it."""
    with network(*AGENT, firewall) as made:
        yield made


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
def test_nobody_but_root_reaches_the_agent(firewall: str, place: tuple[str, int]) -> None:
    with network(*place, firewall) as made:
        leads_to_agent(made)
        made.script("set_metadata_service closed")
        assert all_answers(made) == expected(NOTHING)
        with answering(made.notebook, "169.254.255.254", 254, "NOTEBOOK"):
            assert all_answers(made) == expected("NOTEBOOK")
            made.script("set_metadata_service closed")
            assert all_answers(made) == expected("NOTEBOOK")
        assert all_answers(made) == expected(NOTHING), "a proxy that ended opens nothing"
        made.script("set_metadata_service open")
        assert made.ask(SERVICE, user=USER) == made.ask_agent(user=USER) == "BASE"
        rules = made.script("list_rules")
        assert "notebook-attribution" not in rules


@pytest.mark.parametrize(
    "way",
    [
        "iptables -t nat -N X; iptables -t nat -A X -p tcp {dnat}; iptables -t nat -A OUTPUT {to} -j X",
        "iptables -t nat -A OUTPUT -d 169.254.0.0/16 -p tcp {dnat}",
        "nft add table ip x; nft 'add chain ip x y {{ type nat hook output priority -99; }}';"
        "nft add rule ip x y ip daddr 169.254.169.254 tcp dport 80 dnat to {address}:{port}",
    ],
    ids=["a chain", "a range", "nft"],
)
def test_however_the_rule_that_leads_there_is_written(firewall: str, way: str) -> None:
    with network(*PLACES[2], firewall) as made:
        made.rule(way.format(to=TO_SERVICE, dnat=to_agent(made), address=made.address, port=made.port))
        assert made.ask(SERVICE, user=USER) == "BASE"
        made.script("set_metadata_service closed")
        assert made.ask(SERVICE) == "BASE"
        assert made.ask(SERVICE, user=USER) == made.ask_agent(user=USER) == NOTHING
        assert made.ask_agent(where=made.container) == NOTHING


def test_ipv6(firewall: str) -> None:
    with network(*IPV6_PLACE, firewall) as made:
        made.rule(f"ip6tables -t nat -A OUTPUT -d {SERVICE_IPV6} -p tcp --dport 80 -j DNAT --to-destination [{made.address}]:{made.port}")  # fmt: skip
        assert made.ask(SERVICE_IPV6, user=USER) == made.ask_agent(user=USER) == "BASE"
        assert made.ask_agent(where=made.container) == "BASE"
        made.script("set_metadata_service closed")
        assert made.ask(SERVICE_IPV6) == made.ask_agent() == "BASE"
        assert made.ask(SERVICE_IPV6, user=USER) == made.ask_agent(user=USER) == NOTHING
        assert made.ask(SERVICE_IPV6, where=made.container) == made.ask_agent(where=made.container) == NOTHING
        with answering(made.notebook, "fd00:77::1", 8888, "JUPYTER", USER):
            assert made.ask("fd00:77::1", 8888, where=made.agent) == "JUPYTER"


def test_an_agent_that_listens_everywhere_is_closed_at_its_ipv6_link_local_address(agent_network: Network) -> None:
    with answering(agent_network.agent, "::", 9082, "BASE"):
        listed = agent_network.run(
            agent_network.agent, "ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"
        )
        address = listed.split()[3].partition("/")[0] + "%veth_agent"
        assert agent_network.ask(address, 9082, user=USER) == "BASE"
        agent_network.script("set_metadata_service closed")
        assert agent_network.ask(address, 9082, user=USER) == NOTHING
        assert agent_network.ask(address, 9082) == "BASE"


def test_an_agent_on_the_instance_itself(agent_network: Network) -> None:
    with answering(agent_network.notebook, "127.0.0.1", 9081, "BASE"):
        agent_network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} -j REDIRECT --to-ports 9081")
        assert agent_network.ask(SERVICE, user=USER) == agent_network.ask("127.0.0.1", 9081, user=USER) == "BASE"
        agent_network.script("set_metadata_service closed")
        assert agent_network.ask(SERVICE, user=USER) == agent_network.ask("127.0.0.1", 9081, user=USER) == NOTHING
        assert agent_network.ask("127.0.0.1", 9081) == "BASE"
        with answering(agent_network.notebook, "127.0.0.1", 8888, "JUPYTER", USER):
            assert agent_network.ask("127.0.0.1", 8888, user=USER) == "JUPYTER"


def test_other_addresses_of_the_range_are_closed_but_for_dns_and_time(agent_network: Network) -> None:
    for address, port, answer in (
        ("169.254.170.2", 80, NOTHING),
        ("169.254.169.253", 53, "BASE"),
        ("169.254.169.253", 80, NOTHING),
        ("169.254.169.123", 123, "BASE"),
    ):
        agent_network.run(agent_network.agent, "ip", "address", "add", f"{address}/32", "dev", "eth0", check=False)
        with answering(agent_network.agent, address, port, "BASE"):
            assert agent_network.ask(address, port, user=USER) == "BASE"
            agent_network.script("set_metadata_service closed")
            assert agent_network.ask(address, port, user=USER) == answer, address
            agent_network.script("set_metadata_service open")


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
        changes = f"""
        folder=$(/usr/bin/mktemp -d)
        : >"$folder/finished"
        ( sleep() {{ command sleep 0.2; }}; keep_closed ) &
        watch=$!
        command sleep 2
        iptables -w -t nat -I OUTPUT {TO_SERVICE} {to_agent(agent_network)}
        iptables -w -F
        iptables -w -t mangle -F
        command sleep 3
        kill "$watch"
        wait "$watch"
        true
        """
        agent_network.script(f"{{ {changes}\n}}")
        assert all_answers(agent_network) == expected("NOTEBOOK")


def test_the_agents_own_packets_pass_to_the_real_service(agent_network: Network) -> None:
    """Where the instance forwards them: behind the instance may be EC2's own service, which the agent needs."""
    leads_to_agent(agent_network)
    run = agent_network.run
    run(agent_network.container, "ip", "address", "add", f"{SERVICE}/32", "dev", "eth0")
    run(agent_network.container, "ip", "route", "add", "169.254.0.0/24", "via", "172.17.0.1")
    run(agent_network.notebook, "ip", "route", "add", f"{SERVICE}/32", "dev", "docker0")
    run(agent_network.agent, "ip", "route", "add", f"{SERVICE}/32", "via", "169.254.0.1", "src", "169.254.0.2")
    with answering(agent_network.container, SERVICE, 80, "EC2"):
        assert agent_network.ask(SERVICE, where=agent_network.agent) == "EC2"
        agent_network.script("set_metadata_service closed")
        assert agent_network.ask(SERVICE, where=agent_network.agent) == "EC2"


def test_rules_that_are_for_something_else_are_left_alone(agent_network: Network) -> None:
    """Docker's, for a published port: the container stays within reach."""
    for chain in ("PREROUTING", "OUTPUT ! -d 127.0.0.0/8"):
        agent_network.rule(f"iptables -t nat -A {chain} -m addrtype --dst-type LOCAL -j DOCKER 2>/dev/null || "
                           f"{{ iptables -t nat -N DOCKER; iptables -t nat -A {chain} -m addrtype --dst-type LOCAL -j DOCKER; }}")  # fmt: skip
    agent_network.rule(
        "iptables -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80"
    )
    agent_network.rule("iptables -t nat -A OUTPUT -d 10.77.0.50 -p tcp -j DNAT --to-destination 172.17.0.2:80")
    agent_network.rule("iptables -t nat -A OUTPUT -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80")
    with answering(agent_network.container, "172.17.0.2", 80, "CONTAINER"):
        agent_network.script("set_metadata_service closed")
        assert agent_network.ask("172.17.0.2", user=USER) == "CONTAINER"
        assert agent_network.ask("10.77.0.1", user=USER) == "CONTAINER"
        assert agent_network.script('find_ways; printf "<%s>" "${ways[@]}"') == "<>"


def test_a_rule_that_cannot_be_read_is_no_way_past(agent_network: Network) -> None:
    agent_network.rule(
        "nft add table ip x; nft 'add chain ip x y { type nat hook output priority -99; }';"
        "nft 'add rule ip x y tcp dport 80 dnat to ip daddr map { 169.254.169.254 : 10.77.0.2 }'"
    )
    said = agent_network.script("set_metadata_service closed", check=False)
    assert "FAILED: can't set the firewall" in said


def test_without_its_ipv6_half(agent_network: Network) -> None:
    (agent_network.tools / "ip6tables-restore").unlink()
    assert "FAILED: can't set the firewall" in agent_network.script("set_metadata_service closed", check=False)


def test_what_was_changed_is_said(agent_network: Network) -> None:
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    before = agent_network.script("find_ways; our_rules")
    assert before == agent_network.script("set_metadata_service closed; our_rules"), "setting it again changes nothing"
    agent_network.rule("iptables -F OUTPUT; iptables -t nat -A OUTPUT -p tcp -j DNAT --to-destination 10.77.0.3:1")
    after = agent_network.script("find_ways; our_rules")
    gone, new = Counter(before.splitlines()), Counter(after.splitlines())
    assert [*(gone - new)] == ["-A OUTPUT -j notebook-attribution"]
    assert [*(new - gone)] == ["10.77.0.3 1"]
