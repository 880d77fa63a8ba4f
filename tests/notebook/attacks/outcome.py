"""What an attack came to, as `which-notebook` tells it from the recorded CloudTrail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from document_table import Cells as Cells
from document_table import Table
from emulator.notebook_instance import NotebookInstance
from workspace import CHECKOUT

from which_notebook.cli import main

from .circumstances import ALL, OWN_NAME, SHOWN_IF, Circumstances, Record, Recorded

if TYPE_CHECKING:
    from .conftest import Scene

TABLE = Table(CHECKOUT / "docs" / "threat-model.md", "attack")
SHOWN_TABLE = Table(CHECKOUT / "docs" / "threat-model.md", "under a colleague's name")
PREVENTED, SOMEBODY_ELSE, POSSIBLE = "prevented", "possible: as somebody else", "possible"
NO_PROXY = "no proxy"

_FIELDS = {
    "AccessKeyId": "AccessKeyId",
    "SecretAccessKey": "SecretAccessKey",
    "SessionToken": "Token",
    "Token": "Token",
}

Credentials = Mapping[str, str]


def credentials_in(text: str) -> list[dict[str, str]]:
    """Return all credentials in what an attack printed, once each: the metadata service's JSON, or STS's XML."""
    found: list[dict[str, str]] = []
    for part in re.findall(r'\{[^{}]*"AccessKeyId"[^{}]*\}', text):
        with suppress(json.JSONDecodeError):  # the proxy's source has something like it
            found.append(json.loads(part))
    for part in re.findall(r"(?s)<Credentials>(.*?)</Credentials>", text):
        found.append({_FIELDS.get(name, name): value for name, value in re.findall(r"<(\w+)>([^<]*)</", part)})
    return list({each["AccessKeyId"]: each for each in found}.values())


class Trial:
    """One attack, from here on: what it makes and takes is recorded, and judged at its end, in all circumstances."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._shown: dict[Circumstances, frozenset[str]] = {}
        self._has_own_work = True
        self._own, self._colleague = (_usual_work(scene, each) for each in (scene.notebook.name, scene.colleague.name))
        self._begin = len(scene.emulator.records())

    def outcome(self, printed: str, attacker: NotebookInstance | None = None) -> str:
        """Use what the attack took, and let `which-notebook` judge all that the attacker's instance called."""
        attacker = attacker or self.scene.notebook
        somebody_else = False
        for taken in credentials_in(printed):
            answer = self.scene.run(_who_am_i(taken), on=attacker)
            # Credentials of an account that the emulated one knows nothing of.
            somebody_else = somebody_else or "InvalidClientTokenId" in answer
            assert "<Arn>" in answer or "InvalidClientTokenId" in answer, answer
        if "WENT THROUGH" in printed:
            return POSSIBLE
        attack, address = self._recorded(attacker)
        if not attack:
            return SOMEBODY_ELSE if somebody_else else PREVENTED

        self._has_own_work = attacker.name == self.scene.notebook.name
        recorded = Recorded(attack, address, self._own if self._has_own_work else [], self._colleague)
        statuses: set[str] = set()
        another_name = False
        calls = {call["event_id"]: call for call in self._ask("calls", [*attack, *self._colleague])}
        for record in attack:
            if record.get("errorCode") or record["sourceIPAddress"] != address:
                continue
            call = calls.get(record["eventID"])
            if call is None:
                somebody_else = True
            elif call["status"] in {"unattributed", "chained", "unknown-name"}:
                statuses.add(call["status"])
            elif call["status"] == "attributed" and call["notebook"] != attacker.name:
                another_name = True
        if not statuses and not another_name:
            return SOMEBODY_ELSE if somebody_else else PREVENTED
        if another_name:
            statuses.clear()  # Other calls' status says nothing of those that bear the name.
        for each in ALL:
            summary = self._ask("summary", recorded.log(each))
            self._shown[each] = frozenset(kind for row in summary["notebooks"] for kind in row["warnings"]) | statuses
        always = self._always(lambda _: True)
        return f"detected: {always}" if always else POSSIBLE

    def when_shown(self) -> Cells:
        """Return what is told where each condition of a sign holds, and where none does; no cells if it's all the same."""
        if len(set(self._shown.values())) < 2 or self._always(lambda _: True):
            return ()
        conditions = {name: holds for name, holds in SHOWN_IF.items() if self._has_own_work or name not in OWN_NAME}
        cells = (self._always(conditions[name]) or "nothing" if name in conditions else "—" for name in SHOWN_IF)
        otherwise = self._always(lambda each: not any(holds(each) for holds in conditions.values()))
        return *cells, otherwise or "nothing"

    def _always(self, holds: Callable[[Circumstances], bool]) -> str:
        """Return what is told in all circumstances of which something holds."""
        always = frozenset.intersection(*(kinds for each, kinds in self._shown.items() if holds(each)))
        return ", ".join(f"`{kind}`" for kind in sorted(always))

    def _recorded(self, attacker: NotebookInstance) -> tuple[list[Record], str]:
        """Return what was recorded of the attacker's calls and of the opening of their sessions, and their address."""
        address = attacker.run(["hostname", "-I"], check=True).stdout.split()[0]
        records = self.scene.emulator.records()
        # SageMaker's own log of a start isn't the attacker's.
        own = (each for each in records[self._begin :] if each["eventSource"] != "logs.amazonaws.com")
        made = [each for each in own if each["sourceIPAddress"] == address]
        used = {each["userIdentity"].get("accessKeyId") for each in made}
        openings = (each for each in records if _opened_key(each) in used and each not in made)
        return [*openings, *made], address

    def _ask(self, command: str, records: list[Record]) -> Any:
        """Return what the command says of these records."""
        log, inventory, answer = (
            self.scene.emulator.folder / f"{name}.json" for name in ("log", "inventory", "answer")
        )
        log.write_text(json.dumps({"Records": records}))
        inventory.write_text(json.dumps(self.scene.outputs))
        arguments = [command, str(log), "--inventory", str(inventory), "--follow", "--format", "json"]
        assert main([*arguments, "--no-cache", "--jobs", "1", "--output", str(answer)]) == 0
        return json.loads(answer.read_text())


def _who_am_i(credentials: Credentials) -> str:
    return f"sts Action=GetCallerIdentity <<<'{json.dumps(credentials)}'"


@cache
def _own_session(scene: Scene, name: str) -> Credentials:
    """Return the session in which a notebook's user works, opened as the mode opens it."""
    (session,) = credentials_in(scene.run("own", on=NotebookInstance(scene.emulator, name)))
    return session


@cache
def _usual_work(scene: Scene, name: str) -> list[Record]:
    """Return the records of a piece of usual work: how the notebook's session was opened, and a call in it."""
    notebook = NotebookInstance(scene.emulator, name)
    session = _own_session(scene, name)
    begin = len(scene.emulator.records())
    scene.run(_who_am_i(session), on=notebook)
    records = scene.emulator.records()
    return [*(each for each in records if _opened_key(each) == session["AccessKeyId"]), *records[begin:]]


def _opened_key(record: Record) -> str | None:
    """Return the access key of the session that a call opened."""
    answer = record.get("responseElements") or {}
    return (answer.get("credentials") or {}).get("accessKeyId")
