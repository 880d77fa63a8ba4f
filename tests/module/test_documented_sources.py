"""The configurations in README.md and the tutorial work as they stand, with a clone beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from emulator.server import Emulator
from workspace import CHECKOUT, Workspace, copy_module

CLONE = "terraform-aws-sagemaker-notebook-attribution"
PROVIDER = 'provider "aws" {\n  region = "us-east-1"\n}\n'
OUTPUT = 'output "session_arns" {\n  value = module.notebooks.session_arns\n}\n'


@pytest.mark.parametrize(
    ("document", "names"),
    [("README.md", {"fraud-model", "churn-model"}), ("docs/tutorial.md", {"first-notebook"})],
)
def test_the_first_configuration_plans_with_a_clone_beside_it(
    emulator: Emulator, tmp_path: Path, document: str, names: set[str]
) -> None:
    block = re.search(r"(?ms)^( *)```hcl\n(.*?)^ *```$", (CHECKOUT / document).read_text())
    assert block
    configuration = re.sub(rf"(?m)^{block[1]}", "", block[2])
    own = tmp_path / "own"
    copy_module(own / CLONE)
    (own / "main.tf").write_text(
        configuration + OUTPUT + ("" if 'provider "aws"' in configuration else PROVIDER), encoding="utf-8"
    )
    outcome = Workspace(tmp_path, root="own", environment=emulator.environment()).plan()
    assert outcome.errors == []
    assert set(outcome.output("session_arns")) == names


def test_the_registry_s_form_stands_beside_it() -> None:
    """With the name that the registry would give the repository: NAME and PROVIDER change places."""
    readme = (CHECKOUT / "README.md").read_text()
    assert f'source = "./{CLONE}"' in readme
    _, provider, name = CLONE.split("-", 2)
    assert f'source  = "OWNER/{name}/{provider}"' in readme
