"""The private addresses of notebook instances in a VPC, for `--addresses` of the commands that read logs.

A network interface is made with its notebook instance, so what it has now it has had since then:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from .. import aws
from ..errors import reason_of
from .account import DESCRIBE_INTERFACES, Account, Instance, Unread

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
_VALUES_AT_MOST = 200


def read_addresses(account: Account) -> dict[str, Any]:
    """Return when the addresses were read, and each with its notebook instance; what can't be read, the account says."""
    by_region: defaultdict[str, dict[str, Instance]] = defaultdict(dict)
    for each in account.instances:
        if each.network_interface_id and each.created:
            by_region[each.region][each.network_interface_id] = each
    read_at = datetime.now(UTC)
    addresses: list[dict[str, str]] = []
    for region, instances in by_region.items():
        try:
            with aws.named_errors(DESCRIBE_INTERFACES):
                addresses += _of_region(region, instances)
        except OSError as error:
            account.unread.append(Unread(f"the network interfaces in {region}", DESCRIBE_INTERFACES, reason_of(error)))
    return {"read_at": _text(read_at), "addresses": addresses}


def _of_region(region: str, instances: dict[str, Instance]) -> list[dict[str, str]]:
    pages = aws.client("ec2", region).get_paginator("describe_network_interfaces")
    ids = list(instances)
    addresses: list[dict[str, str]] = []
    for start in range(0, len(ids), _VALUES_AT_MOST):
        # A filter, since an id that isn't there any more would be an error.
        filters = [{"Name": "network-interface-id", "Values": ids[start : start + _VALUES_AT_MOST]}]
        for page in pages.paginate(Filters=filters):
            for interface in page["NetworkInterfaces"]:
                instance = instances[interface["NetworkInterfaceId"]]
                addresses += [
                    {
                        "notebook": instance.name,
                        "account_id": instance.account_id,
                        "region": region,
                        "address": each["PrivateIpAddress"],
                        "since": _text(instance.created),
                    }
                    for each in interface["PrivateIpAddresses"]
                ]
    return addresses


def _text(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if time else ""
