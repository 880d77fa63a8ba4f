"""How the imds mode is set up at boot: closed first, and verified at the end."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from account import Account
from emulator.docker import Docker
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from failed_start import hide
from notebooks import OwnNotebook
from on_start_script import with_settings

from .metadata import IPV6, ask, credentials, services, session_of, ways_around

LOG = "/var/log/notebook-attribution.log"


@pytest.fixture
def notebook(account: Account, layout: Layout) -> NotebookInstance:
    """The imds mode's notebook instance, as it was booted: no test here changes it."""
    return account.notebook("imds", layout)


def test_the_boot_says_who_calls(account: Account, notebook: NotebookInstance) -> None:
    role = account.outputs["imds"]["role_arn"]
    assert f"are made as {role} in the session {notebook.name}" in notebook.boot_log
    assert "FAILED" not in notebook.boot_log


def test_the_handshake_names_the_notebook_as_session_and_source(account: Account, notebook: NotebookInstance) -> None:
    (handshake,) = [
        record
        for record in account.emulator.records()
        if record["eventName"] == "AssumeRole"
        and (record["requestParameters"] or {}).get("roleSessionName") == notebook.name  # a refused one has none
    ]
    assert handshake["userIdentity"]["arn"] == account.session_arn("imds", "SageMaker")
    assert handshake["requestParameters"]["sourceIdentity"] == notebook.name
    assert handshake["requestParameters"]["roleArn"] == account.outputs["imds"]["role_arn"]


def test_a_call_carries_the_source_identity(account: Account, notebook: NotebookInstance) -> None:
    seen = len(account.emulator.records())
    notebook.run([notebook.python, "-c", "import boto3; boto3.client('s3').list_buckets()"], check=True)
    (call,) = account.records_since(seen)
    assert call["userIdentity"]["arn"] == account.session_arn("imds", notebook.name)
    assert call["userIdentity"]["sessionContext"]["sourceIdentity"] == notebook.name


CONFIG, MINE = "/home/ec2-user/.aws/config", "[profile mine]\n"


@dataclass(frozen=True)
class Twice:
    """A notebook instance on which the script ran twice, and what the firewall and the user's config were after each."""

    notebook: OwnNotebook
    rules: list[str]
    configs: list[str]


@pytest.fixture(scope="module", params=[(layout, missing) for layout in LAYOUTS for missing in ("nft", "")])
def twice(account: Account, request: pytest.FixtureRequest) -> Iterator[Twice]:
    """A notebook instance, also without nft, whose user has a config of their own at the first start and none at the second."""
    layout, missing = request.param
    with account.notebooks_of("imds") as create:
        notebook, rules, configs = create(layout), [], []
        hide(notebook, *filter(None, [missing]))
        notebook.run(["bash", "-c", f"mkdir ~/.aws; printf '{MINE}' >{CONFIG}"], check=True)
        for _ in range(2):
            done = notebook.run_on_start()
            assert done.returncode == 0, done.stderr
            rules.append(notebook.root("iptables-save | grep '^-A'; ip6tables-save | grep '^-A'").stdout)
            configs.append(notebook.read(CONFIG))
            notebook.run(["rm", CONFIG], check=True)
        notebook.run(["rm", "-r", "/home/ec2-user/.aws"], check=True)
        yield Twice(notebook, rules, configs)


def test_by_the_firewall(twice: Twice) -> None:
    notebook = twice.notebook
    assert session_of(notebook, credentials(notebook)) == notebook.name
    for service in services(notebook):
        assert session_of(notebook, credentials(notebook, service=service, user="root")) == "SageMaker"
    for way in (IPV6, *ways_around(notebook)):
        assert ask(notebook, "/", service=way, timeout=2).status == 0, "it is closed, and has no proxy"
    card = ("--interface", "if!veth_def_agent" if notebook.layout == "agent" else "if!eth0")
    for service in (*services(notebook), *ways_around(notebook)):
        assert ask(notebook, "/latest/", service=service, options=card, timeout=2).status == 0


def test_a_second_run_adds_nothing(twice: Twice) -> None:
    assert "notebook-attribution" in twice.rules[0]
    assert twice.rules[0] == twice.rules[1]


