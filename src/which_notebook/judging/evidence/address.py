"""`address`: the base session called from a private address that, at that time, was a known notebook instance's.

Source: a call through a VPC endpoint has the address of the machine's own network interface. Three things tell whose it is:

- calls under a notebook's name, and those of other base sessions that other evidence names, within the same time;
- the EC2 call by which SageMaker made the interface, with the name in its description, until the interface was deleted;
- what `audit` read of the account, from when the notebook instance was created until the audit.

https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html

Limits:

- An address goes to others in time, and another network may have the same. So calls are compared only through one endpoint
  (or both without one) and in one region, and only where each use under the name is within an hour of the next.
- Names nobody: an address that several names use at once. It is a proxy's. A proxy behind which only one ever has a name
  can't be told from a machine.
- Names nobody, and only speaks against other names: an interface whose address calls come from through two endpoints. That
  may be two machines in two networks.
- Most interfaces are made long before the calls, and a log of the calls' time doesn't have them.

That network interfaces are made with a notebook instance and stay with it is read in the API's reference:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from ...calls.clues import Interface
from ...limits import Limits
from .time_spans import NEXT_WITHIN, NamedSpans, Span

_FOREVER = 2**62

Place = tuple[str, str | None, str | None, str]
"""The account, the region, the VPC endpoint and the private address."""
_Address = tuple[str, str | None, str]
"""The account, the region and the private address."""


@lru_cache(maxsize=65_536)
def seconds(time: str) -> int:
    """Return a record's time as a number."""
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        return 0  # such as a 30th of February


class Use(Struct):
    """The uses of a place by one session, or under one name: in spans within which each is within an hour of the next."""

    first: int
    last: int
    first_event: str
    calls: int = 1
    before: array[int] | None = None

    def goes_on(self, now: int) -> bool:
        """Return whether a use that isn't earlier than those before is of the last span."""
        return now - self.last <= NEXT_WITHIN

    def add(self, now: int) -> None:
        """Take in a use that isn't earlier than those before."""
        self.calls += 1
        if not self.goes_on(now):
            self.before = self.before or array("q")
            self.before.extend((self.first, self.last))
            self.first = now
        self.last = now

    @property
    def spans(self) -> Iterator[Span]:
        """The spans, in order."""
        before = iter(self.before or ())
        yield from zip(before, before, strict=True)
        yield self.first, self.last


class AddressOf(Struct, frozen=True):
    """That a notebook instance had a private address for some time, by the account's own word."""

    notebook: str
    account: str
    region: str
    address: str
    since: str
    until: str


class AtAddress(Struct, frozen=True):
    """That a session used an address that was a notebook instance's; `how` says in words how that is known, where no use under the name tells.

    `is_doubtful`: it may have been another machine's of another network.
    """

    session: str
    notebook: str
    use: Use
    how: str | None = None
    is_doubtful: bool = False


class _Owned(Struct, frozen=True):
    notebook: str
    span: Span
    how: str
    is_doubtful: bool = False


_User = tuple[bool, str]
"""Whether it is a name, and the name or the session."""


