"""The command `which-notebook audit` as a process: how it ends where the account isn't reached, or a package isn't there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from workspace import CHECKOUT

from which_notebook.audit.account import PERMISSIONS

REGION = "eu-west-2"
NOBODY_ANSWERS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "111122223333",
    "AWS_SECRET_ACCESS_KEY": "of-the-root",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    given = NOBODY_ANSWERS | {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "which_notebook", "audit", *arguments],
        env=given | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_policy_holds_nothing_but_reading() -> None:
    assert all(re.match(r"[a-z]+:(List|Get|Describe)[A-Za-z]+$", each) for each in PERMISSIONS)


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "message"),
    [
        (("--region", "all,eu-west-2"), {}, 2, "--region all means all of them: give it alone"),
        (("--format", "parquet"), {}, 2, "argument --format: invalid choice: 'parquet'"),
        (("-o", "x.jsonl"), {}, 2, "audit has no format jsonl: choose table, json or csv"),
        (("--region", "eu west"), {}, 1, "eu west"),
        ((), {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, 1, "no AWS region: give --region, or set AWS_REGION"),
        ((), {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 1, "no AWS credentials"),
        ((), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, 1, "could not connect to the endpoint URL"),
    ],
)  # fmt: skip
def test_errors_are_one_line(
    arguments: tuple[str, ...], environment: dict[str, str], status: int, message: str
) -> None:
    result = run(*arguments, environment=environment)
    assert (result.returncode, message in result.stderr) == (status, True), result.stderr
    assert result.stderr.startswith("which-notebook: ")
    assert result.stderr.count("\n") == 1


def test_a_table_of_what_could_not_be_read_says_so() -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    assert run("--format", "table", environment=nowhere).stdout == "no notebook instances in what could be read\n"


class Throttling(BaseHTTPRequestHandler):
    """A service that holds so many requests back before it answers."""

    left = 0

    def do_POST(self) -> None:
        type(self).left -= 1
        held_back = self.left >= 0
        body = (
            b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
            if held_back
            else b'{"NotebookInstances":[],"Domains":[]}'
        )
        self.send_response(400 if held_back else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("held_back", "status", "said"),
    [
        (2, 0, ""),
        (
            9,
            1,
            f"which-notebook: could not read the notebook instances in {REGION} and the Studio domains in {REGION}: "
            "ThrottlingException: Rate exceeded\n",
        ),
    ],
)
def test_throttling_is_waited_out_for_a_while(held_back: int, status: int, said: str) -> None:
    Throttling.left = held_back
    with ThreadingHTTPServer(("127.0.0.1", 0), Throttling) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            result = run(environment={"AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "3"})
        finally:
            server.shutdown()
    assert (result.returncode, result.stderr) == (status, said)


def test_without_boto3_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError\n")
    result = run(environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"})
    assert (result.returncode, result.stderr) == (
        2,
        "which-notebook: asking AWS needs boto3: pip install boto3\n",
    )
    assert run("--permissions", environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"}).returncode == 0


def test_without_the_parser_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "tree_sitter_bash.py").write_text("raise ImportError\n")
    result = run(environment={"PYTHONPATH": f"{tmp_path}:{CHECKOUT / 'src'}"})
    assert (result.returncode, result.stderr) == (
        2,
        "which-notebook: audit needs boto3, and a parser of shell scripts: pip install boto3 tree-sitter tree-sitter-bash\n",
    )
