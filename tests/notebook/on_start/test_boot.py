"""From `terraform apply` to the recorded log: every client's call carries the notebook's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from account import Account
from emulator.needs import skip_or_fail
from emulator.network import LAYOUTS, Layout
from emulator.notebook_instance import NotebookInstance
from notebooks import BUCKET
from on_start_script import with_settings
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import CHECKOUT

from .caller import caller, callers_recorded, session_name

SCRIPT = CHECKOUT / "scripts" / "on-start.sh"
LIST_BUCKET = f"import boto3; boto3.client('s3').list_objects_v2(Bucket={BUCKET!r})"


@pytest.mark.parametrize("on", LAYOUTS)
@pytest.mark.parametrize("client", ["aws-cli/1", "aws-cli/2", "boto3", "js"])
def test_each_client_calls_under_the_notebooks_name(
    account: Account, clients_folder: Path, on: Layout, client: str
) -> None:
    notebook = account.notebook("profile", on)
    command: list[str] = {
        "aws-cli/1": ["/usr/local/bin/aws", "s3api", "list-objects-v2", "--bucket", BUCKET],
        "aws-cli/2": ["/usr/bin/aws", "s3api", "list-objects-v2", "--bucket", BUCKET],
        "boto3": [notebook.python, "-c", LIST_BUCKET],
        "js": ["node", str(clients_folder / "js" / "list-bucket.mjs"), BUCKET],
    }[client]
    if client == "aws-cli/2" and not Path("/usr/bin/aws").exists():
        skip_or_fail("AWS CLI v2 isn't installed (Debian's package awscli)")
    seen = len(account.emulator.records())

    notebook.run(command, check=True)

    calls = [
        each for each in account.emulator.records()[seen:] if each["eventName"] in {"ListObjects", "ListObjectsV2"}
    ]
    assert [call["userIdentity"]["arn"] for call in calls] == [account.session_arn("profile", notebook.name)]
    assert client.replace("boto3", "Boto3") in calls[0]["userAgent"] or client == "js"
    assert calls[0]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == account.outputs["profile"]["role_arn"]


def test_the_handshake_is_made_by_the_base_session_and_names_the_notebook(
    account: Account, notebook: NotebookInstance
) -> None:
    caller(notebook)
    handshakes = [
        record
        for record in account.emulator.records()
        if record["eventName"] == "AssumeRole"
        and (record["requestParameters"] or {}).get("roleSessionName") == notebook.name  # a refused one has none
    ]
    assert [each["userIdentity"]["arn"] for each in handshakes] == [account.session_arn("profile", "SageMaker")]
    assert handshakes[0]["requestParameters"]["roleArn"] == account.outputs["profile"]["role_arn"]


def test_the_boot_makes_no_call_of_its_own(account: Account, notebook: NotebookInstance) -> None:
    address = notebook.run(["hostname", "-I"], check=True).stdout.split()[0]
    made = {each["eventSource"] for each in account.emulator.records() if each["sourceIPAddress"] == address}
    assert made == {"logs.amazonaws.com"}, "SageMaker's own, for the script's log"


def test_the_script_is_the_one_that_terraform_put_into_the_api(account: Account, notebook: NotebookInstance) -> None:
    script = NotebookInstance(account.emulator, notebook.name).on_start_script()
    assert script == account.outputs["profile"]["on_start_script"]
    assert script.endswith(SCRIPT.read_text())


def test_a_later_start_loses_the_home_and_sets_attribution_up_again(notebook: NotebookInstance) -> None:
    notebook.run(["sh", "-c", "echo kept > ~/SageMaker/kept; echo lost > ~/lost"], check=True)
    notebook.stop()
    notebook.start()
    assert notebook.run(["sh", "-c", "cat ~/SageMaker/kept; cat ~/lost"]).stdout == "kept\n"
    assert session_name(caller(notebook)) == notebook.name


def test_the_script_runs_again_in_the_same_home(notebook: NotebookInstance) -> None:
    done = notebook.run_on_start()
    assert done.returncode == 0, done.stderr
    assert session_name(caller(notebook)) == notebook.name


def test_kernels_get_what_makes_other_clients_follow_the_config(notebook: NotebookInstance) -> None:
    environment = notebook.run(["bash", "-lc", "env"], check=True).stdout.splitlines()
    assert {"AWS_SDK_LOAD_CONFIG=1", "USE_SHORT_LIVED_CREDENTIALS=1"} <= set(environment)


def test_clients_can_write_their_caches(notebook: NotebookInstance) -> None:
    for cache in ("cli/cache", "sso/cache", "login/cache", "boto/cache"):
        notebook.run(["sh", "-c", f"echo x > ~/.aws/{cache}/x"], check=True)


def test_config_credentials_and_directory_are_each_locked(notebook: NotebookInstance) -> None:
    listed = notebook.root("cd ~ec2-user && lsattr -d .aws .aws/config .aws/credentials").stdout.splitlines()
    assert [("i" in line.split()[0], line.split()[1]) for line in listed] == [
        (True, ".aws"),
        (True, ".aws/config"),
        (True, ".aws/credentials"),
    ]


def test_the_config_of_another_user_of_the_machine_is_left_alone(notebook: NotebookInstance) -> None:
    assert notebook.root("ls -A /root/.aws").returncode != 0


def test_pasted_by_hand_the_script_asks_for_its_role(account: Account, bare_notebook: NotebookInstance) -> None:
    done = bare_notebook.run_on_start(script=SCRIPT.read_text())
    assert done.returncode == 0, done.stderr
    assert f"role_arn = {account.outputs['profile']['role_arn']}\n" in bare_notebook.read("/home/ec2-user/.aws/config")
    assert session_name(caller(bare_notebook)) == bare_notebook.name
    assert account.session_arn("profile", "SageMaker") in callers_recorded(
        account.emulator.records(), "DescribeNotebookInstance"
    )


@pytest.fixture
def recipes_role(account: Account) -> Any:
    """The role of the published recipe as older copies have it: it may assume itself, and doesn't trust itself."""
    iam = account.emulator.client("iam")
    role = iam.create_role(RoleName="recipe", AssumeRolePolicyDocument=policy_document(SAGEMAKER_ASSUMES))["Role"]
    allow = {"Effect": "Allow", "Action": ["sts:AssumeRole", "s3:ListBucket"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="recipe",
        PolicyName="recipe",
        PolicyDocument=policy_document(allow),
    )
    yield role
    iam.delete_role_policy(RoleName="recipe", PolicyName="recipe")
    iam.delete_role(RoleName="recipe")


def test_under_the_published_recipe_without_self_trust_the_first_call_is_refused(
    account: Account, recipes_role: dict[str, Any], new_notebook: Callable[..., NotebookInstance]
) -> None:
    notebook = new_notebook(RoleArn=recipes_role["Arn"])
    script = account.outputs["profile"]["on_start_script"].replace(
        account.outputs["profile"]["role_arn"], recipes_role["Arn"]
    )
    assert notebook.run_on_start(script=script).returncode == 0
    seen = len(account.emulator.records())

    said = caller(notebook)

    assert "AccessDenied" in said
    assert "is not authorized to perform: sts:AssumeRole" in said
    (refusal,) = [each for each in account.emulator.records()[seen:] if each.get("errorCode") == "AccessDenied"]
    assert refusal["eventName"] == "AssumeRole"
    assert refusal["userIdentity"]["arn"].endswith(":assumed-role/recipe/SageMaker")


def test_the_owners_script_runs_afterwards_as_root_in_bash(account: Account, bare_notebook: NotebookInstance) -> None:
    extra = "whoami > /tmp/extra; [[ -f /home/ec2-user/.aws/config ]] && echo $0 >> /tmp/extra"
    done = bare_notebook.run_on_start(
        script=with_settings(account.outputs["profile"]["on_start_script"], EXTRA_ON_START=extra)
    )
    assert done.returncode == 0, done.stderr
    assert bare_notebook.read("/tmp/extra").splitlines()[0] == "root"
    assert len(bare_notebook.read("/tmp/extra").splitlines()) == 2


def test_the_owners_script_may_be_in_another_language(account: Account, bare_notebook: NotebookInstance) -> None:
    extra = '#!/usr/bin/python3\nopen("/tmp/extra", "w").write("python")'
    done = bare_notebook.run_on_start(
        script=with_settings(account.outputs["profile"]["on_start_script"], EXTRA_ON_START=extra)
    )
    assert done.returncode == 0, done.stderr
    assert bare_notebook.read("/tmp/extra") == "python"


def test_when_the_owners_script_fails_the_start_fails(account: Account, bare_notebook: NotebookInstance) -> None:
    done = bare_notebook.run_on_start(
        script=with_settings(account.outputs["profile"]["on_start_script"], EXTRA_ON_START="exit 7")
    )
    assert done.returncode == 1
    assert "the extra script ended with status 7. Repair: mend extra_on_start (" in done.stderr
    assert session_name(caller(bare_notebook)) == bare_notebook.name
