"""The list of checks: what they find in a repository, and that a missing checker is said."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import check
import check_text
import pytest

GOOD = "# Head\n\n## Two  Words, `code`\n\n[a](#two--words-code) [b](docs/b.md#of-it) [c](https://example.com/x#y)\n\n    [d](none.md)\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("# Of it\n\n## Of it\n\n[back](../README.md#head), [again](#of-it-1)\n")
    (tmp_path / "README.md").write_text(GOOD)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\0 \n")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "ignored").write_text("a \r\n")
    return tmp_path


def test_a_repository_in_order(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_text.main(repository) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.py", "a = 1\r\n", "a.py: has a carriage return; end lines with a line feed alone"),
        ("a.py", "a = 1", "a.py: the last line has no line end"),
        ("a.py", "a = 1\n\n", "a.py: ends with an empty line"),
        ("a.py", "a = 1\nb = 2 \n", "a.py:2: white space at the end of the line"),
        ("docs/a.md", "[x](none.md)\n", "docs/a.md:1: none.md: there is no such file"),
        ("docs/a.md", "a\n\n![x](none.png)\n", "docs/a.md:3: none.png: there is no such file"),
        ("docs/a.md", "[x](../../etc/passwd)\n", "docs/a.md:1: ../../etc/passwd: there is no such file"),
        ("docs/a.md", "[x](b.md#none)\n", "docs/a.md:1: b.md#none: that file has no such heading"),
        ("docs/a.md", "[x](b.md#of-it-2)\n", "docs/a.md:1: b.md#of-it-2: that file has no such heading"),
        ("docs/a.md", "| a |\n|---|\n| [x](none.md) |\n", "docs/a.md:3: none.md: there is no such file"),
        ("docs/a.md", "[x][y]\n\n[y]: none.md\n", "docs/a.md:1: none.md: there is no such file"),
    ],
)
def test_what_is_to_mend(repository: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str) -> None:
    (repository / name).write_bytes(text.encode())
    assert check_text.main(repository) == 1
    assert capsys.readouterr().out.splitlines() == [said]


def test_a_missing_checker_is_said_and_an_error_where_all_are_required(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = check.Check("spelling", ["no-such-checker"])
    assert check.run(missing)
    assert capsys.readouterr().out == "not run  spelling: no-such-checker isn't here (tools/checkers.sh says why)\n"
    monkeypatch.setenv("REQUIRE_CHECKERS", "1")
    assert not check.run(missing)


def test_a_checker_that_finds_something_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.run(check.Check("spelling", ["sh", "-c", "echo found; exit 3"]))
    assert capsys.readouterr().out == "MEND     spelling (0 s)\nfound\n"


def test_one_of_several_commands_is_enough_and_may_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.run(check.Check("spelling", ["true"], ["false"], ["true"]))
    assert capsys.readouterr().out == "MEND     spelling (0 s)\n"
    assert check.run(check.Check("spelling", ["true"], ["true"]))


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["spell"]) == 2
    assert "no check spell; there are checkov, " in capsys.readouterr().out


def test_make_test_runs_the_checks_whose_checkers_are_installed_with_the_tests_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []

    def run(each: check.Check) -> bool:
        ran.append(each.name)
        return True

    monkeypatch.setattr(check, "run", run)
    assert check.main(["--installed"]) == 0
    assert {"mypy", "ruff", "terraform", "shellcheck"} <= set(ran)
    assert not {"checkov", "tflint", "actionlint"} & set(ran)


def test_only_the_checkers_that_are_asked_for_are_installed(tmp_path: Path) -> None:
    tools, programs = tmp_path / "tools", tmp_path / "bin"
    shutil.copytree(check.CHECKOUT / "tools", tools)
    programs.mkdir()
    (programs / "go").write_text("#!/bin/sh\necho no network\nexit 1\n")
    (programs / "go").chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    done = subprocess.run(
        [tools / "checkers.sh", "mypy", "actionlint"],
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "checkers: installing actionlint\n"
    assert "checkers: actionlint can't be had here: no network\n" in done.stderr


def test_make_clean_removes_what_terraform_init_made_and_keeps_every_state(tmp_path: Path) -> None:
    shutil.copy(check.CHECKOUT / "Makefile", tmp_path)
    made = [".terraform/providers/x", ".terraform.lock.hcl", "examples/basic/.terraform/x", ".cache/x"]
    kept = ["main.tf", "examples/basic/main.tf", "examples/basic/terraform.tfstate", "examples/basic/terraform.tfstate.d/a"]  # fmt: skip
    for name in [*made, *kept]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"Makefile", *kept}
    assert not (tmp_path / ".terraform").exists()


def test_all_call_the_one_list() -> None:
    for name, line in {
        ".pre-commit-config.yaml": "entry: make check",
        ".github/workflows/test.yml": "REQUIRE_CHECKERS=1 make check",
        ".ci/run": "make check",
        "Makefile": "tools/check.py --installed",  # as make test and make quick do
    }.items():
        assert line in (check.CHECKOUT / name).read_text()
