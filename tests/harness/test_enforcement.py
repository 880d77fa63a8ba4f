"""IAM in the emulated account: what role sessions may do, by the policies as they stand at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator.server import Emulator
from policy_documents import policy_document

OTHER_ACCOUNT = "444455556666"


class Role:
    """A role of a test's own, which the account's root may assume."""

    def __init__(self, emulator: Emulator, name: str, **arguments: Any) -> None:
        self.emulator = emulator
        self.iam = emulator.client("iam")
        self.name = name
        trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": "sts:AssumeRole"}
        self.arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_document(trust), **arguments)[
            "Role"
        ]["Arn"]

    def allow(self, *actions: str, effect: str = "Allow", policy: str = "policy", **statement: Any) -> None:
        stated = {"Effect": effect, "Action": actions, "Resource": "*", **statement}
        self.iam.put_role_policy(RoleName=self.name, PolicyName=policy, PolicyDocument=policy_document(stated))

    def trust(self, **statement: Any) -> None:
        stated = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=policy_document(stated))

    def session(self, service: str, name: str = "session", **arguments: Any) -> Any:
        sts = self.emulator.client("sts")
        opened = sts.assume_role(RoleArn=self.arn, RoleSessionName=name, **arguments)
        return self.emulator.session_client(service, opened["Credentials"])

    def delete(self) -> None:
        for policy in self.iam.list_role_policies(RoleName=self.name)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=self.name, PolicyName=policy)
        self.iam.delete_role(RoleName=self.name)


@pytest.fixture
def new_role(emulator: Emulator) -> Iterator[Callable[..., Role]]:
    made: list[Role] = []

    def make(name: str = "judged", **arguments: Any) -> Role:
        made.append(Role(emulator, name, **arguments))
        return made[-1]

    yield make
    for each in made:
        each.delete()


@pytest.fixture
def role(new_role: Callable[..., Role]) -> Role:
    return new_role()


def refusal(call: Callable[..., Any], /, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    assert error["Code"] in {"AccessDenied", "AccessDeniedException"}, error
    return str(error["Message"])


def test_nothing_is_allowed_that_no_policy_allows(emulator: Emulator, role: Role) -> None:
    s3 = role.session("s3")
    message = refusal(s3.list_buckets)
    assert message == (
        "User: arn:aws:sts::111122223333:assumed-role/judged/session is not authorized to perform: "
        "s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action"
    )
    role.allow("s3:ListAllMyBuckets")
    assert s3.list_buckets()["Buckets"] is not None, "the policies count as they stand at that moment"


def test_an_explicit_deny_wins(role: Role) -> None:
    role.allow("s3:*")
    role.allow("s3:ListAllMyBuckets", effect="Deny", policy="deny")
    assert refusal(role.session("s3").list_buckets).endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_holds_back_what_a_policy_allows(emulator: Emulator, new_role: Callable[..., Role]) -> None:
    iam = emulator.client("iam")
    boundary = iam.create_policy(
        PolicyName="boundary", PolicyDocument=policy_document({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})
    )["Policy"]["Arn"]
    try:
        role = new_role(PermissionsBoundary=boundary)
        role.allow("s3:*", "sqs:*")
        assert "because no permissions boundary allows" in refusal(role.session("s3").list_buckets)
        assert role.session("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        iam.delete_policy(PolicyArn=boundary)


def test_a_session_policy_holds_back_what_the_role_may(role: Role) -> None:
    role.allow("s3:*", "sqs:*")
    policy = policy_document({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})
    assert "because no session policy allows" in refusal(role.session("s3", Policy=policy).list_buckets)
    role.session("sqs", Policy=policy).list_queues()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/judged"),
        ("aws:userid", "*:session"),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:RequestedRegion", "us-east-1"),
        ("aws:SourceIp", "127.0.0.1"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIdentity", "notebook"),
    ],
)
def test_the_context_keys_that_iam_would_have(role: Role, key: str, value: str) -> None:
    role.trust(Principal={"AWS": "arn:aws:iam::111122223333:root"}, Action=["sts:AssumeRole", "sts:SetSourceIdentity"])
    s3 = role.session("s3", SourceIdentity="notebook")
    role.allow("s3:ListAllMyBuckets", Condition={"StringLike": {key: f"not-{value}"}})
    refusal(s3.list_buckets)
    role.allow("s3:ListAllMyBuckets", Condition={"StringLike": {key: value}})
    s3.list_buckets()


def test_a_role_assumes_itself_only_where_both_sides_say_so(role: Role) -> None:
    sts = role.session("sts", name="SageMaker")
    own_trust = {"AWS": "arn:aws:iam::111122223333:role/judged"}
    role.allow("sts:AssumeRole")
    account = {"AWS": "arn:aws:iam::111122223333:root"}
    service = {"Service": "sagemaker.amazonaws.com"}

    def assume(name: str = "one") -> Any:
        return sts.assume_role(RoleArn=role.arn, RoleSessionName=name)

    role.trust(Principal=service)
    assert refusal(assume).endswith("is not authorized to perform: sts:AssumeRole on resource: " + role.arn)
    role.trust(Principal=own_trust, Condition={"StringLike": {"aws:userid": "*:SageMaker"}})
    assume()
    role.trust(Principal=own_trust, Condition={"StringLike": {"sts:RoleSessionName": "two"}})
    refusal(assume)
    assume("two")
    role.trust(Principal=account)
    assume()
    role.iam.delete_role_policy(RoleName=role.name, PolicyName="policy")
    refusal(assume)


def test_a_role_that_is_not_there_is_refused_like_one_that_is(role: Role) -> None:
    role.allow("sts:AssumeRole")
    missing = f"arn:aws:iam::{OTHER_ACCOUNT}:role/missing"
    message = refusal(role.session("sts").assume_role, RoleArn=missing, RoleSessionName="session")
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {missing}")


def test_source_identity_needs_its_own_permission_and_stays(role: Role, emulator: Emulator) -> None:
    role.allow("sts:AssumeRole", "sts:SetSourceIdentity")
    role.trust(Principal={"AWS": ["arn:aws:iam::111122223333:root", role.arn]})
    sts = role.session("sts")
    refusal(sts.assume_role, RoleArn=role.arn, RoleSessionName="one", SourceIdentity="one")
    role.trust(
        Principal={"AWS": ["arn:aws:iam::111122223333:root", role.arn]},
        Action=["sts:AssumeRole", "sts:SetSourceIdentity"],
    )
    first = sts.assume_role(RoleArn=role.arn, RoleSessionName="one", SourceIdentity="one")
    again = emulator.session_client("sts", first["Credentials"]).assume_role(RoleArn=role.arn, RoleSessionName="two")
    role.allow("s3:ListAllMyBuckets", Condition={"StringEquals": {"aws:SourceIdentity": "one"}})
    emulator.session_client("s3", again["Credentials"]).list_buckets()


def test_chained_sessions_last_an_hour_at_most(role: Role) -> None:
    role.allow("sts:AssumeRole")
    role.trust(Principal={"AWS": role.arn})
    role.trust(Principal={"AWS": ["arn:aws:iam::111122223333:root", role.arn]})
    with pytest.raises(ClientError, match="1 hour session limit for roles assumed by role chaining"):
        role.session("sts").assume_role(RoleArn=role.arn, RoleSessionName="long", DurationSeconds=3601)


def test_a_bucket_policy_counts_too(emulator: Emulator, role: Role) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="judged-bucket")
    try:
        session = role.session("s3")
        refusal(session.list_objects_v2, Bucket="judged-bucket")
        allow = {
            "Effect": "Allow",
            "Principal": {"AWS": role.arn},
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::judged-bucket",
        }
        s3.put_bucket_policy(Bucket="judged-bucket", Policy=policy_document(allow))
        session.list_objects_v2(Bucket="judged-bucket")
        role.allow("s3:*")
        s3.put_bucket_policy(Bucket="judged-bucket", Policy=policy_document({**allow, "Effect": "Deny"}))
        assert refusal(session.list_objects_v2, Bucket="judged-bucket").endswith(
            "explicit deny in a resource-based policy"
        )
    finally:
        s3.delete_bucket(Bucket="judged-bucket")


def test_what_cannot_be_judged_is_an_error_and_never_allowed(role: Role) -> None:
    role.allow("*")
    with pytest.raises(ClientError) as failed:
        role.session("events").list_rules()
    error = failed.value.response["Error"]
    assert error["Code"] == "InternalFailure"
    assert "can't judge events:ListRules" in error["Message"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"AccessKeyId": "ASIAMADEUP0000000000"}, "InvalidClientTokenId"),
        ({"SessionToken": "made-up"}, "InvalidClientTokenId"),
    ],
)
def test_made_up_credentials_are_refused(emulator: Emulator, role: Role, change: dict[str, str], code: str) -> None:
    opened = emulator.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="session")["Credentials"]
    with pytest.raises(ClientError) as refused:
        emulator.session_client("sts", opened | change).get_caller_identity()
    assert refused.value.response["Error"]["Code"] == code


def test_a_role_made_anew_is_another_role(emulator: Emulator, new_role: Callable[..., Role]) -> None:
    first = new_role("again")
    first.allow("s3:ListAllMyBuckets")
    s3 = first.session("s3")
    s3.list_buckets()
    first.delete()
    second = Role(emulator, "again")
    second.allow("s3:ListAllMyBuckets")
    refusal(s3.list_buckets)


def test_the_root_of_an_account_is_not_judged(emulator: Emulator) -> None:
    emulator.client("events").list_rules()


def test_a_refusal_is_recorded_as_such(emulator: Emulator, role: Role) -> None:
    sts = role.session("sts", name="recorded")
    seen = len(emulator.records())
    refusal(sts.assume_role, RoleArn=role.arn, RoleSessionName="one")
    (record,) = emulator.records()[seen:]
    assert record["errorCode"] == "AccessDenied"
    assert record["errorMessage"].endswith("is not authorized to perform: sts:AssumeRole on resource: " + role.arn)
    assert record["requestParameters"] is None
    assert record["responseElements"] is None
    assert record["userIdentity"]["arn"].endswith(":assumed-role/judged/recorded")
