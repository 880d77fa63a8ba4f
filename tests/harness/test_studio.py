"""The emulated Studio: what its domains refuse, and what lists and describes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import SAGEMAKER_ASSUMES, policy_document


@pytest.fixture(scope="module")
def role_arn(emulator: Emulator) -> Iterator[str]:
    iam = emulator.client("iam")
    document = policy_document(SAGEMAKER_ASSUMES)
    yield iam.create_role(RoleName="harness-studio", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.delete_role(RoleName="harness-studio")


@pytest.fixture
def sagemaker(emulator: Emulator) -> Any:
    return emulator.client("sagemaker", region="ap-northeast-1")


@pytest.fixture
def domain(sagemaker: Any, role_arn: str) -> Iterator[str]:
    created = sagemaker.create_domain(
        DomainName="team",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": role_arn},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    yield created["DomainId"]
    sagemaker.delete_domain(DomainId=created["DomainId"])


def test_a_domain_is_described_listed_tagged_and_changed(sagemaker: Any, domain: str) -> None:
    described = sagemaker.describe_domain(DomainId=domain)
    assert (described["Status"], described["DomainSettings"]) == ("InService", {})
    assert sagemaker.list_tags(ResourceArn=described["DomainArn"])["Tags"] == [{"Key": "team", "Value": "a"}]
    assert [each["DomainId"] for each in sagemaker.list_domains()["Domains"]] == [domain]
    assert "DefaultUserSettings" not in sagemaker.list_domains()["Domains"][0]
    on = {"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"}
    sagemaker.update_domain(DomainId=domain, DomainSettingsForUpdate=on)
    assert sagemaker.describe_domain(DomainId=domain)["DomainSettings"] == on


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("describe_domain", {"DomainId": "d-none"}, "ResourceNotFound"),
        ("describe_user_profile", {"UserProfileName": "nobody"}, "ResourceNotFound"),
        ("create_user_profile", {"UserProfileName": "anna_b"}, "ValidationException"),
        ("create_app", {"AppType": "JupyterLab", "AppName": "x"}, "ValidationException"),
        ("create_app", {"AppType": "JupyterLab", "AppName": "x", "UserProfileName": "nobody"}, "ResourceNotFound"),
        ("update_domain", {"DomainSettingsForUpdate": {"ExecutionRoleIdentityConfig": "ON"}}, "ValidationException"),
    ],
)
def test_refusals(sagemaker: Any, domain: str, operation: str, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(sagemaker, operation)(**{"DomainId": domain} | given)
    assert refused.value.response["Error"]["Code"] == code


def test_a_domain_in_use_stays(sagemaker: Any, domain: str) -> None:
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="anna")
    with pytest.raises(ClientError, match="still has user profiles"):
        sagemaker.delete_domain(DomainId=domain)
    assert [
        each["UserProfileName"] for each in sagemaker.list_user_profiles(DomainIdEquals=domain)["UserProfiles"]
    ] == ["anna"]
    sagemaker.delete_user_profile(DomainId=domain, UserProfileName="anna")


def test_a_role_that_lets_sagemaker_set_no_source_identity_has_no_app_once_names_are_on(
    sagemaker: Any, domain: str
) -> None:
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="anna")
    app = {"DomainId": domain, "UserProfileName": "anna", "AppType": "JupyterLab", "AppName": "default"}
    sagemaker.create_app(**app)
    sagemaker.delete_app(**app)
    sagemaker.update_domain(
        DomainId=domain, DomainSettingsForUpdate={"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"}
    )
    with pytest.raises(ClientError, match="SetSourceIdentity"):
        sagemaker.create_app(**app)
    assert sagemaker.list_apps(DomainIdEquals=domain)["Apps"] == []
    sagemaker.delete_user_profile(DomainId=domain, UserProfileName="anna")
