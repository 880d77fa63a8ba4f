"""How the imds mode is set up at boot: closed first, verified at the end, and what happens where something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator.docker import Docker
from emulator.network import Layout
from emulator.notebook_instance import NotebookInstance
from on_start_script import with_settings

from .conftest import Account, BareNotebook
from .metadata import CREDENTIALS, IPV4, IPV6, LISTED_ROLE, ask, credentials, get, services, session_of, ways_around

LOG = "/var/log/notebook-attribution.log"


def refusal(notebook: NotebookInstance, script: str | None = None) -> str:
    """Run the script, which has to fail with one line and leave no credentials to take, and return that line."""
    done = notebook.run_on_start(script=script)
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("notebook-attribution: FAILED: ")
    assert ". Repair: " in line
    assert is_closed(notebook)
    return line


def is_closed(notebook: NotebookInstance) -> bool:
    """Whether nobody but root gets an answer, or a proxy's that has no session."""
    for service in (IPV4, IPV6):
        if (
            ask(notebook, "/", service=service, timeout=2).status
            and get(notebook, CREDENTIALS, service=service).status != 503
        ):
            return False
    if any(ask(notebook, "/", service=way, timeout=2).status for way in ways_around(notebook)):
        return False
    return "AccessKeyId" in credentials(notebook, user="root")


def hide(notebook: NotebookInstance, *programs: str) -> None:
    """Let the programs be missing in this notebook instance."""
    for program in programs:
        gone = notebook.root(f"while path=$(type -P {program}); do rm $path; hash -r; done; ! type -P {program}")
        assert gone.returncode == 0, gone.stderr


def test_the_boot_says_who_calls(account: Account, notebook: BareNotebook) -> None:
    role = account.outputs["imds"]["role_arn"]
    assert f"are made as {role} in the session {notebook.name}" in notebook.boot_log
    assert "FAILED" not in notebook.boot_log


def test_the_handshake_names_the_notebook_as_session_and_source(account: Account, notebook: BareNotebook) -> None:
    (handshake,) = [
        record
        for record in account.emulator.records()
        if record["eventName"] == "AssumeRole" and record["requestParameters"]["roleSessionName"] == notebook.name
    ]
    assert handshake["userIdentity"]["arn"] == account.session_arn("imds", "SageMaker")
    assert handshake["requestParameters"]["sourceIdentity"] == notebook.name
    assert handshake["requestParameters"]["roleArn"] == account.outputs["imds"]["role_arn"]


def test_a_call_carries_the_source_identity(account: Account, layout: Layout) -> None:
    notebook = account.notebook("imds", layout)
    seen = len(account.emulator.records())
    notebook.run([notebook.python, "-c", "import boto3; boto3.client('s3').list_buckets()"], check=True)
    (call,) = account.records_since(seen)
    assert call["userIdentity"]["arn"] == account.session_arn("imds", notebook.name)
    assert call["userIdentity"]["sessionContext"]["sourceIdentity"] == notebook.name


@pytest.mark.parametrize("missing", [("nft",), ()])
def test_by_the_firewall(bare_notebook: BareNotebook, missing: tuple[str, ...]) -> None:
    hide(bare_notebook, *missing)
    done = bare_notebook.run_on_start()
    assert done.returncode == 0, done.stderr
    assert session_of(bare_notebook, credentials(bare_notebook)) == bare_notebook.name
    for service in services(bare_notebook):
        assert session_of(bare_notebook, credentials(bare_notebook, service=service, user="root")) == "SageMaker"
    for way in (IPV6, *ways_around(bare_notebook)):
        assert ask(bare_notebook, "/", service=way, timeout=2).status == 0, "it is closed, and has no proxy"
    rules = bare_notebook.root("iptables-save | grep '^-A'; ip6tables-save | grep '^-A'").stdout

    again = bare_notebook.run_on_start()
    assert again.returncode == 0, again.stderr
    same = bare_notebook.root("iptables-save | grep '^-A'; ip6tables-save | grep '^-A'").stdout
    assert same == rules, "a second run adds nothing"
    assert session_of(bare_notebook, credentials(bare_notebook)) == bare_notebook.name


