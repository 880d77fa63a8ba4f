"""From where names are used, and which of that is no one machine's doing.

Only what can be compared is: an address of AWS's own services is none, and a machine may have one of IPv4 and one of IPv6.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Collection, Hashable
from datetime import datetime, timedelta
from functools import lru_cache

from msgspec import Struct, field

_IN_TURN_WITHIN = timedelta(hours=1)
_LEFT_REMEMBERED = 100
_OPENERS_REMEMBERED = 50_000
_NAMES_REMEMBERED = 100


@lru_cache(maxsize=65_536)
def network_of(address: str | None) -> tuple[int, bool] | None:
    """Return an address' IP version and whether it is private; None for what is no address, such as a service's name.

    Private is what no packet of the internet's has: https://www.rfc-editor.org/rfc/rfc6890.
    """
    try:
        a, b, *_ = socket.inet_pton(socket.AF_INET, address or "")
    except (OSError, ValueError):
        pass
    else:
        return 4, a in (10, 127) or (a, b) in ((192, 168), (169, 254)) or (a, b & 240) == (172, 16) or (a, b & 192) == (
            100,
            64,
        )
    try:
        packed = socket.inet_pton(socket.AF_INET6, address or "")
    except (OSError, ValueError):
        return None
    return 6, packed[0] & 254 == 0xFC or (packed[0] == 0xFE and packed[1] & 192 == 128) or packed[:15] == bytes(15)


class _Stream(Struct):
    current: Hashable
    left: dict[Hashable, str] = field(default_factory=dict)


class InTurn:
    """Follows where each of some streams of calls comes from, and finds what leaves a place and comes back soon."""

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


class _Door(Struct):
    """What opened sessions from one private address: the base session used last, all before it, and the names."""

    key: str | None
    before: set[str | None] = field(default_factory=set)
    names: dict[str, None] = field(default_factory=dict)
    is_shared: bool = False


class Doors:
    """The private addresses from which names were opened: a notebook instance has one, and one name.

    Behind a proxy or a NAT gateway with a private address several instances have the same one. It is taken for such where
    base sessions take turns there, each with a name that is opened from nowhere else.
    """

    def __init__(self) -> None:
        self._doors: OrderedDict[tuple[str, str | None, str], _Door] = OrderedDict()
        self._addresses: dict[tuple[str, str], dict[str, None]] = {}

    def names_opened(self, role_arn: str, endpoint: str | None, address: str, key: str | None, name: str) -> list[str]:
        """Take in that a base session (`key`) opened a name's session; return the names opened there, if that tells something.

        `endpoint` is the VPC endpoint that the call went through: another network may have the same private address.
        """
        door = self._doors.setdefault((role_arn, endpoint, address), _Door(key))
        if key != door.key:
            door.before.add(door.key)
            door.is_shared |= key in door.before
            door.key = key
        if len(door.names) < _NAMES_REMEMBERED:
            door.names[name] = None
        self._addresses.setdefault((role_arn, name), {})[address] = None
        if len(self._doors) > _OPENERS_REMEMBERED:
            self._doors.popitem(last=False)
        if len(door.names) < 2:
            return []
        at_home_elsewhere = any(len(self._addresses[role_arn, each]) > 1 for each in door.names)
        return list(door.names) if at_home_elsewhere or not door.is_shared else []
