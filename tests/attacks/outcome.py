"""What an attack came to, as `which-notebook` tells it from the recorded CloudTrail."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from document_table import Cells as Cells
from document_table import Table
from emulator.notebook_instance import NotebookInstance
from workspace import CHECKOUT

from which_notebook.cli import main

if TYPE_CHECKING:
    from .conftest import Scene

TABLE = Table(CHECKOUT / "docs" / "threat-model.md", "attack")
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
    """One attack, from here on: what it makes and takes is recorded, and judged at its end."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._usual = [*_usual_work(scene, scene.notebook), *_usual_work(scene, scene.colleague)]
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
        address = attacker.run(["hostname", "-I"], check=True).stdout.split()[0]
        records = self.scene.emulator.records()[self._begin :]
        # SageMaker's own log of a start isn't the attacker's.
        own = (each for each in records if each["eventSource"] != "logs.amazonaws.com")
        made = [each for each in own if each["sourceIPAddress"] == address]
        if not made:
            return SOMEBODY_ELSE if somebody_else else PREVENTED

        # Both notebooks' users go on with their work; where one's name was used, in another second than that, since
        # CloudTrail tells no finer time.
        if any(self.scene.colleague.name in each["userIdentity"].get("arn", "") for each in made):
            time.sleep(1.1)
        usual_again = [*_work(self.scene, self.scene.notebook), *_work(self.scene, self.scene.colleague)]
        calls, kinds = _ask_which_notebook(self.scene, [*self._usual, *made, *usual_again])
        another_name = False
        for record in made:
            if record.get("errorCode"):
                continue
            call = calls.get(record["eventID"])
            if call is None:
                somebody_else = True
            elif call["status"] in {"unattributed", "chained", "unknown-name"}:
                kinds.add(call["status"])
            elif call["status"] == "attributed" and call["notebook"] != attacker.name:
                another_name = True
        if kinds:
            return f"detected: {', '.join(f'`{kind}`' for kind in sorted(kinds))}"
        return POSSIBLE if another_name else SOMEBODY_ELSE if somebody_else else PREVENTED


def _who_am_i(credentials: Credentials) -> str:
    return f"sts Action=GetCallerIdentity <<<'{json.dumps(credentials)}'"


@cache
def _own_session(scene: Scene, name: str) -> Credentials:
    """Return the session in which a notebook's user works, opened as the mode opens it."""
    (session,) = credentials_in(scene.run("own", on=NotebookInstance(scene.emulator, name)))
    return session


@cache
def _usual_records(scene: Scene, name: str) -> list[dict[str, Any]]:
    session = _own_session(scene, name)
    opened = session["AccessKeyId"]
    openings = [each for each in scene.emulator.records() if each["eventName"] == "AssumeRole" and opened in str(each)]
    return [*openings, *_work(scene, NotebookInstance(scene.emulator, name))]


def _usual_work(scene: Scene, notebook: NotebookInstance) -> list[dict[str, Any]]:
    """Return the records of a notebook's usual work: how its session was opened, and a call in it."""
    return _usual_records(scene, notebook.name)


def _work(scene: Scene, notebook: NotebookInstance) -> list[dict[str, Any]]:
    """Make one call in the notebook's own session; return its record."""
    begin = len(scene.emulator.records())
    scene.run(_who_am_i(_own_session(scene, notebook.name)), on=notebook)
    return scene.emulator.records()[begin:]


def _ask_which_notebook(scene: Scene, records: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Return what the command says of these records: the calls by event id, and the kinds of its warnings."""
    log, inventory, answer = (scene.emulator.folder / f"{name}.json" for name in ("log", "inventory", "answer"))
    log.write_text(json.dumps({"Records": records}))
    inventory.write_text(json.dumps(scene.outputs))

    def ask(command: str) -> Any:
        arguments = [command, str(log), "--inventory", str(inventory), "--follow", "--format", "json"]
        assert main([*arguments, "--no-cache", "--jobs", "1", "--output", str(answer)]) == 0
        return json.loads(answer.read_text())

    calls, summary = ask("calls"), ask("summary")
    kinds = {kind for row in summary["notebooks"] for kind in row["warnings"]}
    return {call["event_id"]: call for call in calls}, kinds
