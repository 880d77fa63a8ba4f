"""What stands in the emulated accounts at this moment: roles, users, and the policies of all that is asked for.

Read from moto's and LocalStack's stores, not through their API, so that asking isn't itself a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localstack.constants import DEFAULT_AWS_ACCOUNT_ID
from localstack.services.kms.models import kms_stores
from localstack.services.s3.models import s3_stores
from moto.athena.models import athena_backends
from moto.iam.models import Role, User, iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from .judge import Policy


class NotThereError(Exception):
    """Something that a policy decision needs isn't in the emulated account."""


def role(arn: str) -> Role | None:
    """Return the role with this ARN, path included, or None."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam":
        return None
    return next((each for each in iam_backends[parts[4]][parts[1]].roles.values() if each.arn == arn), None)


def user_of_access_key(account_id: str, partition: str, access_key_id: str) -> User | None:
    """Return the user who was given this access key, while the key is active."""
    for user in iam_backends[account_id][partition].users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key_id and key.status == "Active":
                return user
    return None


def user(account_id: str, partition: str, name: str) -> User | None:
    """Return the user with this name, or None."""
    return next((each for each in iam_backends[account_id][partition].users.values() if each.name == name), None)


def tags(tagged: Role) -> dict[str, str]:
    """Return a role's tags."""
    found: Any = tagged.tags or {}
    return {tag["Key"]: tag["Value"] for tag in (found.values() if isinstance(found, Mapping) else found)}


def identity_policies(principal: Role | User) -> dict[str, Policy]:
    """Return all policies that a role or user carries, a user's groups included, by name or ARN."""
    carriers: list[Any] = [principal]
    if isinstance(principal, User):
        groups = iam_backends[principal.account_id]["aws"].groups.values()
        carriers += [group for group in groups if principal in group.users]
    policies: dict[str, Policy] = {}
    for carrier in carriers:
        policies |= {f"{carrier.name}/{name}": document for name, document in carrier.policies.items()}
        policies |= {arn: _default_version(policy) for arn, policy in carrier.managed_policies.items()}
    return policies


def permissions_boundary(principal: Role | User) -> Policy | None:
    """Return a role's permissions boundary; moto has none for users."""
    arn = getattr(principal, "permissions_boundary_arn", None)
    return managed_policy(principal.account_id, arn) if arn else None


def managed_policy(account_id: str, arn: str) -> Mapping[str, Any]:
    """Return the default version of a managed policy."""
    policy = iam_backends[account_id][arn.split(":")[1]].managed_policies.get(arn)
    if not policy:
        raise NotThereError(f"there is no managed policy {arn}")
    document: Mapping[str, Any] = json.loads(_default_version(policy))
    return document


def bucket_owner(bucket: str) -> str | None:
    """Return the account that owns a bucket, or None where there is no such bucket."""
    # Bucket names are global: LocalStack shares this map between the stores of all accounts.
    owner: str | None = s3_stores[DEFAULT_AWS_ACCOUNT_ID]["us-east-1"].global_bucket_map.get(bucket)
    return owner


def bucket_policy(bucket: str) -> Policy | None:
    """Return a bucket's policy, or None."""
    owner = bucket_owner(bucket)
    for store in s3_stores[owner].values() if owner else ():
        if found := store.buckets.get(bucket):
            policy: str | None = found.policy
            return policy
    return None


def key_policy(arn: str) -> Policy | None:
    """Return a KMS key's policy, or None where there is no such key."""
    _, _, _, region, account_id, resource = arn.split(":", 5)
    key = kms_stores[account_id][region].keys.get(resource.removeprefix("key/"))
    return key.policy if key else None


def secret_arn(account_id: str, region: str, name: str) -> str | None:
    """Return the ARN of a secret, with the six characters that Secrets Manager adds to its name."""
    secret = secretsmanager_backends[account_id][region].secrets.get(name)
    return secret.arn if secret else None


def workgroup_of_query(account_id: str, region: str, identifier: str) -> str | None:
    """Return the name of the workgroup in which a query of Athena's runs."""
    execution = athena_backends[account_id][region].executions.get(identifier)
    return execution.workgroup.name if execution and execution.workgroup else None


def iam_arn(account_id: str, partition: str, kind: str, name: str) -> str:
    """Return the ARN, with its path, of a role, user, group or instance profile; without one if there is none."""
    backend = iam_backends[account_id][partition]
    named: dict[str, Any] = {
        "role": backend.roles,
        "user": backend.users,
        "group": backend.groups,
        "instance-profile": backend.instance_profiles,
    }
    default = f"arn:{partition}:iam::{account_id}:{kind}/{name}"
    return next((str(each.arn) for each in named[kind].values() if each.name == name), default)


def _default_version(policy: Any) -> str:
    document: str = next(
        version.document for version in policy.versions if version.version_id == policy.default_version_id
    )
    return document
