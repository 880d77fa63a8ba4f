"""Checks every root of the module as `terraform fmt -check -recursive` and `terraform validate` do.

Run as `python tools/check_terraform.py` by `make check`; ends with status 1 where something is to mend.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from python_terraform import IsFlagged
from workspace import CHECKOUT, Workspace, terraform_program


def main() -> int:
    """Print what is to mend; return the exit status."""
    formatted = subprocess.run(
        [terraform_program(), "fmt", "-check", "-recursive", "-diff"], cwd=CHECKOUT, check=False, text=True
    )
    status = formatted.returncode
    roots = [
        str(path.parent.relative_to(CHECKOUT))
        for pattern in ("main.tf", "modules/*/main.tf", "examples/*/main.tf")
        for path in sorted(CHECKOUT.glob(pattern))
    ]
    # One folder for all: the provider keeps running in the first copy.
    with tempfile.TemporaryDirectory() as folder:
        for number, root in enumerate(roots):
            workspace = Workspace(Path(folder) / str(number), root=root)
            failed, out, err = workspace.command("validate", no_color=IsFlagged)
            print(f"terraform validate {root}: {'ok' if not failed else out + err}")
            status = status or failed
    return status


if __name__ == "__main__":
    sys.exit(main())
