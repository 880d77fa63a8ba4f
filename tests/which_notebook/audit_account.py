"""The emulated account that the audit is asked about: every notebook instance in it is wrong in its own way, or right.

What Terraform makes is the module's own; the rest is made by hand beside it, mostly with the module's role and script.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import get_session
from calls import write_calls
from emulator.server import Emulator
from rendered_scripts import RECIPE
from workspace import CHECKOUT, Workspace

ACCOUNT, REGION, ELSEWHERE = "111122223333", "eu-west-2", "eu-west-3"

POWERS = {"all": "${aws_iam_policy.powers.arn}"}
# The module's own notebook instances, and the names that its roles know besides: those of the instances made by hand.
MODULES: dict[str, dict[str, Any]] = {
    "profile": {
        "notebook_instances": {"right": {}},
        "additional_session_names": [
            "rooted", "old-metadata", "old-system", "ended-system", "older-script", "extra", "changed", "twin-role", "elsewhere",
        ],
    },
    "imds": {"notebook_instances": {"closed": {}}, "attribution_mode": "imds", "additional_session_names": ["other-mode"]},
    "denying": {"notebook_instances": {"denied": {}}, "deny_unattributed_calls": True},
    "lenient": {
        "notebook_instances": {"lenient": {}},
        "attribution_mode": "imds",
        "allow_start_without_attribution": True,
    },
    # Of a role that may do everything with SageMaker and IAM.
    "guarded": {"notebook_instances": {"guarded": {}}, "attribution_mode": "imds", "role_policy_arns": POWERS},
    "passing": {
        "notebook_instances": {"passing": {}},
        "attribution_mode": "imds",
        "allow_pass_role": True,
        "role_policy_arns": POWERS,
    },
    "powerful": {
        "notebook_instances": {"powerful": {}},
        "attribution_mode": "imds",
        "allow_notebook_instance_changes": True,
        "allow_role_changes": True,
        "role_policy_arns": POWERS,
    },
    "unguarded": {"notebook_instances": {"unguarded": {}}, "role_policy_arns": POWERS},
}  # fmt: skip


@dataclass
class ModuleCall:
    """A call of the module in a configuration that can be edited."""

    workspace: Workspace
    name: str

    @classmethod
    def new(cls, folder: Path, name: str, environment: dict[str, str]) -> ModuleCall:
        """Write a configuration with one call, which puts out what the audit's advice asks for."""
        outputs = {each: {"value": f"${{module.own.{each}}}"} for each in ("role_arn", "lifecycle_configuration_name")}
        root = write_calls(folder / "root", {"own": {"name": name}}, output=outputs)
        return cls(Workspace(folder / "root", root=root, environment=environment), "own")

    def edit(self, advice: str) -> None:
        """Set and remove the arguments that a piece of advice names."""
        path = self.workspace.root / "main.tf.json"
        content = json.loads(path.read_text())
        arguments = content["module"][self.name]
        for name in re.findall(r"remove (\w+) = true", advice):
            del arguments[name]
        advice = re.sub(r"remove \w+ = true", "", advice)
        is_own = "or else in a new one with" in advice and self.name != "own"
        for name, value in re.findall(r'(\w+) = ("[^"]*"|\[[^]]*\]|true|false)', advice):
            if is_own and name in ("create_role", "role_arn"):
                continue  # for a new call
            given = json.loads(value)
            arguments[name] = [*arguments.get(name, []), *given] if isinstance(given, list) else given
        path.write_text(json.dumps(content))


