"""Of which unattributed calls `--likely` says the notebook instance, and whether it is right: by what only the emulator knows.

The emulator makes the calls that notebook instances make by themselves as far as they are read of; whether AWS's are the
same, no test here can show.
"""

from __future__ import annotations

import json
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from account import Account
from document_table import WRITE, Cells, Table
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import BUCKET, RECIPE, OwnNotebook, own_notebooks
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import CHECKOUT

from which_notebook.cli import main

DOCUMENT = CHECKOUT / "docs" / "before-the-module.md"
KINDS = ("handshake", "log-stream", "names-itself", "address")

READ = f"import boto3; boto3.client('s3').get_object(Bucket={BUCKET!r}, Key='2026.csv')"
# As `get_execution_role()` of the SageMaker SDK asks for its role, and the auto-stop script of AWS's samples stops its machine:
# both read their own name from the instance's metadata file.
NAME = "json.load(open('/opt/ml/metadata/resource-metadata.json'))['ResourceName']"
SDK = f"import boto3, json; boto3.client('sagemaker').describe_notebook_instance(NotebookInstanceName={NAME})"
AUTO_STOP = f"import boto3, json; boto3.client('sagemaker').stop_notebook_instance(NotebookInstanceName={NAME})"
# A kernel holds its credentials for as long as they are valid, while what is started later gets new ones.
KERNEL = f"""
import boto3, pathlib, time
s3 = boto3.client("s3")
for cell in ("first", "second"):
    while not pathlib.Path("/tmp/run-" + cell).exists():
        time.sleep(0.1)
    s3.get_object(Bucket={BUCKET!r}, Key="2026.csv")
    pathlib.Path("/tmp/ran-" + cell).touch()
"""
# What profile mode and the recipe don't reach: a client that asks the metadata service for its credentials.
PAST_THE_PROFILE = {"AWS_CONFIG_FILE": "/dev/null"}

LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
SAGEMAKER = ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"]


class Setting:
    """Notebook instances that share a role, and who is who."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.truth: dict[str, str] = {}

    def note(self, notebook: NotebookInstance) -> None:
        """Take down which access keys the instance has had, from what only the emulator knows."""
        self.truth |= dict.fromkeys(notebook.access_keys, notebook.name)


@pytest.fixture(scope="module")
def new(account: Account) -> Iterator[Callable[..., OwnNotebook]]:
    """Create notebook instances of this module's own."""
    with own_notebooks(account.emulator) as create:
        yield create


@pytest.fixture(scope="module")
def settings(account: Account, new: Callable[..., OwnNotebook]) -> dict[str, Setting]:
    """Let notebook instances work, before the module and with it, and return what is true of each group by its title."""
    return {
        "without the module": _without(account.emulator, new, "may-log", [*LOGS, *SAGEMAKER]),
        "without the module, and the role may neither write logs nor ask SageMaker": _without(
            account.emulator, new, "may-not", []
        ),
        "with the recipe done by hand: what the configuration doesn't reach": _with_recipe(account.emulator, new),
        "with the module in profile mode: what the configuration doesn't reach": _in_profile_mode(account, new),
    }


def _role(emulator: Emulator, name: str, actions: list[str], *trusted: dict[str, Any]) -> str:
    iam = emulator.client("iam")
    trust = policy_document(SAGEMAKER_ASSUMES, *trusted)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = {"Effect": "Allow", "Action": ["s3:GetObject", *actions], "Resource": "*"}
    policy = policy_document(may)
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy)
    return arn


def _without(emulator: Emulator, new: Callable[..., OwnNotebook], role: str, actions: list[str]) -> Setting:
    """Three on one role: one with the SDK, one that stops itself and is started again, one whose keys change."""
    setting = Setting(role)
    arn = _role(emulator, role, actions)
    with_sdk, stops, renews = (new(arn, name=f"{role}-{name}") for name in ("sdk", "stops", "renews"))
    for notebook in (with_sdk, stops, renews):
        _read(notebook)
    region = {"AWS_DEFAULT_REGION": emulator.region}  # as the image's configuration has it
    with_sdk.run([with_sdk.python, "-c", SDK], env=region)
    stops.run([stops.python, "-c", AUTO_STOP], user="root", env=region)
    if stops.wait()["NotebookInstanceStatus"] == "InService":  # the role may not stop it
        stops.stop()
    stops.start()
    renews.write("/tmp/kernel.py", KERNEL)
    renews.run(["bash", "-c", f"setsid {shlex.quote(renews.python)} /tmp/kernel.py >/tmp/kernel.log 2>&1 </dev/null &"])
    _run_cell(renews, "first")
    renews.renew_base_session()
    for notebook in (with_sdk, stops, renews):
        _read(notebook)
    _run_cell(renews, "second")
    for notebook in (with_sdk, stops, renews):
        setting.note(notebook)
    return setting


