"""Real AWS clients, as they are, in a notebook instance: real host names, credentials of the metadata service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from emulator.needs import needs_root as needs_root
from emulator.needs import skip_or_fail
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import BUCKET, create_notebook, make_bucket
from policy_documents import SAGEMAKER_ASSUMES, allow, policy_document

pytestmark = pytest.mark.usefixtures("needs_root")

BASE_SESSION = "arn:aws:sts::{account}:assumed-role/team/SageMaker"
JAVASCRIPT = Path(__file__).parents[1] / "clients" / "js"

BOTO3 = f"""
import boto3, json
objects = boto3.client("s3").list_objects_v2(Bucket="{BUCKET}")["Contents"]
print(json.dumps({{"arn": boto3.client("sts").get_caller_identity()["Arn"], "keys": [each["Key"] for each in objects]}}))
"""

PYARROW = f"""
import json
from pyarrow import fs
files = fs.S3FileSystem(region="us-east-1").get_file_info(fs.FileSelector("{BUCKET}"))
print(json.dumps({{"keys": [each.base_name for each in files]}}))
"""


@pytest.fixture(scope="module")
def notebook(needs_root: None, new_emulator: Callable[..., Emulator]) -> Iterator[NotebookInstance]:
    """A notebook instance with no lifecycle configuration, whose role may read the bucket."""
    with new_emulator(boot=True) as emulator:
        iam = emulator.client("iam")
        role = iam.create_role(RoleName="team", AssumeRolePolicyDocument=policy_document(SAGEMAKER_ASSUMES))
        may = allow(Action=["s3:*", "sts:GetCallerIdentity"], Resource="*")
        iam.put_role_policy(
            RoleName="team",
            PolicyName="s3",
            PolicyDocument=policy_document(may),
        )
        make_bucket(emulator)
        create_notebook(emulator, "my-notebook", role["Role"]["Arn"])
        instance = NotebookInstance(emulator, "my-notebook")
        description = instance.wait()
        assert description["NotebookInstanceStatus"] == "InService", description.get("FailureReason")
        yield instance


def run_cli(notebook: NotebookInstance, program: str) -> dict[str, object]:
    env = {"AWS_DEFAULT_REGION": "us-east-1"}
    arn = notebook.run(
        [program, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"], env=env, check=True
    )
    keys = notebook.run([program, "s3", "ls", f"s3://{BUCKET}"], env=env, check=True)
    return {"arn": arn.stdout.strip(), "keys": [line.split()[-1] for line in keys.stdout.splitlines()]}


def aws_cli_1(notebook: NotebookInstance) -> dict[str, object]:
    return run_cli(notebook, "/usr/local/bin/aws")


def aws_cli_2(notebook: NotebookInstance) -> dict[str, object]:
    if not notebook.exists("/usr/bin/aws"):
        skip_or_fail("AWS CLI v2 isn't installed (Debian's package awscli)")
    return run_cli(notebook, "/usr/bin/aws")


def run_program(notebook: NotebookInstance, *argv: str) -> dict[str, object]:
    done = notebook.run(argv, env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def boto3(notebook: NotebookInstance) -> dict[str, object]:
    return run_program(notebook, notebook.python, "-c", BOTO3)


def javascript(notebook: NotebookInstance) -> dict[str, object]:
    if not (JAVASCRIPT / "node_modules").exists():
        skip_or_fail("the AWS SDK for JavaScript isn't installed (tools/set-up.sh test)")
    return run_program(notebook, "node", str(JAVASCRIPT / "list-bucket.mjs"), BUCKET)


def pyarrow(notebook: NotebookInstance) -> dict[str, object]:
    return run_program(notebook, notebook.python, "-c", PYARROW)


@pytest.mark.parametrize(
    "client", [aws_cli_1, aws_cli_2, boto3, javascript, pyarrow], ids=lambda client: client.__name__
)
def test_a_client_calls_in_the_base_session(
    notebook: NotebookInstance, client: Callable[[NotebookInstance], dict[str, object]]
) -> None:
    answer = client(notebook)
    assert answer["keys"] == ["2026.csv"]
    assert answer.get("arn") in (BASE_SESSION.format(account=notebook.account_id), None)


def test_files_are_copied_both_ways(notebook: NotebookInstance) -> None:
    env = {"AWS_DEFAULT_REGION": "us-east-1"}
    script = f"""
        head -c 20000000 /dev/urandom > ~/large
        aws s3 cp --no-progress ~/large s3://{BUCKET}/copies/large
        aws s3 cp --no-progress s3://{BUCKET}/copies/large ~/large.back
        cmp ~/large ~/large.back
        aws s3 rm --recursive s3://{BUCKET}/copies
        rm ~/large ~/large.back
    """
    notebook.run(["bash", "-e", "-c", script], env=env, check=True)


def test_another_regions_endpoint_is_another_region(notebook: NotebookInstance) -> None:
    program = "import boto3; print(boto3.client('s3', region_name='eu-west-1').create_bucket(Bucket='figures-eu', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})['Location'])"
    assert "figures-eu" in notebook.run([notebook.python, "-c", program], check=True).stdout
    assert notebook.emulator.client("s3").get_bucket_location(Bucket="figures-eu")["LocationConstraint"] == "eu-west-1"


def test_stop_and_start_through_the_api(notebook: NotebookInstance) -> None:
    first = notebook.pid
    notebook.write("/home/ec2-user/SageMaker/kept", "kept")
    notebook.write("/home/ec2-user/lost", "lost")
    assert notebook.stop()["NotebookInstanceStatus"] == "Stopped"
    assert not Path(f"/proc/{first}").exists()
    assert notebook.start()["NotebookInstanceStatus"] == "InService"
    assert notebook.read("/home/ec2-user/SageMaker/kept") == "kept"
    assert not notebook.exists("/home/ec2-user/lost")