def test_bound_to_the_network_card_a_user_gets_nothing(bare_notebook: BareNotebook) -> None:
    assert bare_notebook.run_on_start().returncode == 0
    for service in (*services(bare_notebook), *ways_around(bare_notebook)):
        options = ("--interface", "if!veth_def_agent" if bare_notebook.layout == "agent" else "if!eth0")
        assert ask(bare_notebook, "/latest/", service=service, options=options, timeout=2).status == 0


IN_CONTAINER = """
import json, urllib.request
url = "http://169.254.169.254/latest/"
request = urllib.request.Request(url + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
token = {"X-aws-ec2-metadata-token": urllib.request.urlopen(request, timeout=5).read().decode()}
get = lambda path: urllib.request.urlopen(urllib.request.Request(url + path, headers=token), timeout=5).read().decode()
folder = "meta-data/iam/security-credentials/"
print(get(folder + get(folder)))
"""


def test_a_container_gets_the_notebook_session_too(bare_notebook: BareNotebook) -> None:
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


def test_without_a_firewall(bare_notebook: BareNotebook) -> None:
    hide(bare_notebook, "iptables-restore", "ip6tables-restore")
    done = bare_notebook.run_on_start()
    assert done.returncode == 1
    assert "can't set the firewall" in done.stderr
    assert "Repair: have iptables and ip6tables on the instance" in done.stderr


def test_with_the_ipv6_half_of_the_firewall_missing(bare_notebook: BareNotebook) -> None:
    hide(bare_notebook, "ip6tables", "ip6tables-restore")
    done = bare_notebook.run_on_start()
    assert done.returncode == 1
    assert "can't set the firewall" in done.stderr


def test_without_python(bare_notebook: BareNotebook) -> None:
    bare_notebook.root("rm -f /usr/bin/python3")
    assert "can't use /usr/bin/python3" in refusal(bare_notebook)


def test_with_the_oldest_python_that_an_instance_may_have(bare_notebook: BareNotebook) -> None:
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


def test_with_the_proxys_port_taken(bare_notebook: BareNotebook) -> None:
    squatter = "import socket, time; s = socket.socket(); s.bind(('0.0.0.0', 254)); s.listen(); time.sleep(300)"
    bare_notebook.root(f'setsid /usr/bin/python3 -c "{squatter}" </dev/null >/dev/null 2>&1 & sleep 0.5')
    line = refusal(bare_notebook, with_settings(bare_notebook.script).replace("SECONDS + 60", "SECONDS + 3"))
    assert "ec2-user gets no session" in line
    assert "address already in use" in line


def test_a_user_can_take_neither_port_nor_address(bare_notebook: BareNotebook) -> None:
    squatter = "import socket; s = socket.socket(); s.bind(('0.0.0.0', 254))"
    assert "Permission denied" in bare_notebook.run(["/usr/bin/python3", "-c", squatter]).stderr
    assert bare_notebook.run(["ip", "address", "add", "169.254.255.254/32", "dev", "lo"]).returncode != 0


@pytest.fixture
def distrustful_role(account: Account) -> Iterator[dict[str, Any]]:
    """An execution role whose trust policy lets it open sessions on itself, but set no source identity."""
    iam = account.emulator.client("iam")
    trust = account.outputs["profile"]["role_trust_policy"].replace(
        '["sts:AssumeRole","sts:SetSourceIdentity"]', '"sts:AssumeRole"'
    )
    assert "SetSourceIdentity" not in trust
    own = trust.replace(account.outputs["profile"]["role_name"], "distrustful")
    role = iam.create_role(RoleName="distrustful", AssumeRolePolicyDocument=own)["Role"]
    policy = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="distrustful",
        PolicyName="assume",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
    )
    yield role
    iam.delete_role_policy(RoleName="distrustful", PolicyName="assume")
    iam.delete_role(RoleName="distrustful")


