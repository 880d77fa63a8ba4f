"""The imds mode and the refusal of unattributed calls, as they are planned; what the imds mode's script is made from."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from on_start_script import unpacked
from workspace import CHECKOUT

from .conftest import Plan, PlannedCall
from .test_plan import ACCOUNT

SCRIPTS = CHECKOUT / "scripts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team-execution"
LIMIT = 12288


@pytest.mark.inputs
def test_profile_mode_is_the_default_and_its_script_can_be_read_as_it_stands(outcome: PlannedCall) -> None:
    script = outcome.output("on_start_script")
    assert "ATTRIBUTION_MODE='profile'\n" in script
    assert script.endswith((SCRIPTS / "on-start.sh").read_text())


@pytest.mark.inputs(notebook_instances={"one": {}})
@pytest.mark.inputs(attribution_mode="imds", notebook_instances={"one": {}})
def test_a_change_of_mode_changes_neither_policy_of_the_handshake(outcomes: list[PlannedCall]) -> None:
    profile, imds = outcomes
    for address, policy in (
        ("aws_iam_role.this[0]", "assume_role_policy"),
        ("aws_iam_role_policy.assume_self[0]", "policy"),
    ):
        assert profile.planned(address)[policy] == imds.planned(address)[policy]
    assert profile.output("role_trust_policy") == imds.output("role_trust_policy")


# Shell text of an ordinary kind, which the script doesn't hold already, in the place of an owner's.
OWNERS = (CHECKOUT / "tools" / "set-up.sh").read_text()[:900]


@pytest.mark.inputs(attribution_mode="imds", notebook_instances={"one": {}})
@pytest.mark.inputs(attribution_mode="imds", extra_on_start=OWNERS)
def test_the_imds_mode_script_leaves_room_for_the_owners(outcomes: list[PlannedCall]) -> None:
    without, with_owners = outcomes
    assert len(without.output("on_start_script").encode()) <= LIMIT - 600
    assert len(OWNERS) == 900
    # Too long a script would be refused.
    assert len(with_owners.output("on_start_script").encode()) <= LIMIT


@pytest.mark.inputs(
    attribution_mode="imds", extra_on_start="# stays\necho 'it''s'\r\n", allow_start_without_attribution=True
)
def test_the_imds_mode_script_carries_settings_proxy_and_script(outcome: PlannedCall) -> None:
    script = outcome.output("on_start_script")
    assert script.startswith("#!/bin/bash\n# Makes the AWS calls of this notebook instance attributable")
    text = unpacked(script)
    assert text.startswith(
        f"ROLE_ARN='{ROLE}'\nATTRIBUTION_MODE='imds'\nALLOW_START_WITHOUT_ATTRIBUTION='true'\n"
        "EXTRA_ON_START='# stays\necho '\\''it'\\'''\\''s'\\''\n'\nIMDS_PROXY='"
    )
    assert "write_aws_directory" not in text
    assert "ask_for_role()" not in text


@pytest.mark.inputs(attribution_mode="imds")
def test_the_proxy_that_is_carried_is_the_one_in_the_file_without_its_comments(outcome: PlannedCall) -> None:
    text = unpacked(outcome.output("on_start_script"))
    printed = subprocess.run(
        ["bash", "-c", text.split("\nsettings() {")[0] + "\nprintf '%s\\n' \"$IMDS_PROXY\""],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    original = ast.parse((SCRIPTS / "imds-proxy.py").read_text())
    for node in ast.walk(original):
        body: list[Any] = getattr(node, "body", None) or []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            del body[0]
    assert ast.dump(ast.parse(printed)) == ast.dump(original)


@pytest.mark.inputs(attribution_mode="imds")
def test_the_shell_that_is_carried_is_the_one_in_the_files_without_comments_and_profile_mode(
    outcome: PlannedCall,
) -> None:
    text = unpacked(outcome.output("on_start_script"))
    _, carried = text.split("\nsettings() {", 1)

    def functions(script: str) -> dict[str, str]:
        """Return the shell's own rendering of each function, which has no comments."""
        definitions = re.sub(r"(?s)\ncd /\nmode=.*", "\n", script).replace("set -uo pipefail", "")
        listed = subprocess.run(
            ["bash", "-c", f"{definitions}\ndeclare -f"], capture_output=True, text=True, check=True
        ).stdout
        named = re.findall(r"^(\w+) \(\) \n(\{.*?^\})$", listed, re.MULTILINE | re.DOTALL)
        return {name: re.sub(r"(?m)^\s+", "", body) for name, body in named}  # texts go without indentation, too

    expected = functions((SCRIPTS / "imds-mode.sh").read_text() + (SCRIPTS / "on-start.sh").read_text())
    found = functions("settings() {" + carried)
    assert found == {name: body for name, body in expected.items() if name in found}
    assert expected.keys() - found.keys() == {
        "ask_for_role", "aws_config", "identify_role", "install_file", "make_cache", "set_aside", "set_environment",
        "set_up_profile_mode", "unlock", "write_aws_directory",
    }  # fmt: skip


