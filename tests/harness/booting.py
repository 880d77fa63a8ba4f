"""Boots a notebook instance without LocalStack: the host process, and a stand-in for what it talks to."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from emulator.notebook_instance import NotebookInstance

if TYPE_CHECKING:
    from emulator.server import Emulator

ACCOUNT, REGION = "111122223333", "eu-west-1"


class _StandIn(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "AwsStandIn"

    def do_GET(self) -> None:
        if self.path == "/base-session":
            self.server.base_sessions += 1
            status, answer = self.server.base_session
        else:
            status, answer = 200, {"client": self.client_address[0], "host": self.headers["Host"], "path": self.path}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class AwsStandIn(ThreadingHTTPServer):
    """Hands out a base session, and tells of every other request how it arrived."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _StandIn)
        self.base_sessions = 0
        self.base_session: tuple[int, dict[str, str]] = (
            200,
            {
                "AccessKeyId": "ASIAEXAMPLE",
                "SecretAccessKey": "secret",
                "SessionToken": "token",
                "Expiration": "2999-01-01T00:00:00+00:00",
            },
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def aws_stand_in() -> Iterator[AwsStandIn]:
    """A stand-in that answers for as long as the block runs."""
    server = AwsStandIn()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Boot:
    """A host process: what it told, and the instance it runs."""

    def __init__(self, folder: Path, aws: AwsStandIn, environment: dict[str, str], settings: dict[str, Any]) -> None:
        self.name = str(settings["name"])
        self.arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/{self.name}"
        stand_in = SimpleNamespace(folder=folder, region=REGION, account_id=ACCOUNT)
        self.instance = NotebookInstance(cast("Emulator", stand_in), self.name)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emulator.host"],
            cwd=Path(__file__).parents[1],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._send(
            {
                "arn": self.arn,
                "account_id": ACCOUNT,
                "region": REGION,
                "folder": str(self.instance.folder),
                "endpoint_url": aws.url,
                "base_session_url": f"{aws.url}/base-session",
                "minimum_instance_metadata_service_version": "2",
                "layout": "plain",
                "root_access": "Disabled",
                "lifecycle_config_arn": "arn:lifecycle-config",
                "on_create": None,
                "on_start": None,
            }
            | settings
        )

    def _send(self, settings: dict[str, Any]) -> None:
        assert self.process.stdin
        for hook in ("on_create", "on_start"):
            if settings[hook] is not None:
                settings[hook] = base64.b64encode(settings[hook].encode()).decode()
        self.process.stdin.write(json.dumps(settings) + "\n")
        self.process.stdin.flush()

    def next_event(self) -> dict[str, Any]:
        """What the host process tells next."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"event": "ended"}

    def finish(self) -> dict[str, Any]:
        """Wait until the boot has come to its end, and return the event that says so."""
        while (event := self.next_event())["event"] == "running":
            pass
        return event

    def stop(self) -> int:
        """End its standard input, and return the status that it ends with."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        return status


@contextmanager
def booting(
    folder: Path, aws: AwsStandIn, *, environment: dict[str, str] | None = None, **settings: Any
) -> Iterator[Boot]:
    """Start to boot an instance; stop it at the block's end, if it hasn't ended."""
    boot = Boot(folder, aws, environment or {}, {"name": "my-notebook"} | settings)
    try:
        yield boot
    finally:
        boot.stop()
