"""Finds, by address, names that are used from two machines at once.

Only what can be compared is: an address of AWS's own services is none, and a machine may have one of IPv4 and one of IPv6.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Hashable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct, field

_IN_TURN_WITHIN = timedelta(hours=1)
_LEFT_REMEMBERED = 100
_DOORS_REMEMBERED = 50_000
_NAMES_REMEMBERED = 100


class _Stream(Struct):
    current: Hashable
    left: dict[Hashable, str] = field(default_factory=dict)


class InTurn:
    """Finds the streams of calls that leave a place and come back to it within an hour."""

    def __init__(self) -> None:
        self._streams: dict[Hashable, _Stream] = {}

    def stays(self, stream: Hashable, places: Collection[Hashable]) -> bool:
        """Return whether the stream is in one place only, and was there before or is new; only then it's taken in."""
        if len(places) > 1:
            return False
        (place,) = places
        return self._streams.setdefault(stream, _Stream(place)).current == place

    def back_from(self, stream: Hashable, place: Hashable, now: str) -> Hashable | None:
        """Take in a call; return from where the stream has come back to a place that it left less than an hour ago."""
        known = self._streams.setdefault(stream, _Stream(place))
        if known.current == place:
            return None
        before, known.current = known.current, place
        known.left[before] = now
        since = known.left.pop(place, None)
        if len(known.left) > _LEFT_REMEMBERED:
            known.left.pop(next(iter(known.left)))
        return before if since and _close(since, now) else None


def _close(first: str, second: str) -> bool:
    return datetime.fromisoformat(second) - datetime.fromisoformat(first) <= _IN_TURN_WITHIN


class Door(Struct):
    """A private address from which several names were opened: which ones, and the call that opened the last of them."""

    role_arn: str
    address: str
    event: tuple[str, str]
    names: list[str] = field(default_factory=list)
    key: str | None = None
    keys_before: set[str | None] = field(default_factory=set)
    takes_turns: bool = False


class Doors:
    """The private addresses from which names were opened: a notebook instance has one, and one name.

    Behind a proxy or a NAT gateway with a private address several instances have the same one. It is taken for such where
    base sessions take turns there, with names that are opened from nowhere else.
    """

    def __init__(self) -> None:
        self._doors: OrderedDict[tuple[str, str | None, str], Door] = OrderedDict()
        self._addresses: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def see(
        self, role_arn: str, endpoint: str | None, address: str, key: str | None, name: str, event: tuple[str, str]
    ) -> None:
        """Take in that a base session (`key`) opened a name's session, in an event with this time and id.

        `endpoint` is the VPC endpoint that the call went through: another network may have the same private address.
        """
        door = self._doors.setdefault((role_arn, endpoint, address), Door(role_arn, address, event, key=key))
        if key != door.key:
            door.keys_before.add(door.key)
            door.takes_turns |= key in door.keys_before
            door.key = key
        if name not in door.names and len(door.names) < _NAMES_REMEMBERED:
            door.names.append(name)
            door.event = event
        self._addresses[role_arn, name].add(address)
        if len(self._doors) > _DOORS_REMEMBERED:
            self._doors.popitem(last=False)

    def shared(self) -> Iterator[Door]:
        """Yield those of which a notebook instance's user made use under several names, once all openings are seen."""
        for door in self._doors.values():
            # What one base session opened is known to be one user's.
            if len(door.names) > 1 and door.keys_before:
                is_elsewhere = any(len(self._addresses[door.role_arn, name]) > 1 for name in door.names)
                if is_elsewhere or not door.takes_turns:
                    yield door
