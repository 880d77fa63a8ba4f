"""One mode of the module, whose role may do everything with SageMaker and IAM: a user who attacks, and a colleague."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from emulator.server import Emulator

Credentials = Mapping[str, Any]
_numbers = count(1)


@dataclass(frozen=True, eq=False)
class Scene:
    """The module's outputs, the notebook instances, and `policy_arn`, the managed policy that is attached to the role."""

    emulator: Emulator
    mode: str
    outputs: dict[str, Any]
    policy_arn: str

    @property
    def role_arn(self) -> str:
        """The notebooks' role."""
        return str(self.outputs["role_arn"])

    @property
    def role_name(self) -> str:
        """Its name."""
        return str(self.outputs["role_name"])

    @property
    def name(self) -> str:
        """The notebook instance whose user attacks."""
        return self.mode

    @property
    def colleague(self) -> str:
        """The notebook instance of somebody else, with the same role."""
        return f"{self.mode}-colleague"

    @property
    def rooted(self) -> str:
        """A stopped notebook instance with the same role and root access, from before the module."""
        return f"{self.mode}-rooted"

    def new_name(self) -> str:
        """Return a name that nothing has."""
        return f"{self.mode}-new-{next(_numbers)}"

    def own(self) -> Credentials:
        """Return the session in which the attacker's notebook calls."""
        return self.opened(self.base_session(self.name), self.name)

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Return a client with these credentials, or with those of the attacker's own session."""
        return self.emulator.session_client(service, credentials or self.own())

    def root(self, service: str) -> Any:
        """Return a client of the account's root, which makes and mends."""
        return self.emulator.client(service)

    def opened(self, caller: Credentials, name: str, source_identity: str | None = None) -> Credentials:
        """Open a session of the role as its mode does."""
        identity = source_identity or (name if self.mode == "imds" else None)
        given = {"SourceIdentity": identity} if identity else {}
        sts = self.emulator.session_client("sts", caller)
        opened: Credentials = sts.assume_role(RoleArn=self.role_arn, RoleSessionName=name, **given)["Credentials"]
        return opened

    def base_session(self, notebook: str) -> Credentials:
        """Return what root gets on a notebook instance."""
        return self._given(f"notebook-instances/{self._where}/{notebook}/base-session")

    def job_session(self, job: str) -> Credentials:
        """Return what runs in a job gets."""
        return self._given(f"jobs/{self._where}/{job}/session")

    @property
    def _where(self) -> str:
        return f"{self.emulator.account_id}/{self.emulator.region}"

    def _given(self, path: str) -> Credentials:
        with urllib.request.urlopen(f"{self.emulator.endpoint_url}/_emulator/{path}", timeout=30) as answer:  # noqa: S310
            credentials: Credentials = json.load(answer)
            return credentials

    def wait(self, notebook: str, *statuses: str) -> None:
        """Wait until a notebook instance has one of these statuses."""
        end = time.monotonic() + 60
        sagemaker = self.root("sagemaker")
        while (
            sagemaker.describe_notebook_instance(NotebookInstanceName=notebook)["NotebookInstanceStatus"]
            not in statuses
        ):
            assert time.monotonic() < end
            time.sleep(0.1)

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Give the role and the notebook instances back what they had."""
        iam, sagemaker = self.root("iam"), self.root("sagemaker")
        inline = {
            name: iam.get_role_policy(RoleName=self.role_name, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=self.role_name)["PolicyNames"]
        }
        role = iam.get_role(RoleName=self.role_name)["Role"]
        version = iam.get_policy(PolicyArn=self.policy_arn)["Policy"]["DefaultVersionId"]
        try:
            yield
        finally:
            for name, document in inline.items():
                iam.put_role_policy(RoleName=self.role_name, PolicyName=name, PolicyDocument=json.dumps(document))
            trust = json.dumps(role["AssumeRolePolicyDocument"])
            iam.update_assume_role_policy(RoleName=self.role_name, PolicyDocument=trust)
            boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
            iam.put_role_permissions_boundary(RoleName=self.role_name, PermissionsBoundary=boundary)
            iam.set_default_policy_version(PolicyArn=self.policy_arn, VersionId=version)
            for notebook in (self.name, self.colleague, self.rooted):
                self.wait(notebook, "Stopped", "InService")
            status = sagemaker.describe_notebook_instance(NotebookInstanceName=self.name)["NotebookInstanceStatus"]
            if status == "Stopped":
                sagemaker.start_notebook_instance(NotebookInstanceName=self.name)
                self.wait(self.name, "InService")
