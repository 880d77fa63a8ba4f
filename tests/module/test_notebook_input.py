"""The forms in which callers give notebook instances: all mean what the same attributes written out mean."""

from __future__ import annotations

from typing import Any

import pytest
from calls import write_calls
from emulator.server import Emulator
from workspace import Outcome, Workspace

from .conftest import PlannedCall

# As callers write it, beside the module: subnets made in the same plan, YAML, loops, and variables with types.
CALLERS = """
variable "typed" {
  type = map(object({ instance_type = optional(string), subnet_id = optional(string), volume_size = optional(number) }))
  default = { typed-one = {}, typed-two = { volume_size = 20 } }
}

variable "strings" {
  type    = map(map(string))
  default = { strings = { instance_type = "ml.t3.large", volume_size = "20" } }
}

variable "untyped" {}

resource "aws_vpc" "this" { cidr_block = "10.0.0.0/24" }

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/26"
}

resource "aws_security_group" "this" { vpc_id = aws_vpc.this.id }

resource "aws_kms_key" "this" {}

module "unknown" {
  source = "../"
  name   = "unknown"
  notebook_instances = {
    private = {
      subnet_id              = aws_subnet.this.id
      security_groups        = [aws_security_group.this.id, "sg-0a"]
      direct_internet_access = "Disabled"
      kms_key_id             = aws_kms_key.this.arn
      tags                   = { vpc = aws_vpc.this.id, team = "a" }
    }
    public = { volume_size = 20 }
  }
}

module "yaml" {
  source             = "../"
  name               = "yaml"
  notebook_instances = yamldecode(file("${path.module}/notebooks.yaml"))
}

module "loop" {
  source             = "../"
  name               = "loop"
  notebook_instances = { for number in range(2) : "loop-${number}" => number == 0 ? null : { volume_size = 5 + number } }
}

module "merged" {
  source             = "../"
  name               = "merged"
  notebook_instances = merge({ merged-one = {} }, { for name in toset(["merged-two"]) : name => { tags = { a = 1 } } })
}

module "typed" {
  source             = "../"
  name               = "typed"
  notebook_instances = var.typed
}

module "strings" {
  source             = "../"
  name               = "strings"
  notebook_instances = var.strings
}

module "untyped" {
  source             = "../"
  name               = "untyped"
  notebook_instances = var.untyped
}
"""
YAML = """
yaml-empty:
yaml-braces: {}
yaml-full:
  instance_type: ml.t3.large
  volume_size: 20
  minimum_instance_metadata_service_version: 1
  subnet_id: subnet-0a
  security_groups: [sg-0a]
  kms_key_id:
  tags: {cost: 17}
"""


@pytest.fixture(scope="module")
def callers(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Plan all of the callers at once."""
    folder = tmp_path_factory.mktemp("callers") / "module"
    root = folder / "callers"
    root.mkdir(parents=True)
    (root / "main.tf").write_text(CALLERS)
    (root / "notebooks.yaml").write_text(YAML)
    untyped = {"from-tfvars": None, "from-tfvars-too": {"volume_size": 20, "security_groups": None}}
    return Workspace(folder, root="callers", environment=emulator.environment()).plan({"untyped": untyped})


def planned(outcome: Outcome, call: str, name: str) -> dict[str, Any]:
    return outcome.planned(f'module.{call}.aws_sagemaker_notebook_instance.this["{name}"]')


def test_all_of_them_plan_without_a_word(callers: Outcome) -> None:
    assert callers.diagnostics == []


@pytest.mark.parametrize(
    ("call", "name", "expected"),
    [
        ("unknown", "public", {"volume_size": 20, "direct_internet_access": "Enabled"}),
        ("yaml", "yaml-empty", {"instance_type": "ml.t3.medium", "volume_size": 5, "tags": None}),
        ("yaml", "yaml-braces", {"instance_type": "ml.t3.medium", "volume_size": 5}),
        ("yaml", "yaml-full", {"instance_type": "ml.t3.large", "volume_size": 20, "security_groups": ["sg-0a"], "kms_key_id": None, "tags": {"cost": "17"}, "instance_metadata_service_configuration": [{"minimum_instance_metadata_service_version": "1"}]}),
        ("loop", "loop-0", {"volume_size": 5}),
        ("loop", "loop-1", {"volume_size": 6}),
        ("merged", "merged-one", {"tags": None}),
        ("merged", "merged-two", {"tags": {"a": "1"}}),
        ("typed", "typed-one", {"instance_type": "ml.t3.medium", "volume_size": 5, "subnet_id": None}),
        ("typed", "typed-two", {"volume_size": 20}),
        ("strings", "strings", {"instance_type": "ml.t3.large", "volume_size": 20}),
        ("untyped", "from-tfvars", {"volume_size": 5, "instance_metadata_service_configuration": [{"minimum_instance_metadata_service_version": "2"}]}),
        ("untyped", "from-tfvars-too", {"volume_size": 20}),
    ],
)  # fmt: skip
def test_each_form_means_what_it_says(callers: Outcome, call: str, name: str, expected: dict[str, Any]) -> None:
    assert {attribute: planned(callers, call, name)[attribute] for attribute in expected} == expected


def test_what_is_made_in_the_same_plan_is_known_after_apply(callers: Outcome) -> None:
    (change,) = [
        each["change"]
        for each in callers.plan["resource_changes"]
        if each["address"] == 'module.unknown.aws_sagemaker_notebook_instance.this["private"]'
    ]
    unknown = {attribute for attribute, each in change["after_unknown"].items() if each}
    assert {"subnet_id", "security_groups", "kms_key_id", "tags"} <= unknown
    assert change["after"]["direct_internet_access"] == "Disabled"


NULLS = dict.fromkeys(
    ["instance_type", "volume_size", "subnet_id", "security_groups", "direct_internet_access", "kms_key_id",
     "platform_identifier", "minimum_instance_metadata_service_version", "default_code_repository",
     "additional_code_repositories", "tags"]
)  # fmt: skip


@pytest.mark.inputs(notebook_instances={"nulls": NULLS, "empty": {}, "null": None})
def test_null_means_the_default_of_every_attribute(outcome: PlannedCall) -> None:
    nulls, empty, null = (
        outcome.planned(f'aws_sagemaker_notebook_instance.this["{name}"]') for name in ("nulls", "empty", "null")
    )
    assert nulls | {"name": ""} == empty | {"name": ""} == null | {"name": ""}


def test_an_unknown_subnet_does_not_hide_a_misspelt_attribute(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("misspelt") / "module"
    call = {"name": "team", "notebook_instances": {"private": {"subnet_id": "${aws_subnet.this.id}", "instace_type": "x", "volume_size": 1}}}  # fmt: skip
    resources = {"aws_subnet": {"this": {"vpc_id": "vpc-0a", "cidr_block": "10.0.0.0/26"}}}
    root = write_calls(folder, {"team": call}, resource=resources)
    errors = Workspace(folder, root=root, environment=emulator.environment()).plan().errors
    assert len(errors) == 2
    assert any("has no attribute instace_type" in error for error in errors)
    assert any("volume_size must be a whole number" in error for error in errors)
