"""The emulated account that the audit is asked about: every notebook instance in it is wrong in its own way, or right.

What Terraform makes is the module's own; the rest is made by hand beside it, mostly with the module's role and script.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from calls import write_cases
from emulator.server import Emulator
from notebooks import create_notebook
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from rendered_scripts import RECIPE
from workspace import CHECKOUT, Workspace

from which_notebook.aws import forget_clients
from which_notebook.cli import main

from .conftest import Answer

ACCOUNT, REGION, ELSEWHERE = "111122223333", "eu-west-2", "eu-west-3"

POWERS = {"all": f"arn:aws:iam::{ACCOUNT}:policy/powers"}
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
class AuditedAccount:
    """The emulated account, and what was made in it by hand."""

    emulator: Emulator
    outputs: dict[str, Any]
    workspace: Workspace

    def __post_init__(self) -> None:
        self.iam = self.emulator.client("iam")
        self.sagemaker = self.emulator.client("sagemaker", region=REGION)

    def arn(self, role: str) -> str:
        """The ARN of a role of the account."""
        return f"arn:aws:iam::{ACCOUNT}:role/{role}"

    def role(self, name: str, *trusting: Any, inline: Any = (), boundary: str | None = None) -> str:
        """Make a role that SageMaker may assume, and whom these statements let in; return its ARN."""
        trust = policy_document(SAGEMAKER_ASSUMES, *trusting)
        given = {"PermissionsBoundary": boundary} if boundary else {}
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **given)
        if inline:
            policy = policy_document(*inline)
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
        return self.arn(name)

    def script(self, name: str, script: str | None) -> str:
        """Make a lifecycle configuration with this on-start script; return its name."""
        given = {} if script is None else {"OnStart": [{"Content": base64.b64encode(script.encode()).decode()}]}
        self.sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name, **given)
        return name

    def notebook(self, name: str, role_arn: str, lifecycle: str | None = None, **given: Any) -> None:
        """Make a notebook instance as the module makes it, unless it is said otherwise."""
        configured = {"LifecycleConfigName": lifecycle} if lifecycle else {}
        create_notebook(self.emulator, name, role_arn, region=REGION, **(configured | given))

    def stop(self, name: str) -> None:
        """Stop a notebook instance once it is in service."""
        self.wait(name, "InService")
        self.sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        self.wait(name, "Stopped")

    def wait(self, name: str, status: str) -> None:
        """Wait until a notebook instance has this status."""
        end = time.monotonic() + 20
        while self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] != status:
            assert time.monotonic() < end
            time.sleep(0.05)


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
def audited_account(
    new_emulator: Callable[..., Emulator], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuditedAccount]:
    """The account, filled; it is these tests' own, and ends with them, so that nobody need empty it."""
    folder = tmp_path_factory.mktemp("audited")
    modules = {name: {"name": f"audited-{name}", **given} for name, given in MODULES.items()}
    statement = {"Effect": "Allow", "Action": ["sagemaker:*", "iam:*"], "Resource": "*"}
    root = write_cases(folder / "module", modules, outputs=None)
    with new_emulator() as emulator:
        emulator.client("iam").create_policy(PolicyName="powers", PolicyDocument=policy_document(statement))
        environment = {**emulator.environment(), "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        workspace = Workspace(folder / "module", root=root, environment=environment)
        assert workspace.apply().errors == []
        account = AuditedAccount(emulator, workspace.outputs(), workspace)
        fill(account)
        forget_clients()
        yield account
    forget_clients()


def fill(account: AuditedAccount) -> None:
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
        PolicyDocument=policy_document({"Effect": "Allow", "Action": ["s3:*", "sagemaker:*"], "Resource": "*"}),
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
    create_notebook(account.emulator, "elsewhere", role, region=ELSEWHERE, metadata="1", RootAccess="Enabled")


def for_role(script: str, old: str, new: str) -> str:
    """A script of the imds mode for another role."""
    import gzip

    packed = re.search(r"(?<=<<<')[^']+", script)
    assert packed
    content = gzip.decompress(base64.b64decode(packed[0])).decode().replace(old, new)
    return script.replace(packed[0], base64.b64encode(gzip.compress(content.encode())).decode())


def audit(environment: Mapping[str, str], *arguments: str) -> Answer:
    """Ask the command, within this process; who changes the environment has it forget its clients."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with patch.dict(os.environ, environment, clear=True), redirect_stdout(out), redirect_stderr(err):
        status = main(["audit", *arguments])
    return Answer(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def audit_as(whom: Mapping[str, str] | None, environment: Mapping[str, str], *arguments: str) -> Answer:
    """Ask the command as the account's root, or as whom these variables name."""
    if not whom:
        return audit(environment, *arguments)
    forget_clients()
    try:
        return audit({**environment, **whom}, *arguments)
    finally:
        forget_clients()


def run(account: AuditedAccount, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Ask the command about the account, as its root, or as whom the environment names."""
    return audit_as(environment, account.workspace.environment, *arguments)


def rows(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the rows of an answer in JSON, by the notebook instance's name."""
    return {row["notebook"]: row for row in answer.json["instances"]}


def opens_session(account: AuditedAccount, row: dict[str, Any], session_name: str) -> str:
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
