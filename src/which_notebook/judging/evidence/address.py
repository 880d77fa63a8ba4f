"""`address`: the base session called from a private address that, at that time, was a known notebook instance's.

Source: a call through a VPC endpoint has the address of the machine's own network interface. Whose that is, tell: calls
under a notebook's name, and those of other base sessions that other evidence names, within the same time; the EC2 call by
which SageMaker made the interface, with the name in its description, until it was deleted; or what `audit` read of the account,
from when the notebook instance was created until the audit.
https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html

Limits: an address goes to others in time, and another network may have the same. So calls are compared only through one
endpoint (or both without one) and in one region, and only where each use under the name is within an hour of the next. An
address that several names use at once is a proxy's, and names nobody; a proxy behind which only one ever has a name can't be
told from a machine. That network interfaces are made with a notebook instance and stay with it is read in the API's reference:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from ...calls.clues import Interface

_NEXT_USE_WITHIN = 3600
_FOREVER = 2**62

Span = tuple[int, int]
Place = tuple[str, str | None, str | None, str]
"""The account, the region, the VPC endpoint and the private address."""


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
    before: tuple[Span, ...] = ()

    def add(self, now: int) -> None:
        """Take in a use that isn't earlier than those before."""
        self.calls += 1
        if now - self.last > _NEXT_USE_WITHIN:
            self.before = (*self.before, (self.first, self.last))
            self.first = now
        self.last = now

    @property
    def spans(self) -> list[Span]:
        """The spans, in order."""
        return [*self.before, (self.first, self.last)]


class AddressOf(Struct, frozen=True):
    """That a notebook instance had a private address for some time, by the account's own word."""

    notebook: str
    account: str
    region: str
    address: str
    since: str
    until: str


_User = tuple[bool, str]
"""Whether it is a name, and the name or the session."""
_Spans = list[Span]


class Addresses:
    """Which sessions and names used which private addresses, and whose network interfaces these were.

    Of more than `at_most` uses those that ended first are `forgotten`.
    """

    def __init__(self, known: Iterable[AddressOf], at_most: int) -> None:
        self._uses: OrderedDict[tuple[Place, _User], Use] = OrderedDict()
        self._owned: defaultdict[tuple[str, str | None, str], list[tuple[str, Span]]] = defaultdict(list)
        self._living: dict[str, tuple[tuple[str, str | None, str], str, int]] = {}
        self._at_most = at_most
        self.forgotten = 0
        for each in known:
            span = seconds(each.since), seconds(each.until)
            self._owned[each.account, each.region, each.address].append((each.notebook, span))

    def see(self, place: Place, who: str, *, is_name: bool, time: str, event_id: str) -> None:
        """Take in a call from a place by a session, or under a notebook's name; the oldest first."""
        key, now = (place, (is_name, who)), seconds(time)
        use = self._uses.get(key)
        if use is None:
            self._uses[key] = Use(now, now, event_id)
            if len(self._uses) > self._at_most:
                self._uses.popitem(last=False)
                self.forgotten += 1
        else:
            self._uses.move_to_end(key)
            use.add(now)

    def see_interface(self, found: Interface, account: str, region: str | None, time: str) -> None:
        """Take in that a network interface was made for a notebook instance, or deleted."""
        if found.notebook and found.address:
            self._living[found.id] = (account, region, found.address), found.notebook, seconds(time)
        elif made := self._living.pop(found.id, None):
            place, notebook, since = made
            self._owned[place].append((notebook, (since, seconds(time))))

    def evidence(self, name_of: Mapping[str, str]) -> Iterator[tuple[str, str, Use]]:
        """Yield, once all calls are seen, a session, a notebook that its address names, and its use of the address; and forget all.

        `name_of` has the names of the sessions that other evidence names.
        """
        for place, notebook, since in self._living.values():
            self._owned[place].append((notebook, (since, _FOREVER)))
        self._living.clear()
        users_of: defaultdict[Place, dict[_User, Use]] = defaultdict(dict)
        while self._uses:
            (of, user), use = self._uses.popitem(last=False)
            users_of[of][user] = use
        for (account, region, _, address), users in users_of.items():
            by_use = _Names(users, name_of)
            by_interface = _unshared(_spans_of(self._owned.get((account, region, address), ())))
            for (is_name, who), use in users.items():
                if not is_name:
                    names = by_use.without(name_of.get(who)) + by_interface
                    for name in sorted({name for name, spans in names if _meet(spans, use.spans)}):
                        yield who, name, use


class _Names:
    """The names under which a place was used, and when: where it is shared, it has none."""

    def __init__(self, users: Mapping[_User, Use], name_of: Mapping[str, str]) -> None:
        of_names = ((who, span) for (is_name, who), use in users.items() if is_name for span in use.spans)
        of_sessions = (
            (name_of[who], span)
            for (is_name, who), use in users.items()
            if not is_name and who in name_of
            for span in use.spans
        )
        self._of_names = _spans_of(of_names)
        self._of_all = _spans_of(
            [(name, span) for name, spans in self._of_names.items() for span in spans] + list(of_sessions)
        )
        self._without: dict[str | None, list[tuple[str, _Spans]]] = {}

    def without(self, name: str | None) -> list[tuple[str, _Spans]]:
        """Return the names, and when each used the place; of this name, which a session has by other evidence, only its calls.

        Else a session's own evidence would speak for it twice, and make the place shared that it speaks against.
        """
        found = self._without.get(name)
        if found is None:
            of_all = {each: spans for each, spans in self._of_all.items() if each != name}
            if name in self._of_names:
                of_all[name] = self._of_names[name]
            found = self._without[name] = _unshared(of_all)
        return found


def _spans_of(uses: Iterable[tuple[str, Span]]) -> dict[str, _Spans]:
    """Return when each name used a place, uses within an hour of one another as one."""
    found: defaultdict[str, _Spans] = defaultdict(list)
    for name, (start, end) in sorted(uses):
        spans = found[name]
        if spans and start - spans[-1][1] <= _NEXT_USE_WITHIN:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((start, end))
    return found


def _unshared(spans_of: Mapping[str, _Spans]) -> list[tuple[str, _Spans]]:
    """Return the names with their spans, none where two names have the same time."""
    spans = sorted(span for found in spans_of.values() for span in found)
    is_shared = any(after[0] <= before[1] for before, after in pairwise(spans))
    return [] if is_shared else list(spans_of.items())


def _meet(some: _Spans, others: _Spans) -> bool:
    return any(
        start <= end_of_other and start_of_other <= end
        for start, end in some
        for start_of_other, end_of_other in others
    )
