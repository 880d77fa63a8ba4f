"""Reads an account's Studio domains, with calls that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from .. import aws
from ..errors import reason_of
from .account import AT_ONCE, RoleReading, Unread, client_of, each_once, regions_of
from .iam.role import Role

LIST, DESCRIBE = "sagemaker:ListDomains", "sagemaker:DescribeDomain"


class Domain(Struct, frozen=True, kw_only=True):
    """A Studio domain as the API describes it, with the role that its user profiles have unless they have one of their own.

    `identity_config` is its ExecutionRoleIdentityConfig; `takes_shared_spaces`, whether its default space settings name a role for them. `role` is None
    where it couldn't be read: then `unread` says so. `has_role` is False where the role that it names doesn't exist.
    """

    domain_id: str
    name: str
    region: str
    account_id: str = ""
    status: str = ""
    role_arn: str = ""
    identity_config: str | None = None
    takes_shared_spaces: bool = False
    role: Role | None = None
    has_role: bool = True
    unread: tuple[Unread, ...] = ()


def read_domains(regions: Sequence[str]) -> tuple[list[Domain], list[Unread]]:
    """Read the domains of these regions (`all`: all that are enabled); return them, and what couldn't be listed.

    Raises what `read_account` raises.
    """
    region_names = regions_of(regions)
    # Making clients isn't thread-safe; using them is.
    with aws.named_errors(""):
        iam = client_of("iam", region_names[0])
        for region in region_names:
            client_of("sagemaker", region)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        listed = list(pool.map(_listed, region_names))
        described = [each for each in pool.map(_described, chain.from_iterable(some for some, _ in listed)) if each]
        roles = each_once(pool, partial(RoleReading, iam), (each.role_arn for each in described))
    domains = []
    for each in described:
        reading = roles[each.role_arn]
        problems = (*each.unread, *reading.unread)
        domains.append(replace(each, role=reading.role, has_role=reading.exists, unread=problems))
    return sorted(domains, key=lambda each: (each.name, each.region, each.domain_id)), [
        unread for _, problems in listed for unread in problems
    ]


def _listed(region: str) -> tuple[list[Domain], list[Unread]]:
    try:
        with aws.named_errors(LIST):
            pages = client_of("sagemaker", region).get_paginator("list_domains").paginate()
            return [
                Domain(domain_id=each["DomainId"], name=each["DomainName"], region=region)
                for page in pages
                for each in page["Domains"]
                if each["Status"] != "Deleting"
            ], []
    except OSError as error:
        return [], [Unread(f"the Studio domains in {region}", LIST, reason_of(error))]


def _described(domain: Domain) -> Domain | None:
    try:
        with aws.named_errors(DESCRIBE):
            described = client_of("sagemaker", domain.region).describe_domain(DomainId=domain.domain_id)
    except OSError as error:
        if "ResourceNotFound" in str(error.strerror):
            return None  # deleted since it was listed
        return replace(domain, unread=(Unread(f"the Studio domain {domain.domain_id}", DESCRIBE, reason_of(error)),))
    return replace(
        domain,
        account_id=described["DomainArn"].split(":")[4],
        status=described["Status"],
        role_arn=(described.get("DefaultUserSettings") or {}).get("ExecutionRole") or "",
        identity_config=(described.get("DomainSettings") or {}).get("ExecutionRoleIdentityConfig") or "DISABLED",
        takes_shared_spaces=bool((described.get("DefaultSpaceSettings") or {}).get("ExecutionRole")),
    )