class Addresses:
    """Which sessions and names used which private addresses, and whose network interfaces these were.

    What is more than the limits allow isn't taken in; `full_at` says since when that is so. Later calls can change what an address says.
    """

    def __init__(self, known: Iterable[AddressOf], limits: Limits) -> None:
        self._uses: dict[tuple[Place, _User], Use] = {}
        self._owned: defaultdict[_Address, list[_Owned]] = defaultdict(list)
        self._living: dict[str, tuple[_Address, str, str]] = {}
        self._uses_left, self._spans_left = limits.evidence_addresses, limits.evidence_spans
        self.full_at: int | None = None
        for each in known:
            span = seconds(each.since), seconds(each.until)
            how = f"the file of addresses has it from {each.since} to {each.until}"
            self._owned[each.account, each.region, each.address].append(_Owned(each.notebook, span, how))

    def see(self, place: Place, who: str, *, is_name: bool, time: str, event_id: str) -> bool:
        """Take in a call from a place by a session, or under a notebook's name; the oldest first. Return whether there was room."""
        key, now = (place, (is_name, who)), seconds(time)
        use = self._uses.get(key)
        is_new, is_apart = use is None, use is not None and not use.goes_on(now)
        if (is_new and not self._uses_left) or (is_apart and not self._spans_left):
            self.full_at = now if self.full_at is None else self.full_at
            return False
        self._uses_left -= is_new
        self._spans_left -= is_apart
        if use is None:
            self._uses[key] = Use(now, now, event_id)
        else:
            use.add(now)
        return True

    def see_interface(self, interface: Interface, account: str, region: str | None, time: str) -> None:
        """Take in that a network interface was made for a notebook instance, or deleted."""
        if interface.notebook and interface.address:
            self._living[interface.id] = (account, region, interface.address), interface.notebook, time
        elif made := self._living.pop(interface.id, None):
            self._own(*made, f"until it was deleted at {time}", seconds(time))

    def users_since(self, time: int) -> set[str]:
        """Return the sessions that used a private address then or later, as far as there was room."""
        return {who for (_, (is_name, who)), use in self._uses.items() if not is_name and use.last >= time}

    def evidence(self, name_of: Mapping[str, str]) -> Iterator[AtAddress]:
        """Yield, once all calls are seen, which sessions used whose addresses; and forget all.

        `name_of` has the names of the sessions that other evidence names.
        """
        for made in self._living.values():
            self._own(*made, "and no end of it was seen", _FOREVER)
        self._living.clear()
        users_of: defaultdict[_Address, defaultdict[Place, dict[_User, Use]]]
        users_of = defaultdict(lambda: defaultdict(dict))
        for (place, user), use in self._uses.items():
            users_of[place[0], place[1], place[3]][place][user] = use
        self._uses.clear()
        for address, places in users_of.items():
            owners = _Owners(self._owned.get(address, ()), places)
            for users in places.values():
                by_use = _Names(users, name_of)
                for (is_name, who), use in users.items():
                    if not is_name:
                        names = by_use.at(use, name_of.get(who))
                        yield from (AtAddress(who, name, use) for name in sorted(names))
                        owned = (each for each in owners.at(use) if each.notebook not in names)
                        yield from (AtAddress(who, each.notebook, use, each.how, each.is_doubtful) for each in owned)

    def _own(self, address: _Address, notebook: str, since: str, end: str, until: int) -> None:
        how = f"SageMaker made its network interface at {since}, {end}"
        self._owned[address].append(_Owned(notebook, (seconds(since), until), how))


class _Owners:
    """Whose network interface had an address, and when: where two had it at once, nobody's; doubtful, where two networks may have it."""

    def __init__(self, owned: Iterable[_Owned], places: Mapping[Place, Mapping[_User, Use]]) -> None:
        self._owned = list(owned)
        if self._owned and NamedSpans((each.notebook, each.span) for each in self._owned).first_two_at_once():
            self._owned = []
        if self._owned and len(places) > 1:
            uses = (
                (repr(place), span) for place, users in places.items() for use in users.values() for span in use.spans
            )
            by_place = NamedSpans(uses)
            self._owned = [replace(each, is_doubtful=_has_two(by_place.meeting([each.span]))) for each in self._owned]
        self._spans = NamedSpans((each.notebook, each.span) for each in self._owned)

    def at(self, use: Use) -> list[_Owned]:
        """Return whose the address was while it was used, each notebook instance once."""
        names = set(self._spans.meeting(use.spans)) if self._owned else ()
        return list({each.notebook: each for each in self._owned if each.notebook in names}.values())


def _has_two(names: Iterator[str]) -> bool:
    first = next(names, None)
    return any(name != first for name in names)


class _Names:
    """The names under which a place was used, and when: where it is shared, it has none."""

    def __init__(self, users: Mapping[_User, Use], name_of: Mapping[str, str]) -> None:
        self._of_names: list[tuple[str, Span]] = []
        self._of_sessions: list[tuple[str, Span]] = []
        for (is_name, who), use in users.items():
            if is_name:
                self._of_names += ((who, span) for span in use.spans)
            elif who in name_of:
                self._of_sessions += ((name_of[who], span) for span in use.spans)
        self._by_names = NamedSpans(self._of_names)
        self._by_all = NamedSpans(self._of_names + self._of_sessions)
        self._at_once = self._by_all.first_two_at_once()
        self._without: dict[str, NamedSpans | None] = {}

    def at(self, use: Use, name: str | None) -> set[str]:
        """Return the names under which the place was in use at the same time.

        `name` is the session's by other evidence. Of that name only calls in notebook sessions count: the session's own
        evidence would count twice, and would make the place seem shared.
        """
        if self._at_once is None:
            others = {each for each in self._by_all.meeting(use.spans) if each != name}
            return others | {each for each in self._by_names.meeting(use.spans) if each == name}
        # Without any other name than one of these two, the two have the same time still.
        if name not in self._at_once:
            return set()
        if name not in self._without:
            spans = NamedSpans([*self._of_names, *(each for each in self._of_sessions if each[0] != name)])
            self._without[name] = None if spans.first_two_at_once() else spans
        unshared = self._without[name]
        return set(unshared.meeting(use.spans)) if unshared else set()
