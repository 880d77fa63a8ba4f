"""What the module declares, read from its HCL alone: no provider, no plan."""

from __future__ import annotations

import re
from typing import Any

import hcl2
import pytest
from workspace import CHECKOUT

# The public interface: names that a caller's configuration and state hold on to.
INPUTS = {
    "additional_session_names",
    "allow_notebook_instance_changes",
    "allow_pass_role",
    "allow_role_changes",
    "allow_start_without_attribution",
    "attach_logs_policy",
    "attribution_mode",
    "create_role",
    "deny_unattributed_calls",
    "deny_unknown_session_names",
    "extra_on_start",
    "lifecycle_configuration_name",
    "name",
    "notebook_instances",
    "on_create",
    "outside_notebooks_are_attributed",
    "policy_name",
    "profiles",
    "role_arn",
    "role_name",
    "role_path",
    "role_permissions_boundary",
    "role_policy_arns",
    "session_name_policies",
    "shared_role",
    "tags",
    "unattributed_allowed_actions",
    "verify_role_trust",
}
OUTPUTS = {
    "lifecycle_configuration_arn",
    "lifecycle_configuration_name",
    "notebook_instances",
    "on_start_script",
    "role_arn",
    "role_name",
    "role_trust_policy",
    "role_unique_id",
    "session_arns",
    "shared_role",
}
RESOURCES = {
    ("aws_iam_policy", "session_names"),
    ("aws_iam_role", "this"),
    ("aws_iam_role_policy", "assume_self"),
    ("aws_iam_role_policy", "deny_unattributed_calls"),
    ("aws_iam_role_policy", "logs"),
    ("aws_iam_role_policy", "protect_role"),
    ("aws_iam_role_policy_attachment", "session_names"),
    ("aws_iam_role_policy_attachment", "this"),
    ("aws_sagemaker_notebook_instance", "this"),
    ("aws_sagemaker_notebook_instance_lifecycle_configuration", "this"),
}
NOTEBOOK_ATTRIBUTES = {
    "additional_code_repositories",
    "default_code_repository",
    "direct_internet_access",
    "instance_type",
    "kms_key_id",
    "minimum_instance_metadata_service_version",
    "platform_identifier",
    "security_groups",
    "subnet_id",
    "tags",
    "volume_size",
}


def unquoted(value: Any) -> Any:
    """Without the quotes that python-hcl2 8 keeps around keys and strings, and without its own marks."""
    if isinstance(value, dict):
        return {unquoted(key): unquoted(each) for key, each in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [unquoted(each) for each in value]
    return value[1:-1] if isinstance(value, str) and value.startswith('"') and value.endswith('"') else value


@pytest.fixture(scope="module")
def module() -> dict[str, list[dict[str, Any]]]:
    """All blocks of the root module, by their kind."""
    blocks: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(CHECKOUT.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for kind, found in unquoted(hcl2.load(file)).items():
                blocks.setdefault(kind, []).extend(found)
    return blocks


def resource(module: dict[str, list[dict[str, Any]]], kind: str) -> dict[str, Any]:
    (found,) = [block[kind]["this"] for block in module["resource"] if kind in block and "this" in block[kind]]
    return dict(found)


def test_the_inputs_are_those_that_callers_rely_on(module: dict[str, list[dict[str, Any]]]) -> None:
    assert {name for block in module["variable"] for name in block} == INPUTS


def test_the_outputs_are_those_that_callers_rely_on(module: dict[str, list[dict[str, Any]]]) -> None:
    assert {name for block in module["output"] for name in block} == OUTPUTS


def test_the_resource_addresses_are_those_in_callers_states(module: dict[str, list[dict[str, Any]]]) -> None:
    assert {
        (kind, name) for block in module["resource"] for kind, named in block.items() for name in named
    } == RESOURCES


def test_every_input_and_output_is_described(module: dict[str, list[dict[str, Any]]]) -> None:
    undescribed = [
        name
        for kind in ("variable", "output")
        for block in module[kind]
        for name in block
        if not block[name].get("description")
    ]
    assert undescribed == []


def test_every_input_has_a_type(module: dict[str, list[dict[str, Any]]]) -> None:
    assert [name for block in module["variable"] for name in block if "type" not in block[name]] == []


def test_a_notebook_instance_takes_all_that_the_provider_takes_but_root_access(
    module: dict[str, list[dict[str, Any]]],
) -> None:
    (types,) = [block["notebook_attribute_types"] for block in module["locals"] if "notebook_attribute_types" in block]
    attributes = [unquoted(each) for named in types.values() for each in named]
    assert sorted(attributes) == sorted(NOTEBOOK_ATTRIBUTES)
    (variable,) = [block["notebook_instances"] for block in module["variable"] if "notebook_instances" in block]
    assert set(re.findall(r"`(\w+)`", variable["description"])) >= NOTEBOOK_ATTRIBUTES


def test_root_access_is_off_and_no_input_turns_it_on(module: dict[str, list[dict[str, Any]]]) -> None:
    assert resource(module, "aws_sagemaker_notebook_instance")["root_access"] == "Disabled"


def test_a_notebook_instance_waits_for_the_policies_of_its_first_boot(module: dict[str, list[dict[str, Any]]]) -> None:
    assert set(resource(module, "aws_sagemaker_notebook_instance")["depends_on"]) == {
        "${aws_iam_role_policy.assume_self}",
        "${aws_iam_role_policy.logs}",
        "${aws_iam_role_policy.protect_role}",
        "${aws_iam_role_policy_attachment.session_names}",
        "${aws_iam_role_policy_attachment.this}",
    }


def test_the_module_configures_no_provider_of_its_own(module: dict[str, list[dict[str, Any]]]) -> None:
    assert "provider" not in module
    (terraform,) = module["terraform"]
    assert terraform["required_version"] == ">= 1.5"
    (providers,) = terraform["required_providers"]
    assert set(providers) == {"aws"}


@pytest.mark.parametrize("example", sorted(path.parent.name for path in CHECKOUT.glob("examples/*/main.tf")))
def test_each_example_is_a_root_that_uses_the_module_as_it_stands_here(example: str) -> None:
    with (CHECKOUT / "examples" / example / "main.tf").open(encoding="utf-8") as file:
        blocks = unquoted(hcl2.load(file))
    sources = {call["source"] for block in blocks.get("module", []) for call in block.values()}
    # Studio has no notebook instances: what the command says of it needs nothing of the module.
    assert ("../.." in sources) is (example != "studio")
    assert all(source == "../.." or source.startswith("../../modules/") for source in sources)
    assert blocks["terraform"][0]["required_version"] == ">= 1.5"
    assert [provider["aws"].get("region") for provider in blocks["provider"] if not provider["aws"].get("region")] == []
    readme = (CHECKOUT / "examples" / example / "README.md").read_text(encoding="utf-8")
    # What it asks is in the region where it applied.
    applied = set(re.findall("-var region=([a-z0-9-]+)", readme))
    assert all(
        set(re.findall("--region ([a-z0-9-]+)", line)) == applied
        for line in readme.splitlines()
        if "cloudtrail:" in line
    )
