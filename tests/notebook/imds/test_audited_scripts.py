"""A script that the audit calls attributed is booted on an emulated notebook instance, and its calls are attributed.

The scripts are drawn, in CI more of them; `AUDIT_EXAMPLES=100` draws many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from account import Account
from emulator.needs import needs_root as needs_root
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from notebooks import OwnNotebook
from on_start_script import repacked
from rendered_scripts import LOCKED_RECIPE
from script_lines import lines

from which_notebook.audit.script.recognise import recognise

EXAMPLES = int(os.environ.get("AUDIT_EXAMPLES", "4" if os.environ.get("CI") else "2"))
NewNotebook = Callable[..., OwnNotebook]

CALL = "import boto3; print(boto3.client('sts', region_name='us-east-1').get_caller_identity()['Arn'])"
# A lock that holds isn't undone by chance.
BY_CHANCE = (
    "rm -rf ~/.aws; mv ~/.aws ~/.aws2; mv ~/.aws/config ~/.aws/old; echo x > ~/.aws/config; echo x > ~/.aws/credentials"
)


@pytest.fixture(scope="module")
def create(account: Account) -> Iterator[NewNotebook]:
    with account.notebooks_of("imds") as create:
        yield create


def script_with(account: Account, place: str, drawn: str) -> str:
    """Return the recipe's script, or the module's, with these lines."""
    if place == "recipe":
        role = account.outputs["profile"]["role_arn"]
        # Where a command that fails ends the start, nothing is left to try.
        return LOCKED_RECIPE.replace("= $role", f"= {role}").replace("\nset -e\n", "\n") + f"{drawn}\ntrue\n"
    extra = f"{drawn}\ntrue\n".replace("'", "'\\''")

    def put(text: str) -> str:
        return text.replace("EXTRA_ON_START=''", f"EXTRA_ON_START='{extra}'", 1)

    script = account.outputs[place]["on_start_script"]
    return repacked(script, put) if place == "imds" else put(script)


def is_fine(script: str) -> bool:
    """Return whether the audit calls the notebook instance of such a script attributed, or enforced."""
    found = recognise(script)
    return found.kind in ("recipe", "module") and found.is_locked and not found.exposures


@pytest.mark.parametrize("place", ["recipe", "profile", "imds"])
def test_what_the_audit_calls_attributed_is_attributed(account: Account, create: NewNotebook, place: str) -> None:
    tried = 0

    # Another script for each example, and none that is made smaller: a start takes a second.
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(lines, min_size=30, max_size=60))
    def check(drawn: list[str]) -> None:
        nonlocal tried
        kept: list[str] = []
        for line in drawn:
            if is_fine(script_with(account, place, "\n".join([*kept, line]))):
                kept.append(line)
        note("\n".join(kept))
        notebook = create(RoleArn=account.outputs["imds" if place == "imds" else "profile"]["role_arn"])
        try:
            started = notebook.run_on_start(script=script_with(account, place, "\n".join(kept)))
            note(f"{started.stdout}{started.stderr}")
            # Where the start fails, the notebook can't call.
            if started.returncode == 0:
                tried += 1
                assert_attributed(notebook, place)
        finally:
            notebook.stop()

    check()
    assert tried >= EXAMPLES / 2


def assert_attributed(notebook: OwnNotebook, place: str) -> None:
    """Have the notebook's user call, and see whose the calls are."""
    environments: list[dict[str, str]] = [{}]
    if place == "imds":
        environments.append({"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"})
    for before in ("true", BY_CHANCE):
        notebook.run(["bash", "-c", before])
        for environment in environments:
            done = notebook.run([notebook.python, "-c", CALL], env=environment)
            assert done.stdout.strip().endswith(f"/{notebook.name}"), done.stdout + done.stderr
    assert notebook.run(["sudo", "-n", "true"]).returncode != 0
    assert notebook.run(["id", "-Gn"]).stdout.split() == ["ec2-user"]
