"""examples/studio: what its users' apps and jobs call stands under the user profile's name, and nobody takes another's."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document
from workspace import Workspace

from which_notebook.cli import main


class Studio:
    """The example's domain in an emulated account."""

    def __init__(self, emulator: Emulator, outputs: dict[str, Any]) -> None:
        self.emulator, self.domain = emulator, outputs["domain_id"]
        self.role_arn = f"arn:aws:iam::{emulator.account_id}:role/{outputs['role_name']}"
        self.sagemaker = emulator.client("sagemaker")

    def app(self, name: str, **of_whom: str) -> dict[str, Any]:
        """Start an app of a user profile's or a space's; return its session's credentials."""
        self.sagemaker.create_app(DomainId=self.domain, AppType="JupyterLab", AppName=name, **of_whom)
        return self.session(f"apps/{{where}}/{self.domain}/{name}/session")

    def session(self, path: str) -> dict[str, Any]:
        """Return the credentials that the emulator hands out."""
        where = f"{self.emulator.account_id}/{self.emulator.region}"
        url = f"{self.emulator.endpoint_url}/_emulator/{path.format(where=where)}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found

    def ask(self, session: dict[str, Any]) -> None:
        """Make a call in a session."""
        self.emulator.session_client("sts", session).get_caller_identity()

    def which_notebook(self, *options: str) -> Any:
        """Ask the command about the recorded calls."""
        self.emulator.flush()
        answer = self.emulator.folder / "answer.json"
        main(
            [
                "summary",
                str(self.emulator.cloudtrail_folder),
                "--role",
                self.role_arn,
                "--no-cache",
                "-o",
                str(answer),
                *options,
            ]
        )
        return json.loads(answer.read_text())


