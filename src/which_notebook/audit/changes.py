"""What to change: the commands, and the arguments of the module, that mend an instance."""

from __future__ import annotations

import json
from typing import Any

from ..records.cloudtrail import BASE_SESSION
from .account import Instance
from .iam.role import ASSUME_ROLE, SET_SOURCE_IDENTITY, Role


class Changes:
    """The changes to one notebook instance, and to its role."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def aws(self, command: str) -> str:
        """Return a command of the AWS CLI's, for the instance's region."""
        return f"aws {command} --region {self._instance.region}"

    def cli(self, verb: str) -> str:
        """Return the command that does this to the instance: start, stop, or wait until it is stopped."""
        action = {"wait": "wait notebook-instance-stopped"}.get(verb, f"{verb}-notebook-instance")
        return self.aws(f"sagemaker {action} --notebook-instance-name {self._instance.name}")

    def update(self, options: str) -> str:
        """Return the command that changes the instance, which has to be stopped for that."""
        update = self.aws(
            f"sagemaker update-notebook-instance --notebook-instance-name {self._instance.name} {options}"
        )
        return update if self._instance.status == "Stopped" else f"{self.cli('stop')}, then {update}"

    def other_script(self) -> str:
        """Return how to give it the module's script."""
        return (
            self.update("--lifecycle-config-name NAME")
            + ", with NAME from the module's output lifecycle_configuration_name"
        )

    def trust(self, role: Role) -> str:
        """Return the command that gives the role the module's trust policy."""
        return (
            f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
            f"'{json.dumps(trust_policy(role), separators=(',', ':'))}'"
        )

    def own_session(self, role: Role) -> str:
        """Return how to let the role open sessions on itself."""
        statement = {"Effect": "Allow", "Action": _HANDSHAKE, "Resource": role.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return (
            f"terraform apply of the module for this role, or aws iam put-role-policy --role-name {role.name} "
            f"--policy-name assume-self --policy-document '{document}'"
        )


# The module's policies are the same in both modes.
_HANDSHAKE = [ASSUME_ROLE, SET_SOURCE_IDENTITY]


def trust_policy(role: Role) -> dict[str, Any]:
    """Return the trust policy that the module writes: its output role_trust_policy."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SageMakerOpensBaseSession",
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": _HANDSHAKE,
            },
            {
                "Sid": "BaseSessionOpensNotebookSessions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{role.partition}:iam::{role.account_id}:root"},
                "Action": _HANDSHAKE,
                "Condition": {
                    "StringEquals": {"aws:PrincipalArn": role.arn},
                    "StringLike": {"aws:userid": f"*:{BASE_SESSION}"},
                },
            },
        ],
    }
