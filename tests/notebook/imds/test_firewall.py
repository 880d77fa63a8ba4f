"""The imds mode's firewall, wherever the metadata service's address leads: to an agent within its range or without.

The agent answers BASE, the proxy NOTEBOOK, a server of ec2-user's JUPYTER. Nothing but the proxy may ever answer a user.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from emulator.needs import needs_root as needs_root

from .networks import FIREWALLS, NOTHING, SERVICE, SERVICE_IPV6, Network, answering, network

USER = 1000
AGENT = ("169.254.0.2", 9081)
PLACES = (AGENT, ("169.254.33.7", 80), ("10.77.0.2", 9081))
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- in a namespace of the test's
IPV6_PLACE = ("fd00:77::2", 9081)

TO_SERVICE = f"-d {SERVICE} -p tcp --dport 80"


def to_agent(network: Network) -> str:
    return f"-j DNAT --to-destination {network.address}:{network.port}"


def leads_to_agent(network: Network) -> None:
    """Have the service's address lead to the agent, as SageMaker's own rules do."""
    network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} {to_agent(network)}")
    network.rule(f"iptables -t nat -A PREROUTING -i docker0 {TO_SERVICE} {to_agent(network)}")
    asked: list[dict[str, Any]] = [{"user": USER}, {"where": network.container}]
    assert [network.ask(SERVICE, patience=20, **each) for each in asked] == ["BASE"] * 2, "the trial is real"


def all_answers(network: Network) -> dict[str, str]:
    """Ask in every way, and return who answered."""
    ask: dict[str, Callable[[], str]] = {
        "root asks the service": lambda: network.ask(SERVICE),
        "root asks the agent": network.ask_agent,
        "a user asks the service": lambda: network.ask(SERVICE, user=USER),
        "a user asks the agent": lambda: network.ask_agent(user=USER),
        "a container asks the service": lambda: network.ask(SERVICE, where=network.container),
        "a container asks the agent": lambda: network.ask_agent(where=network.container),
        # Its own server, which it opened, and which the agent asks.
        "the agent asks the notebook's server": lambda: network.ask("169.254.0.1", 8888, where=network.agent),
        "a user asks the notebook's server": lambda: network.ask("169.254.0.1", 8888, user=USER),
    }
    with answering(network.notebook, "169.254.0.1", 8888, "JUPYTER", USER), ThreadPoolExecutor(len(ask)) as pool:
        return dict(zip(ask, pool.map(lambda each: each(), ask.values()), strict=True))


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
        rules = made.script("list_rules; true")
        assert "notebook-attribution" not in rules


def chain(rule: str) -> str:
    """A rule in a chain for the service's address, which says nothing of that address."""
    return f"iptables -t nat -N X; iptables -t nat -A X {rule}; iptables -t nat -A OUTPUT -d {SERVICE} -j X"


def nft_chain(rule: str) -> str:
    """The same, by nft."""
    return (
        "nft add table ip x; nft 'add chain ip x y {{ type nat hook output priority -99; }}'; nft add chain ip x z;"
        f"nft 'add rule ip x z {rule}'; nft add rule ip x y ip daddr {SERVICE} jump z"
    )


