"""What to change: the commands, and the arguments of the module, that mend an instance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..calls.call import BASE_SESSION
from .account import Instance
from .iam.role import ASSUME_ROLE, SET_SOURCE_IDENTITY, Role

Steps = tuple[str, ...]
"""What to do, from top to bottom: sentences, and commands to be pasted as they stand."""

APPLY = "terraform apply"


def is_command(step: str) -> bool:
    """Return whether a step is a command."""
    return step.startswith(("aws ", "terraform "))


def in_terraform(what: str) -> Steps:
    """Return the steps that change the configuration; commands that follow are for its folder, too."""
    return f"In Terraform, {what}. Then, in that folder:", APPLY


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

    def restart(self) -> Steps:
        """Return the commands that have the instance run its script anew."""
        # One that is stopped stays so: it runs the script when it is started.
        return self._in_order([] if self._instance.status == "Stopped" else _START)

    def update(self, options: str) -> Steps:
        """Return the commands that change the instance, which has to be stopped for that, and start it again."""
        update = [f"update-notebook-instance {options}", "wait notebook-instance-stopped"]
        return self._in_order(update if self._instance.status == "Stopped" else [*update, *_START])

    def other_script(self, arguments: str = "") -> Steps:
        """Return the steps that give it the module's script, by a call of the module with these arguments."""
        known = self._lifecycle_name
        if known:
            before = in_terraform(f"in the call of the module that made {known}, set {arguments}") if arguments else ()
            return *before, *self.update(f"--lifecycle-config-name {known}")
        instance = self._instance
        more = f", {arguments}" if arguments else ""
        return (
            *in_terraform(
                "in the call of the module that manages this role, or else in a new one with create_role = false and "
                f'role_arn = "{instance.role_arn}", set additional_session_names = ["{instance.name}"] (beside those that it '
                f"has){more}, and add an output of its lifecycle_configuration_name"
            ),
            *self.update('--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'),
        )

    def applied(self, what: str) -> Steps:
        """Return the steps that change the module's script, and bring it to the instance."""
        return *in_terraform(what), *(self.restart() or ("Start it when it is needed.",))

    def enforced(self, *, is_of_module: bool, is_denied: bool) -> Steps:
        """Return the steps to the imds mode and the policy that denies unattributed calls.

        `is_of_module`: the instance has a lifecycle configuration of the module's; `is_denied`: the policy is there already.
        """
        mode = 'attribution_mode = "imds"'
        if is_of_module:
            name = self._instance.lifecycle_name
            steps = self.applied(f"in the call of the module that made {name}, set {mode}")
        else:
            steps = self.other_script(mode)
        # At once it would refuse the calls of whoever isn't attributed yet, so the module refuses that.
        return steps if is_denied else (*steps, *in_terraform(_DENY))

    def _in_order(self, steps: Sequence[str]) -> Steps:
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
        return tuple(map(self._cli, [*before, *steps]))

    def _cli(self, step: str) -> str:
        action, _, options = step.partition(" --")
        named = f"sagemaker {action} --notebook-instance-name {self._instance.name}"
        return self.aws(f"{named} --{options}" if options else named)

    def trust(self, role: Role, what: str = "") -> Steps:
        """Return the steps that give the role the module's trust policy."""
        return (
            f"This replaces the whole trust policy of {role.name}{what}:",
            f"aws iam update-assume-role-policy --role-name {role.name} --policy-document "
            f"'{json.dumps(trust_policy(role), separators=(',', ':'))}'",
        )

    def own_session(self, role: Role) -> Steps:
        """Return the steps that let the role open sessions on itself."""
        statement = {"Effect": "Allow", "Action": _HANDSHAKE, "Resource": role.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return (
            "Where the module manages this role, terraform apply writes the policy anew. Elsewhere:",
            f"aws iam put-role-policy --role-name {role.name} --policy-name assume-self --policy-document '{document}'",
        )


_START = ("start-notebook-instance", "wait notebook-instance-in-service")
_DENY = (
    "once every notebook instance of the role runs the module's script, set deny_unattributed_calls = true there, and "
    "outside_notebooks_are_attributed = true if the module didn't make all of them"
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