def _run_cell(notebook: OwnNotebook, cell: str) -> None:
    wait = f"touch /tmp/run-{cell}; until test -e /tmp/ran-{cell}; do sleep 0.1; done"
    notebook.run(["bash", "-c", wait], check=True)


def _with_recipe(emulator: Emulator, new: Callable[..., OwnNotebook]) -> Setting:
    setting = Setting("recipe-by-hand")
    anybody = {"AWS": f"arn:aws:iam::{emulator.account_id}:root"}
    itself = {"Effect": "Allow", "Principal": anybody, "Action": "sts:AssumeRole"}
    arn = _role(emulator, setting.role, ["sts:AssumeRole", "sagemaker:DescribeNotebookInstance"], itself)
    for name, goes_on in (("recipe-one", True), ("recipe-two", False)):
        notebook = new(arn, name=name, script=RECIPE)
        assert notebook.run_on_start().returncode == 0
        _work_past_the_profile(notebook, goes_on=goes_on)
        setting.note(notebook)
    return setting


def _in_profile_mode(account: Account, new: Callable[..., OwnNotebook]) -> Setting:
    made = account.outputs["profile"]
    setting = Setting(made["role_name"])
    for name, goes_on in (("test-profile-one", True), ("test-profile-two", False)):
        notebook = new(made["role_arn"], name=name, LifecycleConfigName=made["lifecycle_configuration_name"])
        _work_past_the_profile(notebook, goes_on=goes_on)
        setting.note(notebook)
    return setting


def _work_past_the_profile(notebook: OwnNotebook, *, goes_on: bool) -> None:
    """Call with the profile and past it, with old keys and with new; `goes_on`: at the end once more with the profile."""
    _read(notebook)
    _read(notebook, PAST_THE_PROFILE)
    notebook.renew_base_session()
    _read(notebook, PAST_THE_PROFILE)
    if goes_on:
        _read(notebook)


def _read(notebook: OwnNotebook, env: Mapping[str, str] | None = None) -> None:
    # A record's time has no fractions, and whether two calls share a second is chance.
    time.sleep(1.1)
    notebook.run([notebook.python, "-c", READ], env=env, check=True)


@pytest.fixture(scope="module")
def calls(
    account: Account, settings: dict[str, Setting], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """The unattributed calls of each group's instances, as the command gives them with `--likely`."""
    account.emulator.flush()
    found, answer = {}, tmp_path_factory.mktemp("calls") / "calls.jsonl"
    for title, setting in settings.items():
        command = ["calls", str(account.emulator.cloudtrail_folder), "--role", setting.role, "--likely"]
        assert main([*command, "--format", "jsonl", "--no-cache", "--jobs", "1", "--output", str(answer)]) == 0
        every = [json.loads(line) for line in answer.read_text().splitlines()]
        found[title] = [
            call for call in every if call["status"] == "unattributed" and call["access_key_id"] in setting.truth
        ]
    return found


def test_whoever_is_named_it_was(settings: dict[str, Setting], calls: dict[str, list[dict[str, Any]]]) -> None:
    """Precision is 1 where nobody cheats."""
    wrong = [
        (title, call["event_name"], call["likely_notebook"], setting.truth[call["access_key_id"]])
        for title, setting in settings.items()
        for call in calls[title]
        if call["likely_notebook"] not in (None, setting.truth[call["access_key_id"]])
    ]
    assert wrong == []


def test_the_documented_recall_is_what_was_counted(
    settings: dict[str, Setting], calls: dict[str, list[dict[str, Any]]]
) -> None:
    table = Table(DOCUMENT, "Notebook instances")
    counted = {title: _row(calls[title]) for title in settings}
    if WRITE:
        table.write(counted)
    assert table.documented() == counted


def _row(calls: list[dict[str, Any]]) -> Cells:
    """Return how many calls there were, of how many something is likely, and by which kinds."""
    named = [call for call in calls if call["likely_notebook"]]
    by_kind = Counter(kind for call in named for kind in call["likely_evidence"].split())
    return (str(len(calls)), str(len(named)), *(str(by_kind[kind]) for kind in KINDS))
