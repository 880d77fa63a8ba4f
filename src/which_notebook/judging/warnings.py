"""Warnings: reasons to doubt an attribution.

In profile mode the notebook's user can choose the session's name, so a name is a sign and no proof. What is looked for
here shows where a name was used by somebody else. Each of these can also have an innocent reason, which its text gives.

A name is one account's and role's: instances of the same name elsewhere are others. Where instances of one name exist in two
regions, the region in which a session was opened tells them apart.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Hashable
from typing import Any

from msgspec import Struct, field

from ..calls.call import BASE_SESSION, Opening
from ..calls.networks import network_of
from ..calls.table import CallTable
from .addresses import Doors, InTurn
from .attribution import Judge
from .statuses import name_shown
from .warning_kinds import WarningName

# To describe, list and stop notebook instances gives nobody a session.
_INSTANCE_CHANGE = re.compile("(Create|CreatePresigned|Update|Start)NotebookInstance(LifecycleConfig|Url)?")
_POLICY_CHANGES = frozenset(("CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"))

_KEYS_REMEMBERED = 50_000
DETAILS_AT_MOST = 1_000
"""So many warnings are kept, the earliest; all are counted."""
_OF_A_PLACE = ("status", "role_arn", "notebook", "source_ip_address", "access_key_id", "event_source", "aws_region")


class _Place(Struct):
    """From where some calls come, and in which streams that is compared: by address, and by kind of network.

    `addresses`: all of the one stream's.
    """

    role_arn: str
    notebook: str
    source: str
    region: str
    kind: str
    by_address: Hashable
    by_network: Hashable
    addresses: set[Hashable] = field(default_factory=set)


class AttributionWarning(Struct, frozen=True):
    """One reason to doubt a notebook's attribution: when, in which event, and what it may mean."""

    kind: WarningName
    role_arn: str
    notebook: str
    event_time: str
    event_id: str
    text: str


