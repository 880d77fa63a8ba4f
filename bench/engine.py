"""The same question asked of files and of a real Trino that reads the same files; one machine has both."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from corpus import ACCOUNT, REGION, ROLE, write
from measure import Command, measure, size_of

_CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_CHECKOUT / "tests"), str(_CHECKOUT / "tests/support")]

from engine_scene import engine_scene  # noqa: E402 - after the path
from trino_server import NotHereError, installed, java  # noqa: E402

_RECORDS = 2000


def files_and_trino(runs: int, files: int) -> None:
    """Compare both, and say whether the answers are the same."""
    try:
        java()
        installed()
    except NotHereError as error:
        print(f"\nTrino: skipped: {error}")
        return
    with tempfile.TemporaryDirectory() as made:
        logs = Path(made) / "written"
        size = write(logs, files, _RECORDS)
        with engine_scene(Path(made), logs, [ACCOUNT], [REGION]) as scene:
            print(
                f"\nThe same question on {files:,} files, {size / 1e9:.2f} GB of JSON in {size_of(logs) / 1e9:.2f} GB of gzip"
            )
            command = [str(Path(sys.executable).with_name("which-notebook")), "summary"]
            options = ["--role", ROLE, "--format", "json"]
            anyone = {"TRINO_USER": "analyst", "TRINO_HTTP_SCHEME": "http", "NO_PROXY": "*", "PATH": os.environ["PATH"]}
            names = ("files, one process", "Trino")
            measured = measure(
                {
                    names[0]: Command([*command, str(logs), *options, "--no-cache", "--jobs", "1"], {}),
                    names[1]: Command([*command, scene.source, *options], anyone),
                },
                runs,
            )
    answers = []
    for name in names:
        answer = json.loads(measured[name].output)
        answers.append({key: value for key, value in answer.items() if key not in ("files", "bytes")})
        print(f"  {name:<44}{measured[name].seconds:>8.2f} s {size / measured[name].seconds / 1e6:>8,.0f} MB/s")
    print(
        f"  {answers[0]['calls']:,} calls: {'the same answer' if answers[0] == answers[1] else 'ANOTHER ANSWER'}",
        flush=True,
    )
