"""What to change: the commands, and the arguments of the module, that mend an instance."""

from __future__ import annotations

import json
from typing import Any

from ..calls.call import BASE_SESSION
from .account import Instance
from .iam.role import ASSUME_ROLE, SET_SOURCE_IDENTITY, Role


class Changes:
    """The changes to one notebook instance, and to its role: each, followed to the word, takes effect.

    `lifecycle_name`: a lifecycle configuration of the module's for the same role and region, where the account has one.
    """

    def __init__(self, instance: Instance, lifecycle_name: str | None = None) -> None:
        self._instance = instance
        self._lifecycle_name = lifecycle_name

    def aws(self, command: str) -> str:
        """Return a command of the AWS CLI's, for the instance's region."""
        return f"aws {command} --region {self._instance.region}"

    def restart(self) -> str:
        """Return the commands that have the instance run its script anew."""
        # One that is stopped stays so: it runs the script when it is started.
        return self._in_order([] if self._instance.status == "Stopped" else ["start-notebook-instance"])

    def update(self, options: str) -> str:
        """Return the commands that change the instance, which has to be stopped for that, and start it again."""
        update = f"update-notebook-instance {options}"
        if self._instance.status == "Stopped":
            return self._in_order([update])
        return self._in_order([update, "wait notebook-instance-stopped", "start-notebook-instance"])

    def other_script(self, more: str = "") -> str:
        """Return how to give it the module's script, and to change this besides."""
        if self._lifecycle_name:
            return self.update(f"--lifecycle-config-name {self._lifecycle_name}{more}")
        return (
            "in the call of the module that manages this role, or else in a new one with create_role = false, "
            f'role_arn = "{self._instance.role_arn}", set additional_session_names = ["{self._instance.name}"] (beside those that '
            "it has), with an output lifecycle_configuration_name; apply, and run there: "
            + self.update(f'--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"{more}')
        )

    def applied(self, arguments: str) -> str:
        """Return how to change arguments of the module that are for its script."""
        restart = self.restart()
        return f"{arguments} in the module, terraform apply, then " + (restart or "start it when it is needed")

    def _in_order(self, steps: list[str]) -> str:
        """Return the commands for these steps, with those before that bring the instance to a stop."""
        before = {
            "Pending": [
                "wait notebook-instance-in-service",
                "stop-notebook-instance",
                "wait notebook-instance-stopped",
            ],
            "InService": ["stop-notebook-instance", "wait notebook-instance-stopped"],
            "Stopping": ["wait notebook-instance-stopped"],
            "Updating": ["wait notebook-instance-stopped"],
        }.get(self._instance.status, [])
        return " && ".join(map(self._cli, [*before, *steps]))

    def _cli(self, step: str) -> str:
        action, _, options = step.partition(" --")
        named = f"sagemaker {action} --notebook-instance-name {self._instance.name}"
        return self.aws(f"{named} --{options}" if options else named)

    def trust(self, role: Role) -> str:
        """Return the command that gives the role the module's trust policy."""
        return (
            f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
            f"'{json.dumps(trust_policy(role), separators=(',', ':'))}' # this "
            "replaces the whole trust policy"
        )

    def own_session(self, role: Role) -> str:
        """Return how to let the role open sessions on itself."""
        statement = {"Effect": "Allow", "Action": _HANDSHAKE, "Resource": role.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return (
            f"terraform apply of the module for this role, or: aws iam put-role-policy --role-name {role.name} "
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
