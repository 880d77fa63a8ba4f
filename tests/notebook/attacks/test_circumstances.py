"""The log of an attack in each of its circumstances has who works then, when, in which sessions and from where."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from records import BASE, handshake, record, session

from which_notebook.calls.networks import network_of

from .circumstances import ALL, SHOWN_IF, Circumstances, Record, Recorded

HOME, AWAY = "10.1.0.5", "10.1.0.9"
HOURS, MINUTES = timedelta(hours=4), timedelta(minutes=10)


def worked(name: str, address: str, number: int, time: str) -> list[Record]:
    """Return what a piece of work leaves in the log: a session that is opened, and a call in it."""
    base, key = (f"ASIA{letter}{number:015}" for letter in "BN")
    opened = handshake(name, base_key=base, key=key, sourceIPAddress=address, time=time)
    return [opened, record(session(name, key=key), sourceIPAddress=address, time=time)]


ATTACK = worked("colleague", HOME, 1, "2026-03-01T12:00:00Z")
OWN = worked("mine", HOME, 2, "2026-03-01T09:00:00Z")
COLLEAGUE = worked("colleague", AWAY, 3, "2026-03-01T10:00:00Z")
RECORDED = Recorded(ATTACK, HOME, OWN, COLLEAGUE)


def parts(circumstances: Circumstances) -> tuple[list[Record], list[Record], list[Record]]:
    """Return the log's records by whose they are: the attack's, the user's own, the colleague's."""
    log = RECORDED.log(circumstances)
    ids = {each["eventID"]: number for number, part in enumerate((ATTACK, OWN, COLLEAGUE)) for each in part}
    found: tuple[list[Record], list[Record], list[Record]] = ([], [], [])
    for each in log:
        found[ids[each["eventID"][:36]]].append(each)
    return found


def keys(records: list[Record]) -> set[str]:
    return {each["userIdentity"]["accessKeyId"] for each in records}


def addresses(records: list[Record]) -> set[str]:
    return {each["sourceIPAddress"] for each in records}


def gaps(work: list[Record], attack: list[Record]) -> set[timedelta]:
    (time,) = {datetime.fromisoformat(each["eventTime"]) for each in attack}
    return {datetime.fromisoformat(each["eventTime"]) - time for each in work}


@pytest.mark.parametrize("circumstances", ALL)
def test_who_works_and_when(circumstances: Circumstances) -> None:
    attack, own, colleague = parts(circumstances)
    assert len(attack) == len(ATTACK)
    assert bool(colleague) == (circumstances.colleague != "absent")
    for work, is_apart in ((own, circumstances.restarted), (colleague, circumstances.colleague == "hours apart")):
        between = gaps(work, attack)
        assert all(abs(gap) > HOURS if is_apart else abs(gap) < MINUTES for gap in between)
        assert not work or min(between) < timedelta() < max(between)


@pytest.mark.parametrize("circumstances", ALL)
def test_the_base_session_is_the_attacks_own_unless_the_instance_restarted(circumstances: Circumstances) -> None:
    attack, own, _ = parts(circumstances)
    base = [each for each in own if each["userIdentity"]["arn"].endswith(f"/{BASE}")]
    assert base
    assert keys(base).isdisjoint(keys(attack)) == circumstances.restarted
    assert len({each["eventID"] for each in own}) == len(own)


@pytest.mark.parametrize("circumstances", ALL)
def test_from_where_they_call(circumstances: Circumstances) -> None:
    attack, own, colleague = (addresses(part) for part in parts(circumstances))
    networks = [{network_of(address) for address in part} for part in (attack, own, colleague)]
    match circumstances.network:
        case "own addresses":
            assert attack == own == {HOME}
            assert colleague <= {AWAY}
        case "another private address":
            assert attack.isdisjoint({HOME, AWAY})
            assert networks[0] == {(4, True)}
            assert own == {HOME}
        case "one public address":
            assert len(attack | own | colleague) == 1
            assert networks[0] == {(4, False)}
        case "public and private addresses":
            assert attack == own == {HOME}
            assert networks[2] <= {(4, False)}


def test_each_condition_of_a_sign_holds_somewhere_and_none_does_elsewhere() -> None:
    assert all(any(holds(each) for each in ALL) for holds in SHOWN_IF.values())
    assert any(not any(holds(each) for holds in SHOWN_IF.values()) for each in ALL)