@pytest.fixture(scope="module")
def studio(new_emulator: Callable[..., Emulator], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder: Path = tmp_path_factory.mktemp("example-studio")
    with new_emulator() as emulator:
        workspace = Workspace(folder / "module", root="examples/studio", environment=emulator.environment())
        assert workspace.apply().errors == []
        yield Studio(emulator, workspace.outputs())


def test_each_call_stands_under_its_user_profile(studio: Studio) -> None:
    studio.sagemaker.create_space(
        DomainId=studio.domain, SpaceName="annas", OwnershipSettings={"OwnerUserProfileName": "anna"}, SpaceSharingSettings={"SharingType": "Private"},
    )  # fmt: skip
    studio.sagemaker.create_space(DomainId=studio.domain, SpaceName="team", SpaceSharingSettings={"SharingType": "Shared"},
                                  OwnershipSettings={"OwnerUserProfileName": "anna"})  # fmt: skip
    anna, ben = studio.app("of-anna", UserProfileName="anna"), studio.app("of-ben", UserProfileName="ben")
    private, shared = studio.app("private", SpaceName="annas"), studio.app("shared", SpaceName="team")
    for session in (anna, private, ben, ben, ben, shared):
        studio.ask(session)
    found = studio.which_notebook()
    assert {row["user_profile"]: (row["calls"], row["warnings"]) for row in found["user_profiles"]} == {
        "anna": (2, {}),
        "ben": (3, {}),
    }
    # In a shared space nobody's name is there, and none is guessed.
    assert (found["unattributed"]["calls"], found["notebooks"], found["unknown_names"]) == (1, [], [])


def test_jobs_take_the_name_along(studio: Studio) -> None:
    iam, account = studio.emulator.client("iam"), studio.emulator.account_id
    trust = SAGEMAKER_ASSUMES | {"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
    iam.create_role(RoleName="studio-jobs", AssumeRolePolicyDocument=policy_document(trust))
    allow = [{"Effect": "Allow", "Action": ["sagemaker:CreateTrainingJob", "iam:PassRole"], "Resource": "*"}]
    iam.put_role_policy(RoleName="studio-execution", PolicyName="jobs", PolicyDocument=policy_document(*allow))  # fmt: skip
    ben = studio.app("for-jobs", UserProfileName="ben")
    for name, role in (("own", "studio-execution"), ("other", "studio-jobs")):
        studio.emulator.session_client("sagemaker", ben).create_training_job(
            TrainingJobName=name, RoleArn=f"arn:aws:iam::{account}:role/{role}",
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"}, OutputDataConfig={"S3OutputPath": "s3://b/o"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}, StoppingCondition={"MaxRuntimeInSeconds": 60},
        )  # fmt: skip
    before = {row["user_profile"]: row for row in studio.which_notebook()["user_profiles"]}["ben"]
    for name in ("own", "other"):
        studio.ask(studio.session(f"jobs/{{where}}/{name}/session"))
    after = {row["user_profile"]: row for row in studio.which_notebook()["user_profiles"]}["ben"]
    followed = {row["user_profile"]: row for row in studio.which_notebook("--follow")["user_profiles"]}["ben"]
    assert (after["calls"] - before["calls"], followed["calls"] - before["calls"], followed["chained"]) == (1, 2, 1)


def test_a_user_may_do_what_the_example_allows(studio: Studio) -> None:
    session = studio.app("reading", UserProfileName="anna")
    assert studio.emulator.session_client("s3", session).list_buckets()["Buckets"] == []


def test_a_role_that_users_assume_has_to_allow_the_source_identity_on_both_sides(studio: Studio) -> None:
    """As docs/studio.md has it done before the names are switched on."""
    iam = studio.emulator.client("iam")
    assumes, both = "sts:AssumeRole", ["sts:AssumeRole", "sts:SetSourceIdentity"]
    arn = f"arn:aws:iam::{studio.emulator.account_id}:role/warehouse-reader"

    # A trust policy that names the account leaves it to the identity policies, too.
    account = {"AWS": f"arn:aws:iam::{studio.emulator.account_id}:root"}

    def policy(actions: str | list[str], **more: Any) -> str:
        return policy_document({"Effect": "Allow", "Action": actions, **more})

    def allow(trusted: str | list[str], allowed: str | list[str]) -> None:
        iam.update_assume_role_policy(RoleName="warehouse-reader", PolicyDocument=policy(trusted, Principal=account))
        iam.put_role_policy(
            RoleName="studio-execution", PolicyName="other-roles", PolicyDocument=policy(allowed, Resource=arn)
        )

    iam.create_role(RoleName="warehouse-reader", AssumeRolePolicyDocument=policy(assumes, Principal=account))
    users = studio.emulator.session_client("sts", studio.app("assuming", UserProfileName="anna"))
    for trusted, allowed in ((assumes, assumes), (both, assumes), (assumes, both)):
        allow(trusted, allowed)
        with pytest.raises(ClientError, match="sts:SetSourceIdentity"):
            users.assume_role(RoleArn=arn, RoleSessionName="anna")
    allow(both, both)
    assert users.assume_role(RoleArn=arn, RoleSessionName="anna")["AssumedRoleUser"]["Arn"].endswith("/anna")


# Taking another's name


@pytest.mark.parametrize(
    "action", ["create_presigned_domain_url", "update_user_profile", "create_user_profile", "update_domain"]
)
def test_a_user_cant_open_studio_as_another_or_switch_the_names_off(studio: Studio, action: str) -> None:
    session = studio.app(action.replace("_", "-"), UserProfileName="anna")
    iam = studio.emulator.client("iam")
    allowed = policy_document({"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"})
    iam.put_role_policy(RoleName="studio-execution", PolicyName="everything", PolicyDocument=allowed)
    given = (
        {} if action == "update_domain" else {"UserProfileName": "ben" if action != "create_user_profile" else "carl"}
    )
    with pytest.raises(ClientError, match="explicit deny"):
        getattr(studio.emulator.session_client("sagemaker", session), action)(DomainId=studio.domain, **given)


def test_a_source_identity_is_set_once_and_by_nobody_but_sagemaker(studio: Studio) -> None:
    iam = studio.emulator.client("iam")
    allowed = policy_document({"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    iam.put_role_policy(RoleName="studio-execution", PolicyName="sts", PolicyDocument=allowed)
    session = studio.app("forging", UserProfileName="anna")
    forged = {"RoleArn": studio.role_arn, "RoleSessionName": "SageMaker", "SourceIdentity": "ben"}
    with pytest.raises(ClientError, match="AccessDenied"):
        studio.emulator.session_client("sts", session).assume_role(**forged)
    iam.create_user(UserName="mallory")
    iam.put_user_policy(UserName="mallory", PolicyName="sts", PolicyDocument=allowed)
    key = iam.create_access_key(UserName="mallory")["AccessKey"]
    mallory = studio.emulator.session_client("sts", {**key, "SessionToken": None})
    with pytest.raises(ClientError, match="AccessDenied"):
        mallory.assume_role(**forged)
    # Where the trust policy lets the account set one, it can be forged, and then a warning shows who did.
    trust = json.loads(json.dumps(iam.get_role(RoleName="studio-execution")["Role"]["AssumeRolePolicyDocument"]))
    account = {
        **trust["Statement"][0],
        "Sid": "Account",
        "Principal": {"AWS": f"arn:aws:iam::{studio.emulator.account_id}:root"},
    }
    trust["Statement"].append(account)
    iam.update_assume_role_policy(RoleName="studio-execution", PolicyDocument=json.dumps(trust))
    studio.ask(mallory.assume_role(**forged)["Credentials"])
    found = {row["user_profile"]: row["warnings"] for row in studio.which_notebook()["user_profiles"]}
    assert {name: warnings.get("opened-by-another", 0) for name, warnings in found.items()} == {"anna": 0, "ben": 1}


def test_who_opens_studio_as_another_has_a_warning_where_it_is_allowed(studio: Studio) -> None:
    iam = studio.emulator.client("iam")
    for name in iam.list_role_policies(RoleName="studio-execution")["PolicyNames"]:
        iam.delete_role_policy(RoleName="studio-execution", PolicyName=name)
    allowed = policy_document({"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"})
    iam.put_role_policy(RoleName="studio-execution", PolicyName="everything", PolicyDocument=allowed)
    users = {name: studio.app(f"becoming-{name}", UserProfileName=name) for name in ("anna", "ben")}
    for session in users.values():
        studio.emulator.session_client("sagemaker", session).create_presigned_domain_url(
            DomainId=studio.domain, UserProfileName="ben"
        )
    found = {row["user_profile"]: row["warnings"] for row in studio.which_notebook()["user_profiles"]}
    assert {name: found[name].get("other-user-profile", 0) for name in users} == {"anna": 1, "ben": 0}
