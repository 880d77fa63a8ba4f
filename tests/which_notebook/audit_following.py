"""What the audit advises, done as it stands there: the call of the module edited and applied, the commands run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.session import get_session
from calls import address, inputs_of_cases, write_cases
from workspace import Workspace

from .audit_account import AuditedAccount
from .aws_cli import AwsCli


@dataclass
class ModuleCall:
    """A call of the module in a configuration that can be edited."""

    workspace: Workspace
    name: str

    @classmethod
    def new(cls, folder: Path, name: str, environment: dict[str, str]) -> ModuleCall:
        """Write a configuration with one call, which puts out what the audit's advice asks for."""
        told = ("role_arn", "lifecycle_configuration_name")
        output = {each: {"value": f"${{{address('own')}.{each}}}"} for each in told}
        root = write_cases(folder / "root", {"own": {"name": name}}, output=output)
        return cls(Workspace(folder / "root", root=root, environment=environment), "own")

    def edit(self, advice: str) -> None:
        """Set and remove the arguments that a piece of advice names."""
        path = self.workspace.root / "main.tf.json"
        content = json.loads(path.read_text())
        arguments = content["locals"]["cases"][self.name]
        for name in re.findall(r"remove (\w+) = true", advice):
            del arguments[name]
        advice = re.sub(r"remove \w+ = true", "", advice)
        is_own = "or else in a new one with" in advice and self.name != "own"
        for name, value in re.findall(r'(\w+) = ("[^"]*"|\[[^]]*\]|true|false)', advice):
            if is_own and name in ("create_role", "role_arn"):
                continue  # for a new call
            given = json.loads(value)
            arguments[name] = [*arguments.get(name, []), *given] if isinstance(given, list) else given
        content["module"]["case"] |= inputs_of_cases(arguments)
        path.write_text(json.dumps(content))


@dataclass
class Follower:
    """Whoever does what is advised; `folder` is for what that takes."""

    account: AuditedAccount
    folder: Path
    new_calls: int = 0

    def follow(self, advice: Iterable[tuple[dict[str, Any], list[list[str]]]]) -> None:
        """Do what is advised for several notebook instances, each a row and its changes.

        For each from top to bottom. Where several are at an apply of one configuration, one apply is for all of them.
        """
        under_way = [self._follow(row, changes) for row, changes in advice]
        while under_way:
            reached = [(each, next(each, None)) for each in under_way]
            for workspace in dict.fromkeys(workspace for _, workspace in reached if workspace):
                # Nobody changed anything of its meanwhile but what was advised: what is there need not be read anew.
                assert workspace.apply(refresh=False).errors == []
            under_way = [each for each, workspace in reached if workspace]

    def _follow(self, row: dict[str, Any], changes: list[list[str]]) -> Iterator[Workspace]:
        """Do what is advised for one; yield each configuration that is to be applied, and go on once it is."""
        account = self.account
        own = [name for name, each in account.outputs.items() if each["role_arn"] == row["role_arn"]]
        for change in changes:
            call = ModuleCall(account.workspace, own[0]) if own else None
            done = 0
            for step in change:
                if step == "terraform apply":
                    assert call
                    yield call.workspace
                elif step.startswith("aws "):
                    self._cli.run(step, (call.workspace if call else account.workspace).root)
                elif step.startswith("In Terraform, "):
                    call = call or self._new_call()
                    call.edit(step)
                else:
                    continue
                done += 1
            assert done

    def _new_call(self) -> ModuleCall:
        self.new_calls += 1
        name = f"followed-{self.new_calls}"
        return ModuleCall.new(self.folder / name, name, self.account.workspace.environment)

    @cached_property
    def _cli(self) -> AwsCli:
        """The AWS CLI, which asks often whether what it waits for is there, not each half minute."""
        waiters = self.folder / "models/sagemaker/2017-07-24/waiters-2.json"
        waiters.parent.mkdir(parents=True)
        model = get_session().get_component("data_loader").load_service_model("sagemaker", "waiters-2")
        often = {name: {**each, "delay": 0.1, "maxAttempts": 600} for name, each in model["waiters"].items()}
        waiters.write_text(json.dumps({**model, "waiters": often}))
        return AwsCli(self.account.workspace.environment, self.folder / "models")
