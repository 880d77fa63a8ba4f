"""Terraform at work on a copy of the module, or of one of its examples.

Nothing is written into the checkout: the files are copied, and Terraform runs in the copy, through python-terraform.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from provider import running_provider
from python_terraform import IsFlagged, IsNotFlagged, Terraform

CHECKOUT = Path(__file__).resolve().parents[2]


class ToolMissingError(Exception):
    """A program that the work needs isn't on this machine; the message says what brings it."""


class TerraformError(Exception):
    """Terraform failed in a way that no diagnostic tells; the message is what it printed."""


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning of Terraform's, as its machine-readable output gives it.

    `context` is the block that it speaks of, such as `module.NAME` of a call's argument.
    """

    severity: str
    summary: str
    detail: str
    context: str = ""


# Actions of Terraform's messages that change state alone.
_NOTHING_TO_DO = ("noop", "move", "import")


@dataclass(frozen=True)
class Outcome:
    """What one Terraform command said and did."""

    status: int
    diagnostics: list[Diagnostic]
    messages: list[dict[str, Any]]
    show: Callable[[], dict[str, Any]] = dict

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan, as `terraform show -json` prints it; empty where there is none."""
        return self.show()

    @property
    def errors(self) -> list[str]:
        """The detail of each error, or its summary where that says it all."""
        return [each.detail or each.summary for each in self.diagnostics if each.severity == "error"]

    @property
    def warnings(self) -> list[str]:
        """The detail of each warning."""
        return [each.detail for each in self.diagnostics if each.severity == "warning"]

    @property
    def changes(self) -> dict[str, list[str]]:
        """The planned actions by resource address, where there is something to do; data sources aside."""
        if self.errors:
            return {}
        said = [
            (each["change"]["resource"]["addr"], each["change"]["action"])
            for each in self.messages
            if each.get("type") == "planned_change" and not each["change"]["resource"]["resource"].startswith("data.")
        ]
        # What is said is enough but for the order in which something is replaced, and showing takes as long as planning.
        if {action for _, action in said} <= {"create", "update", "delete", *_NOTHING_TO_DO}:
            return {address: [action] for address, action in said if action not in _NOTHING_TO_DO}
        return {
            change["address"]: change["change"]["actions"]
            for change in self.plan.get("resource_changes", [])
            if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
        }

    def planned(self, address: str) -> dict[str, Any]:
        """Return the planned attributes of a resource; KeyError where it isn't in the plan."""
        for change in self.plan["resource_changes"]:
            if change["address"] == address:
                after: dict[str, Any] = change["change"]["after"]
                return after
        raise KeyError(address)

    def output(self, name: str) -> Any:
        """Return the planned value of an output; KeyError where it is unknown until apply."""
        return self.plan["planned_values"]["outputs"][name]["value"]


def terraform_program() -> str:
    """Return the path of `terraform`, or of OpenTofu's `tofu`; raises ToolMissingError where there is neither."""
    for name in ("terraform", "tofu"):
        if path := shutil.which(name):
            return path
    raise ToolMissingError(
        "neither terraform nor tofu is on the PATH: install Terraform 1.5 or newer "
        "(https://developer.hashicorp.com/terraform/install) or OpenTofu (https://opentofu.org/docs/intro/install/)"
    )


# The provider that the tests run, and where tools/get_provider.py puts it.
PROVIDER_VERSION = "5.100.0"
DOWNLOADED = CHECKOUT / ".cache" / "providers"


def provider_mirror() -> Path | None:
    """Return a folder that holds the AWS provider for Terraform's `filesystem_mirror`, or None: use the registry.

    Looked for in the environment variable TF_PROVIDER_MIRROR, in the folders where Terraform itself looks, one level
    under /opt, and where it was downloaded to.
    """
    named = os.environ.get("TF_PROVIDER_MIRROR")
    implied = [
        Path.home() / ".terraform.d/plugins",
        Path.home() / ".local/share/terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]
    candidates = [Path(named)] if named else [*implied, *sorted(Path("/opt").glob("*")), DOWNLOADED]
    for candidate in candidates:
        if candidate.is_dir() and any(candidate.glob("*/hashicorp/aws")):
            return candidate
    if named:
        raise ToolMissingError(f"TF_PROVIDER_MIRROR is {named}, but there is no */hashicorp/aws/ in that folder")
    return None


def mirror_of(program: str, folder: Path) -> Path | None:
    """Return the mirror for `terraform` or `tofu`, in a folder where it has to be made.

    Each looks for the provider under its own registry's name: it gets links to what stands under the other's.
    """
    host = "registry.opentofu.org" if Path(program).name == "tofu" else "registry.terraform.io"
    mirror = provider_mirror()
    if mirror is None or (mirror / host / "hashicorp/aws").is_dir():
        return mirror
    for unpacked in filter(Path.is_dir, mirror.glob("*/hashicorp/aws/*/*")):
        # None of the folders above it may be a link.
        link = folder / "mirror" / host / "hashicorp/aws" / unpacked.parent.name / unpacked.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(unpacked.resolve())
    return folder / "mirror"


def written_cli_config(program: str, folder: Path) -> Path:
    """Write a configuration of the command line's that installs the provider from the mirror, if there is one."""
    path, mirror = folder / "terraform.rc", mirror_of(program, folder)
    path.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n' if mirror else ""
    )
    return path


