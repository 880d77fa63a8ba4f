"""What speaks against an attribution.

In profile mode the notebook's user can choose the session's name, so a name is a sign and no proof. What is looked for
here shows where a name was used by somebody else. Each of these can also have an innocent reason, which its text gives.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from .attribution import Judge
from .record import BASE_SESSION, Call, Opening

Kind = Literal["several-names", "several-addresses", "opened-by-another", "unknown-name", "implicit-trust"]

_AT_ONCE = timedelta(hours=1)
# Longer than any session lasts.
_KEYS_REMEMBERED = 50_000
_DETAILS_AT_MOST = 1_000


@dataclass(frozen=True)
class Sign:
    """One thing that speaks against a notebook's attribution: when, in which event, and what it may mean."""

    kind: Kind
    notebook: str
    event_time: str
    event_id: str
    text: str


class Signs:
    """Looks at the role's calls, the oldest first, and at who opens its sessions."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.found: list[Sign] = []
        self.counts: Counter[tuple[str, Kind]] = Counter()
        self._names_by_base_key: OrderedDict[str, list[str]] = OrderedDict()
        self._address: dict[str, str] = {}
        self._left: dict[str, dict[str, str]] = {}
        self._told: set[tuple[str, ...]] = set()

    def see(self, call: Call) -> None:
        """Take in a judged call, or one of somebody else that opens a session of the role."""
        opening = call.opening
        if opening and opening.access_key_id and self._judge.is_role(opening.role_arn):
            self._see_opening(call, opening)
        if call.status == "attributed" and call.notebook and call.source_ip_address:
            if self._address.get(call.notebook) != call.source_ip_address:
                self._see_address(call, call.notebook, call.source_ip_address)
        elif call.status == "unknown-name":
            name = call.session_name or ""
            self._tell("unknown-name", name, call, f"no notebook instance is known that is called {name!r}", name)

    def _see_opening(self, call: Call, opening: Opening) -> None:
        name = opening.session_name or ""
        if opening.explicit_trust_grant is False:
            self._tell(
                "implicit-trust", name, call,
                "the role assumed itself by the old implicit trust, since its trust policy doesn't name it: AWS ends this "
                "for roles that don't use it, so add the module's trust statement",
                opening.role_arn,
            )  # fmt: skip
        if name == BASE_SESSION:
            return
        if call.session_name != BASE_SESSION or call.role_arn != opening.role_arn:
            self._tell(
                "opened-by-another", name, call,
                f"the session was opened by {opening.principal}, and not by the base session of a notebook instance: "
                "calls in it may be that principal's",
                name, str(opening.principal),
            )  # fmt: skip
            return
        names = self._names_by_base_key.setdefault(call.access_key_id or "", [])
        if name not in names:
            names.append(name)
            for each in names if len(names) > 1 else ():
                self._tell(
                    "several-names", each, call,
                    f"one base session (access key {call.access_key_id}) opened sessions under the names {', '.join(names)}: "
                    "a notebook instance has but one name, so one of them was chosen by its user",
                    each, *names,
                )  # fmt: skip
        if len(self._names_by_base_key) > _KEYS_REMEMBERED:
            self._names_by_base_key.popitem(last=False)

    def _see_address(self, call: Call, notebook: str, address: str) -> None:
        if (kind := _kind(address)) is None:
            return
        before = self._address.get(notebook)
        self._address[notebook] = address
        left = self._left.setdefault(notebook, {})
        if before:
            left[before] = call.event_time
        if (since := left.pop(address, None)) and before and _kind(before) == kind and _close(since, call.event_time):
            self._tell(
                "several-addresses", notebook, call,
                f"calls came from {before} and {address} in turn: two machines may use the name at once, unless both are "
                "ways out of the one network",
                notebook, *sorted((before, address)),
            )  # fmt: skip
        if len(left) > 100:
            left.pop(next(iter(left)))

    def _tell(self, kind: Kind, notebook: str, call: Call, text: str, *once: str) -> None:
        self.counts[notebook, kind] += 1
        if len(self.found) < _DETAILS_AT_MOST and (kind, *once) not in self._told:
            self._told.add((kind, *once))
            self.found.append(Sign(kind, notebook, call.event_time, call.event_id, text))


@lru_cache(maxsize=4096)
def _kind(address: str) -> tuple[int, bool] | None:
    """Return what can be compared: a public and a private address may both be one machine's. None: no address at all."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None  # an AWS service that called on the session's behalf
    return found.version, found.is_private


def _close(first: str, second: str) -> bool:
    return datetime.fromisoformat(second) - datetime.fromisoformat(first) <= _AT_ONCE
