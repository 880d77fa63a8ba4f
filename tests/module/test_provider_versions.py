"""Nothing that a user reads or runs makes one of the provider's major versions warn or fail: no provider, no plan."""

from __future__ import annotations

import re
from collections.abc import Iterator

import hcl2
import pytest
from workspace import CHECKOUT

from .test_hcl import unquoted

# aws_region: `.name` and `.id` are deprecated in 6.x, `.region` is unknown to 5.x.
DATA_SOURCES = {"aws_region"}
ARGUMENTS = {
    "aws_iam_role": {"inline_policy", "managed_policy_arns"},
    "aws_sagemaker_notebook_instance": {"accelerator_types"},
}
REFERENCES = [r"\bdata\.aws_partition\.[\w-]+(\[[^]]*\])?\.id\b", r"\bdata\.aws_region\."]


def texts() -> Iterator[tuple[str, str]]:
    """All HCL of the module, its submodules and examples, and that in the documentation, with where it stands."""
    for pattern in ("*.tf", "modules/*/*.tf", "examples/*/*.tf"):
        for path in sorted(CHECKOUT.glob(pattern)):
            yield str(path.relative_to(CHECKOUT)), path.read_text()
    for pattern in ("*.md", "docs/*.md", "modules/*/*.md", "examples/*/*.md"):
        for path in sorted(CHECKOUT.glob(pattern)):
            for number, block in enumerate(re.findall(r"^```hcl\n(.*?)^```", path.read_text(), re.M | re.S), 1):
                yield f"{path.relative_to(CHECKOUT)}, block {number}", block


def warned_of(text: str) -> set[str]:
    """What of this HCL one major version warns of or refuses."""
    blocks = unquoted(hcl2.loads(text))
    found = {kind for block in blocks.get("data", []) for kind in block if kind in DATA_SOURCES}
    for block in blocks.get("resource", []):
        for kind, named in block.items():
            found |= {name for body in named.values() for name in body if name in ARGUMENTS.get(kind, ())}
    code = re.sub(r"^\s*#.*", "", text, flags=re.M)
    return found | {match[0] for pattern in REFERENCES for match in re.finditer(pattern, code)}


@pytest.mark.parametrize(("place", "text"), [pytest.param(place, text, id=place) for place, text in texts()])
def test_nothing_uses_what_one_major_version_of_the_provider_warns_of(place: str, text: str) -> None:
    assert warned_of(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('output "a" { value = data.aws_partition.current.id }', "data.aws_partition.current.id"),
        ('output "a" { value = "x-${data.aws_partition.current[0].id}" }', "data.aws_partition.current[0].id"),
        ('data "aws_region" "current" {}', "aws_region"),
        ('output "a" { value = data.aws_region.current.name }', "data.aws_region."),
        ('resource "aws_iam_role" "a" {\n  managed_policy_arns = []\n}', "managed_policy_arns"),
        ('resource "aws_iam_role" "a" {\n  inline_policy {\n    name = "b"\n  }\n}', "inline_policy"),
        ('resource "aws_sagemaker_notebook_instance" "a" {\n  accelerator_types = []\n}', "accelerator_types"),
    ],
)
def test_each_kind_is_found(text: str, expected: str) -> None:
    assert warned_of(text) == {expected}


def test_the_documentation_and_the_examples_are_among_what_is_read() -> None:
    places = {place for place, _ in texts()}
    assert {"main.tf", "README.md, block 1", "examples/basic/main.tf", "modules/trust-policy/main.tf"} <= places
