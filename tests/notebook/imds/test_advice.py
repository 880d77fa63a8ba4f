"""What docs/operations.md advises for scripts that run as root, followed on notebook instances: whose calls CloudTrail has."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from account import Account
from calls import write_calls
from emulator.filesystem import ca_environment
from emulator.notebook_instance import NotebookInstance
from notebooks import BUCKET, OwnNotebook
from on_start_script import with_settings
from policy_documents import policy_document
from waiting import until
from workspace import CHECKOUT, Workspace

OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text()
# The settings by which root calls in the notebook session, by mode, as the document has them.
AS_THE_NOTEBOOK = dict(re.findall(r"^\| `(profile|imds)` \| `(\S+)` \|$", OPERATIONS, re.MULTILINE))
ALLOWED = re.findall(r'^ +"([a-z]+:\w+)",$', OPERATIONS.partition("unattributed_allowed_actions = [")[2], re.MULTILINE)

# What AWS's sample auto-stop-idle calls, of the instance that it runs on.
AUTO_STOP = """
import boto3, json
name = json.load(open("/opt/ml/metadata/resource-metadata.json"))["ResourceName"]
sagemaker = boto3.client("sagemaker")
sagemaker.describe_notebook_instance(NotebookInstanceName=name)
sagemaker.stop_notebook_instance(NotebookInstanceName=name)
"""


@pytest.fixture(scope="module")
def calls(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account, with a call of the module in each mode that lets the base session do what the document lists."""
    folder = tmp_path_factory.mktemp("advice")
    calls: dict[str, Any] = {
        f"allowing-{mode}": {
            "name": f"allowing-{mode}",
            "attribution_mode": mode,
            "deny_unattributed_calls": True,
            "outside_notebooks_are_attributed": True,
            "unattributed_allowed_actions": ALLOWED,
            "additional_session_names": ["test-*"],
        }
        for mode in AS_THE_NOTEBOOK
    }
    root = write_calls(folder, calls, outputs=None)
    workspace = Workspace(folder, root=root, environment=account.emulator.environment())
    assert workspace.apply().errors == []
    both = Account(account.emulator, {**account.outputs, **workspace.outputs()})
    iam = account.emulator.client("iam")
    statement = {"Effect": "Allow", "Action": "sagemaker:StopNotebookInstance", "Resource": "*"}
    policy = policy_document(statement)
    roles = [outputs["role_name"] for outputs in both.outputs.values()]
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName="stop", PolicyDocument=policy)
    yield both
    for role in roles:
        iam.delete_role_policy(RoleName=role, PolicyName="stop")
    workspace.destroy()


ON_CREATE = f"#!/bin/bash\naws s3 ls s3://{BUCKET} --region us-east-1 || true\n"


@dataclass(frozen=True)
class Booted:
    """A notebook instance with both scripts, the call of the module that its role is of, and what its first boot called."""

    notebook: NotebookInstance
    call: str
    outputs: dict[str, Any]
    first_boot: list[dict[str, Any]]


@pytest.fixture(scope="module")
def booted(calls: Account) -> Iterator[Callable[[str], Booted]]:
    """The notebook instance of a call of the module, for all tests; the last of them stops it."""
    sagemaker, made = calls.emulator.client("sagemaker"), dict[str, Booted]()
    with calls.notebooks_of("imds") as create:

        def boot(call: str) -> Booted:
            if call not in made:
                given, name = calls.outputs[call], f"on-create-{call}"
                hooks = {"OnCreate": ON_CREATE, "OnStart": given["on_start_script"]}
                sagemaker.create_notebook_instance_lifecycle_config(
                    NotebookInstanceLifecycleConfigName=name,
                    **{hook: [{"Content": base64.b64encode(text.encode()).decode()}] for hook, text in hooks.items()},
                )
                seen = len(calls.emulator.records())
                notebook = create(RoleArn=given["role_arn"], LifecycleConfigName=name)
                made[call] = Booted(notebook, call, given, calls.records_since(seen))
            return made[call]

        yield boot