@pytest.mark.parametrize(
    "way",
    [
        "iptables -t nat -N X; iptables -t nat -A X -p tcp {dnat}; iptables -t nat -A OUTPUT {to} -j X",
        "iptables -t nat -A OUTPUT -d 169.254.0.0/16 -p tcp {dnat}",
        "nft add table ip x; nft 'add chain ip x y {{ type nat hook output priority -99; }}';"
        "nft add rule ip x y ip daddr 169.254.169.254 tcp dport 80 dnat to {address}:{port}",
        chain("! -i eth0 -p tcp {dnat}"),
        chain("-p tcp --dport 1:1024 {dnat}"),
        chain("-p tcp --dport 79:81 {dnat}"),
        chain("-p tcp -m addrtype --src-type LOCAL {dnat}"),
        chain("-p tcp -m addrtype ! --dst-type LOCAL {dnat}"),
        chain("-p tcp ! -d 10.77.0.99 {dnat}"),
        chain("-p tcp ! --dport 443 {dnat}"),
        nft_chain("tcp dport 1-1024 dnat to {address}:{port}"),
        nft_chain("tcp dport != 443 dnat to {address}:{port}"),
        nft_chain('iifname != "eth0" tcp dport 80 dnat to {address}:{port}'),
        nft_chain("tcp dport {{ 80, 443 }} dnat to {address}:{port}"),
    ],
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


@pytest.mark.parametrize(("port", "rule"), [(9081, "-j REDIRECT --to-ports 9081"), (80, "-j REDIRECT")])
def test_an_agent_on_the_instance_that_listens_everywhere(agent_network: Network, port: int, rule: str) -> None:
    with answering(agent_network.notebook, EVERYWHERE, port, "BASE"):
        agent_network.rule(f"iptables -t nat -A OUTPUT {TO_SERVICE} {rule}")
        agent_network.rule(f"iptables -t nat -A PREROUTING {TO_SERVICE} {rule}")
        box, bridge = agent_network.container, "172.17.0.1"
        assert agent_network.ask(SERVICE, where=box) == agent_network.ask(bridge, port, where=box) == "BASE"
        agent_network.script("set_metadata_service closed")
        for address, its_port in ((SERVICE, 80), (bridge, port), ("10.77.0.1", port)):
            assert agent_network.ask(address, its_port, where=box) == NOTHING
            assert agent_network.ask(address, its_port, user=USER) == NOTHING
        assert agent_network.ask(SERVICE) == agent_network.ask("127.0.0.1", port) == "BASE"
        agent_network.rule(f"iptables -t nat -I PREROUTING {TO_SERVICE} -j REDIRECT --to-ports 9082")
        with answering(agent_network.notebook, EVERYWHERE, 9082, "BASE"):
            assert agent_network.ask(SERVICE, where=box) == NOTHING, "a rule in front, to an agent that isn't known yet"


def test_netmap(agent_network: Network) -> None:
    agent_network.run(agent_network.agent, "ip", "address", "add", "10.77.0.3/24", "dev", "eth0")
    with answering(agent_network.agent, "10.77.0.3", 80, "BASE"):
        agent_network.rule(f"iptables -t nat -A OUTPUT -d {SERVICE} -j NETMAP --to 10.77.0.3")
        assert agent_network.ask(SERVICE, user=USER) == agent_network.ask("10.77.0.3", user=USER) == "BASE"
        agent_network.script("set_metadata_service closed")
        assert agent_network.ask(SERVICE, user=USER) == agent_network.ask("10.77.0.3", user=USER) == NOTHING


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


def test_dns_of_the_range_that_a_nat_rule_sends_elsewhere_is_closed(agent_network: Network) -> None:
    agent, udp = ("10.77.0.2", 53), socket.SOCK_DGRAM
    agent_network.run(agent_network.agent, "ip", "address", "add", "10.77.0.2/24", "dev", "eth0", check=False)
    for protocol in ("tcp", "udp"):
        rule = f"-d 169.254.169.253 -p {protocol} --dport 53 -j DNAT --to-destination 10.77.0.2:53"
        agent_network.rule(f"iptables -t nat -A OUTPUT {rule}")
    with (
        answering(agent_network.agent, *agent, "BASE"),
        answering(agent_network.agent, *agent, "BASE", kind=udp),
    ):
        for user, state, expected in ((USER, "open", "BASE"), (USER, "closed", NOTHING), (0, "closed", "BASE")):
            agent_network.script(f"set_metadata_service {state}")
            assert agent_network.ask("169.254.169.253", 53, user=user) == expected
            assert agent_network.ask("169.254.169.253", 53, user=user, kind=udp) == expected


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


@pytest.mark.parametrize(
    "published",
    ["-A DOCKER", "-A DOCKER ! -i docker0", "-A PREROUTING ! -d 127.0.0.0/8", "-A OUTPUT -m addrtype --dst-type LOCAL"],
)
def test_a_container_that_publishes_port_80_gets_no_base_session(agent_network: Network, published: str) -> None:
    """The service is where it is; only Docker's own chain is known to be for published ports."""
    run = agent_network.run
    run(agent_network.agent, "ip", "address", "add", f"{SERVICE}/32", "dev", "eth0")
    run(agent_network.notebook, "ip", "route", "add", SERVICE, "dev", "veth_agent")
    with (
        answering(agent_network.agent, SERVICE, 80, "BASE"),
        answering(agent_network.container, "172.17.0.2", 8000, "CONTAINER"),
    ):
        assert agent_network.ask(SERVICE, where=agent_network.container) == "BASE"
        agent_network.rule("iptables -t nat -N DOCKER")
        for chain in ("PREROUTING", "OUTPUT"):
            agent_network.rule(f"iptables -t nat -A {chain} -m addrtype --dst-type LOCAL -j DOCKER")
        agent_network.rule(f"iptables -t nat {published} -p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:8000")
        agent_network.script("set_metadata_service closed")
        with answering(agent_network.notebook, "169.254.255.254", 254, "NOTEBOOK"):
            assert agent_network.ask(SERVICE, where=agent_network.container) == "NOTEBOOK"
        left = "CONTAINER" if "DOCKER" in published else NOTHING
        assert agent_network.ask("172.17.0.2", 8000, user=USER) == left
        if left:
            assert agent_network.ask("10.77.0.1", user=USER) == "CONTAINER"


def test_rules_that_speak_of_nat_and_lead_nowhere_are_left_alone(agent_network: Network) -> None:
    agent_network.rule("iptables -A INPUT -m conntrack --ctstate DNAT -j ACCEPT")
    agent_network.rule("nft add table inet x; nft add chain inet x y; nft add rule inet x y ct status dnat accept")
    assert agent_network.script('set_metadata_service closed; printf "<%s>" "${ways[@]}"') == "<>"


@pytest.mark.parametrize(
    "rule",
    [
        "PREROUTING -p tcp -m multiport --dports 80,3128 -j REDIRECT --to-ports 3128-3130",
        "PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.77.0.2-10.77.0.9:9081",
        f"OUTPUT -d {SERVICE} -j NETMAP --to 10.77.0.0/24",
        f"OUTPUT -d {SERVICE} -p tcp -j DNAT --to-destination :9081",
    ],
)
def test_a_start_fails_on_each_rule_that_cannot_be_read(agent_network: Network, rule: str) -> None:
    agent_network.rule(f"iptables -t nat -A {rule}")
    assert "FAILED: can't read where this NAT rule leads" in agent_network.script(
        "set_metadata_service closed", check=False
    )


def test_a_rule_that_cannot_be_read_is_no_way_past(agent_network: Network) -> None:
    agent_network.rule(
        "nft add table ip x; nft 'add chain ip x y { type nat hook output priority -99; }';"
        "nft 'add rule ip x y tcp dport 80 dnat to ip daddr map { 169.254.169.254 : 10.77.0.2 }'"
    )
    said = agent_network.script("set_metadata_service closed", check=False)
    assert "FAILED: can't read where this NAT rule leads:" in said
    assert "tcp dport 80 dnat to ip daddr map" in said
    assert agent_network.ask(AGENT[0], AGENT[1], user=USER) == NOTHING, "the rest is set"


def test_without_its_ipv6_half(agent_network: Network) -> None:
    (agent_network.tools / "ip6tables-restore").unlink()
    assert "FAILED: can't set the firewall" in agent_network.script("set_metadata_service closed", check=False)


def test_rules_that_cannot_be_listed_are_never_taken_for_set(agent_network: Network) -> None:
    (agent_network.tools / "sed").unlink()
    assert "FAILED: can't set the firewall" in agent_network.script("set_metadata_service closed", check=False)


def test_the_rules_of_each_tool_are_listed_once(agent_network: Network) -> None:
    """Also those of the tool that the image doesn't use by itself, and of a tool that is there under two names."""
    for tool in ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy"):
        (agent_network.tools / f"{tool}-save").symlink_to(f"/usr/sbin/{tool}-save")
        agent_network.rule(f"{tool} -N of-{tool} && {tool} -A of-{tool} -j ACCEPT")
    listed = Counter(agent_network.script("list_rules").splitlines())
    of_tools = {rule: times for rule, times in listed.items() if rule.startswith("-A of-ip")}
    assert of_tools == {f"-A of-{ip}tables-{kind} -j ACCEPT": 1 for ip in ("ip", "ip6") for kind in ("nft", "legacy")}


def test_a_tool_is_listed_where_its_other_name_is_hidden(agent_network: Network) -> None:
    """Another tool of that name may stand before it on the PATH."""
    (agent_network.tools / "nft").unlink(missing_ok=True)
    behind = agent_network.tools / "behind"
    behind.mkdir()
    for folder, tool in ((agent_network.tools, "legacy"), (behind, "nft")):
        (folder / "iptables-save").unlink(missing_ok=True)
        (folder / "iptables-save").symlink_to(f"/usr/sbin/iptables-{tool}-save")
    (behind / "iptables-nft-save").symlink_to("/usr/sbin/iptables-nft-save")
    agent_network.rule("iptables-nft -N of-nft && iptables-nft -A of-nft -j ACCEPT")
    assert "-A of-nft -j ACCEPT" in agent_network.script(f"PATH+=:{behind}; list_rules", check=False).splitlines()


def test_what_was_changed_is_said(agent_network: Network) -> None:
    leads_to_agent(agent_network)
    agent_network.script("set_metadata_service closed")
    before = agent_network.script("find_ways; our_rules")
    assert before == agent_network.script("set_metadata_service closed; our_rules"), "setting it again changes nothing"
    agent_network.rule("iptables -F OUTPUT; iptables -t nat -A OUTPUT -p tcp -j DNAT --to-destination 10.77.0.3:1")
    after = agent_network.script("find_ways; our_rules")
    gone, new = Counter(before.splitlines()), Counter(after.splitlines())
    assert [*(gone - new)] == ["-A OUTPUT -j notebook-attribution"]
    assert [*(new - gone)] == ["10.77.0.3/1"]
