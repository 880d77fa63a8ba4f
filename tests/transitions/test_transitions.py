"""What is switched while notebook instances run: no call is refused, or the plan says what to do first."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from emulator.notebook_instance import NotebookInstance
from emulator.server import Emulator
from notebooks import RECIPE
from policy_documents import SAGEMAKER_ASSUMES, policy_document

from .conftest import S3, Configuration, User

Configure = Callable[..., Configuration]
Outside = Callable[..., NotebookInstance]


def restart(notebook: NotebookInstance, **update: Any) -> User:
    """Stop it, change it, start it; return its user."""
    notebook.stop()
    if update:
        notebook.emulator.client("sagemaker").update_notebook_instance(NotebookInstanceName=notebook.name, **update)
        notebook.wait()
    assert notebook.start()["NotebookInstanceStatus"] == "InService", notebook.boot_log
    return User(notebook)


def restarted(users: list[User]) -> list[User]:
    """Restart the notebook instances of all of them, at once."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda user: restart(user.notebook), users))


# Until there are credentials again.
ASK = """
token() { curl --silent --fail -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $service/latest/api/token; }
service=http://169.254.169.254
until curl --silent --fail -H "X-aws-ec2-metadata-token: $(token)" $service/latest/meta-data/iam/security-credentials/
do sleep 0.2; done
"""


@pytest.mark.parametrize("mode", ["profile", "imds"])
def test_enforcement_switched_on_and_off(emulator: Emulator, configure: Configure, mode: str) -> None:
    name = f"enforce-{mode}"
    calls = {"team": {"name": name, "attribution_mode": mode, "notebook_instances": {name: {}}}}
    configuration = configure(calls)
    user = User(NotebookInstance(emulator, name))
    on = {"team": calls["team"] | {"deny_unattributed_calls": True}}
    assert "PutRolePolicy" in configuration.applied(on)
    user.goes_on()
    assert "DeleteRolePolicy" in configuration.applied(calls)
    user.goes_on()


def test_from_profile_to_imds_and_back(emulator: Emulator, configure: Configure, outside: Outside) -> None:
    def calls(mode: str) -> dict[str, Any]:
        given = {"name": "modes", "attribution_mode": mode, "notebook_instances": {"modes-in": {}}}
        return {"team": given | {"additional_session_names": ["modes-out"]}}

    configuration = configure(calls("profile"))
    outputs = configuration.workspace.outputs()["team"]
    inside = NotebookInstance(emulator, "modes-in")
    users = [
        User(inside),
        User(outside("modes-out", outputs["role_arn"], LifecycleConfigName=outputs["lifecycle_configuration_name"])),
    ]

    configuration.applied(calls("imds"))
    for user in users:
        user.goes_on()

    users = restarted(users)  # in imds mode, from now on
    assert "imds-proxy" in inside.root("ps ax").stdout
    configuration.applied(calls("profile"))
    for user in users:
        # What is killed comes back, and opens a session anew, under today's policies.
        killed = user.notebook.root(
            "proxy=$(pgrep -f '[i]mds-proxy.py serve') && kill -KILL $proxy && echo $proxy"
        ).stdout
        user.notebook.run(["bash", "-c", ASK], check=True)
        assert killed not in user.notebook.root("pgrep -f '[i]mds-proxy.py serve'").stdout.splitlines(keepends=True)
        User(user.notebook)
    users = restarted(users)
    assert inside.exists("/home/ec2-user/.aws/config")
    for user in users:
        user.goes_on()