@dataclass
class Account:
    """The emulated account, and what was made in it by hand."""

    emulator: Emulator
    outputs: dict[str, Any]
    workspace: Workspace
    roles: dict[str, str] = field(default_factory=dict)
    followed: list[Workspace] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.iam = self.emulator.client("iam")
        self.sagemaker = self.emulator.client("sagemaker", region=REGION)

    def arn(self, role: str) -> str:
        """The ARN of a role of the account."""
        return f"arn:aws:iam::{ACCOUNT}:role/{role}"

    def role(self, name: str, *trusting: Any, inline: Any = (), boundary: str | None = None) -> str:
        """Make a role that SageMaker may assume, and whom these statements let in; return its ARN."""
        document = {"Version": "2012-10-17", "Statement": [SAGEMAKER, *trusting]}
        given = {"PermissionsBoundary": boundary} if boundary else {}
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document), **given)
        if inline:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(inline)})
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
        return self.arn(name)

    def script(self, name: str, script: str | None) -> str:
        """Make a lifecycle configuration with this on-start script; return its name."""
        given = {} if script is None else {"OnStart": [{"Content": base64.b64encode(script.encode()).decode()}]}
        self.sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name, **given)
        return name

    def notebook(self, name: str, role_arn: str, lifecycle: str | None = None, **given: Any) -> None:
        """Make a notebook instance as the module makes it, unless it is said otherwise."""
        metadata = {"MinimumInstanceMetadataServiceVersion": given.pop("metadata", "2")}
        self.sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=role_arn,
            InstanceMetadataServiceConfiguration=metadata,
            **{"RootAccess": "Disabled"} | ({"LifecycleConfigName": lifecycle} if lifecycle else {}) | given,
        )

    def stop(self, name: str) -> None:
        """Stop a notebook instance once it is in service."""
        self.wait(name, "InService")
        self.sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        self.wait(name, "Stopped")

    def follow(self, row: dict[str, Any], steps: list[str], folder: Path) -> None:
        """Do what is advised, from top to bottom: edit the role's call of the module or a new one, and run the commands."""
        own = [name for name, each in self.outputs.items() if each["role_arn"] == row["role_arn"]]
        call = ModuleCall(self.workspace, own[0]) if own else None
        done = 0
        for step in steps:
            if step == "terraform apply":
                assert call
                errors = call.workspace.apply().errors
                assert errors == [], step
            elif step.startswith("aws "):
                workspace = call.workspace if call else self.workspace
                environment = workspace.environment | self.cli_environment(folder)
                subprocess.run(
                    ["bash", "-c", AWS_CLI + step], cwd=workspace.root, env=environment, check=True, timeout=200
                )
            elif step.startswith("In Terraform, "):
                if call is None:
                    call = ModuleCall.new(folder, f"followed-{len(self.followed)}", self.workspace.environment)
                    self.followed.append(call.workspace)
                call.edit(step)
            else:
                continue
            done += 1
        assert done

    @staticmethod
    def cli_environment(folder: Path) -> dict[str, str]:
        """The AWS CLI's environment, in which it asks each second whether what it waits for is there, not each half minute."""
        waiters = folder / "sagemaker/2017-07-24/waiters-2.json"
        if not waiters.exists():
            waiters.parent.mkdir(parents=True, exist_ok=True)
            model = get_session().get_component("data_loader").load_service_model("sagemaker", "waiters-2")
            waiters.write_text(json.dumps({**model, "waiters": {
                name: {**each, "delay": 1} for name, each in model["waiters"].items()
            }}))  # fmt: skip
        return {"AWS_DATA_PATH": str(folder)}

    def wait(self, name: str, status: str) -> None:
        """Wait until a notebook instance has this status."""
        end = time.monotonic() + 20
        while self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] != status:
            assert time.monotonic() < end
            time.sleep(0.05)


SAGEMAKER = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}

# Not the clone's own script, whose first line breaks where its path has a space.
AWS_CLI = f'aws() {{ {shlex.quote(sys.executable)} -m awscli "$@"; }}\n'

FIND = {"Effect": "Allow", "Action": "sagemaker:DescribeNotebookInstance", "Resource": "*"}


def itself(role: str, **changes: Any) -> dict[str, Any]:
    """The statement by which the module lets a role's base session open sessions on it."""
    own = {
        "StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"},
        "StringLike": {"aws:userid": "*:SageMaker"},
    }
    return {**ROOT, "Condition": own, **changes}


def opens(role: str, *names: str) -> list[dict[str, Any]]:
    """The module's statements for these names; without any, the recipe's."""
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/{role}"}
    deny = {**allow, "Effect": "Deny", "Condition": {"StringNotLike": {"sts:RoleSessionName": list(names)}}}
    return [allow, FIND, *([deny] if names else [])]


