"""Reads from an account what the audit judges, with calls that change nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from .. import aws
from ..errors import reason_of
from .iam.policy import Policy, read_policy
from .iam.role import Role

LIST_REGIONS = "ec2:DescribeRegions"
DESCRIBE_INTERFACES = "ec2:DescribeNetworkInterfaces"
PERMISSIONS = (
    "sagemaker:ListNotebookInstances",
    "sagemaker:DescribeNotebookInstance",
    "sagemaker:DescribeNotebookInstanceLifecycleConfig",
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "sagemaker:ListDomains",
    "sagemaker:DescribeDomain",
)
"""The IAM actions that the audit uses; with `--region all` also `LIST_REGIONS`, and with `--with-addresses` `DESCRIBE_INTERFACES`."""

AT_ONCE = 8

_Key = TypeVar("_Key")
_Found = TypeVar("_Found")


class Unread(Struct, frozen=True):
    """Something that couldn't be read: what, with which permission, and why."""

    what: str
    permission: str
    reason: str


class Lifecycle(Struct, frozen=True):
    """A lifecycle configuration's on-start script, None where it has none, and when it was last changed."""

    on_start: str | None
    modified: datetime | None


class Instance(Struct, frozen=True, kw_only=True):
    """A notebook instance as the API describes it, with its role and lifecycle configuration.

    `role` and `lifecycle` are None where there is none, or it couldn't be read: then `unread` says so. `has_role` is False
    where the role that it names doesn't exist.
    """

    name: str
    region: str
    account_id: str
    status: str
    role_arn: str
    lifecycle_name: str | None
    root_access: bool | None
    metadata_version: str | None
    platform: str | None
    failure: str | None
    modified: datetime | None
    created: datetime | None = None
    network_interface_id: str | None = None
    role: Role | None = None
    has_role: bool = True
    lifecycle: Lifecycle | None = None
    unread: tuple[Unread, ...] = ()


class Account(Struct):
    """The notebook instances that were found, and what couldn't be listed."""

    instances: list[Instance] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def permissions_policy(*, all_regions: bool = False, with_addresses: bool = False) -> dict[str, Any]:
    """Return the identity policy that the audit needs and nothing more."""
    actions = [
        *PERMISSIONS,
        *([LIST_REGIONS] if all_regions else []),
        *([DESCRIBE_INTERFACES] if with_addresses else []),
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "WhichNotebookAudit", "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}],
    }


def read_account(regions: Sequence[str], names: Sequence[str] = ()) -> Account:
    """Read the notebook instances of these regions (`all`: all that are enabled), with these names or all.

    Raises MissingPackageError where boto3 isn't installed, and OSError where no region is named anywhere.
    """
    account = Account()
    region_names = regions_of(regions)
    # Making clients isn't thread-safe; using them is.
    with aws.named_errors(""):
        iam = client_of("iam", region_names[0])
        for region in region_names:
            client_of("sagemaker", region)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        listed = list(pool.map(partial(_listed, names=names), region_names))
        keys: list[tuple[str, str]] = []
        for region, (here, unread) in zip(region_names, listed, strict=True):
            keys += [(region, name) for name in here]
            account.unread += unread
        described = [each for each in pool.map(_described, keys) if each]
        lifecycles = each_once(pool, _lifecycle, ((each.region, each.lifecycle_name) for each in described))
        roles = each_once(pool, partial(RoleReading, iam), (each.role_arn for each in described))
    for each in described:
        lifecycle, no_lifecycle = lifecycles[each.region, each.lifecycle_name]
        reading = roles[each.role_arn]
        problems = (*each.unread, *no_lifecycle, *reading.unread)
        account.instances.append(
            replace(each, role=reading.role, has_role=reading.exists, lifecycle=lifecycle, unread=problems)
        )
    account.instances.sort(key=lambda each: (each.name.lower(), each.name, each.region))
    return account


def each_once(pool: ThreadPoolExecutor, read: Callable[[_Key], _Found], keys: Iterable[_Key]) -> dict[_Key, _Found]:
    """Return what was read by each of the keys, however often it is among them."""
    distinct = list(dict.fromkeys(keys))
    return dict(zip(distinct, pool.map(read, distinct), strict=True))


def regions_of(regions: Sequence[str]) -> list[str]:
    """Return the regions that are asked about; `all`: all that are enabled."""
    if list(regions) == ["all"]:
        with aws.named_errors(LIST_REGIONS):
            # Without AllRegions these are the enabled ones.
            answer = aws.client("ec2").describe_regions()
        return sorted(str(each["RegionName"]) for each in answer["Regions"])
    with aws.named_errors(""):
        return aws.regions_asked(list(dict.fromkeys(regions)))


def _listed(region: str, names: Sequence[str]) -> tuple[list[str], list[Unread]]:
    permission = PERMISSIONS[0]
    listed: list[str] = []
    try:
        with aws.named_errors(permission):
            pages = client_of("sagemaker", region).get_paginator("list_notebook_instances")
            for search in [{"NameContains": name} for name in names] or [{}]:
                for page in pages.paginate(PaginationConfig={"PageSize": 100}, **search):
                    listed += [
                        each["NotebookInstanceName"]
                        for each in page["NotebookInstances"]
                        if each["NotebookInstanceStatus"] != "Deleting"
                    ]
    except OSError as error:
        return [], [Unread(f"the notebook instances in {region}", permission, reason_of(error))]
    return [name for name in dict.fromkeys(listed) if not names or name in names], []