def test_with_a_role_that_refuses(
    account: Account, distrustful_role: dict[str, Any], new_notebook: Callable[..., BareNotebook], layout: Layout
) -> None:
    notebook = new_notebook(layout, RoleArn=distrustful_role["Arn"])
    script = with_settings(notebook.script, ROLE_ARN=distrustful_role["Arn"]).replace("SECONDS + 60", "SECONDS + 3")
    line = refusal(notebook, script)
    assert "STS refuses (status 403): AccessDenied" in line
    assert "let the role assume itself with a source identity (output role_trust_policy)" in line


def test_with_metadata_that_is_missing_nobody_gets_anything(bare_notebook: BareNotebook) -> None:
    bare_notebook.root("rm /opt/ml/metadata/resource-metadata.json")
    assert "resource-metadata.json is missing" in refusal(bare_notebook)


def test_where_the_owner_allowed_it_the_start_goes_on_unattributed(bare_notebook: BareNotebook) -> None:
    bare_notebook.root("rm -f /usr/bin/python3")
    script = with_settings(bare_notebook.script, ALLOW_START_WITHOUT_ATTRIBUTION="true")
    done = bare_notebook.run_on_start(script=script)
    assert done.returncode == 0
    failed, loud = done.stderr.splitlines()
    assert "FAILED: " in failed
    assert "STARTING WITHOUT ATTRIBUTION" in loud
    assert session_of(bare_notebook, credentials(bare_notebook)) == "SageMaker"


def test_a_damaged_script_fails(account: Account, bare_notebook: BareNotebook) -> None:
    rendered = account.outputs["imds"]["on_start_script"]
    middle = len(rendered) // 2
    done = bare_notebook.run_on_start(script=rendered[:middle] + "AAAA" + rendered[middle + 4 :])
    assert done.returncode == 1
    assert "the script is damaged" in done.stderr


def test_a_mode_that_the_script_has_not(bare_notebook: BareNotebook) -> None:
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, ATTRIBUTION_MODE="profile"))
    assert done.returncode == 1
    assert "this script has no mode profile" in done.stderr


def test_a_proxy_that_is_killed_comes_back(notebook: BareNotebook) -> None:
    for _ in range(2):
        before = notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split()
        notebook.root(f"kill -KILL {' '.join(before)}")
        assert ask(notebook, "/", timeout=1).status == 0, "meanwhile there is no answer"
        end = time.monotonic() + 10
        while get_or_none(notebook) is None:
            assert time.monotonic() < end, notebook.read(LOG)
            time.sleep(0.2)
        assert session_of(notebook, credentials(notebook)) == notebook.name


def get_or_none(notebook: NotebookInstance) -> str | None:
    try:
        answer = get(notebook, CREDENTIALS + LISTED_ROLE)
    except AssertionError:
        return None
    return answer.body if answer.status == 200 else None


def test_a_user_cannot_end_or_change_the_proxy(notebook: BareNotebook) -> None:
    (pid,) = notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split()
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
    assert notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split() == [pid]
    assert session_of(notebook, credentials(notebook)) == notebook.name


def test_no_secret_is_in_the_log_or_on_a_command_line(notebook: BareNotebook) -> None:
    secrets = [credentials(notebook, user=user) for user in ("ec2-user", "root")]
    seen = notebook.read(LOG) + notebook.boot_log + notebook.root("ps axww -o args").stdout
    assert "opened the session" in seen
    for document in secrets:
        for secret in ("SecretAccessKey", "Token", "AccessKeyId"):
            assert document[secret] not in seen


def test_a_second_run_replaces_the_proxy(notebook: BareNotebook) -> None:
    before = notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split()
    assert notebook.run_on_start().returncode == 0
    after = notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.split()
    assert len(before) == len(after) == 1
    assert before != after


