"""Starts the emulated AWS account and stops it: LocalStack on a free port, with the parts that launch.py registers."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import localstack_client.session
from botocore.config import Config

_TESTS = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0
_PORTS_TRIED = 5
_QUICK = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=60)


class StartError(Exception):
    """LocalStack didn't come up; the message holds the end of its log."""


class _PortTakenError(StartError):
    """Another process took the port between its choice and its use."""


class Emulator:
    """An emulated AWS account, as a context manager.

    Arguments: `folder`, where all its state stands (made if missing); `boot`, whether notebook instances really boot,
    which needs root; `account_id` and `region`, what clients have unless they say otherwise; `lookups_per_second`, how many
    LookupEvents requests an account may make in a region, AWS's two unless a test wants others; `keeps_omitted_scripts`,
    what UpdateNotebookInstanceLifecycleConfig does with a script that the request leaves out, which AWS doesn't document.
    """

    def __init__(
        self,
        folder: Path,
        *,
        boot: bool = False,
        account_id: str = "111122223333",
        region: str = "us-east-1",
        lookups_per_second: int = 2,
        keeps_omitted_scripts: bool = True,
    ) -> None:
        self.folder = folder
        self.account_id = account_id
        self.region = region
        self._boot = boot
        self._lookups_per_second = lookups_per_second
        self._keeps_omitted_scripts = keeps_omitted_scripts
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._records: dict[Path, list[dict[str, Any]]] = {}  # of files that were read: the recorder changes none

    def __enter__(self) -> Self:
        for tries_left in reversed(range(_PORTS_TRIED)):
            try:
                self._start()
                break
            except _PortTakenError:
                if not tries_left:
                    raise
        return self

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        with (self.folder / "localstack.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulator.launch"],
                cwd=_TESTS,
                # It ends when this pipe does, so also with a killed test process.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(temporary),
                    "TMPDIR": str(temporary),
                    "XDG_CACHE_HOME": str(temporary),
                    "PYTHONPATH": str(_TESTS),
                    "EMULATOR_FOLDER": str(self.folder),
                    "EMULATOR_BOOT": "1" if self._boot else "0",
                    "EMULATOR_KEEPS_OMITTED_SCRIPTS": "1" if self._keeps_omitted_scripts else "0",
                    "EMULATOR_LOOKUP_EVENTS_PER_SECOND": str(self._lookups_per_second),
                    "GATEWAY_LISTEN": f"127.0.0.1:{self._port}",
                    "LOCALSTACK_VOLUME_DIR": str(self.folder / "localstack"),
                    "SKIP_SSL_CERT_DOWNLOAD": "1",
                    # Else all that start share one, and each writes it anew: another then finds it half written.
                    "CUSTOM_SSL_CERT_PATH": str(temporary / "certificate.pem"),
                    "DISABLE_EVENTS": "1",
                    "DNS_ADDRESS": "0",
                },
            )
        try:
            self._wait_until_up()
        except BaseException:
            self._stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # it may have ended by itself
            self.flush()
        self._stop()

    @property
    def endpoint_url(self) -> str:
        """Where all services answer."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def cloudtrail_folder(self) -> Path:
        """Where the recorded log stands, in files as CloudTrail writes them."""
        return self.folder / "cloudtrail"

    def client(self, service: str, *, region: str | None = None, account_id: str | None = None) -> Any:
        """Return a boto3 client of the account's root, the same one each time: to make one takes as long as to call."""
        key = (service, region or self.region, account_id or self.account_id)
        if key not in self._clients:
            root = {"AccessKeyId": key[2], "SecretAccessKey": "of-the-root"}
            self._clients[key] = self.session_client(service, root, region=key[1])
        return self._clients[key]

    def session_client(self, service: str, credentials: Mapping[str, Any], *, region: str | None = None) -> Any:
        """Return a boto3 client with the temporary credentials that STS answered."""
        # localstack-client would go where this leads, which may be a real account.
        os.environ.pop("AWS_ENDPOINT_URL", None)
        session = localstack_client.session.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            region_name=region or self.region,
            localstack_host=f"127.0.0.1:{self._port}",
        )
        client = session.client(service, aws_session_token=credentials.get("SessionToken"), config=_QUICK)
        assert client.meta.endpoint_url == self.endpoint_url
        return client

    def environment(self) -> dict[str, str]:
        """Return the variables by which Terraform and other programs work on the account as its root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.account_id,
            "AWS_SECRET_ACCESS_KEY": "of-the-root",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            # An emulator's error would look like a hang otherwise.
            "AWS_MAX_ATTEMPTS": "2",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def flush(self) -> None:
        """Let the recorder write out what it has recorded up to now."""
        request = urllib.request.Request(f"{self.endpoint_url}/_emulator/cloudtrail/flush", method="POST")  # noqa: S310
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310

    def wait_until_settled(self, account_id: str, region: str, notebook_instance: str) -> None:
        """Wait until a notebook instance is neither starting nor stopping, some seconds at most."""
        path = f"_emulator/notebook-instances/{account_id}/{region}/{notebook_instance}/settled"
        urllib.request.urlopen(f"{self.endpoint_url}/{path}", timeout=30).close()  # noqa: S310

    def records(self) -> list[dict[str, Any]]:
        """Return all of the recorded CloudTrail records, the oldest first; those of one region keep their order."""
        self.flush()
        for path in self.cloudtrail_folder.rglob("*.json.gz"):
            if path not in self._records:
                with gzip.open(path, "rt", encoding="utf-8") as file:
                    self._records[path] = json.load(file)["Records"]
        # The recorder numbers its files in the last part of their names.
        files = sorted(self._records, key=lambda path: path.name.split("_")[-1])
        records = [record for path in files for record in self._records[path]]
        return sorted(records, key=lambda record: str(record["eventTime"]))

    def _wait_until_up(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process is not None and self._process.poll() is not None:
                raise StartError(f"LocalStack ended at once:\n{self._log_tail()}")
            log = self._log_tail()
            if "CannotListenError" in log:  # it stays, and another process may answer in its place
                raise _PortTakenError(f"LocalStack's port was taken {_PORTS_TRIED} times:\n{log}")
            if "\nReady." not in log:
                time.sleep(0.1)
                continue
            try:
                urllib.request.urlopen(f"{self.endpoint_url}/_localstack/health", timeout=5).close()  # noqa: S310
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            else:
                return
        raise StartError(f"LocalStack wasn't up after {_START_SECONDS:g} seconds:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return (self.folder / "localstack.log").read_text(errors="replace")[-4000:]

    def _stop(self) -> None:
        """End it at once, with the notebook instances: in good order it takes a second, and writes nothing more."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
