"""Further profiles on booted notebook instances, in both modes: in whose name AWS CLI and boto3 call in them.

And what common lines of an owner's script do in profile mode, where ~/.aws is locked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from account import MODES, Account
from emulator.needs import skip_or_fail
from emulator.notebook_instance import NotebookInstance
from notebooks import BUCKET, OwnNotebook
from on_start_script import unpacked, with_settings
from policy_documents import allow, policy_document
from rendered_scripts import rendered

READER = "arn:aws:iam::111122223333:role/reader"
PROFILES = {
    "reader": {"role_arn": READER, "region": "eu-west-1", "output": "json", "duration_seconds": "900"},
    "europe": {"region": "eu-west-1"},
    "plain": {},
}


@pytest.fixture(scope="module")
def scripts(account: Account, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The script of each mode with these profiles, for the roles that are in the account."""
    inputs = {mode: {"name": mode, "attribution_mode": mode, "profiles": PROFILES} for mode in MODES}
    return {
        mode: script if script.startswith("#!/bin/bash\nROLE") else f"#!/bin/bash\n{unpacked(script)}"
        for mode, script in rendered(account.emulator, tmp_path_factory.mktemp("profiles"), inputs).items()
    }


@pytest.fixture(scope="module")
def reader(account: Account) -> Iterator[None]:
    """A role that reads from S3, which the notebooks of both modes may assume."""
    iam = account.emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]

    roles = [account.outputs[mode]["role_arn"] for mode in MODES]
    iam.create_role(
        RoleName="reader", AssumeRolePolicyDocument=policy_document(allow(Principal={"AWS": roles}, Action=actions))
    )
    iam.put_role_policy(
        RoleName="reader",
        PolicyName="read",
        PolicyDocument=policy_document(allow(Action="s3:ListBucket", Resource="*")),
    )
    names = [account.outputs[mode]["role_name"] for mode in MODES]
    for name in names:
        iam.put_role_policy(
            RoleName=name, PolicyName="reader", PolicyDocument=policy_document(allow(Action=actions, Resource=READER))
        )
    yield
    for name in names:
        iam.delete_role_policy(RoleName=name, PolicyName="reader")
    iam.delete_role_policy(RoleName="reader", PolicyName="read")
    iam.delete_role(RoleName="reader")


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def notebook(account: Account, scripts: dict[str, str], mode: str) -> Iterator[OwnNotebook]:
    """A notebook instance of each mode, with the profiles; no test here changes it but the last."""
    with account.notebooks_of(mode) as create:
        notebook = create()
        done = notebook.run_on_start(script=scripts[mode])
        assert done.returncode == 0, done.stderr
        yield notebook


def commands(notebook: NotebookInstance, profile: str) -> dict[str, list[str]]:
    lines = f"import boto3; boto3.Session(profile_name={profile!r}).client('s3').list_objects_v2(Bucket={BUCKET!r})"
    listing = ["s3api", "list-objects-v2", "--bucket", BUCKET, "--profile", profile]
    return {
        "boto3": [notebook.python, "-c", lines],
        "aws-cli/1": ["/usr/local/bin/aws", *listing],
        "aws-cli/2": ["/usr/bin/aws", *listing],
    }


def callers_of(account: Account, notebook: NotebookInstance, profile: str) -> set[str]:
    """Read from S3 with each client in a profile; return the ARNs of the callers recorded for it."""
    seen = len(account.emulator.records())
    for name, command in commands(notebook, profile).items():
        if name == "aws-cli/2" and not notebook.exists("/usr/bin/aws"):
            skip_or_fail("AWS CLI v2 isn't installed (Debian's package awscli)")
        notebook.run(command, check=True)
    listings = [each for each in account.records_since(seen) if each["eventSource"] == "s3.amazonaws.com"]
    assert len(listings) == 3
    return {each["userIdentity"]["arn"] for each in listings}


def test_a_profile_with_a_role_calls_in_that_role_under_the_notebooks_name(
    account: Account, reader: None, notebook: OwnNotebook, mode: str
) -> None:
    seen = len(account.emulator.records())
    session = f"arn:aws:sts::{account.emulator.account_id}:assumed-role/reader/{notebook.name}"
    assert callers_of(account, notebook, "reader") == {session}
    openings = [
        each["userIdentity"]["arn"]
        for each in account.records_since(seen)
        if each["eventName"] == "AssumeRole" and (each["requestParameters"] or {}).get("roleArn") == READER
    ]
    assert set(openings) == {account.session_arn(mode, notebook.name)}


@pytest.mark.parametrize("profile", ["europe", "plain"])
def test_a_profile_without_a_role_calls_in_the_notebook_session(
    account: Account, notebook: OwnNotebook, mode: str, profile: str
) -> None:
    assert callers_of(account, notebook, profile) == {account.session_arn(mode, notebook.name)}
    lines = f"import boto3; print(boto3.Session(profile_name={profile!r}).region_name)"
    region = PROFILES[profile].get("region", account.emulator.region)
    assert notebook.run([notebook.python, "-c", lines], check=True).stdout.strip() == region


def test_the_default_profile_is_as_without_them(account: Account, notebook: OwnNotebook, mode: str) -> None:
    lines = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    assert notebook.run([notebook.python, "-c", lines], check=True).stdout.strip() == account.session_arn(
        mode, notebook.name
    )


# An owner's script, in profile mode

APPEND = r"""#!/bin/bash
set -e
runuser -l ec2-user -c 'printf "\n[profile other]\nrole_arn = arn:aws:iam::444455556666:role/reader\n" >> ~/.aws/config'
"""


@pytest.mark.parametrize(
    "extra",
    [
        APPEND,
        "printf x >> /home/ec2-user/.aws/config",
        "chown -R ec2-user:ec2-user /home/ec2-user",
        "#!/bin/sh\nchmod -R u+w /home/ec2-user",
        "rm -rf /home/ec2-user/.aws",
    ],
)
def test_a_script_that_fails_is_told_what_is_locked_and_what_to_do(
    account: Account, new_notebook: Callable[..., OwnNotebook], extra: str
) -> None:
    notebook = new_notebook(RoleArn=account.outputs["profile"]["role_arn"])
    script = with_settings(account.outputs["profile"]["on_start_script"], EXTRA_ON_START=extra.replace("'", "'\\''"))
    done = notebook.run_on_start(script=script)
    assert done.returncode == 1, done.stdout
    *_, line = done.stderr.splitlines()
    assert "the extra script ended with status 1. Repair: mend extra_on_start (" in line
    for text in ("~/.aws with its config and credentials is locked", "chown -R and chmod -R", "the input profiles"):
        assert text in line


@pytest.mark.parametrize("mode", ["profile"], indirect=True)
def test_a_user_can_add_a_service_model(notebook: OwnNotebook) -> None:
    model = {
        "version": "2.0",
        "metadata": {
            "apiVersion": "2026-01-01",
            "endpointPrefix": "own",
            "protocol": "json",
            "jsonVersion": "1.1",
            "serviceFullName": "Own",
            "serviceId": "Own",
            "signatureVersion": "v4",
        },
        "operations": {},
        "shapes": {},
    }
    added = [
        "/usr/local/bin/aws",
        "configure",
        "add-model",
        "--service-name",
        "own",
        "--service-model",
        json.dumps(model),
    ]
    notebook.run(added, check=True)
    lines = "import boto3; print('own' in boto3.Session().get_available_services())"
    assert notebook.run([notebook.python, "-c", lines], check=True).stdout.strip() == "True"
