"""What a notebook's user can and can't get around in profile mode: each line of the table in docs/limits.md.

Every attempt is made as ec2-user in a booted notebook instance, and its outcome is read from who STS says is calling.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from emulator.notebook_instance import NotebookInstance
from workspace import CHECKOUT

from .caller import caller, session_name
from .conftest import BUCKET, Account

Attempt = Callable[[Account, NotebookInstance], str]

# Opens a session on the role with the credentials that boto3 has, and goes on with that session.
OPEN_SESSION = """
import boto3, os
answer = boto3.client('sts').assume_role(RoleArn={role!r}, RoleSessionName={name!r})['Credentials']
os.environ['AWS_ACCESS_KEY_ID'] = answer['AccessKeyId']
os.environ['AWS_SECRET_ACCESS_KEY'] = answer['SecretAccessKey']
os.environ['AWS_SESSION_TOKEN'] = answer['SessionToken']
boto3.setup_default_session()
"""

# Makes boto3 take what the metadata service hands out.
BASE_SESSION = {"AWS_CONFIG_FILE": "/dev/null"}


def documented() -> dict[str, str]:
    """Return the table of docs/limits.md: the outcome by what the user does."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", (CHECKOUT / "docs" / "limits.md").read_text(), re.MULTILINE)
    return {what: outcome for what, outcome in rows if outcome != "outcome"}


def outcome(notebook: NotebookInstance, arn: str) -> str:
    """Put who is calling into the words of the table."""
    if f":assumed-role/team-execution/{notebook.name}" in arn:
        return "prevented"
    if ":assumed-role/team-execution/SageMaker" in arn:
        return "unattributed"
    if ":assumed-role/team-execution/" in arn:
        return "own name"
    return "other credentials" if arn.startswith("arn:") else f"unexpected: {arn}"


def by_command(command: str) -> Attempt:
    """Try a shell command that has to fail, and then see who is calling."""

    def attempt(_: Account, notebook: NotebookInstance) -> str:
        done = notebook.run(["sh", "-c", command])
        assert done.returncode != 0, f"{command} went through"
        return outcome(notebook, caller(notebook))

    return attempt


def by_environment(**env: str) -> Attempt:
    """Set environment variables, and then see who is calling."""
    return lambda _, notebook: outcome(notebook, caller(notebook, env))


def by_own_credentials_file(_: Account, notebook: NotebookInstance) -> str:
    notebook.write("/tmp/credentials", "[default]\nrole_session_name = test-of-mine\n", owner="ec2-user")
    return outcome(notebook, caller(notebook, {"AWS_SHARED_CREDENTIALS_FILE": "/tmp/credentials"}))


def by_empty_profile(_: Account, notebook: NotebookInstance) -> str:
    # The config is locked; the file that the variable names may hold the section.
    notebook.write("/tmp/credentials", "[empty]\n", owner="ec2-user")
    return outcome(
        notebook, caller(notebook, {"AWS_SHARED_CREDENTIALS_FILE": "/tmp/credentials", "AWS_PROFILE": "empty"})
    )


def by_metadata_service(_: Account, notebook: NotebookInstance) -> str:
    before = """
import json, os, urllib.request
url = 'http://169.254.169.254/latest/'
request = urllib.request.Request(url + 'api/token', method='PUT', headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'})
token = {'X-aws-ec2-metadata-token': urllib.request.urlopen(request).read().decode()}
get = lambda path: urllib.request.urlopen(urllib.request.Request(url + path, headers=token)).read().decode()
folder = 'meta-data/iam/security-credentials/'
answer = json.loads(get(folder + get(folder).strip()))
os.environ['AWS_ACCESS_KEY_ID'] = answer['AccessKeyId']
os.environ['AWS_SECRET_ACCESS_KEY'] = answer['SecretAccessKey']
os.environ['AWS_SESSION_TOKEN'] = answer['Token']
"""
    return outcome(notebook, caller(notebook, before=before))


def by_client_without_config(account: Account, notebook: NotebookInstance) -> str:
    seen = len(account.emulator.records())
    code = f"from pyarrow.fs import S3FileSystem; print(S3FileSystem(region='us-east-1').open_input_file('{BUCKET}/2026.csv').read())"
    notebook.run([notebook.python, "-c", code], check=True)
    callers = {
        record["userIdentity"]["arn"]
        for record in account.emulator.records()[seen:]
        if record["eventSource"] == "s3.amazonaws.com"
    }
    return outcome(notebook, callers.pop()) if len(callers) == 1 else f"unexpected: {callers}"


def by_assuming(name: str, *, base: bool) -> Attempt:
    def attempt(account: Account, notebook: NotebookInstance) -> str:
        before = OPEN_SESSION.format(role=account.outputs["role_arn"], name=name)
        said = caller(notebook, BASE_SESSION if base else None, before)
        if "AccessDenied" in said:
            return outcome(notebook, caller(notebook))
        return outcome(notebook, said)

    return attempt


ATTEMPTS: dict[str, Attempt] = {
    "delete `~/.aws`": by_command("rm -rf ~/.aws"),
    "move `~/.aws` away": by_command("mv ~/.aws ~/.aws2"),
    "replace `~/.aws` by a link": by_command("ln -sfnT /tmp ~/.aws"),
    "open a session under a name that isn't known": by_assuming("unknown", base=True),
    "open a session under another notebook's name from the notebook session": by_assuming("beta", base=False),
    "open a session under another notebook's name from the base session": by_assuming("beta", base=True),
    "point `AWS_CONFIG_FILE` elsewhere": by_environment(AWS_CONFIG_FILE="/dev/null"),
    "name an empty profile in `AWS_PROFILE`": by_empty_profile,
    "take the credentials from the metadata service": by_metadata_service,
    "use a client that reads no AWS config (pyarrow)": by_client_without_config,
    "set `role_session_name` in the file that `AWS_SHARED_CREDENTIALS_FILE` names": by_own_credentials_file,
    "set static keys in the environment": by_environment(
        AWS_ACCESS_KEY_ID="444455556666", AWS_SECRET_ACCESS_KEY="of-another-account"
    ),
} | {
    f"{what} `~/.aws/{file}`{suffix}": by_command(command.format(f"~/.aws/{file}"))
    for file in ("config", "credentials")
    for what, suffix, command in (
        ("edit", "", "echo '[default]' >> {}"),
        ("delete", "", "rm -f {}"),
        ("move", " away", "mv {0} {0}2"),
        ("replace", " by another file", "echo '[default]' > /tmp/other; mv -f /tmp/other {}"),
    )
}


def test_every_line_of_the_documented_table_is_tried() -> None:
    assert documented().keys() == ATTEMPTS.keys()


@pytest.fixture(scope="module")
def user_notebook(account: Account) -> NotebookInstance:
    """A notebook whose user tries things; no attempt that is prevented leaves a trace."""
    return NotebookInstance(account.emulator, "alpha")


@pytest.mark.xdist_group("limits")
@pytest.mark.parametrize("what", ATTEMPTS)
def test_the_documented_outcome_is_what_happens(account: Account, user_notebook: NotebookInstance, what: str) -> None:
    assert ATTEMPTS[what](account, user_notebook) == documented()[what]
    assert session_name(caller(user_notebook)) == "alpha", "the attempt had a lasting effect"
