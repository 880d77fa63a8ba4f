"""Where the metadata service's address leads to SageMaker's agent: what goes on working, and what a restart changes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from account import Account
from emulator import agent
from notebooks import OwnNotebook

from .metadata import AGENT, IPV4, ask, credentials, session_of

SERVER = f"http://{agent.INSTANCE_ADDRESS}:8888/api"


@pytest.fixture(scope="module")
def notebook(account: Account) -> Iterator[OwnNotebook]:
    """A booted notebook instance of the imds mode that has an agent; the last test restarts that."""
    with account.notebooks_of("imds") as create:
        yield create("agent", LifecycleConfigName=account.outputs["imds"]["lifecycle_configuration_name"])


def test_the_agent_reaches_the_notebook_server(notebook: OwnNotebook) -> None:
    end = time.monotonic() + 10
    while "version" not in (said := notebook.in_agents_network("curl", "-sS", "--max-time", "2", SERVER)).stdout:
        assert time.monotonic() < end, said.stderr
        time.sleep(0.2)


def test_a_user_reaches_the_instances_own_address_on_the_agents_network(notebook: OwnNotebook) -> None:
    end = time.monotonic() + 10
    while ask(notebook, "", service=SERVER).status != 200:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_root_reaches_the_agent_and_nobody_else_does(notebook: OwnNotebook) -> None:
    for service in AGENT:
        assert session_of(notebook, credentials(notebook, user="root", service=service)) == "SageMaker"
        for user in ("ec2-user", "daemon"):
            assert ask(notebook, "/", service=service, user=user, timeout=2).status == 0


def test_after_a_restart_of_the_agent_clients_get_their_session_again(notebook: OwnNotebook) -> None:
    notebook.restart_agent()
    end = time.monotonic() + 15
    while not ask(notebook, "/", timeout=2).status:
        assert time.monotonic() < end
        time.sleep(0.2)
    for service in AGENT:
        assert ask(notebook, "/", service=service, timeout=2).status == 0
    assert session_of(notebook, credentials(notebook, service=IPV4)) == notebook.name
    assert session_of(notebook, credentials(notebook, user="root")) == "SageMaker"