class Warnings:
    """Looks at the role's calls, the oldest first, and at who opens its sessions.

    `counts` are by role, name and kind; `warnings` has each thing once, and the earliest of more than DETAILS_AT_MOST. They
    are in order.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.warnings: list[AttributionWarning] = []
        self.counts: Counter[tuple[str, str, WarningName]] = Counter()
        self._names_by_base_key: OrderedDict[str | None, list[str]] = OrderedDict()
        self._region_by_key: OrderedDict[str | None, str | None] = OrderedDict()
        self._own_identities: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._profiles: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()
        self._doors = Doors()
        self._by_address, self._by_network = InTurn(), InTurn()
        self._known: set[tuple[str, ...]] = set()

    def by_name(self) -> dict[tuple[str, str], Counter[str]]:
        """Return the counts by kind, for each role and name; those of base sessions, for all roles together."""
        by_name: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for (role_arn, name, kind), count in sorted(self.counts.items()):
            by_name["" if name == BASE_SESSION else role_arn, name][kind] += count
        return dict(by_name)

    def by_key(self) -> dict[tuple[str, str], int]:
        """Return how many there are, for each role and name as in `by_name`."""
        return {key: sum(kinds.values()) for key, kinds in self.by_name().items()}

    def see(self, table: CallTable) -> None:
        """Take in judged calls, and those of others that open a session of the role."""
        for row, opening in table.openings.items():
            if opening.access_key_id and self._judge.is_role(opening.role_arn):
                self._see_opening(table, row, opening)
        self._see_names(table)
        self._see_identities(table)
        self._see_addresses(table)
        self._see_changes(table)

    def conclude(self) -> None:
        """Add the warnings that need all calls: only now is it known which addresses several instances share."""
        for door in self._doors.shared():
            names = ", ".join(door.names)
            for name in door.names:
                self._add(
                    "several-names", door.role_arn, name, door.event,
                    f"sessions under the names {names} were opened from one private address, {door.address}: a notebook "
                    "instance has but one name, so its user chose at least one of them, unless the address went to another "
                    "instance meanwhile, or is a proxy's",
                    door.role_arn, name, door.address, names,
                )  # fmt: skip
        for (role_arn, profile), event in self._profiles.items():
            if (role_arn, profile) in self._own_identities:
                self._add(
                    "notebooks-identity", role_arn, name_shown(None, profile, None) or "", event,
                    f"notebook sessions called {profile} carry the same source identity, so these calls may be those of a job "
                    "that this notebook instance created: --inventory or --follow tells",
                    role_arn, profile,
                )  # fmt: skip

    def _see_opening(self, table: CallTable, row: int, opening: Opening) -> None:
        name, role_arn = opening.session_name or "", opening.role_arn
        if opening.explicit_trust_grant is False:
            self._add_of(
                "implicit-trust", role_arn, name, table, row,
                "the role assumed itself by the old implicit trust, since its trust policy doesn't name it: AWS ends this "
                "for roles that don't use it, so add the module's trust statement",
                role_arn,
            )  # fmt: skip
        if name == BASE_SESSION:
            self._see_base_session(table, row, opening)
            return
        profile = table["user_profile"][row]
        if table["session_name"][row] != BASE_SESSION or table["role_arn"][row] != role_arn or profile:
            of_profile = f" (user profile {profile})" if profile else ""
            self._add_of(
                "opened-by-another", role_arn, name, table, row,
                f"the session was opened by {opening.principal}{of_profile}, and not by the base session of a notebook "
                "instance: calls in it may be that principal's",
                role_arn, name, str(opening.principal), str(profile),
            )  # fmt: skip
            return
        _remember(self._region_by_key, opening.access_key_id, table["aws_region"][row])
        key = table["access_key_id"][row]
        names = self._names_by_base_key.get(key, [])
        if name not in names:
            names = [*names, name]
            _remember(self._names_by_base_key, key, names)
            for each in names if len(names) > 1 else ():
                self._add_of(
                    "several-names", role_arn, each, table, row,
                    f"one base session (access key {key}) opened sessions under the names {', '.join(names)}: a notebook "
                    "instance has but one name, so its user chose at least one of them",
                    role_arn, each, *names,
                )  # fmt: skip
        address = table["source_ip_address"][row]
        if network_of(address) in ((4, True), (6, True)):
            event = table["event_time"][row], table["event_id"][row]
            self._doors.see(role_arn, table["vpc_endpoint_id"][row], address, key, name, event)

    def _see_base_session(self, table: CallTable, row: int, opening: Opening) -> None:
        """Look for one that carries a user profile's name and that SageMaker didn't open."""
        # A source identity goes along from session to session.
        profile = table["source_identity"][row] or opening.source_identity
        is_anothers = (opening.principal or "").startswith("arn:") or table["event_name"][row] != "AssumeRole"
        if self._judge.is_user_profile(profile) and is_anothers:
            self._add_of(
                "opened-by-another", opening.role_arn, name_shown(None, profile, None) or "", table, row,
                f"a session called {BASE_SESSION} with this source identity was opened by {opening.principal}, and not by "
                "SageMaker: calls in it may be that principal's",
                opening.role_arn, str(profile), str(opening.principal),
            )  # fmt: skip

    def _see_identities(self, table: CallTable) -> None:
        """Remember whose names are source identities: notebooks', and user profiles'."""
        if not any(table["source_identity"]):
            return
        columns = ("status", "role_arn", "notebook", "user_profile", "source_identity", "event_time", "event_id")
        for status, role_arn, notebook, profile, identity, *event in table.rows(columns):
            if status == "user-profile":
                if (role_arn, profile) not in self._profiles:
                    _remember(self._profiles, (role_arn, profile), tuple(event))
            elif status == "attributed" and notebook == identity:
                _remember(self._own_identities, (role_arn, notebook), None)

    def _see_names(self, table: CallTable) -> None:
        if "unknown-name" in set(table["status"]):
            for row, (status, role_arn, name) in enumerate(table.rows(("status", "role_arn", "session_name"))):
                if status == "unknown-name":
                    text = f"no notebook instance is known that is called {name!r}"
                    self._add_of("unknown-name", role_arn, name or "", table, row, text, role_arn, str(name))

    def _see_changes(self, table: CallTable) -> None:
        """Look for calls by which a session of the role gets another session, out of the attribution's sight."""
        columns = ("event_source", "event_name", "named_role", "named_in_studio")
        telling = {each: kind for each in set(table.rows(columns)) if (kind := self._change(*each))}
        if not telling:
            return
        for row, each in enumerate(table.rows(columns)):
            if (kind := telling.get(each)) and table["status"][row] and not table["error_code"][row]:
                if kind == "other-user-profile" and each[-1] == table["user_profile"][row]:
                    continue
                role_arn = table["notebook_role_arn"][row] or table["role_arn"][row]
                named = (table[name][row] for name in ("notebook", "user_profile", "session_name"))
                name = name_shown(*named) or ""
                event = table["event_name"][row]
                self._add_of(kind, role_arn, name, table, row, f"{event}: {_CHANGES[kind]}", role_arn, name, event)

    def _change(
        self, event_source: str, event_name: str, named_role: str | None, named_in_studio: str | None
    ) -> WarningName | None:
        is_iam = event_source == "iam.amazonaws.com"
        if is_iam and event_name in _POLICY_CHANGES:
            return "changed-role"
        if self._judge.is_named(named_role):
            return "changed-role" if is_iam and event_name != "AddRoleToInstanceProfile" else "passed-role"
        if event_source == "sagemaker.amazonaws.com" and _INSTANCE_CHANGE.fullmatch(event_name):
            return "changed-notebook-instance"
        if named_in_studio and (event_name != "UpdateDomain" or named_in_studio == "DISABLED"):
            return "other-user-profile"
        return None

    def _see_addresses(self, table: CallTable) -> None:
        rows = list(table.rows(_OF_A_PLACE))
        groups: dict[Hashable, _Place] = {}
        places: dict[Hashable, _Place] = {}
        used: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
        for each in set(rows):
            status, role_arn, notebook, address, key, source, region = each
            if status != "attributed" or not (network := network_of(address)):
                continue
            # These are few, but each call may have an address of its own.
            group = role_arn, notebook, key, source, region, network
            place = groups.get(group)
            if place is None:
                place = groups[group] = self._place(*group)
                place.addresses = used[place.by_address]
            place.addresses.add(address)
            places[each] = place
        moving_address = {stream for stream, addresses in used.items() if not self._by_address.stays(stream, addresses)}
        kinds: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
        for place in groups.values():
            kinds[place.by_network].add(place.kind)
        moving_network = {stream for stream, those in kinds.items() if not self._by_network.stays(stream, those)}
        if not moving_address and not moving_network:
            return
        times = table["event_time"]
        addresses = table["source_ip_address"]
        for row, place in enumerate(map(places.get, rows)):
            if place is None:
                continue
            now, address = times[row], addresses[row]
            if place.by_address in moving_address and (
                before := self._by_address.back_from(place.by_address, address, now)
            ):
                self._add_of(
                    "several-addresses", place.role_arn, place.notebook, table, row,
                    f"calls came from {before} and {address} in turn: two machines may use the name at once, unless both are "
                    "ways out of one network",
                    place.role_arn, place.notebook, *sorted((str(before), address)),
                )  # fmt: skip
            if place.by_network in moving_network and self._by_network.back_from(place.by_network, place.kind, now):
                self._add_of(
                    "several-addresses", place.role_arn, place.notebook, table, row,
                    f"calls of {place.source} in {place.region} came from public and from private addresses in turn, "
                    f"{address} among them: a notebook instance reaches a service in one way, so two machines may use the "
                    "name at once",
                    place.role_arn, place.notebook, place.source, str(place.region),
                )  # fmt: skip

    def _place(
        self, role_arn: str, notebook: str, key: str | None, source: str, region: str, network: tuple[int, bool]
    ) -> _Place:
        version, is_private = network
        of_home = role_arn, notebook, self._region_by_key.get(key, region), version
        kind = "private" if is_private else "public"
        return _Place(role_arn, notebook, source, region, kind, (*of_home, is_private), (*of_home, source, region))

    def _add_of(
        self, kind: WarningName, role_arn: str, notebook: str, table: CallTable, row: int, text: str, *once: str
    ) -> None:
        self._add(kind, role_arn, notebook, (table["event_time"][row], table["event_id"][row]), text, *once)

    def _add(
        self, kind: WarningName, role_arn: str, notebook: str, event: tuple[str, str], text: str, *once: str
    ) -> None:
        self.counts[role_arn, notebook, kind] += 1
        if (kind, *once) in self._known:
            return
        warning = AttributionWarning(kind, role_arn, notebook, *event, text)
        place = bisect(self.warnings, _order(warning), key=_order)
        if place < DETAILS_AT_MOST:
            self._known.add((kind, *once))
            self.warnings.insert(place, warning)
            del self.warnings[DETAILS_AT_MOST:]


def _order(warning: AttributionWarning) -> tuple[str, ...]:
    """Return what orders a warning: all of it, so that nothing hangs on the tables that the calls came in."""
    return warning.event_time, warning.event_id, warning.kind, warning.role_arn, warning.notebook, warning.text


_CHANGES = {
    "passed-role": "a session of the role handed the role on, and what was made with it calls in a session that can't be "
    "told from a notebook's base session",
    "changed-role": "a session of the role changed the role, or a managed policy that may be attached to it",
    "changed-notebook-instance": "a session of the role created, changed, started or opened a notebook instance: there the "
    "caller may get root or another user's session",
    "other-user-profile": "a session of the role opened Studio for a user profile that isn't its own, created or changed one, or "
    "switched user profiles' names off: calls that follow may carry another's name, or none",
}


def _remember(known: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    known[key] = value
    if len(known) > _KEYS_REMEMBERED:
        known.popitem(last=False)