@pytest.fixture(scope="module")
def account(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account, filled; it is emptied at the end."""
    folder = tmp_path_factory.mktemp("audited")
    modules = {name: {"name": f"audited-{name}", **given} for name, given in MODULES.items()}
    statement = {"Effect": "Allow", "Action": ["sagemaker:*", "iam:*"], "Resource": "*"}
    powers = {"name": "powers", "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    root = write_calls(folder, modules, outputs=None, resource={"aws_iam_policy": {"powers": powers}})
    workspace = Workspace(folder, root=root, environment={**emulator.environment(), "AWS_REGION": REGION})
    assert workspace.apply().errors == []
    account = Account(emulator, workspace.outputs(), workspace)
    fill(account)
    yield account
    empty(account)
    for each in account.followed:
        each.destroy()
    assert workspace.destroy().errors == []


def fill(account: Account) -> None:
    """Make what is wrong."""
    profile, imds = account.outputs["profile"], account.outputs["imds"]
    role, own = profile["role_arn"], profile["lifecycle_configuration_name"]
    script = profile["on_start_script"]

    # The script
    account.notebook("plain", account.role("audited-plain"))
    account.notebook("no-script", role, account.script("audited-empty", None))
    account.notebook("another-script", role, account.script("audited-pip", "#!/bin/bash\npip install pandas\n"))
    account.notebook(
        "look-alike", role, account.script("audited-alike", RECIPE.replace("[default]", "[profile audit]"))
    )
    account.notebook("changed", role, account.script("audited-changed", f"{script}\nchattr -i /home/ec2-user/.aws\n"))
    extra = script.replace("EXTRA_ON_START=''", "EXTRA_ON_START='rm -rf /home/ec2-user/.aws'")
    account.notebook("extra", role, account.script("audited-extra", extra))
    account.notebook("older-script", role, account.script("audited-older", script))
    fixed = account.script("audited-fixed", RECIPE.replace("= $instance", "= analytics"))
    account.notebook(
        "fixed-name",
        account.role("audited-fixed", itself("audited-fixed"), inline=opens("audited-fixed", "fixed-name")),
        fixed,
    )

    # The instance
    account.notebook("rooted", role, own, RootAccess="Enabled")
    account.notebook("old-metadata", role, own, metadata="1")
    account.notebook("old-system", role, own, PlatformIdentifier="notebook-al2-v3")
    account.notebook("ended-system", role, own, PlatformIdentifier="notebook-al1-v1")
    account.notebook("x", role, own)
    account.notebook("SageMaker", role, own)

    # The role
    account.notebook("unlisted", role, own)
    account.notebook(
        "twin-role",
        account.role("audited-twin", itself("audited-twin"), inline=opens("audited-twin", "twin-role")),
        own,
    )
    account.notebook(
        "other-mode",
        imds["role_arn"],
        account.script("audited-by-hand", (CHECKOUT / "scripts/on-start.sh").read_text()),
    )
    recipe = account.script("audited-recipe", RECIPE)
    hand = "audited-by-hand"
    account.notebook("recipe-of-old", account.role("audited-old", inline=opens("audited-old")), recipe)
    account.notebook("recipe", account.role("audited-recipe", ROOT, inline=opens("audited-recipe")), recipe)
    account.notebook("no-permission", account.role("audited-no", itself("audited-no"), inline=[FIND]), hand)
    boundary = account.iam.create_policy(
        PolicyName="audited-boundary",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": ["s3:*", "sagemaker:*"], "Resource": "*"},
            }
        ),
    )["Policy"]["Arn"]
    bounded = account.role(
        "audited-bounded", itself("audited-bounded"), inline=opens("audited-bounded", "bounded"), boundary=boundary
    )
    account.notebook("bounded", bounded, hand)
    alone = imds["on_start_script"]
    no_identity = account.role(
        "audited-no-identity", itself("audited-no-identity"), inline=opens("audited-no-identity", "no-identity")
    )
    account.notebook(
        "no-identity", no_identity, account.script("audited-imds", for_role(alone, imds["role_arn"], no_identity))
    )
    office = itself("audited-office", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    account.notebook(
        "undecided", account.role("audited-office", office, inline=opens("audited-office", "undecided")), hand
    )
    others = {
        "Effect": "Allow",
        "Principal": {"AWS": [account.arn("audited-plain")], "Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    account.notebook(
        "visited",
        account.role("audited-visited", itself("audited-visited"), others, inline=opens("audited-visited", "visited")),
        hand,
    )
    chained = itself(
        "audited-chained", Condition={"StringEquals": {"aws:PrincipalArn": account.arn("audited-chained")}}
    )
    account.notebook(
        "chained", account.role("audited-chained", chained, inline=opens("audited-chained", "chained")), hand
    )
    everything = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}
    account.notebook("broad", account.role("audited-broad", itself("audited-broad"), inline=[everything, FIND]), hand)
    held = [everything, *opens("audited-held", "broad-but-held")]
    account.notebook("broad-but-held", account.role("audited-held", itself("audited-held"), inline=held), hand)
    asking = account.role("audited-asking", itself("audited-asking"), inline=[opens("audited-asking")[0]])
    account.notebook("cant-ask", asking, hand)
    account.notebook("orphan", account.role("audited-orphan"), hand)
    account.iam.delete_role(RoleName="audited-orphan")

    account.stop("ended-system")
    account.wait("older-script", "InService")
    account.sagemaker.update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="audited-older",
        OnStart=[{"Content": base64.b64encode(script.encode()).decode()}],
    )
    elsewhere = account.emulator.client("sagemaker", region=ELSEWHERE)
    elsewhere.create_notebook_instance(NotebookInstanceName="elsewhere", InstanceType="ml.t3.medium", RoleArn=role)


def for_role(script: str, old: str, new: str) -> str:
    """A script of the imds mode for another role."""
    import gzip

    packed = re.search(r"(?<=<<<')[^']+", script)
    assert packed
    content = gzip.decompress(base64.b64decode(packed[0])).decode().replace(old, new)
    return script.replace(packed[0], base64.b64encode(gzip.compress(content.encode())).decode())


def empty(account: Account) -> None:
    """Remove what Terraform didn't make, and which would keep it from removing the rest."""
    own = {name for module in MODULES.values() for name in module["notebook_instances"]}
    for region in (REGION, ELSEWHERE):
        client = account.emulator.client("sagemaker", region=region)
        for each in client.list_notebook_instances(MaxResults=100)["NotebookInstances"]:
            name = each["NotebookInstanceName"]
            if name in own:
                continue
            with suppress(ClientError):
                client.stop_notebook_instance(NotebookInstanceName=name)
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with suppress(ClientError):
                    client.delete_notebook_instance(NotebookInstanceName=name)
                    break
                time.sleep(0.05)
    end = time.monotonic() + 20
    while len(account.sagemaker.list_notebook_instances(MaxResults=100)["NotebookInstances"]) > len(own):
        assert time.monotonic() < end
        time.sleep(0.05)


def run(
    account: Account, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the audit as a process of its own."""
    given = account.emulator.environment() | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT / "src"),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    return subprocess.run(
        [sys.executable, "-m", "which_notebook", "audit", *arguments],
        env=given | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def rows(result: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of an answer in JSON, by the notebook instance's name."""
    return {row["notebook"]: row for row in json.loads(result.stdout)["instances"]}


def opens_session(account: Account, row: dict[str, Any], session_name: str) -> str:
    """Return whether the instance's base session gets a session of this name."""
    path = f"_emulator/notebook-instances/{ACCOUNT}/{REGION}/{row['notebook']}/base-session"
    with urllib.request.urlopen(f"{account.emulator.endpoint_url}/{path}", timeout=30) as answer:  # noqa: S310
        credentials = json.load(answer)
    identity = {"SourceIdentity": session_name} if row["attribution_mode"] == "imds" else {}
    try:
        account.emulator.session_client("sts", credentials).assume_role(
            RoleArn=row["role_arn"], RoleSessionName=session_name, **identity
        )
    except (ClientError, ParamValidationError):
        return "no"
    return "yes"
