"""The circumstances in which an attack is judged: who else works, whether the instance restarted, and who calls from where.

What was recorded of an attack and of both users' work is put together as CloudTrail would have it in each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Literal, NamedTuple, get_args

Record = dict[str, Any]

_Colleague = Literal["absent", "meanwhile", "hours apart"]
_Network = Literal["own addresses", "another private address", "one public address", "public and private addresses"]


class Circumstances(NamedTuple):
    """What an attack's user can choose or wait for."""

    colleague: _Colleague
    """When the colleague works."""
    restarted: bool
    """Whether hours and restarts lie between the attack and the user's own work, and not minutes."""
    network: _Network
    """From where calls come: the attack alone from another address, all from a public one, or the colleague's alone."""


ALL = [Circumstances(*each) for each in product(get_args(_Colleague), (False, True), get_args(_Network))]

SHOWN_IF: dict[str, Callable[[Circumstances], bool]] = {
    "the colleague works in the same hour, from another address": lambda each: (
        each.colleague == "meanwhile" and each.network != "one public address"
    ),
    "one's own name was opened in the same base session": lambda each: not each.restarted,
    "… from the same private address, hours apart": lambda each: (
        each.restarted and each.network in {"own addresses", "public and private addresses"}
    ),
}
"""The conditions of a sign; the table has a column for each, and one for where none holds."""
OWN_NAME = [*SHOWN_IF][1:]
"""Those of users who also work under their own name."""

_PUBLIC, _ANOTHER_PRIVATE = "203.0.113.7", "10.254.254.254"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_KEY = re.compile(r"\bASIA\w+")


@dataclass(frozen=True)
class Recorded:
    """What was recorded of an attack, and of a piece of work of each user: a session is opened, and calls."""

    attack: list[Record]
    address: str
    """The attacker's."""
    own: list[Record]
    """The attacker's own work; none where the attacker never calls under the notebook's own name."""
    colleague: list[Record]

    def log(self, circumstances: Circumstances) -> list[Record]:
        """Return what CloudTrail has in these circumstances: each one's work is done before the attack and after it."""
        attack = self.attack
        if circumstances.network == "another private address":
            attack = _replaced(attack, {self.address: _ANOTHER_PRIVATE})
        log = [*attack, *self._around(self._in_the_same_session(self.own), is_apart=circumstances.restarted)]
        if circumstances.colleague != "absent":
            log += self._around(self.colleague, is_apart=circumstances.colleague == "hours apart")
        public = {each["sourceIPAddress"] for each in self.colleague}
        if circumstances.network == "one public address":
            return _replaced(log, dict.fromkeys({*public, self.address}, _PUBLIC))
        if circumstances.network == "public and private addresses":
            return _replaced(log, dict.fromkeys(public, _PUBLIC))
        return log

    def _in_the_same_session(self, work: list[Record]) -> list[Record]:
        """Let the attack's base session have opened the work's: the recorded one may have been renewed in between."""
        used = [each for each in self.attack if each["sourceIPAddress"] == self.address]
        return _replaced(work, dict(zip(_base_keys(work), _base_keys(used), strict=False)))

    def _around(self, work: list[Record], *, is_apart: bool) -> list[Record]:
        """Return the work as it is done before the attack, and after it; in other sessions if hours are in between."""
        if not work:
            return []
        between = timedelta(hours=5) if is_apart else timedelta(minutes=5)
        before = _moved(work, _times(self.attack)[0] - between - _times(work)[-1], "0", sessions_too=is_apart)
        after = _moved(work, _times(self.attack)[-1] + between - _times(work)[0], "1", sessions_too=is_apart)
        # A session is opened once.
        return [*before, *(each for each in after if is_apart or each["eventName"] != "AssumeRole")]


def _moved(work: list[Record], by: timedelta, mark: str, *, sessions_too: bool) -> list[Record]:
    """Return the same work at another time. The mark is in no recorded id, so that these are other events' and keys'."""
    text = json.dumps([{**each, "eventID": f"{each['eventID']}-{mark}"} for each in work])
    text = _TIME.sub(lambda time: f"{datetime.fromisoformat(time[0]) + by:%Y-%m-%dT%H:%M:%SZ}", text)
    if sessions_too:
        text = _KEY.sub(lambda key: key[0] + mark, text)
    return list(json.loads(text))


def _replaced(records: list[Record], by: Mapping[str, str]) -> list[Record]:
    text = json.dumps(records)
    for old, new in by.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return list(json.loads(text))


def _base_keys(records: list[Record]) -> list[str]:
    identities = (each["userIdentity"] for each in records)
    return list(dict.fromkeys(each["accessKeyId"] for each in identities if each.get("arn", "").endswith("/SageMaker")))


def _times(records: list[Record]) -> list[datetime]:
    return sorted(datetime.fromisoformat(each["eventTime"]) for each in records)
