"""Runs a command in a notebook instance of the sandbox (tools/sandbox.py), as its user, in this terminal.

Run as `PYTHONPATH=tests:tests/support .venv/bin/python tools/in_notebook.py NAME COMMAND...`, as root.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from emulator.notebook_instance import NotebookInstance, NotRunningError
from emulator.server import Emulator
from sandbox import FOLDER


def main(name: str, *command: str) -> NoReturn:
    """Become the command; ends the process with a message where the notebook instance isn't running."""
    notebook = NotebookInstance(Emulator(FOLDER), name, region=os.environ.get("AWS_REGION"))
    try:
        program, environment = notebook.login(command or ["bash"])
    except NotRunningError as error:
        sys.exit(f"in_notebook: {error} in {notebook.region}")
    os.chdir("/")
    os.execvpe(program[0], program, environment)  # noqa: S606 - without a shell, on purpose


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: tools/in_notebook.py NAME [COMMAND...]")
    main(*sys.argv[1:])
