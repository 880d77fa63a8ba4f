"""The AWS CLI, in the tests' own process: to start it takes longer than what it is started for."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from awscli import _awscli_data_path
from awscli.clidriver import create_clidriver


class AwsCli:
    """The AWS CLI with these environment variables; `models`, a folder whose models go before its own."""

    def __init__(self, environment: Mapping[str, str], models: Path | None = None) -> None:
        paths = [*([str(models)] if models else []), *_awscli_data_path]
        self._environment = {**environment, "AWS_DATA_PATH": os.pathsep.join(paths)}
        with patch.dict(os.environ, self._environment, clear=True):
            self._driver = create_clidriver()

    def run(self, command: str, folder: Path | None = None) -> None:
        """Run a command, with the words that a shell makes of it in a folder; it may not fail."""
        words = subprocess.run(
            ["bash", "-c", f"aws() {{ printf '%s\\0' \"$@\"; }}\n{command}"],
            cwd=folder, env=self._environment, check=True, capture_output=True, text=True, timeout=100,
        ).stdout  # fmt: skip
        with patch.dict(os.environ, self._environment, clear=True):
            assert self._driver.main(words.split("\0")[:-1]) == 0, command
