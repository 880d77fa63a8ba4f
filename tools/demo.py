"""The whole path once, on an emulated account: which notebook made which call, before the module and with it.

Run as `python tools/demo.py` by `make demo`, as root. All of it stays below .cache/demo in the clone, and is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator, StartError
from interruption import interrupt_on_signals
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import CHECKOUT, TerraformError, ToolMissingError, Workspace

FOLDER = CHECKOUT / ".cache" / "demo"
BUCKET = "quarterly-figures"
S3_READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"

# What each notebook's user does, with the AWS CLI and with boto3.
CLI = [["aws", "sts", "get-caller-identity"], ["aws", "s3", "ls", f"s3://{BUCKET}"]]
BOTO3 = f"import boto3; boto3.client('s3').get_object(Bucket={BUCKET!r}, Key='2026.csv')"


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what goes on, and how long it took."""
    print(f"  {text} … ", end="", flush=True)
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:.1f} s", flush=True)


def work_in(notebook: NotebookInstance) -> None:
    """Make the same calls as in every other notebook, as ec2-user."""
    for command in CLI:
        notebook.run(command, check=True)
    notebook.run([notebook.python, "-c", BOTO3], check=True)


def ask_which_notebook(emulator: Emulator, role: str) -> None:
    """Let the command answer from the recorded log: which notebook made which call."""
    emulator.flush()
    log = str(emulator.cloudtrail_folder.relative_to(CHECKOUT))
    print(run("summary", log, "--role", role), end="")
    print("\n  Who read the bucket, by the records' userIdentity.arn:", flush=True)
    for arn in sorted({arn for arn in callers(emulator) if f":assumed-role/{role}/" in arn}):
        print(f"    {arn}")
    print(flush=True)


def run(*arguments: str) -> str:
    """Run the command, show its line as a user would write it, and return its answer."""
    print(f"\n  $ which-notebook {' '.join(arguments)}\n", flush=True)
    program = [str(Path(sys.executable).with_name("which-notebook")), *arguments, "--format", "table", "--no-cache"]
    return subprocess.run(program, check=True, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True).stdout


def ask_which_it_likely_was(emulator: Emulator, role: str) -> None:
    """Let the command say which notebook it likely was, and of one call how it knows."""
    print(
        "  The session's name tells nothing. What its calls give away tells which notebook it likely was:", flush=True
    )
    log = str(emulator.cloudtrail_folder.relative_to(CHECKOUT))
    print(run("summary", log, "--role", role, "--likely"))
    reads = [each for each in emulator.records() if each["eventName"] == "GetObject"]
    print("  How it knows, of the first read of the bucket (a part of the answer):", flush=True)
    answer = run("event", reads[0]["eventID"], log, "--role", role, "--likely")
    _, heading, rest = answer.partition("Which notebook instance it likely was:\n")
    print(textwrap.indent(heading + rest.partition("\n\n")[0], "  "), end="\n\n", flush=True)


def callers(emulator: Emulator) -> list[str]:
    """Return the ARNs of those who read an object, as recorded."""
    return [each["userIdentity"].get("arn", "") for each in emulator.records() if each["eventName"] == "GetObject"]


def before(emulator: Emulator) -> None:
    """Two notebook instances that share a role, as SageMaker sets them up."""
    iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker")
    role = iam.create_role(
        RoleName="AmazonSageMaker-ExecutionRole",
        AssumeRolePolicyDocument=policy_document(SAGEMAKER_ASSUMES),
    )["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=S3_READ_ONLY)
    names = ["fraud-model-today", "churn-model-today"]
    with step("two notebook instances without the module, booted"):
        for name in names:
            sagemaker.create_notebook_instance(
                NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role["Arn"]
            )
        notebooks = [NotebookInstance(emulator, name) for name in names]
        for notebook in notebooks:
            notebook.wait()
    with step("the same calls from each, with the AWS CLI and boto3"):
        for notebook in notebooks:
            work_in(notebook)
    ask_which_notebook(emulator, role["RoleName"])
    ask_which_it_likely_was(emulator, role["RoleName"])


def after(emulator: Emulator) -> None:
    """The module's basic example: two notebook instances that share a role, told apart."""
    with step("terraform init"):
        workspace = Workspace(FOLDER / "module", root="examples/basic", environment=emulator.environment())
    with step("terraform apply of examples/basic: the role, its policies, two notebook instances, booted"):
        outcome = workspace.apply()
        if outcome.errors:
            raise TerraformError("terraform apply failed:\n" + "\n".join(outcome.errors))
    session_arns = workspace.outputs()["session_arns"]
    with step("the same calls from each"):
        for name in session_arns:
            work_in(NotebookInstance(emulator, name))
    ask_which_notebook(emulator, "data-science-execution")


def main() -> int:
    """Run the demo; return its exit status."""
    if os.geteuid() != 0:
        print("demo: the emulated notebook instances need root (namespaces): run sudo make demo", file=sys.stderr)
        return 1
    interrupt_on_signals()
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        with Emulator(FOLDER / "emulator", boot=True) as emulator:
            s3 = emulator.client("s3")
            s3.create_bucket(Bucket=BUCKET)
            s3.put_object(Bucket=BUCKET, Key="2026.csv", Body=b"quarter,figure\n1,42\n")
            print("\nBefore: the role is shared, and so is its session.\n")
            before(emulator)
            print("With the module: the role is shared, and each notebook has a session of its own.\n")
            after(emulator)
            print(
                "The unattributed calls are SageMaker's own, as emulated: it writes the log of a start in the base session. "
                "Some failed because the log group was there already.\n"
            )
        print(
            "All of this came from the recorded CloudTrail log of an emulated account; nothing is left of it. "
            "`make sandbox` keeps such an account up, and its log for questions of your own."
        )
    except (ToolMissingError, TerraformError, StartError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything that it started is stopped", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
