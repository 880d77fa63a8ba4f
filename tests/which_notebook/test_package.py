"""What `pip install .` installs: the wheel, as the build backend makes it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling import build
from logs import document, record
from workspace import CHECKOUT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    before = Path.cwd()
    os.chdir(CHECKOUT)
    try:
        return folder / build.build_wheel(str(folder))
    finally:
        os.chdir(before)


def test_the_wheel_holds_the_command_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"which_notebook", f"{wheel.stem.rsplit('-', 3)[0]}.dist-info"}
    modules = {path.relative_to(CHECKOUT / "src").as_posix() for path in (CHECKOUT / "src").rglob("*.py")}
    assert modules <= set(names)


def test_the_wheel_alone_writes_a_report(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(document([record()]))
    program = "import sys; from which_notebook.cli import main; sys.exit(main(sys.argv[1:]))"
    command = ["report", "log.json", "--role", "data-science-execution", "--no-cache", "-o", "report.html"]
    subprocess.run(
        [sys.executable, "-c", program, *command],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
    )
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_command_starts_without_what_only_some_questions_need() -> None:
    """What takes long to import comes when it is needed: the SDK, the browser page, Parquet, the progress bar."""
    program = (
        "import sys; from which_notebook.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    late = {
        "boto3",
        "botocore",
        "pyarrow",
        "rich",
        "shtab",
        "which_notebook.answers.report",
        "which_notebook.records.scan",
        "multiprocessing",
    }
    assert late.isdisjoint(done.stdout.split())