def test_clients_find_the_region_and_a_config_of_the_users_stays(twice: Twice) -> None:
    assert twice.configs == [MINE, "[default]\nregion = us-east-1\n"]


IN_CONTAINER = """
import json, urllib.request
url = "http://169.254.169.254/latest/"
request = urllib.request.Request(url + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
token = {"X-aws-ec2-metadata-token": urllib.request.urlopen(request, timeout=5).read().decode()}
get = lambda path: urllib.request.urlopen(urllib.request.Request(url + path, headers=token), timeout=5).read().decode()
folder = "meta-data/iam/security-credentials/"
print(get(folder + get(folder)))
"""


def test_a_container_gets_the_notebook_session_too(bare_notebook: OwnNotebook) -> None:
    docker = Docker(bare_notebook)
    bare_notebook.write("/tmp/client.py", IN_CONTAINER)
    inside = ("/usr/bin/python3", "/tmp/client.py")
    # Root in a container is root of nothing else, but its packets could come from anyone.
    before = json.loads(docker.run(*inside).stdout)
    assert session_of(bare_notebook, before) == "SageMaker"
    assert bare_notebook.run_on_start().returncode == 0
    done = docker.run(*inside)
    assert done.returncode == 0, done.stderr
    assert session_of(bare_notebook, json.loads(done.stdout)) == bare_notebook.name
    for way in ways_around(bare_notebook):
        assert docker.run("curl", "--silent", "--max-time", "2", way).returncode in {7, 28}


def test_with_the_oldest_python_that_an_instance_may_have(bare_notebook: OwnNotebook) -> None:
    """Amazon Linux 2023 has 3.9 as its system's Python."""
    found = subprocess.run(
        ["python3.9", "-I", "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=False
    ) if shutil.which("python3.9") else None  # fmt: skip
    if not found or found.returncode:
        pytest.skip("needs a python3.9 on the PATH")
    prefix, folder = Path(found.stdout.strip()), Path(f"/proc/{bare_notebook.pid}/root/opt/python3.9")
    left_out = shutil.ignore_patterns("test", "tests", "site-packages", "__pycache__", "idlelib")
    shutil.copytree(prefix / "lib" / "python3.9", folder / "lib" / "python3.9", ignore=left_out)
    (folder / "bin").mkdir()
    shutil.copy(prefix / "bin" / "python3.9", folder / "bin")
    for library in (prefix / "lib").glob("libpython3.9.so*"):
        shutil.copy(library, folder / "lib")
    linked = bare_notebook.root(
        "echo /opt/python3.9/lib > /etc/ld.so.conf.d/python3.9.conf && ldconfig && "
        "ln -sf /opt/python3.9/bin/python3.9 /usr/bin/python3 && /usr/bin/python3 --version"
    )
    assert linked.stdout.startswith("Python 3.9."), linked.stderr
    done = bare_notebook.run_on_start()
    assert done.returncode == 0, done.stderr
    assert session_of(bare_notebook, credentials(bare_notebook)) == bare_notebook.name
    ask(bare_notebook, "/" * 20000)
    assert bare_notebook.read(LOG).splitlines() == [f"imds-proxy: opened the session {bare_notebook.name}"]


def test_from_one_mode_to_the_other_and_back_in_one_boot(account: Account, bare_notebook: OwnNotebook) -> None:
    """Neither is in the other's way: not the config that profile mode locks, and not the rules of imds mode."""
    role = {"ROLE_ARN": account.outputs["imds"]["role_arn"]}
    profile = with_settings(account.outputs["profile"]["on_start_script"], **role)
    for script in (profile, bare_notebook.script, profile):
        done = bare_notebook.run_on_start(script=script)
        assert done.returncode == 0, done.stderr
        whose = "SageMaker" if script == profile else bare_notebook.name
        assert session_of(bare_notebook, credentials(bare_notebook)) == whose
        assert ("role_arn" in bare_notebook.read("/home/ec2-user/.aws/config")) is (script == profile)
        is_locked = bare_notebook.run(["bash", "-c", "echo '# mine' >> ~/.aws/config"]).returncode != 0
        assert is_locked is (script == profile)
        own_rules = bare_notebook.root("iptables-save | grep notebook-attribution").stdout
        assert bool(own_rules) is (script != profile)
