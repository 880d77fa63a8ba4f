"""What an attack by IAM came to, as `which-notebook` tells it from the recorded CloudTrail."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from document_table import Cells as Cells
from document_table import Table
from workspace import CHECKOUT

from which_notebook.cli import main

from .catalogue import Attack, RefusedError
from .scene import Scene

TABLE = Table(CHECKOUT / "docs" / "threat-model.md", "by IAM")
PREVENTED, SOMEBODY_ELSE, POSSIBLE = "prevented", "possible: as somebody else", "possible"
_REFUSALS = {"AccessDenied", "AccessDeniedException"}


def outcome(scene: Scene, attack: Attack) -> str:
    """Let the attack happen, call with what it gained, and let `which-notebook` judge the records of both."""
    begin = len(scene.emulator.records())
    with scene.mended():
        try:
            gained = attack(scene)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSALS:
                raise
            return PREVENTED
        except RefusedError:
            return PREVENTED
        for credentials in gained:
            scene.client("sts", credentials).get_caller_identity()
        records = scene.emulator.records()[begin:]
    return _judged(scene, records)


def _judged(scene: Scene, records: list[dict[str, Any]]) -> str:
    log, inventory, answer = (scene.emulator.folder / f"{name}.json" for name in ("log", "inventory", "answer"))
    # Everything here calls from one address. On AWS a job or another notebook instance has its own, so what one address
    # would tell counts for nothing.
    log.write_text(json.dumps({"Records": [{**each, "sourceIPAddress": "AWS Internal"} for each in records]}))
    inventory.write_text(json.dumps(scene.outputs))

    def ask(command: str) -> Any:
        arguments = [command, str(log), "--inventory", str(inventory), "--follow", "--format", "json"]
        assert main([*arguments, "--no-cache", "--jobs", "1", "--output", str(answer)]) == 0
        return json.loads(answer.read_text())

    calls, summary = ask("calls"), ask("summary")
    found = {kind for row in summary["notebooks"] for kind in row["warnings"]}
    found |= {call["status"] for call in calls} & {"unattributed", "chained", "unknown-name"}
    if found:
        return f"detected: {', '.join(f'`{kind}`' for kind in sorted(found))}"
    own = {call["event_id"] for call in calls}
    strangers = [each for each in records if each["eventName"] == "GetCallerIdentity" and each["eventID"] not in own]
    return SOMEBODY_ELSE if strangers else POSSIBLE
