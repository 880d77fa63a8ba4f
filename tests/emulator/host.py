"""The machine under one notebook instance: `python -m emulator.host`, a process for each instance.

It reads what to boot, one line of JSON, from standard input, tells on standard output how that went, and keeps the
instance running until standard input ends. See README.md, "How the parts meet".
"""

import asyncio
import base64
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from emulator import filesystem, gateway, instance_logs, jupyter, lifecycle, metadata_service
from emulator.faults import Faults
from emulator.machine import Machine
from emulator.network import Network, addresses_of

_HOOKS: tuple[tuple[lifecycle.Hook, str], ...] = (("OnCreate", "on_create"), ("OnStart", "on_start"))


class BootFailedError(Exception):
    """A lifecycle script failed; the message is what DescribeNotebookInstance shows."""


def _tell(event: str, **details: object) -> None:
    print(json.dumps({"event": event, **details}), flush=True)


async def _boot(settings: dict[str, Any], pid: int, folder: Path, logs: instance_logs.Client) -> None:
    await logs.put(instance_logs.JUPYTER, "The notebook server is running.")
    limit = float(os.environ.get("EMULATOR_SCRIPT_SECONDS", lifecycle.TIME_LIMIT))
    for hook, setting in _HOOKS:
        if not settings.get(setting):
            continue
        command = lifecycle.prepare(pid, hook, base64.b64decode(settings[setting]))
        path = folder / f"LifecycleConfig{hook}.log"
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=lifecycle.environment(), cwd="/"
            )
        try:
            status = await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            status = None
        await logs.put(f"LifecycleConfig{hook}", path.read_text(errors="replace"))
        if status != 0:
            raise BootFailedError(lifecycle.failure_reason(settings.get("lifecycle_config_arn", ""), settings["arn"]))


async def _standard_input_ends(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1 << 16):
        pass
    stop.set()


async def _run(
    settings: dict[str, Any], network: Network, authority: gateway.CertificateAuthority, machine: Machine, folder: Path
) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    until_stopped = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(_standard_input_ends(stop))]
    faults = Faults(folder)
    await gateway.serve(network, authority, settings["endpoint_url"], faults)
    base_session = metadata_service.BaseSession(settings["base_session_url"], folder)
    await metadata_service.serve(network, settings, base_session, faults)
    notebook_server = await jupyter.keep_running(machine.pid)
    _tell("running", pid=machine.pid)
    logs = instance_logs.Client(settings, base_session, network.addresses.source)
    boot = asyncio.ensure_future(_boot(settings, machine.pid, folder, logs))
    await asyncio.wait([boot, until_stopped[0]], return_when=asyncio.FIRST_COMPLETED)
    if boot.done():
        boot.result()
        _tell("in-service")
        await stop.wait()
    boot.cancel()
    notebook_server.cancel()


def main() -> int:
    """Boot an instance and keep it running."""
    settings: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    folder = Path(settings["folder"])
    volume, pid_file, agent_network = folder / "SageMaker", folder / "pid", folder / "agent-network"
    machine = None
    try:
        if os.geteuid() != 0:
            raise filesystem.UnsuitableMachineError("an emulated notebook instance needs root, for its namespaces")
        volume.mkdir(parents=True, exist_ok=True)
        addresses = addresses_of(settings["account_id"], settings["region"], settings["name"])
        network = Network(addresses, settings["layout"])
        authority = gateway.CertificateAuthority(addresses.gateway)
        machine = Machine(
            filesystem.Instance(
                name=settings["name"],
                arn=settings["arn"],
                volume=volume.resolve(),
                root_access=settings["root_access"] == "Enabled",
                addresses=addresses,
                ca_certificate=authority.certificate,
            ),
            network,
        )
        pid_file.write_text(str(machine.pid))
        if network.agent is not None:
            agent_network.write_text(network.path(network.agent))
        asyncio.run(_run(settings, network, authority, machine, folder))
    except (BootFailedError, OSError) as error:
        _tell("failed", reason=str(error))
        return 1
    finally:
        pid_file.unlink(missing_ok=True)
        agent_network.unlink(missing_ok=True)
        if machine:
            machine.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
