"""`which-notebook audit` over an emulated account in which every notebook instance is wrong in its own way, or right.

What Terraform makes is the module's own; the rest is made by hand beside it, mostly with the module's role and script.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from emulator.server import Emulator
from rendered_scripts import RECIPE
from workspace import CHECKOUT, Workspace

from which_notebook.audit.account import PERMISSIONS

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
        self.wait(name, "InService")
        self.sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        self.wait(name, "Stopped")

    def follow(self, change: str, folder: Path) -> None:
        """Do what is advised: apply the module with the arguments, and run the last commands."""
        given = {
            name: json.loads(value) for name, value in re.findall(r'(\w+) = ("[^"]*"|\[[^]]*\]|true|false)', change)
        }
        workspace = self.workspace
        if added := re.match(r'put "(\S+)" into additional_session_names of the module that manages the role', change):
            root = workspace.root / "main.tf.json"
            content = json.loads(root.read_text())
            content["module"]["profile"]["additional_session_names"].append(added[1])
            root.write_text(json.dumps(content))
            assert workspace.apply().errors == []
        elif "apply the module" in change or "in a new one with" in change or "in the module, whose" in change:
            outputs = {
                name: {"value": f"${{module.own.{name}}}"} for name in ("role_arn", "lifecycle_configuration_name")
            }
            (folder / "own").mkdir(parents=True)
            call = {"source": "../", "name": f"followed-{len(self.followed)}", **given}
            (folder / "own" / "main.tf.json").write_text(json.dumps({"module": {"own": call}, "output": outputs}))
            workspace = Workspace(folder, root="own", environment=workspace.environment)
            self.followed.append(workspace)
            assert workspace.apply().errors == []
        commands = re.findall(r"aws (?:iam|sagemaker) .*?(?= \(this replaces| ?; |$)", change)
        assert added or given or commands
        if commands:
            environment = workspace.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            subprocess.run(["bash", "-ec", commands[-1]], cwd=workspace.root, env=environment, check=True, timeout=200)
            for name in re.findall("start-notebook-instance --notebook-instance-name (\\S+)", commands[-1]):
                self.wait(name, "InService")

    def wait(self, name: str, status: str) -> None:
        end = time.monotonic() + 20
        while self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] != status:
            assert time.monotonic() < end
            time.sleep(0.05)


SAGEMAKER = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}

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
    folder = tmp_path_factory.mktemp("audited")
    (folder / "all").mkdir()
    modules = {name: {"source": "../", "name": f"audited-{name}", **given} for name, given in MODULES.items()}
    outputs = {name: {"value": f"${{module.{name}}}"} for name in modules}
    statement = {"Effect": "Allow", "Action": ["sagemaker:*", "iam:*"], "Resource": "*"}
    powers = {"name": "powers", "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    root = {"module": modules, "output": outputs, "resource": {"aws_iam_policy": {"powers": powers}}}
    (folder / "all" / "main.tf.json").write_text(json.dumps(root))
    workspace = Workspace(folder, root="all", environment={**emulator.environment(), "AWS_REGION": REGION})
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
    return {row["notebook"]: row for row in json.loads(result.stdout)["instances"]}


@pytest.fixture(scope="module")
def audited(account: Account) -> dict[str, dict[str, Any]]:
    result = run(account, "--format", "json")
    # Of the role that isn't there, its policies couldn't be read.
    assert (result.returncode, result.stderr) == (0, "")
    return rows(result)


# The advice, in which the commands that several share are short


def steps(name: str, *steps: str) -> str:
    return " && ".join(
        f"aws sagemaker {action} --notebook-instance-name {name}{' ' + options if options else ''} --region {REGION}"
        for action, _, options in (step.partition("|") for step in steps)
    )


STOP, WAIT, START = "stop-notebook-instance", "wait notebook-instance-stopped", "start-notebook-instance"


def update(name: str, options: str, *, stopped: bool = False) -> str:
    change = f"update-notebook-instance|{options}"
    return steps(name, change) if stopped else steps(name, STOP, WAIT, change, WAIT, START)


def restart(name: str) -> str:
    return steps(name, STOP, WAIT, START)


def use_known(name: str) -> str:
    return update(name, "--lifecycle-config-name audited-profile-attribution")


def use_module(name: str, role: str) -> str:
    return (
        "in the call of the module that manages this role, or else in a new one with create_role = false, "
        f'role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", set additional_session_names = ["{name}"] (beside those that it has), '
        "with an output lifecycle_configuration_name; apply, and run there: "
        + update(name, '--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"')
    )


def trust(role: str) -> str:
    return f"aws iam update-assume-role-policy --role-name {role} --policy-document <the module's> (this replaces all of it)"


def name_known(name: str) -> str:
    return f'put "{name}" into additional_session_names of the module that manages the role, and run terraform apply'


IMDS = 'attribution_mode = "imds"'
IMDS_AND_DENY = f"{IMDS}, deny_unattributed_calls = true"


def applied(arguments: str, name: str, *, stopped: bool = False) -> str:
    then = "start it when it is needed" if stopped else restart(name)
    return f"{arguments} in the module, terraform apply, then {then}"


def not_enforced(change: str) -> tuple[str, str]:
    """For an instance that doesn't have the module's script: what gives it that, in imds mode."""
    return "not-enforced", f"{change}, with {IMDS} and deny_unattributed_calls = true in the module"


OTHER_NAME = "create it anew under another name, with another key in notebook_instances"


def protect(role: str, what: str) -> tuple[str, str]:
    """What mends that a role may do this with itself."""
    code, deny, allow = {
        "pass": ("passes-itself", f"give jobs a role of their own, and deny iam:PassRole on arn:aws:iam::{ACCOUNT}:role/{role}", "allow_pass_role"),
        "instances": ("changes-notebook-instances", f"deny it to {role}", "allow_notebook_instance_changes"),
        "role": ("changes-itself", f"deny it to {role}", "allow_role_changes"),
    }[what]  # fmt: skip
    return (
        code,
        f"{deny}: {IMDS} or deny_unattributed_calls = true in the module, whose policy denies it unless {allow} = true",
    )


def restrict(name: str, role: str) -> str:
    return (
        f'create_role = false, role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", deny_unknown_session_names = true and '
        f'additional_session_names = ["{name}"], with the names of all other notebook instances of this role, in the module, '
        "whose policy refuses all others"
    )


EXPECTED: dict[str, tuple[str, list[tuple[str, str]]]] = {
    # Right
    "closed": ("enforced", []),
    "right": ("attributed", [("not-enforced", applied(IMDS_AND_DENY, "right"))]),
    "denied": ("attributed", [("not-enforced", applied(IMDS, "denied"))]),
    "lenient": ("attributed", [("starts-without-attribution", applied("allow_start_without_attribution = false", "lenient"))]),
    "guarded": ("enforced", []),
    "passing": ("attributed", [protect("audited-passing-execution", "pass")]),
    "powerful": (
        "weak",
        [protect("audited-powerful-execution", "instances"), protect("audited-powerful-execution", "role")],
    ),
    "unguarded": (
        "weak",
        [*(protect("audited-unguarded-execution", what) for what in ("pass", "instances", "role")), ("not-enforced", applied(IMDS_AND_DENY, "unguarded"))],
    ),
    # The script
    "plain": (
        "not-attributed",
        [
            ("no-self-trust", trust("audited-plain")),
            ("no-lifecycle-configuration", use_module("plain", "audited-plain")),
        ],
    ),
    "no-script": ("not-attributed", [("no-on-start-script", use_known("no-script")), ("name-refused", name_known("no-script"))]),
    "another-script": (
        "not-attributed",
        [("no-attribution", use_known("another-script")), ("name-refused", name_known("another-script"))],
    ),
    "look-alike": (
        "not-attributed",
        [("no-attribution", use_known("look-alike")), ("name-refused", name_known("look-alike"))],
    ),
    "changed": ("unknown", [("script-undecided", f"if the module made audited-changed and nobody changed it, use the which-notebook of that version of the module; if somebody changed it, terraform apply writes it anew, then {restart('changed')}; if the module didn't make audited-changed: {use_known('changed')}")]),
    "extra": ("unknown", [("script-undecided", applied("take what isn't known to be harmless out of extra_on_start", "extra") + "; or see for yourself that it is harmless"), ("not-enforced", applied(IMDS_AND_DENY, "extra"))]),
    "older-script": (
        "unknown",
        [
            (
                "older-script",
                restart("older-script"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "older-script")),
        ],
    ),
    "fixed-name": (
        "not-attributed",
        [("other-name", use_module("fixed-name", "audited-fixed")), ("not-locked", use_module("fixed-name", "audited-fixed")), not_enforced(use_module("fixed-name", "audited-fixed"))],
    ),
    # The instance
    "rooted": ("weak", [("root-access", "terraform apply turns it off where the module made the notebook instance; elsewhere: " + update("rooted", "--root-access Disabled")), ("not-enforced", applied(IMDS_AND_DENY, "rooted"))]),
    "old-metadata": (
        "attributed",
        [
            (
                "metadata-version",
                'minimum_instance_metadata_service_version = "2", or: '
                + update("old-metadata", "--instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "old-metadata")),
        ],
    ),
    "old-system": (
        "attributed",
        [
            ("platform", update("old-system", "--platform-identifier notebook-al2023-v1") + "; in Terraform, remove platform_identifier"),
            ("not-enforced", applied(IMDS_AND_DENY, "old-system")),
        ],
    ),
    "ended-system": (
        "broken",
        [
            (
                "platform",
                update("ended-system", "--platform-identifier notebook-al2023-v1", stopped=True)
                + "; in Terraform, remove platform_identifier",
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "ended-system", stopped=True)),
        ],
    ),
    "x": ("broken", [("name", OTHER_NAME)]),
    "SageMaker": ("broken", [("name", OTHER_NAME)]),
    # The role
    "unlisted": ("broken", [("name-refused", name_known("unlisted"))]),
    "twin-role": (
        "broken",
        [
            ("other-role", update("twin-role", f"--role-arn arn:aws:iam::{ACCOUNT}:role/audited-profile-execution")),
            ("not-enforced", applied(IMDS_AND_DENY, "twin-role")),
        ],
    ),
    "other-mode": ("attributed", [("not-enforced", applied(IMDS_AND_DENY, "other-mode"))]),
    "recipe-of-old": (
        "broken",
        [("no-self-trust", trust("audited-old")), ("not-locked", use_module("recipe-of-old", "audited-old"))],
    ),
    "recipe": (
        "weak",
        [
            ("not-locked", use_module("recipe", "audited-recipe")),
            ("any-name", restrict("recipe", "audited-recipe")),
            ("notebook-sessions", trust("audited-recipe")),
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:root out of the trust policy of audited-recipe, or let in only the role itself: "
                + trust("audited-recipe"),
            ),
            not_enforced(use_module("recipe", "audited-recipe")),
        ],
    ),
    "no-permission": (
        "broken",
        [
            (
                "not-allowed",
                "terraform apply of the module for this role, or: aws iam put-role-policy --role-name audited-no "
                "--policy-name assume-self --policy-document "
                f"'{json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['sts:AssumeRole', 'sts:SetSourceIdentity'], 'Resource': f'arn:aws:iam::{ACCOUNT}:role/audited-no'}]}, separators=(',', ':'))}'",
            )
        ],
    ),
    "bounded": (
        "broken",
        [
            (
                "boundary",
                f"allow sts:AssumeRole on arn:aws:iam::{ACCOUNT}:role/audited-bounded in the policy that role_permissions_boundary names",
            )
        ],
    ),
    "cant-ask": (
        "broken",
        [
            (
                "no-describe",
                "allow sagemaker:DescribeNotebookInstance to audited-asking, also in the base session, or use the module, whose script knows the role",
            ),
            ("any-name", restrict("cant-ask", "audited-asking")),
            ("not-enforced", applied(IMDS_AND_DENY, "cant-ask")),
        ],
    ),
    "no-identity": ("broken", [("no-self-trust", trust("audited-no-identity"))]),
    "undecided": (
        "unknown",
        [
            ("no-self-trust", trust("audited-office")),
            ("notebook-sessions", trust("audited-office")),
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:root out of the trust policy of audited-office, or let in only the role itself: "
                + trust("audited-office"),
            ),
        ],
    ),
    "visited": (
        "weak",
        [
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:role/audited-plain, lambda.amazonaws.com out of the trust policy of audited-visited, "
                "or let in only the role itself: " + trust("audited-visited"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "visited")),
        ],
    ),
    "chained": ("weak", [("notebook-sessions", trust("audited-chained")), ("not-enforced", applied(IMDS_AND_DENY, "chained"))]),
    "broad": (
        "weak",
        [
            ("any-name", restrict("broad", "audited-broad")),
            ("not-enforced", applied(IMDS_AND_DENY, "broad")),
            ("assumes-any-role", "name the roles in Resource instead of * in the policies of audited-broad"),
        ],
    ),
    "broad-but-held": (
        "attributed",
        [("not-enforced", applied(IMDS_AND_DENY, "broad-but-held")), ("assumes-any-role", "name the roles in Resource instead of * in the policies of audited-held")],
    ),
    "orphan": (
        "broken",
        [
            (
                "role-missing",
                'apply the module, with outputs role_arn and lifecycle_configuration_name and additional_session_names = ["orphan"], and run there: '
                + update("orphan", '--role-arn "$(terraform output -raw role_arn)" --lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'),
            )
        ],
    ),
}  # fmt: skip


def test_every_notebook_instance_has_its_row(audited: dict[str, Any]) -> None:
    assert set(audited) == set(EXPECTED)
    assert list(audited) == sorted(audited, key=lambda name: (name.lower(), name))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_and_what_to_change(account: Account, audited: dict[str, Any], name: str) -> None:
    row = audited[name]
    changes = [(each["code"], named(account, row, each["change"])) for each in row["findings"]]
    assert (row["verdict"], changes) == EXPECTED[name], [each["problem"] for each in row["findings"]]


def named(account: Account, row: dict[str, Any], change: str) -> str:
    """Put "<the module's>" in the place of a trust policy that is what the module would write."""
    found = re.search(r"(update-assume-role-policy \S+ \S+ --policy-document )'(.*)'", change)
    if not found:
        return change
    module = account.outputs["profile"]
    expected = module["role_trust_policy"].replace(module["role_arn"], row["role_arn"])
    assert json.loads(found[2]) == json.loads(expected)
    return change.replace(found[0], f"{found[1]}<the module's>")


PROBLEMS = {
    "no-script": "its lifecycle configuration audited-empty has no on-start script",
    "look-alike": "its on-start script looks like the recipe's, but it writes no [default] profile, which clients use unless told otherwise",
    "changed": "its script is the module's, but changed or of a version that isn't known here",
    "extra": "extra_on_start, which runs as root afterwards, may undo it: it isn't known whether this is harmless: rm -rf /home/ec2-user/.aws",
    "older-script": "audited-older was changed after the notebook instance's last start, so it runs an older script",
    "fixed-name": "its script names every session analytics, whatever the notebook instance is called",
    "rooted": "root access is on: root can unlock what the script locks",
    "old-system": "Amazon Linux 2 (notebook-al2-v3) is over: it can't be started any more",
    "x": "its name can't be a session name, which has 2 characters or more",
    "SageMaker": "its name is the session name of all that isn't attributed",
    "unlisted": "a policy of audited-profile-execution denies sts:AssumeRole under the name unlisted",
    "twin-role": f"its script opens sessions on arn:aws:iam::{ACCOUNT}:role/audited-profile-execution, but its role is arn:aws:iam::{ACCOUNT}:role/audited-twin",
    "bounded": "the permissions boundary of audited-bounded doesn't allow sts:AssumeRole on the role",
    "no-permission": "no policy of audited-no allows sts:AssumeRole on the role itself",
    "no-identity": "the trust policy of audited-no-identity doesn't let the role open sessions on itself with a source identity",
    "undecided": "perhaps the trust policy of audited-office doesn't let the role open sessions on itself",
    "visited": f"arn:aws:iam::{ACCOUNT}:role/audited-plain, lambda.amazonaws.com can open a session on audited-visited under its name",
    "chained": "a notebook session can open another one, under another notebook's name",
    "broad": "its user can open a session under any name: no policy of audited-broad keeps to known ones",
    "orphan": f"its role arn:aws:iam::{ACCOUNT}:role/audited-orphan doesn't exist",
    "passing": "its user can pass the role to sagemaker.amazonaws.com, ec2.amazonaws.com, lambda.amazonaws.com (iam:PassRole), and calls made there can't be attributed",
    "powerful": "its user can turn root access on, exchange the on-start script, or open a colleague's notebook (sagemaker:UpdateNotebookInstance, sagemaker:CreatePresignedNotebookInstanceUrl, sagemaker:UpdateNotebookInstanceLifecycleConfig)",
    "right": "with the base session's credentials its user can make unattributed calls and call under another known name",
    "denied": "with the base session's credentials its user can call under another known name",
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_in_words(audited: dict[str, Any], name: str) -> None:
    assert audited[name]["findings"][0]["problem"] == PROBLEMS[name]


def test_the_columns(audited: dict[str, Any]) -> None:
    right = {**audited["right"], "findings": None}
    assert right == {
        "notebook": "right",
        "region": REGION,
        "account_id": ACCOUNT,
        "verdict": "attributed",
        "status": "InService",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/audited-profile-execution",
        "lifecycle_configuration": "audited-profile-attribution",
        "script": "module",
        "script_version": right["script_version"],
        "attribution_mode": "profile",
        "root_access": "no",
        "minimum_metadata_version": "2",
        "platform": "notebook-al2023-v1",
        "can_open_own_session": "yes",
        "other_names_refused": "yes",
        "notebook_sessions_excluded": "yes",
        "other_principals_excluded": "yes",
        "unattributed_calls_denied": "no",
        "passing_itself_refused": "yes",
        "notebook_instance_changes_refused": "yes",
        "role_changes_refused": "yes",
        "findings": None,
    }
    assert right["script_version"]
    assert (audited["denied"]["unattributed_calls_denied"], audited["closed"]["attribution_mode"]) == ("yes", "imds")
    assert (audited["recipe"]["script"], audited["recipe"]["script_version"]) == ("recipe", None)


# The account itself says whether it is so


def test_what_the_audit_says_of_a_session_is_what_happens(account: Account, audited: dict[str, Any]) -> None:
    said = {}
    for name, row in audited.items():
        if row["can_open_own_session"] in ("yes", "no"):
            said[name] = row["can_open_own_session"], opens_session(account, row, row["notebook"])
    assert {name for name, (audit, happens) in said.items() if audit != happens} == set()
    assert len(said) > 20


def test_what_the_audit_says_of_other_names_is_what_happens(account: Account, audited: dict[str, Any]) -> None:
    happens = {
        name: opens_session(account, row, "another-name-7")
        for name, row in audited.items()
        if row["other_names_refused"] in ("yes", "no") and row["can_open_own_session"] == "yes"
    }
    assert {name for name, opened in happens.items() if opened == audited[name]["other_names_refused"]} == set()
    assert {name for name, opened in happens.items() if opened == "yes"} == {"recipe", "broad", "cant-ask"}


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


# Permissions


@pytest.fixture
def auditor(account: Account) -> Iterator[dict[str, str]]:
    """The environment of a user who may do nothing yet."""
    account.iam.create_user(UserName="auditor")
    key = account.iam.create_access_key(UserName="auditor")["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    for name in account.iam.list_user_policies(UserName="auditor")["PolicyNames"]:
        account.iam.delete_user_policy(UserName="auditor", PolicyName=name)
    account.iam.delete_access_key(UserName="auditor", AccessKeyId=key["AccessKeyId"])
    account.iam.delete_user(UserName="auditor")


def allow(account: Account, policy: Any) -> None:
    account.iam.put_user_policy(UserName="auditor", PolicyName="audit", PolicyDocument=json.dumps(policy))


def test_it_works_with_the_policy_that_it_prints_and_makes_no_other_call(
    account: Account, audited: dict[str, Any], auditor: dict[str, str]
) -> None:
    allow(account, json.loads(run(account, "--permissions", "--region", "all").stdout))
    result = run(account, "--region", "all", "--format", "json", environment=auditor)
    assert (result.returncode, result.stderr) == (0, "")
    assert {row["notebook"] for row in json.loads(result.stdout)["instances"]} >= {*audited, "elsewhere"}
    assert {name: row for name, row in rows(result).items() if name in audited} == audited
    made = {
        f"{record['eventSource'].split('.')[0]}:{record['eventName']}"
        for record in account.emulator.records()
        if record["userIdentity"].get("userName") == "auditor"
    }
    assert made == {*PERMISSIONS, "ec2:DescribeRegions"}


def test_the_policy_holds_nothing_but_reading() -> None:
    assert all(re.match(r"[a-z]+:(List|Get|Describe)[A-Za-z]+$", each) for each in PERMISSIONS)


WITHOUT = {
    "sagemaker:DescribeNotebookInstance": ("unknown", {"unknown"}),
    "sagemaker:DescribeNotebookInstanceLifecycleConfig": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:GetRole": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:ListRolePolicies": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:GetRolePolicy": ("unknown", {"unknown", "not-attributed", "broken"}),
    "iam:ListAttachedRolePolicies": ("unknown", {"unknown", "not-attributed", "broken"}),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_where_a_permission_is_missing_it_says_so_and_knows_nothing(
    account: Account, auditor: dict[str, str], missing: str
) -> None:
    policy = json.loads(run(account, "--permissions").stdout)
    policy["Statement"][0]["Action"].remove(missing)
    allow(account, policy)
    result = run(account, "--format", "json", "--fail-on", "broken", environment=auditor)
    found = rows(result)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert (found["closed"]["verdict"], {row["verdict"] for row in found.values()}) == WITHOUT[missing]
    unread = next(each for each in found["closed"]["findings"] if each["code"] == "unread")
    assert f"{missing} is missing" in unread["problem"]
    assert unread["change"] == f"allow {missing} to whoever runs the audit (which-notebook audit --permissions)"


def test_what_the_missing_permission_does_not_touch_is_still_said(account: Account, auditor: dict[str, str]) -> None:
    policy = json.loads(run(account, "--permissions").stdout)
    policy["Statement"][0]["Action"].remove("iam:GetRole")
    allow(account, policy)
    found = rows(run(account, "--format", "json", environment=auditor))
    assert found["plain"]["verdict"] == "not-attributed"
    assert [each["code"] for each in found["rooted"]["findings"]] == ["unread", "root-access"]
    assert found["closed"]["can_open_own_session"] == "unchecked"


def test_policies_that_could_not_be_read_are_named_once(account: Account, auditor: dict[str, str]) -> None:
    policy = json.loads(run(account, "--permissions").stdout)
    policy["Statement"][0]["Action"].remove("iam:GetRolePolicy")
    allow(account, policy)
    row = rows(run(account, "--notebook", "rooted", environment=auditor))["rooted"]
    # Its inline policies: by which it assumes itself, and by which SageMaker writes logs.
    assert [each["code"] for each in row["findings"]] == ["unread", "unread", "root-access"]
    assert len({each["problem"] for each in row["findings"]}) == 3
    assert (row["can_open_own_session"], row["other_names_refused"]) == ("undecided", "undecided")


def test_without_any_permission_the_region_is_named(account: Account, auditor: dict[str, str]) -> None:
    result = run(account, "--format", "json", environment=auditor)
    assert result.returncode == 1
    assert json.loads(result.stdout)["instances"] == []
    assert result.stderr.startswith(
        f"which-notebook: could not read the notebook instances in {REGION}: access denied: sagemaker:ListNotebookInstances is missing"
    )
    assert result.stderr.count("\n") == 1
    all_regions = run(account, "--region", "all", environment=auditor)
    assert (all_regions.returncode, all_regions.stdout) == (1, "")
    assert re.fullmatch(r"which-notebook: [^\n]*ec2:DescribeRegions[^\n]*\n", all_regions.stderr)


# The command


@pytest.mark.parametrize(
    ("names", "fail_on", "status"),
    [
        ("closed", "attributed", 0),
        ("right", "attributed", 3),
        ("right", "weak", 0),
        ("rooted", "weak", 3),
        ("rooted", "not-attributed", 0),
        ("plain", "not-attributed", 3),
        ("plain", "broken", 0),
        ("unlisted", "broken", 3),
        ("undecided", "broken", 3),
        ("closed,right,unlisted", "broken", 3),
    ],
)
def test_fail_on(account: Account, names: str, fail_on: str, status: int) -> None:
    result = run(account, "--notebook", names, "--fail-on", fail_on)
    assert (result.returncode, set(rows(result))) == (status, set(names.split(",")))
    count = len(names.split(","))
    expected = f"which-notebook: 1 of {count} notebook instances are {fail_on} or worse, or unknown (--fail-on)\n"
    assert result.stderr == (expected if status else "")


def test_a_name_that_is_not_there(account: Account) -> None:
    result = run(account, "--notebook", "righ", "--notebook", "closed")
    assert (result.returncode, set(rows(result))) == (1, {"closed"})
    assert result.stderr == "which-notebook: there is no notebook instance righ in the regions that were asked\n"


def test_several_regions(account: Account) -> None:
    result = run(account, "--region", f"{ELSEWHERE},{REGION}", "--notebook", "elsewhere,closed")
    found = rows(result)
    assert {name: row["region"] for name, row in found.items()} == {"elsewhere": ELSEWHERE, "closed": REGION}
    assert found["elsewhere"]["verdict"] == "not-attributed"


def test_a_table(account: Account) -> None:
    result = run(account, "--format", "table", "--notebook", "closed,rooted")
    assert result.stdout.splitlines() == [
        "notebook  region     verdict   script        mode     root access  role",
        "closed    eu-west-2  enforced  module 0.3.0  imds     no           audited-imds-execution",
        "rooted    eu-west-2  weak      module 0.3.0  profile  yes          audited-profile-execution",
        "    root access is on: root can unlock what the script locks",
        "      → " + dict(EXPECTED["rooted"][1])["root-access"],
        "    with the base session's credentials its user can make unattributed calls and call under another known name",
        "      → " + dict(EXPECTED["rooted"][1])["not-enforced"],
        "",
        "1 enforced, 1 weak",
    ]


def test_csv_in_a_file(account: Account, tmp_path: Path) -> None:
    target = tmp_path / "audit.csv"
    result = run(account, "--notebook", "plain", "-o", str(target))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert (row["notebook"], row["verdict"], row["script"], row["script_version"]) == (
        "plain",
        "not-attributed",
        "none",
        "",
    )
    assert row["problems"].endswith(" | it has no lifecycle configuration, so nothing sets attribution up")


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "message"),
    [
        (("--region", "all,eu-west-2"), {}, 2, "--region all means all of them: give it alone"),
        (("--format", "parquet"), {}, 2, "argument --format: invalid choice: 'parquet'"),
        (("-o", "x.jsonl"), {}, 2, "audit has no format jsonl: choose table, json or csv"),
        (("--region", "eu west"), {}, 1, "eu west"),
        ((), {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, 1, "no AWS region: give --region, or set AWS_REGION"),
        ((), {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 1, "no AWS credentials"),
        ((), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, 1, "could not connect to the endpoint URL"),
    ],
)  # fmt: skip
def test_errors_are_one_line(
    account: Account, arguments: tuple[str, ...], environment: dict[str, str], status: int, message: str
) -> None:
    result = run(account, *arguments, environment=environment)
    assert (result.returncode, message in result.stderr) == (status, True), result.stderr
    assert result.stderr.startswith("which-notebook: ")
    assert result.stderr.count("\n") == 1


class Throttling(BaseHTTPRequestHandler):
    """A service that holds so many requests back before it answers."""

    left = 0

    def do_POST(self) -> None:
        type(self).left -= 1
        held_back = self.left >= 0
        body = (
            b'{"__type":"ThrottlingException","message":"Rate exceeded"}' if held_back else b'{"NotebookInstances":[]}'
        )
        self.send_response(400 if held_back else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("held_back", "status", "said"),
    [
        (2, 0, ""),
        (
            9,
            1,
            f"which-notebook: could not read the notebook instances in {REGION}: ThrottlingException: Rate exceeded\n",
        ),
    ],
)
def test_throttling_is_waited_out_for_a_while(account: Account, held_back: int, status: int, said: str) -> None:
    Throttling.left = held_back
    with ThreadingHTTPServer(("127.0.0.1", 0), Throttling) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            result = run(account, environment={"AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "3"})
        finally:
            server.shutdown()
    assert (result.returncode, result.stderr) == (status, said)


def test_without_boto3_it_says_what_to_install(account: Account, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError\n")
    result = run(account, environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"})
    assert (result.returncode, result.stderr) == (
        2,
        "which-notebook: s3://, cloudtrail: and audit need boto3: pip install boto3\n",
    )
    assert run(account, "--permissions", environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"}).returncode == 0


def test_without_the_parser_it_says_what_to_install(account: Account, tmp_path: Path) -> None:
    (tmp_path / "tree_sitter_bash.py").write_text("raise ImportError\n")
    result = run(account, environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"})
    assert (result.returncode, result.stderr) == (
        2,
        "which-notebook: audit needs boto3, and a parser of shell scripts: pip install boto3 tree-sitter tree-sitter-bash\n",
    )


def test_all_pages_are_read(emulator: Emulator, account: Account) -> None:
    """More notebook instances than the service lists at once, which is 100."""
    client = emulator.client("sagemaker", region="eu-south-1")
    names = [f"many-{number:03}" for number in range(103)]
    for name in names:
        client.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=account.arn("audited-plain")
        )
    assert sorted(rows(run(account, "--region", "eu-south-1"))) == names


# The advice, followed to the word; this changes the account, so it comes last


FOLLOWED = {
    "plain": "attributed",
    "no-script": "attributed",
    "another-script": "attributed",
    "look-alike": "attributed",
    "changed": "attributed",
    "older-script": "attributed",
    "fixed-name": "attributed",
    "rooted": "attributed",
    "old-metadata": "attributed",
    "old-system": "attributed",
    "ended-system": "attributed",
    "unlisted": "attributed",
    "twin-role": "attributed",
    "recipe-of-old": "attributed",
    "recipe": "attributed",
    "no-permission": "attributed",
    "undecided": "attributed",
    "visited": "attributed",
    "chained": "attributed",
    "broad": "attributed",
    "orphan": "attributed",
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_advice_followed_to_the_word_mends_it(account: Account, tmp_path: Path, name: str) -> None:
    for number in range(3):  # what one change brings up, the next audit says
        row = rows(run(account))[name]  # of all: the others tell of the module's lifecycle configurations
        to_mend = [each["change"] for each in row["findings"] if each["code"] not in LEFT]
        if not to_mend:
            break
        for at, change in enumerate(to_mend):
            account.follow(change, tmp_path / f"{number}-{at}")
    assert (row["verdict"], [each["problem"] for each in row["findings"] if each["code"] not in LEFT]) == (
        FOLLOWED[name],
        [],
    )
    assert row["status"] == ("Stopped" if name == "ended-system" else "InService")
    assert opens_session(account, row, name) == "yes"


# Notes on what isn't wrong.
LEFT = ("not-enforced", "assumes-any-role")
