"""What a reading of the logs searches for."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec
from msgspec import Struct

from .call import BASE_SESSION, Call, role_name

OF_AN_IDENTITY_WITHOUT_ARN = b"AWSAccount"
"""In each record whose identity has no ARN: its type, in the trail of another account than the caller's."""
OF_AN_INTERFACE = b"for SageMaker Notebook Instance "
"""In each record by which SageMaker makes a notebook instance's network interface: a part of the description."""
OF_A_DELETED_INTERFACE = b"DeleteNetworkInterface"
RARE_NEEDLES = frozenset((OF_AN_IDENTITY_WITHOUT_ARN, OF_AN_INTERFACE, OF_A_DELETED_INTERFACE))
"""Needles that most files don't hold."""


class Search(Struct, frozen=True, kw_only=True):
    """What calls are searched for. A call matches if it meets one of these conditions.

    - `role_names`, in which `*` and `?` are wildcards: it was made in a session of such a role, or opens one. Some records have
      only the role's unique id. Their calls match if `role_ids` has that id, or is empty.
    - `access_keys`: it was made with one of them. `chained_role_names` are these sessions' roles, where they are known.
    - `source_identities`: its caller has one of them.
    - `chains`: it opens a session from a session. `opened_keys`: it opens the session with one of these access key ids.
    - `base_sessions`: it was made in the base session of any role.
    - `event_id`: it has this id. Only then the record itself is kept.
    - `with_clues`: it makes or deletes a notebook instance's network interface. All calls then have their clues.

    `with_resources`: the calls have their resources, which takes time; if it is texts, only those whose records hold one.
    """

    role_names: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    base_sessions: bool = False
    chains: bool = False
    chained_role_names: tuple[str, ...] = ()
    access_keys: frozenset[str] = frozenset()
    source_identities: frozenset[str] = frozenset()
    opened_keys: frozenset[str] = frozenset()
    event_id: str | None = None
    with_clues: bool = False
    with_resources: bool | tuple[str, ...] = False

    @property
    def keeps_record(self) -> bool:
        """Whether the calls keep their records."""
        return self.event_id is not None

    @property
    def needles(self) -> tuple[bytes, ...]:
        """Texts of which each matching record contains one, however its JSON is written."""
        return _needles(self)

    def matches(self, call: Call) -> bool:
        """Return whether the search is for this call."""
        is_nameless = call.role_arn is None and call.role_id is not None and self.role_names
        if call.role_id in self.role_ids and (call.role_arn is None or not self.role_names):
            return True
        if is_nameless and not self.role_ids:
            return True
        arn = call.role_arn or call.lake_formation_role
        if arn and _is_of_role(arn, self.role_names):
            return True
        if call.event_id == self.event_id or (self.base_sessions and call.session_name == BASE_SESSION):
            return True
        if call.access_key_id in self.access_keys or call.source_identity in self.source_identities:
            return True
        if self.with_clues and call.clues and call.clues.interface:
            return True
        opening = call.opening
        if opening is None:
            return False
        if fits_role(role_name(opening.role_arn), self.role_names) or opening.access_key_id in self.opened_keys:
            return True
        return self.chains and bool(arn) and opening.access_key_id is not None

    @property
    def digest(self) -> str:
        """The name of this search in the cache."""
        import hashlib

        plain = msgspec.json.encode(msgspec.to_builtins(self, order="deterministic"))
        return hashlib.sha256(plain).hexdigest()[:32]


@lru_cache(maxsize=8)
def _needles(search: Search) -> tuple[bytes, ...]:
    texts = [*search.role_names, *search.role_ids, *search.chained_role_names, *sorted(search.opened_keys)]
    if search.role_names and not search.role_ids:
        texts.append(OF_AN_IDENTITY_WITHOUT_ARN.decode())
    if search.base_sessions:
        texts.append(BASE_SESSION)
    if not search.chained_role_names:
        texts += sorted(search.access_keys)
    if search.chains:
        texts.append("AssumeRole")
    if search.source_identities:
        texts.append("sourceIdentity")
    if search.event_id is not None:
        texts.append(search.event_id)
    of_interfaces = (OF_AN_INTERFACE, OF_A_DELETED_INTERFACE) if search.with_clues else ()
    return tuple(dict.fromkeys((*(_unescaped_part(text).encode() for text in texts), *of_interfaces)))


def _unescaped_part(text: str) -> str:
    """Return the longest part that JSON writers leave as it is; some escape "=" and "+" for HTML's sake.

    Wildcards alone have none: then it is what every role's session has.
    """
    return max(
        re.findall(r"[A-Za-z0-9_.@,-]+", text), key=len, default="assumed-role" if set(text) & set("*?") else text
    )


@lru_cache(maxsize=65_536)
def _is_of_role(arn: str, role_names: tuple[str, ...]) -> bool:
    name = role_name(arn)
    return bool(name) and fits_role(name, role_names)


@lru_cache(maxsize=65_536)
def fits_role(name: str, role_names: tuple[str, ...]) -> bool:
    """Return whether a role's name is one of these, in which `*` and `?` are wildcards."""
    return name in role_names or any(fnmatchcase(name, each) for each in role_names if "*" in each or "?" in each)