def _only_provider() -> Path | None:
    """Return the provider's program, unpacked in the mirror, where `init` has no choice: to install it there takes long."""
    mirror = provider_mirror()
    found = list(mirror.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")) if mirror else []
    return found[0] if len(found) == 1 else None


class Workspace:
    """A copy of the module in a folder, initialised, with one root that Terraform works in.

    Arguments: `folder`, empty or missing; `root`, the root within the copy ("." or "examples/NAME"); `environment`,
    the AWS_* variables of the account to work on; `own_provider`, whether Terraform starts a provider for each command, as
    it does for users, instead of going to one that keeps running; `program`, the path of the `terraform` or `tofu` to run.
    """

    # The mirror's only one, or else what the first `init` of this process installed.
    _provider: Path | None = None

    def __init__(
        self,
        folder: Path,
        *,
        root: str = ".",
        environment: Mapping[str, str] | None = None,
        own_provider: bool = False,
        program: str | None = None,
    ) -> None:
        self.folder = folder
        self.root = folder / root
        self._plans = 0
        self._own_provider = own_provider
        copy_module(folder)
        program = program or terraform_program()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
            **(environment or {}),
            "TF_CLI_CONFIG_FILE": str(written_cli_config(program, folder)),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            # Relative, since the path of a Unix socket has to be short: the providers' sockets lie there.
            "TMPDIR": ".",
            # Neither lives long enough for a collector of garbage to pay.
            "GOGC": "400",
        }
        self.terraform = Terraform(working_dir=str(self.root), terraform_bin_path=program)
        Workspace._provider = Workspace._provider or _only_provider()
        status, out, err = self.command("init", input=False, no_color=IsFlagged)
        if status:
            raise TerraformError(f"terraform init failed in a copy of {root}:\n{out}{err}")
        Workspace._provider = Workspace._provider or self._installed_provider()

    def _installed_provider(self) -> Path | None:
        found = self.root.glob(".terraform/providers/*/hashicorp/aws/*/*")
        return next((path for folder in found for path in folder.glob("terraform-provider-aws*")), None)

    def _reattached(self) -> dict[str, str]:
        if self._own_provider or Workspace._provider is None:
            return {}
        provider = running_provider(Workspace._provider, self.environment, self.folder)
        return {"TF_REATTACH_PROVIDERS": provider.reattach}

    def command(self, name: str, *arguments: str, **options: Any) -> tuple[int, str, str]:
        """Run a Terraform command; return its status and what it printed on standard output and error."""
        with patch.dict(os.environ, {**self.environment, **self._reattached()}, clear=True):
            # None is how cmd() takes a False without handing it on to Terraform.
            process, _, _ = self.terraform.cmd(name, *arguments, synchronous=None, **options)
        try:
            out, err = process.communicate()
        except BaseException:
            _end(process)
            raise
        return int(process.returncode), out.decode(), err.decode()

    def plan(self, variables: Mapping[str, Any] | None = None, **options: Any) -> Outcome:
        """Plan with these variables; `Outcome.plan` holds the plan where there were no errors."""
        self._plans += 1
        file = f"plan-{self._plans}.bin"
        outcome = self._reporting("plan", variables, out=file, **options)
        if outcome.errors:
            return outcome

        # Showing takes as long as planning, and not every test looks.
        def show() -> dict[str, Any]:
            _, shown, _ = self.command("show", file, json=IsFlagged, no_color=IsFlagged)
            plan: dict[str, Any] = json.loads(shown)
            return plan

        return replace(outcome, show=show)

    def apply(self, variables: Mapping[str, Any] | None = None, **options: Any) -> Outcome:
        """Apply with these variables, without asking."""
        return self._reporting("apply", variables, auto_approve=IsFlagged, **options)

    def apply_planned(self) -> Outcome:
        """Apply what the last `plan` planned."""
        return self._reporting("apply", None, f"plan-{self._plans}.bin")

    def destroy(self, variables: Mapping[str, Any] | None = None, **options: Any) -> Outcome:
        """Destroy all that the state holds, without asking."""
        return self._reporting("destroy", variables, auto_approve=IsFlagged, force=IsNotFlagged, **options)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs in the state, by name."""
        _, out, _ = self.command("output", json=IsFlagged)
        return {name: output["value"] for name, output in json.loads(out).items()}

    def resources(self) -> list[str]:
        """Return the addresses in the state, data sources included."""
        _, out, _ = self.command("state list")
        return out.split()

    def _reporting(self, name: str, variables: Mapping[str, Any] | None, *arguments: str, **options: Any) -> Outcome:
        if variables:
            (self.root / "test.tfvars.json").write_text(json.dumps(variables))
            options["var_file"] = "test.tfvars.json"
        status, out, err = self.command(name, *arguments, json=IsFlagged, input=False, **options)
        messages = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        diagnostics = [
            Diagnostic(
                said["severity"],
                said["summary"],
                said["detail"],
                (said.get("snippet") or {}).get("context") or "",
            )
            for said in (each["diagnostic"] for each in messages if each.get("type") == "diagnostic")
        ]
        if status and not any(each.severity == "error" for each in diagnostics):
            raise TerraformError(f"terraform {name} ended with status {status}:\n{out}{err}")
        return Outcome(status, diagnostics, messages)


def _end(terraform: subprocess.Popen[bytes]) -> None:
    """End an interrupted Terraform.

    On Ctrl-C it was told too, and ends in good order. Told again it would end at once, and leave its providers.
    """
    for seconds, act in ((5, terraform.terminate), (15, terraform.kill)):
        try:
            terraform.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            act()
        else:
            return
    terraform.wait()


def copy_module(folder: Path) -> None:
    """Copy the module, its submodules and examples, as they stand in the checkout, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in CHECKOUT.glob("*.tf"):
        shutil.copy(path, folder)
    for name in ("scripts", "modules", "examples"):
        shutil.copytree(
            CHECKOUT / name,
            folder / name,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"),
        )