class ExistingRole:
    """A role that no call of the module made: may read S3, trusts itself as it is told, and follows the recipe."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.iam = emulator.client("iam")
        self.name = name
        self.arn = f"arn:aws:iam::{emulator.account_id}:role/{name}"
        self.account = {"AWS": f"arn:aws:iam::{emulator.account_id}:root"}
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=self._trust({}))
        self.iam.attach_role_policy(RoleName=name, PolicyArn=S3["s3"])
        allow = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sagemaker:DescribeNotebookInstance"], "Resource": "*"}
        self.iam.put_role_policy(
            RoleName=name,
            PolicyName="recipe",
            PolicyDocument=policy_document(allow),
        )

    def _trust(self, conditions: dict[str, Any]) -> str:
        itself = {"Effect": "Allow", "Principal": self.account, "Action": "sts:AssumeRole"}
        if conditions:
            itself |= {"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Condition": conditions}
        return policy_document(SAGEMAKER_ASSUMES, itself)

    def trust_base_session_alone(self) -> None:
        """Do what the plan says."""
        conditions = {"StringEquals": {"aws:PrincipalArn": self.arn}, "StringLike": {"aws:userid": "*:SageMaker"}}
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=self._trust(conditions))


@pytest.fixture
def existing_role(emulator: Emulator) -> Iterator[Callable[[str], ExistingRole]]:
    made: list[ExistingRole] = []

    def make(name: str) -> ExistingRole:
        made.append(ExistingRole(emulator, name))
        return made[-1]

    yield make
    for role in made:
        role.iam.detach_role_policy(RoleName=role.name, PolicyArn=S3["s3"])
        for name in role.iam.list_role_policies(RoleName=role.name)["PolicyNames"]:
            role.iam.delete_role_policy(RoleName=role.name, PolicyName=name)
        role.iam.delete_role(RoleName=role.name)


def test_an_existing_role_and_a_running_notebook_instance_taken_over_with_enforcement(
    existing_role: Callable[[str], ExistingRole], emulator: Emulator, configure: Configure, outside: Outside
) -> None:
    role = existing_role("takeover")
    role.trust_base_session_alone()
    before = User(outside("taken", role.arn))
    assert before.callers() == {"SageMaker"}

    given = {"name": "takeover", "create_role": False, "role_arn": role.arn, "role_policy_arns": {}}
    configuration = configure({"team": given})
    taken = given | {"notebook_instances": {"taken": {}}, "deny_unattributed_calls": True}
    adopt = {"import": [{"to": 'module.team.aws_sagemaker_notebook_instance.this["taken"]', "id": "taken"}]}
    (error,) = configuration.planned({"team": taken}, **adopt).errors
    assert "First apply without deny_unattributed_calls" in error
    before.goes_on()

    calls = configuration.applied({"team": taken | {"outside_notebooks_are_attributed": True}}, **adopt)
    # The one policy that comes after the start is the one that refuses what isn't attributed.
    assert calls[: calls.index("StartNotebookInstance")].count("PutRolePolicy") == 2, calls
    assert calls[calls.index("StartNotebookInstance") :].count("PutRolePolicy") == 1, calls
    before.was_never_refused()
    after = User(before.notebook)
    after.goes_on()
    assert after.callers() == {"taken"}


def test_from_the_recipe_to_the_module(
    existing_role: Callable[[str], ExistingRole], emulator: Emulator, configure: Configure, outside: Outside
) -> None:
    role = existing_role("recipe")
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="recipe",
        OnStart=[{"Content": base64.b64encode(RECIPE.encode()).decode()}],
    )
    by_recipe = User(outside("by-recipe", role.arn, LifecycleConfigName="recipe"))
    assert by_recipe.callers() == {"by-recipe"}

    given = {"name": "recipe", "create_role": False, "role_arn": role.arn, "role_policy_arns": {}}
    calls = {"team": given | {"notebook_instances": {"by-module": {}}}}
    configuration = configure(calls, apply=False)
    (error,) = configuration.planned(calls).errors
    assert "First replace the statement" in error

    role.trust_base_session_alone()
    by_recipe.goes_on()
    configuration.applied(calls)
    by_recipe.goes_on()
    User(NotebookInstance(emulator, "by-module"))

    configuration.applied({"team": calls["team"] | {"additional_session_names": ["by-recipe"]}})
    moved = restart(by_recipe.notebook, LifecycleConfigName="recipe-attribution")
    moved.goes_on()


def test_the_module_removed(
    existing_role: Callable[[str], ExistingRole], emulator: Emulator, configure: Configure, outside: Outside
) -> None:
    role = existing_role("removed")
    role.trust_base_session_alone()
    role.iam.delete_role_policy(RoleName="removed", PolicyName="recipe")
    given = {"name": "removed", "create_role": False, "role_arn": role.arn, "role_policy_arns": {}}
    names = {"notebook_instances": {"removed-in": {}}, "additional_session_names": ["removed-out"]}
    configuration = configure({"team": given | names})
    within = User(NotebookInstance(emulator, "removed-in"))
    outer = User(outside("removed-out", role.arn, LifecycleConfigName="removed-attribution"))

    # docs/how-it-works.md: the notebook instances outside the module leave first.
    outer.notebook.stop()
    emulator.client("sagemaker").update_notebook_instance(
        NotebookInstanceName="removed-out", DisassociateLifecycleConfig=True
    )
    outer.notebook.wait()
    outer.notebook.start()
    left = User(outer.notebook)
    seen = len(emulator.records())
    configuration.applied({})
    calls = configuration.changes_since(seen)
    assert calls.index("DeleteNotebookInstance") < calls.index("DeleteRolePolicy"), calls
    within.was_never_refused()
    left.goes_on()
    assert "removed-attribution" not in str(emulator.client("sagemaker").list_notebook_instance_lifecycle_configs()), (
        "nothing used it any more, so it is gone"
    )
