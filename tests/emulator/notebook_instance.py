"""A test's handle on a notebook instance of the emulator's."""

import base64
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from emulator import agent, filesystem, instance_logs, kernel, lifecycle, machine
from emulator.faults import Fault, Faults
from emulator.metadata_service import BASE_SESSIONS, RENEW
from emulator.network import LAYOUT_TAG, LAYOUTS, Layout

if TYPE_CHECKING:
    from emulator.server import Emulator
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeNotebookInstanceOutputTypeDef

_PATIENCE = 60.0
_ON_THE_WAY = ("Pending", "Stopping", "Updating", "Deleting")


class NotRunningError(Exception):
    """A command was to run on an instance that isn't running."""


class NotebookInstance:
    """One notebook instance: commands run in it, its files, its life through the SageMaker API."""

    def __init__(
        self, emulator: "Emulator", name: str, *, region: str | None = None, account_id: str | None = None
    ) -> None:
        self.emulator = emulator
        self.name = name
        self.region = region or emulator.region
        self.account_id = account_id or emulator.account_id
        self.folder = Path(emulator.folder, "notebook-instances", self.account_id, self.region, name)

    @property
    def pid(self) -> int:
        """The instance's first process, as this machine numbers it."""
        try:
            pid = int((self.folder / "pid").read_text())
            # A host process that was killed leaves its note behind, and the number may be another process' by now:
            # only this instance has its volume there.
            running = os.path.samefile(f"/proc/{pid}/root{filesystem.HOME}/SageMaker", self.folder / "SageMaker")
        except (FileNotFoundError, ProcessLookupError):
            running = False
        if not running:
            raise NotRunningError(f"notebook instance {self.name} isn't running")
        return pid

    @property
    def python(self) -> str:
        """The Python that has boto3 and the other clients; it is on the instance at the same path."""
        return sys.executable

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str = filesystem.USER,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 60,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a notebook of the user's would, in a login shell's environment and nothing else's."""
        command, environment = self.login(argv, user=user, env=env)
        return _run(command, environment, input=input, timeout=timeout, check=check)

    def root(self, script: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a few lines of bash as root; the test's own hand, from which nothing is withheld, as mounting."""
        command, environment = self.login(["/bin/bash", "-c", script], user="root", env=env, withhold=False)
        return _run(command, environment, timeout=60)

    def in_network(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine's in the instance's network, whatever is installed on the instance."""
        return _run(["nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *command], os.environ, timeout=60, check=check)

    def in_agents_network(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine's where SageMaker's agent is, in the layout that has one."""
        network = (self.folder / "agent-network").read_text()
        return _run(["nsenter", f"--net={network}", "--", *command], os.environ, timeout=60)

    def restart_agent(self) -> None:
        """Let SageMaker's agent do what it does when it starts: put its NAT rules in front of all others."""
        for rule in agent.NAT_RULES:
            self.in_network(*agent.iptables("-D", rule))
            self.in_network(*agent.iptables("-I", rule), check=True)

    def login(
        self,
        argv: Sequence[str],
        *,
        user: str = filesystem.USER,
        env: Mapping[str, str] | None = None,
        withhold: bool = True,
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs another one in the instance, in a login shell, and its environment."""
        home = "/root" if user == "root" else f"/home/{user}"
        # What the caller sets comes after what /etc/profile does.
        setting = ["env", *(f"{name}={value}" for name, value in env.items())] if env else []
        start = 'cd "$HOME/SageMaker" 2>/dev/null || cd "$HOME" || cd /; exec "$@"'
        entry = machine.entry(self.pid, user, withhold=withhold)
        return [*entry, "/bin/bash", "--login", "-c", start, "bash", *setting, *argv], {
            "HOME": home,
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            # Until /etc/profile sets another.
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            **filesystem.ca_environment(),
        }

    def write(self, path: str, text: str, *, owner: str = filesystem.USER) -> None:
        """Write a file as its owner, who therefore needs the right to."""
        self.run(["tee", "--", path], user=owner, input=text, check=True)

    def read(self, path: str) -> str:
        """What a file holds."""
        with open(self._open(path, os.O_RDONLY), encoding="utf-8", errors="replace") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        """Whether there is such a path; a link that leads nowhere is one."""
        try:
            os.close(self._open(path, os.O_PATH | os.O_NOFOLLOW))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _open(self, path: str, flags: int) -> int:
        """Open one of its files as its root would, without a process in it, which costs more than what it reads."""
        return kernel.open_below(f"/proc/{self.pid}/root", path, flags)

    @property
    def boot_log(self) -> str:
        """What the last boot's on-start script printed."""
        return (self.folder / "LifecycleConfigOnStart.log").read_text(errors="replace")

    def lifecycle_log(self, hook: lifecycle.Hook = "OnStart") -> str | None:
        """What CloudWatch Logs has of a script's output, or None where there is no such log."""
        logs = self.emulator.client("logs", region=self.region, account_id=self.account_id)
        stream = instance_logs.stream(self.name, f"LifecycleConfig{hook}")
        try:
            answer = logs.get_log_events(logGroupName=instance_logs.GROUP, logStreamName=stream, startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return None
        return "".join(f"{event['message']}\n" for event in answer["events"])

    def on_start_script(self) -> str:
        """The on-start script of the instance's lifecycle configuration."""
        name = self.describe()["NotebookInstanceLifecycleConfigName"]
        configuration = self._sagemaker.describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=name
        )
        return base64.b64decode(configuration["OnStart"][0]["Content"]).decode()

    def run_on_start(
        self, env: Mapping[str, str] | None = None, script: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the instance's on-start script, or another in its place, once more, in the way that a boot does."""
        content = (self.on_start_script() if script is None else script).encode()
        command = lifecycle.prepare(self.pid, "OnStart", content)
        return _run(command, {**lifecycle.environment(), **(env or {})}, timeout=lifecycle.TIME_LIMIT)

    def renew_base_session(self) -> None:
        """Have the metadata service give out new credentials from now on, as it does when the old ones near their end."""
        (self.folder / RENEW).touch()

    @property
    def access_keys(self) -> list[str]:
        """The access key ids that SageMaker gave this instance: what only the emulator knows, and no log says."""
        return (self.folder / BASE_SESSIONS).read_text().split()

    def go_wrong(self, *, sts: Fault | None = None, metadata: Fault | None = None) -> None:
        """Let STS, or the metadata service, fail this instance in these ways; without any, all is well again."""
        Faults(self.folder).set(sts=sts, metadata=metadata)

    def start(self) -> "DescribeNotebookInstanceOutputTypeDef":
        """Start it, and wait until it is in service or has failed."""
        self._sagemaker.start_notebook_instance(NotebookInstanceName=self.name)
        return self.wait()

    def stop(self) -> "DescribeNotebookInstanceOutputTypeDef":
        """Stop it, and wait until it is stopped."""
        self._sagemaker.stop_notebook_instance(NotebookInstanceName=self.name)
        return self.wait()

    def wait(self, timeout: float = _PATIENCE) -> "DescribeNotebookInstanceOutputTypeDef":
        """Wait until it is neither starting nor stopping, and return its description."""
        end = time.monotonic() + timeout
        while (description := self.describe())["NotebookInstanceStatus"] in _ON_THE_WAY:
            if time.monotonic() > end:
                status = description["NotebookInstanceStatus"]
                raise TimeoutError(f"notebook instance {self.name} is still {status} after {timeout:g} seconds")
            self.emulator.wait_until_settled(self.account_id, self.region, self.name)
        return description

    def pause(self) -> None:
        """Let the imds mode's guard stand still until it is resumed: it looks at the rules every few seconds."""
        self._tell_guard("STOP")

    def resume(self) -> None:
        """Let it go on."""
        self._tell_guard("CONT")

    def _tell_guard(self, signal: str) -> None:
        """Send it a signal, without the login that costs more."""
        entry = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--"]
        _run([*entry, "pkill", f"-{signal}", "-x", "imds-mode"], {"PATH": "/usr/bin:/bin"}, timeout=60)

    def describe(self) -> "DescribeNotebookInstanceOutputTypeDef":
        """What DescribeNotebookInstance answers."""
        return self._sagemaker.describe_notebook_instance(NotebookInstanceName=self.name)

    @property
    def layout(self) -> Layout:
        """What answers at the metadata service's address, as the instance's tag has it."""
        tags = self._sagemaker.list_tags(ResourceArn=self.describe()["NotebookInstanceArn"])["Tags"]
        given = {tag["Key"]: tag["Value"] for tag in tags}
        return cast(Layout, given.get(LAYOUT_TAG, LAYOUTS[0]))

    @property
    def status(self) -> str:
        """The instance's status, in SageMaker's words."""
        return self.describe()["NotebookInstanceStatus"]

    @property
    def failure_reason(self) -> str | None:
        """Why it failed, in SageMaker's words, if it did."""
        return self.describe().get("FailureReason")

    @property
    def _sagemaker(self) -> "SageMakerClient":
        client = self.emulator.client("sagemaker", region=self.region, account_id=self.account_id)
        return cast("SageMakerClient", client)


def _run(
    command: list[str],
    env: Mapping[str, str],
    *,
    input: str | None = None,
    timeout: float,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    # Files, not pipes: a process that the command leaves running may hold its output open, and needn't be waited for.
    with _text_file() as given, _text_file() as output, _text_file() as errors:
        given.write(input or "")
        given.seek(0)
        result = subprocess.run(
            command, env=env, stdin=given, stdout=output, stderr=errors, timeout=timeout, check=False, cwd="/"
        )
        output.seek(0)
        errors.seek(0)
        completed = subprocess.CompletedProcess(command, result.returncode, output.read(), errors.read())
    if check and completed.returncode:
        error = subprocess.CalledProcessError(completed.returncode, command, completed.stdout, completed.stderr)
        error.add_note(f"{completed.stdout}{completed.stderr}".strip())
        raise error
    return completed


def _text_file() -> TextIO:
    return cast(TextIO, tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
