"""What happens where something is wrong at boot: the start fails, with one line, and nobody but root gets credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import failed_start
import pytest
from account import Account
from emulator.network import Layout
from emulator.notebook_instance import NotebookInstance
from failed_start import hide
from notebooks import OwnNotebook
from on_start_script import impatient, with_settings
from policy_documents import policy_document

from .metadata import CREDENTIALS, IPV4, IPV6, ask, credentials, get, session_of, ways_around


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


def refusal(notebook: OwnNotebook, script: str | None = None) -> str:
    """Run the script, which has to fail with one line and leave no credentials to take, and return that line."""
    line = failed_start.refusal(notebook, script)
    assert is_closed(notebook)
    return line


def test_without_a_firewall(bare_notebook: OwnNotebook) -> None:
    hide(bare_notebook, "iptables-restore", "ip6tables-restore")
    done = bare_notebook.run_on_start()
    assert done.returncode == 1
    assert "can't set the firewall" in done.stderr
    assert "Repair: have iptables, ip6tables, and NAT rules" in done.stderr


def test_with_the_ipv6_half_of_the_firewall_missing(bare_notebook: OwnNotebook) -> None:
    hide(bare_notebook, "ip6tables", "ip6tables-restore")
    done = bare_notebook.run_on_start()
    assert done.returncode == 1
    assert "can't set the firewall" in done.stderr


@pytest.mark.parametrize(
    ("layout", "way"), [("plain", "fd00:ec2::254/80"), ("agent", "169.254.0.2/9081")], indirect=["layout"]
)
def test_with_a_firewall_that_refuses_nothing(bare_notebook: OwnNotebook, way: str) -> None:
    """As ec2-user, the start asks by every way that it found."""
    for tool in ("iptables-restore", "ip6tables-restore"):
        path, real = bare_notebook.root(
            f"path=$(type -P {tool}); readlink -f $path; rm $path; echo $path"
        ).stdout.split()[::-1]
        told = f"#!/bin/sh\nsed '/-j \\(DROP\\|REJECT\\)/d' | {real} {tool} \"$@\"\n"
        bare_notebook.write(path, told, owner="root")
        bare_notebook.root(f"chmod 755 {path}")
    assert f"ec2-user reaches the metadata service at {way}" in failed_start.refusal(bare_notebook)


def test_without_python(bare_notebook: OwnNotebook) -> None:
    bare_notebook.root("rm -f /usr/bin/python3")
    refused = refusal(bare_notebook)
    assert "can't use: " in refused
    assert "have python3 3.9 or newer in /usr/bin/python3" in refused


def test_where_it_cant_be_noted_that_the_guard_may_begin(bare_notebook: OwnNotebook) -> None:
    """Without an owner's script that is the last step: nothing would set the rules again."""
    script = with_settings(bare_notebook.script)
    assert script.count('|| : >"$folder/finished"') == 1
    changed = script.replace('|| : >"$folder/finished"', '|| : >"/nowhere/finished"')
    assert bare_notebook.run_on_start(script=changed).returncode == 1
    assert bare_notebook.run_on_start().returncode == 0
    assert bare_notebook.exists("/usr/local/lib/notebook-attribution/finished")


def test_with_the_proxys_port_taken(bare_notebook: OwnNotebook) -> None:
    squatter = "import socket, time; s = socket.socket(); s.bind(('0.0.0.0', 254)); s.listen(); time.sleep(300)"
    bare_notebook.root(f'setsid /usr/bin/python3 -c "{squatter}" </dev/null >/dev/null 2>&1 & sleep 0.5')
    line = refusal(bare_notebook, impatient(with_settings(bare_notebook.script), 3))
    assert "ec2-user gets no session" in line
    assert "Address already in use" in line


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
        PolicyDocument=policy_document(policy),
    )
    yield role
    iam.delete_role_policy(RoleName="distrustful", PolicyName="assume")
    iam.delete_role(RoleName="distrustful")


def test_with_a_role_that_refuses(
    account: Account, distrustful_role: dict[str, Any], new_notebook: Callable[..., OwnNotebook], layout: Layout
) -> None:
    notebook = new_notebook(layout, RoleArn=distrustful_role["Arn"])
    script = impatient(with_settings(notebook.script, ROLE_ARN=distrustful_role["Arn"]), 3)
    line = refusal(notebook, script)
    assert "STS refuses (status 403): AccessDenied" in line
    assert "let the role assume itself (output role_trust_policy)" in line


def test_with_metadata_that_is_missing_nobody_gets_anything(bare_notebook: OwnNotebook) -> None:
    bare_notebook.root("rm /opt/ml/metadata/resource-metadata.json")
    assert "resource-metadata.json is missing" in refusal(bare_notebook)


def test_where_the_owner_allowed_it_the_start_goes_on_unattributed(bare_notebook: OwnNotebook) -> None:
    bare_notebook.root("rm -f /usr/bin/python3")
    script = with_settings(bare_notebook.script, ALLOW_START_WITHOUT_ATTRIBUTION="true")
    done = bare_notebook.run_on_start(script=script)
    assert done.returncode == 0
    failed, loud = done.stderr.splitlines()
    assert "FAILED: " in failed
    assert "STARTING WITHOUT ATTRIBUTION" in loud
    assert session_of(bare_notebook, credentials(bare_notebook)) == "SageMaker"


def test_a_damaged_script_fails(account: Account, bare_notebook: OwnNotebook) -> None:
    rendered = account.outputs["imds"]["on_start_script"]
    middle = len(rendered) // 2
    done = bare_notebook.run_on_start(script=rendered[:middle] + "AAAA" + rendered[middle + 4 :])
    assert done.returncode == 1
    assert "the script is damaged" in done.stderr


def test_a_mode_that_the_script_has_not(bare_notebook: OwnNotebook) -> None:
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, ATTRIBUTION_MODE="profile"))
    assert done.returncode == 1
    assert "this script has no mode profile" in done.stderr
