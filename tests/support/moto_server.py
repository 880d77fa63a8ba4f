"""moto's own server, with S3, Glue and Athena: what Trino and Terraform take for AWS."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from own_network import OwnNetwork

_PORT = 5000
_SECONDS = 60.0
_CONFIG = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})


class MotoServer:
    """The server, started in a network of its own; it ends with that."""

    def __init__(self, network: OwnNetwork, folder: Path, region: str = "us-east-1") -> None:
        self.url = f"http://{network.address}:{_PORT}"
        self.region = region
        log = folder / "moto.log"
        with log.open("wb") as file:
            process = network.start(
                [sys.executable, "-m", "moto.server", "-H", network.address, "-p", str(_PORT)],
                log=file,
                environment={"PATH": os.environ["PATH"], "HOME": str(folder)},
                folder=folder,
            )
        end = time.monotonic() + _SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=5).close()  # noqa: S310
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, log.read_text()[-4000:]
                assert time.monotonic() < end, log.read_text()[-4000:]
                time.sleep(0.1)
            else:
                return

    def environment(self) -> dict[str, str]:
        """Return the variables by which Terraform and which-notebook take it for AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_MAX_ATTEMPTS": "2",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        make: Any = boto3.client  # its overloads know no service by a variable's name
        return make(
            service,
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=_CONFIG,
        )
