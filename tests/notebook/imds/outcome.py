"""Whose calls a client's calls were, in the words of docs/clients.md."""

from __future__ import annotations

from collections.abc import Sequence

from account import Account
from clients.catalogue import Client
from emulator.network import LAYOUTS, Layout


def outcome_of(account: Account, client: Client, call: str, layout: Layout) -> str:
    """Run a client on a notebook instance that a call of the module made; read from the log who called S3."""
    notebook = account.notebook(call, layout)
    seen = len(account.emulator.records())
    done = notebook.run(client.command, timeout=100)
    calls = [each for each in account.records_since(seen) if each["eventSource"] == "s3.amazonaws.com"]
    callers = {
        (each["userIdentity"]["arn"].rpartition("/")[2], each.get("errorCode") == "AccessDenied") for each in calls
    }
    said = f"{client.name} on {notebook.name}: {callers}\n{done.stdout}{done.stderr}"[-3000:]
    match callers, done.returncode == 0:
        case [s, True] if s == {(notebook.name, False)}:
            return "attributed"
        case [s, True] if s == {("SageMaker", False)}:
            return "unattributed"
        case [s, False] if s == {("SageMaker", True)}:
            return "refused"
    raise AssertionError(said)


def outcomes_of(account: Account, client: Client, calls: Sequence[str]) -> tuple[str, ...]:
    """Return a client's outcome for each call of the module.

    In imds mode it has to be the same in every network layout; the profile mode, which doesn't touch the network, is tried
    in the first.
    """
    found = {
        call: {outcome_of(account, client, call, layout) for layout in (LAYOUTS if "imds" in call else LAYOUTS[:1])}
        for call in calls
    }
    assert all(len(outcomes) == 1 for outcomes in found.values()), f"{client.name}: {found}"
    return tuple(outcome for (outcome,) in found.values())
