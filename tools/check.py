"""Runs every check of code and documents, and prints one line for each, with what it said where it found something.

Run as `python tools/check.py [--installed | NAME...]` by `make check`; ends with status 1 where something is to mend. A
checker that isn't here is named, and the others run. With REQUIRE_CHECKERS=1, as in the workflow, that is an error.
With --installed only those run whose checkers the tests' set-up brings, as `make test` wants it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from check_text import files

CHECKOUT = Path(__file__).resolve().parent.parent
CHECKOV = str(CHECKOUT / ".cache/checkers/checkov/bin/python")
PROGRAMS = [CHECKOUT / ".venv/bin", CHECKOUT / ".cache/checkers/bin"]
"""Where checkers stand, before the PATH: what tools/set-up.sh and tools/checkers.sh bring."""


class Check:
    """One check: its name, and commands that end with another status than 0 where something is to mend.

    `fetched`: whether tools/checkers.sh has to fetch or build its checker first, which takes minutes.
    """

    def __init__(self, name: str, *commands: Sequence[str], fetched: bool = False) -> None:
        self.name, self.commands, self.fetched = name, commands, fetched


def checks() -> list[Check]:
    """Return the checks, those that take long first."""
    names = [str(path.relative_to(CHECKOUT)) for path in files(CHECKOUT)]
    shell = [name for name in names if name.endswith(".sh") or name == ".ci/run"]
    workflows = [name for name in names if name.startswith(".github/workflows/")]
    modules = sorted({str(Path(name).parent) for name in names if name.endswith(".tf")})
    return [
        # Not its script, whose first line breaks where the clone's path has a space.
        Check(
            "checkov",
            [CHECKOV, "-m", "checkov.main", "--config-file", ".checkov.yml", "--directory", "."],
            fetched=True,
        ),
        Check("terraform", [sys.executable, "tools/check_terraform.py"]),
        Check("mypy", ["mypy"]),
        # Not --recursive, which looks into every folder of .venv and .cache.
        Check(
            "tflint",
            *(["tflint", f"--chdir={each}", f"--config={CHECKOUT / '.tflint.hcl'}"] for each in modules),
            fetched=True,
        ),
        Check("format", ["ruff", "format", "--check", "."]),
        Check("ruff", ["ruff", "check", "."]),
        Check("shellcheck", ["shellcheck", *shell]),
        Check("shfmt", ["shfmt", "--apply-ignore", "--diff", *shell]),  # its settings stand in .editorconfig
        Check("actionlint", ["actionlint", *workflows], fetched=True),
        Check("codespell", ["codespell", *names]),
        Check("text", [sys.executable, "tools/check_text.py"]),
    ]


def run(check: Check) -> bool:
    """Run a check and print how it ended; return whether nothing is left to mend."""
    path = os.pathsep.join([*map(str, PROGRAMS), os.environ.get("PATH", "")])
    program = check.commands[0][0]
    if shutil.which(program, path=path) is None:
        print(f"not run  {check.name}: {program} isn't here (tools/checkers.sh says why)", flush=True)
        return os.environ.get("REQUIRE_CHECKERS") != "1"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": "tests:tests/support"}
    start = time.monotonic()
    failed, said = False, ""
    for command in check.commands:
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        if done.returncode:
            failed = True
            said += f"\n{done.stdout}{done.stderr}".rstrip()
    print(f"{'MEND' if failed else 'ok':<8} {check.name} ({time.monotonic() - start:.0f} s){said}", flush=True)
    return not failed


def main(wanted: Sequence[str]) -> int:
    """Run the checks of these names, or all; return the exit status."""
    known = checks()
    if "--installed" in wanted:
        wanted = [each.name for each in known if not each.fetched]
    if unknown := set(wanted) - {each.name for each in known}:
        print(f"check: no check {', '.join(sorted(unknown))}; there are {', '.join(each.name for each in known)}")
        return 2
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(run, [each for each in known if not wanted or each.name in wanted]))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