def test_while_the_script_runs_nobody_gets_the_base_session(bare_notebook: BareNotebook) -> None:
    """A loop, begun before, takes credentials as often as it can; from the script's first rule on only its own.

    It is another user's, for the script ends ec2-user's.
    """
    program = """
import json, sys, time, urllib.request
url, folder, names = "http://169.254.169.254/latest/", "meta-data/iam/security-credentials/", []
open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
for _ in range(100000):
    try:
        request = urllib.request.Request(url + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        token = {"X-aws-ec2-metadata-token": open(request, timeout=1).read().decode()}
        get = lambda path: open(urllib.request.Request(url + path, headers=token), timeout=1).read().decode()
        names.append(json.loads(get(folder + get(folder)))["AccessKeyId"])
    except OSError:
        names.append("nothing")
    if names[-1] != names[-2:][0]:
        with __import__("builtins").open("/tmp/seen", "a") as seen:
            seen.write(names[-2] + "\\n" + names[-1] + "\\n")
"""
    bare_notebook.write("/tmp/loop.py", program)
    bare_notebook.run(
        ["bash", "-c", "setsid /usr/bin/python3 /tmp/loop.py </dev/null >/tmp/loop.log 2>&1 &"], user="daemon"
    )
    time.sleep(1)
    base = credentials(bare_notebook, user="root")["AccessKeyId"]
    assert bare_notebook.run_on_start().returncode == 0
    own = credentials(bare_notebook)["AccessKeyId"]
    time.sleep(1)
    seen = bare_notebook.read("/tmp/seen").split()
    assert seen == [base, "nothing", "nothing", own]


def test_a_connection_from_before_the_rule_is_cut(bare_notebook: BareNotebook) -> None:
    program = """
import socket, time, pathlib
connection = socket.create_connection(("169.254.169.254", 80), 5)
ask = b"PUT /latest/api/token HTTP/1.1\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\\r\\n"
connection.sendall(ask)
print(len(connection.recv(1000)) > 0, flush=True)
while not pathlib.Path("/tmp/go").exists():
    time.sleep(0.1)
connection.settimeout(3)
try:
    connection.sendall(ask)
    print(connection.recv(1000))
except OSError as error:
    print(type(error).__name__)
"""
    bare_notebook.write("/tmp/kept.py", program)
    bare_notebook.run(
        ["bash", "-c", "setsid /usr/bin/python3 /tmp/kept.py </dev/null >/tmp/kept.log 2>&1 &"], user="daemon"
    )
    time.sleep(0.5)
    assert bare_notebook.run_on_start().returncode == 0
    bare_notebook.run(["touch", "/tmp/go"])
    time.sleep(4)
    first, second = bare_notebook.read("/tmp/kept.log").split()
    assert first == "True"
    assert second in {"TimeoutError", "ConnectionRefusedError", "ConnectionResetError"}


def test_what_ran_before_is_ended_and_what_runs_since_has_its_own_session(bare_notebook: BareNotebook) -> None:
    """Whatever holds credentials from before; also what starts another in its place all the time."""
    for command in (
        "sleep 1000",
        "unshare --user --map-root-user sleep 2000",
        "bash -c 'while :; do sleep 0.01; done'",
    ):
        bare_notebook.run(["bash", "-c", f"setsid {command} </dev/null >/tmp/out 2>&1 &"])
    time.sleep(0.5)
    seen = bare_notebook.root("pgrep -fc '[s]leep (1000|2000)'").stdout
    assert int(seen) >= 2
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.root("pgrep -f '[s]leep (1000|2000|0.01)'").stdout == ""


def test_no_answer_goes_to_another_machine_of_the_network(notebook: BareNotebook) -> None:
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


