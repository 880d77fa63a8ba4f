"""The owner's own script in the imds mode: whose calls it makes, and what it may do to the firewall."""

from __future__ import annotations

import shlex

import pytest
from account import Account
from notebooks import OwnNotebook
from on_start_script import with_settings

from .metadata import credentials, session_of


def test_the_owners_script_runs_as_root_in_the_base_session(account: Account, bare_notebook: OwnNotebook) -> None:
    extra = f"{shlex.quote(bare_notebook.python)} -c \"import boto3; boto3.client('sts', 'us-east-1').get_caller_identity()\""
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
        ("iptables -t nat -A OUTPUT -d 169.254.169.254 -p tcp -j DNAT --to-destination 10.9.9.9:80", "> 10.9.9.9/80"),
    ],
)
def test_an_owners_script_that_changes_the_firewall_fails_the_start(
    bare_notebook: OwnNotebook, extra: str, changed: str
) -> None:
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, EXTRA_ON_START=extra))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "FAILED: the firewall was changed" in line
    assert changed in line
    assert session_of(bare_notebook, credentials(bare_notebook)) == bare_notebook.name, "it was set again"


def test_an_owners_script_that_adds_rules_of_its_own_does_not(bare_notebook: OwnNotebook) -> None:
    extra = "iptables -I FORWARD -j ACCEPT; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE"
    done = bare_notebook.run_on_start(script=with_settings(bare_notebook.script, EXTRA_ON_START=extra))
    assert done.returncode == 0, done.stderr
