"""What is wrong with a notebook instance by itself: its script, its name, its settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from ..calls.call import BASE_SESSION
from .account import Instance
from .changes import Changes, Steps, in_terraform
from .script.recognise import Script

# What stands in the way of `enforced` is a note; other notes change nothing.
Effect = Literal["note", "weak", "unknown", "not-attributed", "broken"]

# Neither can be created or started any more: the first since 2022, the second since 1 July 2026.
_ENDED_PLATFORMS = {"notebook-al1": "Amazon Linux 1", "notebook-al2-": "Amazon Linux 2"}
_OF_IMDS_MODE = ("proxy", "firewall")
_PLATFORM = "notebook-al2023-v1"


class Finding(Struct, frozen=True):
    """Something to change: a code for programs, the problem, and the steps that mend it."""

    code: str
    effect: Effect
    problem: str
    change: Steps


class InstanceFindings:
    """What speaks against an instance, as far as its role has no part in it."""

    def __init__(self, instance: Instance, script: Script, changes: Changes) -> None:
        self._instance = instance
        self._script = script
        self._changes = changes

    def of_reading(self) -> Iterator[Finding]:
        """Yield what couldn't be read, and whether there is a role at all."""
        instance = self._instance
        for unread in instance.unread:
            yield Finding(
                "unread",
                "unknown",
                f"could not read {unread.what}: {unread.reason}",
                (f"Allow {unread.permission} to whoever runs the audit (which-notebook audit --permissions).",),
            )
        if not instance.has_role:
            yield Finding(
                "role-missing",
                "broken",
                f"its role {instance.role_arn} doesn't exist",
                (
                    *in_terraform(
                        f'in a call of the module, set additional_session_names = ["{instance.name}"], and add '
                        "outputs of its role_arn and lifecycle_configuration_name"
                    ),
                    *self._changes.update(
                        '--role-arn "$(terraform output -raw role_arn)" '
                        '--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'
                    ),
                ),
            )

    def of_script(self) -> Iterator[Finding]:
        """Yield what is wrong with its on-start script."""
        instance, script = self._instance, self._script
        if instance.lifecycle_name is None:
            yield Finding(
                "no-lifecycle-configuration",
                "not-attributed",
                "it has no lifecycle configuration, so nothing sets attribution up",
                self._changes.other_script(),
            )
            return
        if instance.lifecycle is None:
            return
        if instance.lifecycle.on_start is None:
            yield Finding(
                "no-on-start-script",
                "not-attributed",
                f"its lifecycle configuration {instance.lifecycle_name} has no on-start script",
                self._changes.other_script(),
            )
        elif script.kind in ("none", "undecided"):
            yield Finding(
                "no-attribution" if script.kind == "none" else "script-undecided",
                "not-attributed" if script.kind == "none" else "unknown",
                script.problem or "",
                self._script_change(),
            )
        yield from self._of_exposures()
        if script.role_arn and script.role_arn != instance.role_arn:
            yield Finding(
                "other-role",
                "broken",
                f"its script opens sessions on {script.role_arn}, but its role is {instance.role_arn}",
                self._changes.update(f"--role-arn {script.role_arn}"),
            )
        if script.session_name and script.session_name != instance.name:
            yield Finding(
                "other-name",
                "not-attributed",
                f"its script names every session {script.session_name}, whatever the notebook instance is called",
                self._changes.other_script(),
            )
        if not script.is_locked:
            yield Finding(
                "not-locked",
                "weak",
                "its script doesn't lock ~/.aws, ~/.aws/config and ~/.aws/credentials, so the notebook's user can change "
                "or move the config for good",
                self._changes.other_script(),
            )
        if self._is_outdated():
            yield Finding(
                "older-script",
                "unknown",
                f"{instance.lifecycle_name} was changed after the notebook instance's last start, so it runs an older script",
                self._changes.restart(),
            )
        if script.starts_without and script.mode == "imds":
            yield Finding(
                "starts-without-attribution",
                "note",
                "it starts also where attribution can't be set up, with the base session open to everyone",
                self._changes.applied("in the module, set allow_start_without_attribution = false"),
            )

    def _script_change(self) -> Steps:
        """Return what to do about a script that doesn't set attribution up, or of which that can't be told."""
        script, name = self._script, self._instance.lifecycle_name
        if script.kind == "none":
            return self._changes.other_script()
        if script.version:
            doubtful = (
                "take what isn't known to be harmless out of extra_on_start, or see for yourself that it is harmless"
            )
            return self._changes.applied(doubtful)
        if script.is_of_module:
            version = (
                f"If nobody changed {name}, it is another version's: use the which-notebook of that version. Else:"
            )
            return version, *self._changes.other_script()
        return (
            f"Take that out of the on-start script of {name}, or use the module's script. Then:",
            *self._changes.restart(),
        )

    def _of_exposures(self) -> Iterator[Finding]:
        """Yield what the script exposes to the notebook's user besides."""
        script = self._script
        where = "extra_on_start" if script.version else "the on-start script"
        for exposure in script.exposures:
            # The proxy and the firewall are the imds mode's; in profile mode it isn't known what such a line is for.
            is_sure = exposure.code not in _OF_IMDS_MODE or script.mode == "imds"
            yield Finding(
                exposure.code,
                "weak" if is_sure else "unknown",
                f"in {where}, {exposure.what}",
                self._changes.applied("take it out of extra_on_start")
                if script.version
                else (
                    f"Take it out of the on-start script of {self._instance.lifecycle_name}. Then:",
                    *self._changes.restart(),
                ),
            )

    def _is_outdated(self) -> bool:
        lifecycle, started = self._instance.lifecycle, self._instance.modified
        if (
            self._instance.status not in ("InService", "Stopping")
            or not lifecycle
            or not lifecycle.modified
            or not started
        ):
            return False
        # The API has no time of the start. A start changes this one, so the start was no later.
        return lifecycle.modified > started

    def of_name(self) -> Iterator[Finding]:
        """Yield what is wrong with its name."""
        if problem := wrong_name(self._instance.name):
            change = "Create it anew under another name, with another key in notebook_instances."
            yield Finding("name", "note" if self._script.kind == "none" else "broken", problem, (change,))

    def of_settings(self) -> Iterator[Finding]:
        """Yield what is wrong with its settings."""
        instance, name = self._instance, self._instance.name
        if instance.status == "Failed":
            yield Finding(
                "failed",
                "broken",
                f"it didn't start: {instance.failure or 'no reason is given'}",
                (
                    "See why:",
                    self._changes.aws(
                        "logs tail /aws/sagemaker/NotebookInstances --since 7d --log-stream-names "
                        f"{name}/LifecycleConfigOnStart"
                    ),
                    "Mend that. Then:",
                    *self._changes.restart(),
                ),
            )
        system = next(
            (each for sign, each in _ENDED_PLATFORMS.items() if (instance.platform or "").startswith(sign)), None
        )
        if system:
            yield Finding(
                "platform",
                "note" if instance.status == "InService" else "broken",
                f"{system} ({instance.platform}) is over: it can't be started any more",
                (
                    "Where Terraform sets its platform_identifier, remove that. Then:",
                    *self._changes.update(f"--platform-identifier {_PLATFORM}"),
                ),
            )
        update = self._changes.update("--root-access Disabled")
        if instance.root_access is None:
            yield Finding(
                "root-access",
                "unknown",
                "whether root access is on isn't said",
                update,
            )
        elif instance.root_access:
            yield Finding(
                "root-access",
                "weak",
                "root access is on: root can unlock what the script locks",
                update,
            )
        if instance.metadata_version != "2":
            configuration = "--instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2"
            yield Finding(
                "metadata-version",
                "note",
                "its metadata service answers version 1 too, so one forged request through a server on it gets credentials",
                (
                    'Where Terraform made it, set minimum_instance_metadata_service_version = "2" there. Then:',
                    *self._changes.update(configuration),
                ),
            )


def wrong_name(name: str) -> str | None:
    """Return why a notebook instance of this name can have no session of its own, None where it can."""
    if len(name) < 2:
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        return "its name can't be a session name, which has 2 characters or more"
    if name.lower() == BASE_SESSION.lower():
        return "its name is the session name of all that isn't attributed"
    return None