def test_the_proxy_runs_on_python_3_9() -> None:
    ast.parse((SCRIPTS / "imds-proxy.py").read_text(), feature_version=(3, 9))


@pytest.mark.inputs(role_path="/it's/")
def test_a_quote_in_the_roles_path_stays_text(outcome: PlannedCall) -> None:
    script = outcome.output("on_start_script")
    printed = subprocess.run(
        ["bash", "-c", "\n".join(script.splitlines()[:4]) + "\nprintf %s \"$ROLE_ARN\""],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert printed == f"arn:aws:iam::{ACCOUNT}:role/it's/team-execution"


@pytest.mark.inputs("cn-north-1", attribution_mode="imds", deny_unattributed_calls=True)
def test_the_policies_are_valid_json_of_the_partition(outcome: PlannedCall) -> None:
    policy = outcome.planned("aws_iam_role_policy.deny_unattributed_calls[0]")["policy"]
    assert json.loads(policy)["Statement"][1]["NotResource"].startswith("arn:aws-cn:")


def test_what_allows_something_that_nothing_denies_is_said(plan: Plan) -> None:
    (warning,) = plan(allow_pass_role=True, allow_role_changes=True).warnings
    assert warning.startswith("No effect: allow_pass_role (it permits")
    assert "allow_role_changes (it permits" in warning
    assert plan(allow_pass_role=True, deny_unattributed_calls=True).warnings == []


def test_what_is_for_another_mode_or_role_is_said(plan: Plan) -> None:
    unused = {"outside_notebooks_are_attributed": True, "unattributed_allowed_actions": ["s3:Get*"]}
    (warning,) = plan(verify_role_trust=False, **unused).warnings
    assert warning == (
        "No effect: outside_notebooks_are_attributed (only with deny_unattributed_calls = true), "
        "unattributed_allowed_actions (only with deny_unattributed_calls = true), "
        "verify_role_trust (only with an existing role; the module writes the trust policy of a role that it creates). "
        "Remove what you don't need."
    )
    (warning,) = plan(deny_unattributed_calls=True, **unused).warnings
    assert warning.startswith("No effect: outside_notebooks_are_attributed (only with an existing role")
    assert plan(deny_unattributed_calls=True, additional_session_names=["team-*"], **unused).warnings == []


@pytest.mark.inputs(attribution_mode="imds", extra_on_start='echo "it\'s"')
def test_the_command_that_prints_the_imds_mode_script_does(outcome: PlannedCall, tmp_path: Path) -> None:
    """As it stands in docs/operations.md, with what `terraform output -raw` would print."""
    document = (CHECKOUT / "docs" / "operations.md").read_text()
    (command,) = re.findall(r"^ +terraform output -raw on_start_script (\|.*gzip -d)$", document, re.MULTILINE)
    rendered = outcome.output("on_start_script")
    (tmp_path / "script").write_text(rendered)
    printed = subprocess.run(
        ["bash", "-c", f"cat script {command}"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert printed.stdout == unpacked(rendered)
    assert "ATTRIBUTION_MODE='imds'" in printed.stdout