def _described(key: tuple[str, str]) -> Instance | None:
    region, name = key
    try:
        with aws.named_errors(PERMISSIONS[1]):
            described = client_of("sagemaker", region).describe_notebook_instance(NotebookInstanceName=name)
    except OSError as error:
        if "RecordNotFound" in str(error.strerror):
            return None  # deleted since it was listed
        unread = Unread(f"the notebook instance {name}", PERMISSIONS[1], reason_of(error))
        return Instance(
            name=name, region=region, account_id="", status="", role_arn="", lifecycle_name=None, root_access=None,
            metadata_version=None, platform=None, failure=None, modified=None, unread=(unread,),
        )  # fmt: skip
    root = described.get("RootAccess")
    metadata = described.get("InstanceMetadataServiceConfiguration") or {}
    return Instance(
        name=name,
        region=region,
        account_id=described["NotebookInstanceArn"].split(":")[4],
        status=described["NotebookInstanceStatus"],
        role_arn=described["RoleArn"],
        lifecycle_name=described.get("NotebookInstanceLifecycleConfigName"),
        root_access=None if root is None else root == "Enabled",
        metadata_version=metadata.get("MinimumInstanceMetadataServiceVersion"),
        platform=described.get("PlatformIdentifier"),
        failure=described.get("FailureReason"),
        modified=described.get("LastModifiedTime"),
        created=described.get("CreationTime"),
        network_interface_id=described.get("NetworkInterfaceId"),
    )


def _lifecycle(key: tuple[str, str | None]) -> tuple[Lifecycle | None, tuple[Unread, ...]]:
    region, name = key
    if name is None:
        return None, ()
    what = f"the lifecycle configuration {name}"
    try:
        with aws.named_errors(PERMISSIONS[2]):
            described = client_of("sagemaker", region).describe_notebook_instance_lifecycle_config(
                NotebookInstanceLifecycleConfigName=name
            )
    except OSError as error:
        return None, (Unread(what, PERMISSIONS[2], reason_of(error)),)
    content = next((each.get("Content") for each in described.get("OnStart") or ()), None)
    try:
        script = None if content is None else base64.b64decode(content, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return None, (Unread(what, PERMISSIONS[2], "its on-start script is no base64"),)
    return Lifecycle(script, described.get("LastModifiedTime")), ()


class RoleReading:
    """One role. What can't be read counts as a policy whose effect is unknown."""

    def __init__(self, iam: Any, arn: str) -> None:
        self.iam = iam
        self.arn = arn
        self.name = arn.rsplit("/", 1)[-1]
        self.exists = True
        self.unread: list[Unread] = []
        self.role = self._read() if arn else None

    def _read(self) -> Role | None:
        described = self._ask(
            "iam:GetRole", f"the role {self.name}", lambda iam: iam.get_role(RoleName=self.name)["Role"]
        )
        if described is None or described["Arn"] != self.arn:
            # A role of that name under another path is another one.
            self.exists = described is None and self.unread[-1].reason != aws.NO_SUCH_ENTITY
            self.unread = self.unread if self.exists else []
            return None
        attached = self._attached()
        boundary = (described.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        return Role(
            self.arn,
            described["RoleId"],
            read_policy(described["AssumeRolePolicyDocument"]),
            (*self._inline(), *(self._managed_policy(arn) if arn else _UNKNOWN for arn in attached)),
            self._managed_policy(boundary) if boundary else None,
            tuple(arn for arn in (*attached, boundary) if arn),
        )

    def _inline(self) -> Iterator[Policy]:
        names = self._ask(
            "iam:ListRolePolicies",
            f"the inline policies of {self.name}",
            lambda iam: [
                name
                for page in iam.get_paginator("list_role_policies").paginate(RoleName=self.name)
                for name in page["PolicyNames"]
            ],
        )
        for name in _or_unknown(names):
            yield self._inline_policy(name) if name else _UNKNOWN

    def _inline_policy(self, name: str) -> Policy:
        return self._policy(
            "iam:GetRolePolicy",
            f"the inline policy {name} of {self.name}",
            lambda iam: iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"],
        )

    def _attached(self) -> list[str]:
        arns = self._ask(
            "iam:ListAttachedRolePolicies",
            f"the managed policies of {self.name}",
            lambda iam: [
                each["PolicyArn"]
                for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=self.name)
                for each in page["AttachedPolicies"]
            ],
        )
        return _or_unknown(arns)

    def _managed_policy(self, arn: str) -> Policy:
        version = self._ask(
            "iam:GetPolicy",
            f"the policy {arn}",
            lambda iam: iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"],
        )
        if version is None:
            return _UNKNOWN
        return self._policy(
            "iam:GetPolicyVersion",
            f"the policy {arn}",
            lambda iam: iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"],
        )

    def _policy(self, permission: str, what: str, ask: Callable[[Any], Any]) -> Policy:
        document = self._ask(permission, what, ask)
        return _UNKNOWN if document is None else read_policy(document)

    def _ask(self, permission: str, what: str, ask: Callable[[Any], Any]) -> Any:
        try:
            with aws.named_errors(permission):
                return ask(self.iam)
        except OSError as error:
            self.unread.append(Unread(what, permission, reason_of(error)))
            return None


# A policy of which nothing is known.
_UNKNOWN = Policy((), is_whole=False)


def _or_unknown(names: list[str] | None) -> list[str]:
    return [""] if names is None else names


def client_of(service: str, region: str) -> Any:
    """Return a client that `AT_ONCE` threads can use."""
    return aws.client(service, region, connections=AT_ONCE)
