"""Warnings show a name that somebody else used, stay silent in an innocent network, and accuse nobody of another account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, OTHER_ACCOUNT, ROLE, Record, handshake, record, session

from which_notebook.calls.networks import network_of

OWN, COLLEAGUE = "mine", "colleague"
HOME, AWAY = "10.1.0.5", "10.1.0.9"


def opened(name: str, address: str, key: str, hour: int, **fields: Any) -> Record:
    return handshake(
        name,
        base_key=key,
        key=f"ASIA{name}{hour}",
        sourceIPAddress=address,
        time=f"{hour:02}:00",
        **fields,
    )


def called(name: str, address: str, minute: int, **fields: Any) -> Record:
    who = {"account": fields.pop("account", ACCOUNT), "key": fields.pop("key", None)}
    return record(
        session(name, **who), sourceIPAddress=address, time=f"12:{minute:02}",
        recipientAccountId=who["account"], **fields,
    )  # fmt: skip


def warnings(ask: Any, tmp_path: Path, *records: Record) -> dict[tuple[str, str], set[str]]:
    answer = ask("summary", write(tmp_path / "log.json", *records), "--role", ROLE).json
    return {
        (row["role_arn"].split(":")[4], row["notebook"]): set(row["warnings"])
        for row in answer["notebooks"]
        if row["warnings"]
    }


def both(kind: str) -> dict[tuple[str, str], set[str]]:
    return {(ACCOUNT, OWN): {kind}, (ACCOUNT, COLLEAGUE): {kind}}


USE = [called(OWN, HOME, 0), called(COLLEAGUE, HOME, 0)]


@pytest.mark.parametrize("hours", [1, 9])
def test_one_private_address_that_opened_two_names(ask: Any, tmp_path: Path, hours: int) -> None:
    found = warnings(ask, tmp_path, opened(OWN, HOME, "K1", 1), opened(COLLEAGUE, HOME, "K2", 1 + hours), *USE)
    assert found == both("several-names")


def test_also_where_the_colleague_works_from_elsewhere_and_base_sessions_take_turns(ask: Any, tmp_path: Path) -> None:
    turns = [opened(OWN, HOME, "K1", 1), opened(COLLEAGUE, HOME, "K2", 2), opened(OWN, HOME, "K1", 3)]
    assert warnings(ask, tmp_path, *turns, opened(COLLEAGUE, AWAY, "K9", 4), *USE) == both("several-names")


@pytest.mark.parametrize(
    "network",
    [
        # Each from an address of its own.
        [opened(OWN, HOME, "K1", 1), opened(COLLEAGUE, AWAY, "K2", 2)],
        # All behind one public address.
        [opened(OWN, "52.1.2.3", "K1", 1), opened(COLLEAGUE, "52.1.2.3", "K2", 2)],
        # A proxy with a private address.
        [opened((OWN, COLLEAGUE)[hour % 2], HOME, f"K{hour % 2}", hour) for hour in range(1, 7)],
        # Two networks with the same addresses.
        [opened(OWN, HOME, "K1", 1, vpcEndpointId="vpce-1"), opened(COLLEAGUE, HOME, "K2", 2, vpcEndpointId="vpce-2")],
        # One instance, whose base session changes.
        [opened(OWN, HOME, f"K{hour}", hour) for hour in range(1, 7)],
    ],
)
def test_and_none_in_an_innocent_network(ask: Any, tmp_path: Path, network: list[Record]) -> None:
    assert warnings(ask, tmp_path, *network, *USE) == {}


PUBLIC = "52.1.2.3"
KMS = {"event": "kms:Decrypt"}


def test_one_service_from_a_public_and_a_private_address_in_turn(ask: Any, tmp_path: Path) -> None:
    found = warnings(ask, tmp_path, *(called(OWN, (HOME, PUBLIC)[minute % 2], minute) for minute in range(4)))
    assert found == {(ACCOUNT, OWN): {"several-addresses"}}


@pytest.mark.parametrize(
    "calls",
    [
        # S3 through an endpoint, KMS through a NAT gateway.
        [called(OWN, (HOME, PUBLIC)[n % 2], n, **({}, KMS)[n % 2]) for n in range(8)],
        # An endpoint in one region, none for another.
        [called(OWN, (HOME, PUBLIC)[n % 2], n, awsRegion=("eu-west-1", "us-east-1")[n % 2], key="K") for n in range(8)],
        # An endpoint that is made in the meantime.
        [called(OWN, PUBLIC if n < 4 else HOME, n) for n in range(8)],
        # IPv4 and IPv6.
        [called(OWN, (HOME, "2600:1f18::1")[n % 2], n) for n in range(8)],
        # An AWS service calls on the session's behalf.
        [called(OWN, (HOME, "athena.amazonaws.com")[n % 2], n) for n in range(8)],
    ],
)
def test_and_none_for_different_services_and_ways(ask: Any, tmp_path: Path, calls: list[Record]) -> None:
    assert warnings(ask, tmp_path, *calls) == {}


def test_none_for_what_an_instance_of_that_name_does_in_another_account(ask: Any, tmp_path: Path) -> None:
    accounts, addresses = (ACCOUNT, OTHER_ACCOUNT), (HOME, AWAY)
    calls = [called(OWN, addresses[n % 2], n, account=accounts[n % 2]) for n in range(8)]
    assert warnings(ask, tmp_path, *calls) == {}
    theirs = [called(OWN, (AWAY, "10.1.0.77")[n % 2], 20 + n, account=OTHER_ACCOUNT) for n in range(4)]
    assert warnings(ask, tmp_path, *calls, *theirs) == {(OTHER_ACCOUNT, OWN): {"several-addresses"}}


def test_none_for_what_an_instance_of_that_name_does_in_another_region(ask: Any, tmp_path: Path) -> None:
    regions = ("eu-west-1", "us-east-1")
    calls = [called(OWN, (HOME, AWAY)[n % 2], n, awsRegion=regions[n % 2], key=f"K{n % 2}") for n in range(8)]
    assert warnings(ask, tmp_path, *calls) == {}
    # Both call a third region: the region where the session was opened tells them apart.
    openings = [
        handshake(OWN, base_key=f"B{n}", key=f"K{n}", awsRegion=regions[n], sourceIPAddress=(HOME, AWAY)[n])
        for n in (0, 1)
    ]
    third = [called(OWN, (HOME, AWAY)[n % 2], n, awsRegion="eu-north-1", key=f"K{n % 2}") for n in range(8)]
    assert warnings(ask, tmp_path, *openings, *third) == {}
    assert warnings(ask, tmp_path, *third) == {(ACCOUNT, OWN): {"several-addresses"}}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", (4, True)), ("172.31.9.9", (4, True)), ("172.32.0.1", (4, False)), ("192.168.1.1", (4, True)),
        ("100.64.0.1", (4, True)), ("8.8.8.8", (4, False)), ("169.254.1.1", (4, True)), ("fd00::1", (6, True)),
        ("2600::1", (6, False)), ("::1", (6, True)), ("s3.amazonaws.com", None), ("", None), (None, None),
        ("AWS Internal", None), ("1.2.3", None), ("10.0.0.1\x00", None), ("\u0661.2.3.4", None),
    ],
)  # fmt: skip
def test_which_addresses_are_private(address: str | None, network: tuple[int, bool] | None) -> None:
    assert network_of(address) == network
