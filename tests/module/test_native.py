"""The native tests, `tests/*.tftest.hcl`: that they pass, and that they cover every condition of the module's."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import hcl2
import pytest
from python_terraform import IsFlagged
from workspace import CHECKOUT, Workspace

from .test_hcl import unquoted

FILES = sorted(CHECKOUT.glob("tests/*.tftest.hcl"))


@pytest.fixture(scope="module", params=["terraform", "tofu"])
def program(request: pytest.FixtureRequest) -> str:
    """The path of a program that has mocks: Terraform has them since 1.7, OpenTofu since 1.8."""
    path: str | None = shutil.which(request.param)
    if path is None:
        pytest.skip(f"{request.param} isn't on the PATH")
    said = subprocess.check_output([path, "version"], text=True, stderr=subprocess.STDOUT)
    version = re.search(r"(?m)^(?:Terraform|OpenTofu) v((\d+)\.(\d+)\S*)", said)
    assert version, said
    if (int(version[2]), int(version[3])) < (1, 7):
        pytest.skip(f"{request.param} {version[1]} has no mock_provider")
    return path


def is_opentofu(program: str) -> bool:
    return Path(program).name == "tofu"


def with_native_tests(folder: Path, root: str, program: str) -> Workspace:
    """A copy of the module with its native tests, its mocks, and the configuration of a user's.

    OpenTofu's mock_provider has no `source`: there the mocks stand in the block itself.
    """
    for name in ("mocks", "consumer"):
        shutil.copytree(
            CHECKOUT / "tests" / name, folder / "tests" / name, ignore=shutil.ignore_patterns(".terraform*")
        )
    for path in FILES:
        shutil.copy(path, folder / "tests")
    if is_opentofu(program):
        mocks = (CHECKOUT / "tests/mocks/aws.tfmock.hcl").read_text()
        for path in folder.glob("tests/**/*.tftest.hcl"):
            path.write_text(re.sub(r'(?m)^  source = ".*mocks"$', lambda _: mocks, path.read_text()))
    return Workspace(folder, root=root, program=program)


def passes(workspace: Workspace, **options: str) -> None:
    """Run the native tests; show what failed."""
    status, out, err = workspace.command("test", no_color=IsFlagged, **options)
    passed = re.search(r"Success! (\d+) passed, 0 failed", out)
    assert status == 0, out + err
    assert passed, out + err
    assert int(passed[1]) > 0, "there is no test"


@pytest.fixture(scope="module")
def module(program: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return with_native_tests(tmp_path_factory.mktemp("native") / "module", ".", program)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_native_tests_pass(module: Workspace, path: Path) -> None:
    passes(module, filter=f"tests/{path.name}")


def test_a_users_configuration_is_tested_with_the_modules_mocks(program: str, tmp_path: Path) -> None:
    passes(with_native_tests(tmp_path / "module", "tests/consumer", program))


def test_the_mocks_come_with_the_module(program: str, tmp_path: Path) -> None:
    """From a source that Terraform downloads, as docs/testing.md has it."""
    if is_opentofu(program):
        pytest.skip("OpenTofu's mock_provider has no source")
    with_native_tests(tmp_path / "module", "tests/consumer", program)
    git = ["git", "-C", str(tmp_path / "module"), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "*.tf", "scripts", "modules", "tests/mocks"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "A module"], check=True)
    own = tmp_path / "own" / "root"
    shutil.copytree(CHECKOUT / "tests/consumer", own)
    mocks = re.search(r'^ *source = "(\.terraform/\S+)"$', (CHECKOUT / "docs/testing.md").read_text(), re.M)
    assert mocks
    for name, old, new in [
        ("main.tf", '"../.."', f'"git::file://{tmp_path}/module"'),
        ("notebooks.tftest.hcl", '"../mocks"', f'"{mocks[1]}"'),
    ]:
        text = (own / name).read_text()
        assert old in text
        (own / name).write_text(text.replace(old, new))
    passes(Workspace(tmp_path / "own", root="root", program=program))


def test_the_documented_test_is_the_one_that_runs() -> None:
    document = (CHECKOUT / "docs/testing.md").read_text()
    (run,) = re.findall(r'(?ms)^run "forecast_is_attributed" \{.*?^\}\n', document)
    assert run in (CHECKOUT / "tests/consumer/notebooks.tftest.hcl").read_text()


def conditions() -> Counter[str]:
    """How many conditions each variable, output, check, resource and data source of the module has."""
    found: Counter[str] = Counter()
    for path in CHECKOUT.glob("*.tf"):
        blocks = unquoted(hcl2.loads(path.read_text()))
        for kind, own in (("variable", "validation"), ("output", "precondition"), ("check", "assert")):
            for block in blocks.get(kind, []):
                for name, body in block.items():
                    found[f"{'var' if kind == 'variable' else kind}.{name}"] += len(body.get(own, []))
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for block in blocks.get(kind, []):
                for of, named in block.items():
                    for name, body in named.items():
                        for lifecycle in body.get("lifecycle", []):
                            found[f"{prefix}{of}.{name}"] += sum(
                                len(lifecycle.get(each, [])) for each in ("precondition", "postcondition")
                            )
    return +found


def test_every_condition_of_the_module_is_made_to_fail() -> None:
    """As often as it has conditions, each variable, resource and so on is expected to fail."""
    expected: Counter[str] = Counter()
    for path in FILES:
        for targets in re.findall(r"(?s)expect_failures = \[(.*?)\]", path.read_text()):
            expected.update(re.findall(r"[\w.]+", targets))
    assert conditions()["aws_sagemaker_notebook_instance.this"] > 5
    assert {name: count for name, count in conditions().items() if expected[name] < count} == {}
    assert set(expected) <= set(conditions())
