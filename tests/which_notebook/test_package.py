"""What `pip install .` installs: the wheel, as the build backend makes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest
from hatchling import build
from log_files import document
from records import record
from workspace import CHECKOUT

from which_notebook import __version__


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


def built(build_one: Callable[[str], str], folder: Path) -> Path:
    before = Path.cwd()
    os.chdir(CHECKOUT)
    try:
        return folder / build_one(str(folder))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    return built(build.build_wheel, folder)


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    return built(build.build_sdist, folder)


@pytest.mark.heavy
@pytest.mark.parametrize("package", ["wheel", "sdist"])
def test_it_works_in_an_empty_environment(package: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path: Path = request.getfixturevalue(package)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty"], check=True)
    programs = tmp_path / "empty" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet", "--no-compile"]
    pip += ["--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(CHECKOUT / "constraints.txt"), str(path)], check=True)
    (tmp_path / "log.json").write_bytes(document([record()]))
    command = [
        str(programs / "which-notebook"),
        "summary",
        "log.json",
        "--role",
        "data-science-execution",
        "--no-cache",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert json.loads(done.stdout)["calls"] == 1
    said = subprocess.run([command[0], "--version"], check=True, env=environment, capture_output=True, text=True)
    assert said.stdout == f"which-notebook {__version__}\n"


def test_the_page_of_the_package_has_no_link_that_leads_nowhere(wheel: Path) -> None:
    (name,) = [each for each in zipfile.ZipFile(wheel).namelist() if each.endswith("/METADATA")]
    metadata = message_from_bytes(zipfile.ZipFile(wheel).read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = str(metadata.get_payload())
    assert page.startswith("# which-notebook\n")
    assert "](" in (CHECKOUT / "docs/which-notebook.md").read_text()
    links = re.findall(r"\]\(([^)]*)\)", page)
    assert [link for link in links if not link.startswith("https://")] == []


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
