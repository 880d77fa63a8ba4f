"""Where the emulated notebook instance's credentials come from, in each of its network layouts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from emulator import agent, notebook_instance
from emulator.docker import Docker, running_docker
from emulator.needs import needs_root as needs_root
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from harness.booting import AwsStandIn, booting

pytestmark = pytest.mark.usefixtures("needs_root")

SERVICE = "http://169.254.169.254"
TAKE = """
token=$(curl -sf --max-time 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$1/latest/api/token") &&
curl -sf --max-time 2 -H "X-aws-ec2-metadata-token: $token" \
  "$1/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"
"""


@pytest.fixture(scope="module")
def booted(aws: AwsStandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Layout, NotebookInstance]]:
    """An instance of each layout."""
    folders = {layout: tmp_path_factory.mktemp(layout) for layout in LAYOUTS}
    with (
        booting(folders["plain"], aws, layout="plain") as plain,
        booting(folders["agent"], aws, layout="agent") as with_agent,
    ):
        for boot in (plain, with_agent):
            assert boot.finish() == {"event": "in-service"}
        yield {"plain": plain.instance, "agent": with_agent.instance}


@pytest.fixture(params=LAYOUTS)
def notebook(request: pytest.FixtureRequest, booted: dict[Layout, NotebookInstance]) -> NotebookInstance:
    return booted[request.param]


@pytest.fixture
def with_agent(booted: dict[Layout, NotebookInstance]) -> NotebookInstance:
    return booted["agent"]


def key(said: str) -> str:
    """The access key id in what the service answered."""
    return str(json.loads(said)["AccessKeyId"]) if said else "nothing"


def taken(notebook: NotebookInstance, service: str = SERVICE, user: str = "ec2-user") -> str:
    return key(notebook.run(["bash", "-c", TAKE, "bash", service], user=user).stdout)


@pytest.mark.parametrize("user", ["ec2-user", "root"])
def test_everyone_gets_the_base_session_at_the_services_address(notebook: NotebookInstance, user: str) -> None:
    assert taken(notebook, user=user) == "ASIAEXAMPLE"


@pytest.mark.parametrize("address", [agent.ADDRESS, agent.OTHER_ADDRESS])
def test_the_agent_answers_at_addresses_of_its_own(booted: dict[Layout, NotebookInstance], address: str) -> None:
    service = f"http://{address}:{agent.PORT}"
    assert {layout: taken(notebook, service) for layout, notebook in booted.items()} == {
        "plain": "nothing",
        "agent": "ASIAEXAMPLE",
    }


def test_behind_the_agent_there_is_no_other_service(with_agent: NotebookInstance) -> None:
    assert taken(with_agent, "http://[fd00:ec2::254]") == "nothing"
    for rule in agent.NAT_RULES:
        with_agent.in_network(*agent.iptables("-D", rule), check=True)
    assert taken(with_agent) == "nothing"
    with_agent.restart_agent()
    assert taken(with_agent) == "ASIAEXAMPLE"


def test_the_interface_the_table_and_the_rules_are_as_awss_scripts_find_them(with_agent: NotebookInstance) -> None:
    assert with_agent.root("ip -brief address show veth_def_agent").stdout.split()[2] == "169.254.0.1/24"
    assert with_agent.root("ip route show table agent").stdout.startswith("default via ")
    rules = with_agent.root("iptables -S OUTPUT -t nat; iptables -S PREROUTING -t nat").stdout
    to_agent = "-d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 169.254.0.2:9081"
    assert f"-A OUTPUT {to_agent}\n" in rules
    assert (
        "-A PREROUTING -d 169.254.169.254/32 -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 169.254.0.2:9081\n"
        in rules
    )


def test_a_restart_of_the_agent_puts_its_rules_in_front(with_agent: NotebookInstance) -> None:
    with_agent.root("iptables -t nat -I OUTPUT -d 169.254.169.254/32 -j DNAT --to-destination 192.0.2.1")
    assert taken(with_agent) == "nothing"
    with_agent.restart_agent()
    assert taken(with_agent) == "ASIAEXAMPLE"
    rules = with_agent.root("iptables -S OUTPUT -t nat").stdout
    assert rules.count("169.254.0.2:9081") == 1
    with_agent.root("iptables -t nat -D OUTPUT -d 169.254.169.254/32 -j DNAT --to-destination 192.0.2.1")


@pytest.fixture
def docker(
    notebook: NotebookInstance, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Docker]:
    # No SageMaker answers here, which could be asked for the instance's tags.
    monkeypatch.setattr(notebook_instance.NotebookInstance, "layout", request.node.callspec.params["notebook"])
    with running_docker(notebook) as docker:
        yield docker


def test_a_container_gets_the_base_session(notebook: NotebookInstance, docker: Docker) -> None:
    assert key(docker.run("bash", "-c", TAKE, "bash", SERVICE).stdout) == "ASIAEXAMPLE"
    notebook.root("iptables -I FORWARD -i docker0 -j REJECT")
    assert docker.run("bash", "-c", TAKE, "bash", SERVICE).stdout == ""
    docker.restart()
    assert key(docker.run("bash", "-c", TAKE, "bash", SERVICE).stdout) == "ASIAEXAMPLE"
    notebook.root("iptables -D FORWARD -i docker0 -j REJECT")
    if notebook.exists("/sys/class/net/veth_def_agent"):
        notebook.root("ip route del 172.17.0.0/16 table agent")
        assert docker.run("bash", "-c", TAKE, "bash", SERVICE).stdout == "", "the agent's answers need that route"


def test_the_agent_reaches_the_notebook_server(with_agent: NotebookInstance) -> None:
    answer = with_agent.in_agents_network("curl", "-sS", "--max-time", "2", "http://169.254.0.1:8888/api")
    assert "version" in json.loads(answer.stdout)


def test_the_notebook_server_is_the_users_and_holds_the_base_session(notebook: NotebookInstance) -> None:
    held = notebook.run(["curl", "-s", "http://127.0.0.1:8888/held"], check=True).stdout
    assert key(held) == "ASIAEXAMPLE"
    assert "/jupyter_server.py" in notebook.run(["pgrep", "-a", "-u", "ec2-user", "python"]).stdout


def test_a_notebook_server_that_ends_is_started_again(notebook: NotebookInstance) -> None:
    def server() -> str:
        return notebook.run(["pgrep", "-u", "ec2-user", "-f", "[j]upyter_server"]).stdout.strip()

    before = server()
    notebook.root(f"kill -KILL {before}")
    end = time.monotonic() + 10
    while server() in {"", before}:
        assert time.monotonic() < end
        time.sleep(0.1)
