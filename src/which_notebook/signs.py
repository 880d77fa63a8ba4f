"""What speaks against an attribution.

In profile mode the notebook's user can choose the session's name, so a name is a sign and no proof. What is looked for
here shows where a name was used by somebody else. Each of these can also have an innocent reason, which its text gives.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from .attribution import Judge
from .record import BASE_SESSION, Opening
from .table import CallTable

Kind = Literal["several-names", "several-addresses", "opened-by-another", "unknown-name", "implicit-trust"]

_AT_ONCE = timedelta(hours=1)
_KEYS_REMEMBERED = 50_000
_ADDRESSES_REMEMBERED = 100
_DETAILS_AT_MOST = 1_000
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*")


class Sign(Struct, frozen=True):
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
        self._names_by_base_key: OrderedDict[str | None, list[str]] = OrderedDict()
        self._address: dict[str, str] = {}
        self._left: dict[str, dict[str, str]] = {}
        self._told: set[tuple[str, ...]] = set()

    def see(self, table: CallTable) -> None:
        """Take in judged calls, and those of others that open a session of the role."""
        for row, opening in table.openings.items():
            if opening.access_key_id and self._judge.is_role(opening.role_arn):
                self._see_opening(table, row, opening)
        self._see_names(table)
        self._see_addresses(table)
        self.found.sort(key=lambda sign: sign.event_time)

    def _see_opening(self, table: CallTable, row: int, opening: Opening) -> None:
        name = opening.session_name or ""
        if opening.explicit_trust_grant is False:
            self._tell(
                "implicit-trust", name, table, row,
                "the role assumed itself by the old implicit trust, since its trust policy doesn't name it: AWS ends this "
                "for roles that don't use it, so add the module's trust statement",
                opening.role_arn,
            )  # fmt: skip
        if name == BASE_SESSION:
            return
        if table["session_name"][row] != BASE_SESSION or table["role_arn"][row] != opening.role_arn:
            self._tell(
                "opened-by-another", name, table, row,
                f"the session was opened by {opening.principal}, and not by the base session of a notebook instance: "
                "calls in it may be that principal's",
                name, str(opening.principal),
            )  # fmt: skip
            return
        key = table["access_key_id"][row]
        names = self._names_by_base_key.setdefault(key, [])
        if name not in names:
            names.append(name)
            for each in names if len(names) > 1 else ():
                self._tell(
                    "several-names", each, table, row,
                    f"one base session (access key {key}) opened sessions under the names {', '.join(names)}: a notebook "
                    "instance has but one name, so its user chose at least one of them",
                    each, *names,
                )  # fmt: skip
        if len(self._names_by_base_key) > _KEYS_REMEMBERED:
            self._names_by_base_key.popitem(last=False)

    def _see_names(self, table: CallTable) -> None:
        if "unknown-name" in set(table["status"]):
            for row, (status, name) in enumerate(table.rows(("status", "session_name"))):
                if status == "unknown-name":
                    text = f"no notebook instance is known that is called {name!r}"
                    self._tell("unknown-name", name or "", table, row, text, str(name))

    def _see_addresses(self, table: CallTable) -> None:
        used: dict[str, set[str]] = {}
        for status, notebook, address in set(table.rows(("status", "notebook", "source_ip_address"))):
            if status == "attributed" and _is_address(address):
                used.setdefault(notebook, {self._address.get(notebook, address)}).add(address)
        moving = {notebook for notebook, addresses in used.items() if len(addresses) > 1}
        for notebook in used.keys() - moving:
            self._address[notebook] = used[notebook].pop()
        if not moving:
            return
        for row, (status, notebook, address) in enumerate(table.rows(("status", "notebook", "source_ip_address"))):
            is_comparable = notebook in moving and status == "attributed" and _is_address(address)
            if is_comparable and self._address.setdefault(notebook, address) != address:
                self._see_move(table, row, notebook, address)

    def _see_move(self, table: CallTable, row: int, notebook: str, address: str) -> None:
        now, before = table["event_time"][row], self._address[notebook]
        self._address[notebook] = address
        left = self._left.setdefault(notebook, {})
        left[before] = now
        since = left.pop(address, None)
        if since and _kind(before) == _kind(address) and _close(since, now):
            self._tell(
                "several-addresses", notebook, table, row,
                f"calls came from {before} and {address} in turn: two machines may use the name at once, unless both are "
                "ways out of one network",
                notebook, *sorted((before, address)),
            )  # fmt: skip
        if len(left) > _ADDRESSES_REMEMBERED:
            left.pop(next(iter(left)))

    def _tell(self, kind: Kind, notebook: str, table: CallTable, row: int, text: str, *once: str) -> None:
        self.counts[notebook, kind] += 1
        if len(self.found) < _DETAILS_AT_MOST and (kind, *once) not in self._told:
            self._told.add((kind, *once))
            self.found.append(Sign(kind, notebook, table["event_time"][row], table["event_id"][row], text))


def _is_address(address: str | None) -> bool:
    """Return whether this is an address, and not the name of an AWS service that called on the session's behalf."""
    # Of each call, and each may have an address of its own: ipaddress would take ten times as long.
    return address is not None and _ADDRESS.fullmatch(address) is not None


@lru_cache(maxsize=4096)
def _kind(address: str) -> tuple[int, bool] | None:
    """Return what can be compared: a public and a private address may both be one machine's."""
    import ipaddress

    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return found.version, found.is_private


def _close(first: str, second: str) -> bool:
    return datetime.fromisoformat(second) - datetime.fromisoformat(first) <= _AT_ONCE