def by_cron(notebook: NotebookInstance, line: str, user: str = "root") -> None:
    """Run a line of a user's crontab as cron does: with next to nothing in the environment."""
    home = "/root" if user == "root" else f"/home/{user}"
    given = {"HOME": home, "LOGNAME": user, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", **ca_environment()}
    notebook.run(["env", "-i", *(f"{name}={value}" for name, value in given.items()), "/bin/sh", "-c", line], user=user)


def s3_callers(records: list[dict[str, Any]]) -> set[str]:
    """Return the names of the sessions that called S3."""
    calls = [each for each in records if each["eventSource"] == "s3.amazonaws.com"]
    return {each["userIdentity"]["arn"].rpartition("/")[2] for each in calls}


CALLS = ("profile", "imds", "enforced-profile", "enforced-imds")


@pytest.mark.parametrize("call", CALLS)
def test_on_create_calls_in_the_base_session(calls: Account, booted: Callable[[str], Booted], call: str) -> None:
    (listing,) = [each for each in booted(call).first_boot if each["eventSource"] == "s3.amazonaws.com"]
    assert listing["userIdentity"]["arn"] == calls.session_arn(call, "SageMaker")
    assert listing.get("errorCode") == ("AccessDenied" if call.startswith("enforced") else None)


@pytest.mark.parametrize("call", CALLS)
def test_what_root_runs_as_ec2_user_calls_in_the_notebook_session(
    calls: Account, booted: Callable[[str], Booted], call: str
) -> None:
    notebook = booted(call).notebook
    client = f"{shlex.quote(notebook.python)} -c \"import boto3; print(boto3.client('sts', 'us-east-1').get_caller_identity()['Arn'])\""
    said = notebook.root(f"runuser -u ec2-user -- {client}").stdout.strip()
    assert said == calls.session_arn(call, notebook.name)


FETCH = f"aws s3 cp s3://{BUCKET}/setup.sh - --region us-east-1 | bash"


@pytest.mark.parametrize("call", CALLS)
def test_the_rest_of_the_owners_script_comes_from_s3(
    calls: Account, booted: Callable[[str], Booted], call: str
) -> None:
    """With the setting that the error message names, in the notebook session; without it, not under enforcement."""
    calls.emulator.client("s3").put_object(Bucket=BUCKET, Key="setup.sh", Body=b"id --user --name >/run/whom\n")
    notebook, script = booted(call).notebook, booted(call).outputs["on_start_script"]
    export = f"export {AS_THE_NOTEBOOK[call.rpartition('-')[2]]}"

    def callers(extra: str, status: int) -> set[str]:
        seen = len(calls.emulator.records())
        extra = f"set -eo pipefail\n{extra}"
        done = notebook.run_on_start(script=with_settings(script, EXTRA_ON_START=extra))
        assert done.returncode == status, done.stderr
        return s3_callers(calls.records_since(seen))

    assert callers(FETCH, 1 if call.startswith("enforced") else 0) == {"SageMaker"}
    notebook.root("rm -f /run/whom")
    assert callers(f"{export}\n{FETCH}", 0) == {notebook.name}
    assert notebook.read("/run/whom") == "root\n"


# By call of the module, what becomes of the sample's calls: as it stands, in root's crontab.
AS_IT_STANDS = {
    "profile": "unattributed",
    "imds": "unattributed",
    "enforced-profile": "refused",
    "enforced-imds": "refused",
    "allowing-profile": "unattributed",
    "allowing-imds": "unattributed",
}


@pytest.mark.parametrize("call", AS_IT_STANDS)
def test_auto_stop(calls: Account, booted: Callable[[str], Booted], call: str) -> None:
    notebook = booted(call).notebook
    mode = call.rpartition("-")[2]

    def outcome(line: str, user: str = "root") -> str:
        """Run the line; return whose calls were made, and see that they stopped the instance, or were refused."""
        if notebook.status == "Stopped":
            notebook.start()
        notebook.write("/autostop.py", AUTO_STOP, owner="root")
        seen = len(calls.emulator.records())
        by_cron(notebook, line, user)
        notebook.wait()
        made = [each for each in calls.records_since(seen) if each["eventSource"] == "sagemaker.amazonaws.com"]
        (caller,) = {each["userIdentity"]["arn"].rpartition("/")[2] for each in made}
        refused = [each.get("errorCode", "").startswith("AccessDenied") for each in made]
        if any(refused):
            assert (refused, notebook.status, caller) == ([True], "InService", "SageMaker")
            return "refused"
        assert ([each["eventName"] for each in made], notebook.status) == (["DescribeNotebookInstance", "StopNotebookInstance"], "Stopped")  # fmt: skip
        return {"SageMaker": "unattributed", notebook.name: "attributed"}[caller]

    line = f"AWS_DEFAULT_REGION=us-east-1 {shlex.quote(notebook.python)} /autostop.py"
    assert outcome(line) == AS_IT_STANDS[call]
    if call.startswith("enforced"):  # where nothing else would do
        assert outcome(f"{AS_THE_NOTEBOOK[mode]} {line}") == "attributed"
        assert outcome(line, user="ec2-user") == "attributed"


def test_a_presigned_url_ends_with_the_session_that_signed_it(bare_notebook: OwnNotebook) -> None:
    script = bare_notebook.script.replace('DurationSeconds="3600"', 'DurationSeconds="8"')
    assert bare_notebook.run_on_start(script=script).returncode == 0
    program = f"""
import boto3, botocore.config
s3 = boto3.client("s3", config=botocore.config.Config(signature_version="s3v4"))
print(s3.generate_presigned_url("get_object", dict(Bucket={BUCKET!r}, Key="2026.csv"), ExpiresIn=3600))
"""
    url = bare_notebook.run([bare_notebook.python, "-c", program], check=True).stdout.strip()
    fetch = ["curl", "--silent", "--fail-with-body", url]
    assert "figure" in bare_notebook.run(fetch, check=True).stdout

    def refused() -> str | None:
        done = bare_notebook.run(fetch)
        return done.stdout if done.returncode == 22 else None

    assert "ExpiredToken" in until(refused, seconds=30, every=0.5)


@pytest.mark.parametrize(
    "line",
    [
        "chown -R ec2-user: /home/ec2-user",
        "chmod -R u+rwX,g= /home/ec2-user/.aws",
        "printf '[profile other]\\n' >>/home/ec2-user/.aws/config",
    ],
)
def test_in_profile_mode_the_config_is_locked_for_root_too(account: Account, line: str) -> None:
    done = account.notebook("profile").root(line)
    assert done.returncode == 1
    assert "Operation not permitted" in done.stderr
