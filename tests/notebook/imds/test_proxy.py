"""The proxy and its firewall on a booted instance: what a user, a neighbour, or another's rules can do to them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from account import Account
from emulator.network import LAYOUTS
from emulator.notebook_instance import NotebookInstance
from notebooks import OwnNotebook
from waiting import until

from .load import proxy
from .metadata import CREDENTIALS, LISTED_ROLE, ask, credentials, get, session_of

LOG = "/var/log/notebook-attribution.log"


@pytest.fixture(scope="module", params=LAYOUTS)
def notebook(account: Account, request: pytest.FixtureRequest) -> Iterator[OwnNotebook]:
    """A booted notebook instance of the imds mode, for all of these tests: whatever is done to it, it works again."""
    with account.notebooks_of("imds") as create:
        yield create(request.param, LifecycleConfigName=account.outputs["imds"]["lifecycle_configuration_name"])


def get_or_none(notebook: NotebookInstance) -> str | None:
    try:
        answer = get(notebook, CREDENTIALS + LISTED_ROLE)
    except AssertionError:
        return None
    return answer.body if answer.status == 200 else None


def test_a_proxy_that_is_killed_comes_back(notebook: OwnNotebook) -> None:
    for _ in range(2):
        notebook.root(f"kill -KILL {proxy(notebook)}")
        assert ask(notebook, "/", timeout=1).status == 0, "meanwhile there is no answer"
        end = time.monotonic() + 10
        while get_or_none(notebook) is None:
            assert time.monotonic() < end, notebook.read(LOG)
            time.sleep(0.2)
        assert session_of(notebook, credentials(notebook)) == notebook.name


def test_a_user_cannot_end_or_change_the_proxy(notebook: OwnNotebook) -> None:
    pid = proxy(notebook)
    for command in (
        f"kill {pid}",
        f"cat /proc/{pid}/environ",
        f"cat /proc/{pid}/mem",
        "echo >> /usr/local/lib/notebook-attribution/imds-proxy.py",
        "rm -rf /usr/local/lib/notebook-attribution",
        "iptables -F; iptables -t nat -F",
        "nft flush ruleset",
    ):
        notebook.run(["bash", "-c", command])
    assert proxy(notebook) == pid
    assert session_of(notebook, credentials(notebook)) == notebook.name


def test_a_user_can_take_neither_port_nor_address(bare_notebook: OwnNotebook) -> None:
    squatter = "import socket; s = socket.socket(); s.bind(('0.0.0.0', 254))"
    assert "Permission denied" in bare_notebook.run(["/usr/bin/python3", "-c", squatter]).stderr
    assert bare_notebook.run(["ip", "address", "add", "169.254.255.254/32", "dev", "lo"]).returncode != 0


def test_no_secret_is_in_the_log_or_on_a_command_line(notebook: OwnNotebook) -> None:
    secrets = [credentials(notebook, user=user) for user in ("ec2-user", "root")]
    seen = notebook.read(LOG) + notebook.boot_log + notebook.root("ps axww -o args").stdout
    assert "opened the session" in seen
    for document in secrets:
        for secret in ("SecretAccessKey", "Token", "AccessKeyId"):
            assert document[secret] not in seen


def test_a_second_run_replaces_the_proxy(notebook: OwnNotebook) -> None:
    before = proxy(notebook)
    assert notebook.run_on_start().returncode == 0
    after = proxy(notebook)
    assert after != before


def test_no_answer_goes_to_another_machine_of_the_network(notebook: OwnNotebook) -> None:
    """From the other end of the instance's cable, in the place of a neighbour in the subnet."""
    address = notebook.run(["hostname", "-I"], check=True).stdout.split()[0]
    made = notebook.root(
        "ip netns add neighbour && ip link add eth9 type veth peer name card netns neighbour && "
        "ip address add 192.0.2.1/24 dev eth9 && ip link set eth9 up && "
        "ip -n neighbour address add 192.0.2.2/24 dev card && ip -n neighbour link set card up && "
        "ip -n neighbour route add default via 192.0.2.1"
    )
    assert made.returncode == 0, made.stderr
    for target in ("http://169.254.255.254:254/", "http://169.254.169.254/", f"http://{address}:254/"):
        done = notebook.root(f"ip netns exec neighbour curl --silent --max-time 2 {target}")
        assert done.returncode in {7, 28}, done.stdout


def test_a_rule_put_in_front_later_gives_nobody_the_base_session_and_is_mended(notebook: OwnNotebook) -> None:
    notebook.root("iptables -t nat -I OUTPUT -d 169.254.169.254 -p tcp --dport 80 -j ACCEPT; iptables -F")
    # The watch may mend it before anyone asks; until then nobody gets an answer.
    answer = until(lambda: get_or_none(notebook), seconds=60)
    assert session_of(notebook, json.loads(answer)) == notebook.name
    ours, theirs = notebook.root("iptables -t nat -S OUTPUT | grep 'dport 80'").stdout.splitlines()[:2]
    assert ours.endswith("-j notebook-attribution")
    assert theirs.endswith("-j ACCEPT")


def test_the_guard_never_ends_alone(bare_notebook: OwnNotebook) -> None:
    """Here its pause fails, as it may where no process can be started. systemd would start both again; here nobody does."""
    bare_notebook.run_on_start()
    assert proxy(bare_notebook)
    bare_notebook.root("ln -sf /bin/false $(type -P sleep)")
    until(lambda: not bare_notebook.root("pgrep -f '[i]mds-mode serve|[i]mds-proxy.py serve'").stdout, seconds=30)
    assert ask(bare_notebook, "/", timeout=1).status == 0