def test_clients_find_the_region_and_a_config_of_the_users_stays(bare_notebook: BareNotebook) -> None:
    bare_notebook.run(["bash", "-c", "mkdir ~/.aws; echo '[profile mine]' > ~/.aws/config"], check=True)
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.read("/home/ec2-user/.aws/config") == "[profile mine]\n"
    bare_notebook.run(["rm", "/home/ec2-user/.aws/config"], check=True)
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.read("/home/ec2-user/.aws/config") == "[default]\nregion = us-east-1\n"
    bare_notebook.run(["rm", "-r", "/home/ec2-user/.aws"], check=True)


def test_the_owners_script_runs_as_root_in_the_base_session(account: Account, bare_notebook: BareNotebook) -> None:
    extra = f"'{bare_notebook.python}' -c \"import boto3; boto3.client('sts', 'us-east-1').get_caller_identity()\""
    script = with_settings(bare_notebook.script, EXTRA_ON_START=extra.replace("'", "'\\''"))
    seen = len(account.emulator.records())
    done = bare_notebook.run_on_start(script=script)
    assert done.returncode == 0, done.stderr
    asked = [call for call in account.records_since(seen) if call["eventName"] == "GetCallerIdentity"]
    base = account.session_arn("imds", "SageMaker")
    assert [call["userIdentity"]["arn"] for call in asked].count(base) == 1, "all others verify"


@pytest.mark.parametrize(
    ("extra", "changed"),
    [
        ("iptables -D OUTPUT -j notebook-attribution", "< -A OUTPUT -j notebook-attribution"),
        ("iptables -t mangle -F", "notebook-attribution"),
        ("iptables -t nat -A OUTPUT -d 169.254.169.254 -p tcp -j DNAT --to-destination 10.9.9.9:80", "> 10.9.9.9 80"),
    ],
)
def test_an_owners_script_that_changes_the_firewall_fails_the_start(
    bare_notebook: BareNotebook, extra: str, changed: str
) -> None:
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, EXTRA_ON_START=extra))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "FAILED: the firewall was changed" in line
    assert changed in line
    assert session_of(bare_notebook, credentials(bare_notebook)) == bare_notebook.name, "it was set again"


def test_an_owners_script_that_adds_rules_of_its_own_does_not(bare_notebook: BareNotebook) -> None:
    extra = "iptables -I FORWARD -j ACCEPT; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE"
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, EXTRA_ON_START=extra))
    assert done.returncode == 0, done.stderr


def test_a_rule_put_in_front_later_gives_nobody_the_base_session_and_is_mended(notebook: BareNotebook) -> None:
    notebook.root("iptables -t nat -I OUTPUT -d 169.254.169.254 -p tcp --dport 80 -j ACCEPT; iptables -F")
    assert ask(notebook, "/", timeout=2).status == 0
    end = time.monotonic() + 60
    while get_or_none(notebook) is None:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert session_of(notebook, credentials(notebook)) == notebook.name


def test_from_one_mode_to_the_other_and_back_in_one_boot(account: Account, bare_notebook: BareNotebook) -> None:
    """Neither is in the other's way: not the config that profile mode locks, and not the rules of imds mode."""
    role = {"ROLE_ARN": account.outputs["imds"]["role_arn"]}
    profile = with_settings(account.outputs["profile"]["on_start_script"], **role)
    for script in (profile, bare_notebook.script, profile, bare_notebook.script):
        done = bare_notebook.run_on_start(script=script)
        assert done.returncode == 0, done.stderr
        whose = "SageMaker" if script == profile else bare_notebook.name
        assert session_of(bare_notebook, credentials(bare_notebook)) == whose
        assert ("role_arn" in bare_notebook.read("/home/ec2-user/.aws/config")) is (script == profile)
        is_locked = bare_notebook.run(["bash", "-c", "echo '# mine' >> ~/.aws/config"]).returncode != 0
        assert is_locked is (script == profile)
        own_rules = bare_notebook.root("iptables-save | grep notebook-attribution").stdout
        assert bool(own_rules) is (script != profile)
