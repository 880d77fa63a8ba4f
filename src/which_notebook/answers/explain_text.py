"""One call's explanation as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..records.cloudtrail import CALL_FIELDS
from .explain import PROOF, SIGN, Explanation
from .safe_text import printable

_ANSWERS = {
    "attributed": "made by the notebook instance {notebook}, in its own session.",
    "chained": "made by the notebook instance {notebook}, in another session that it opened: {via}.",
    "unattributed": "made in the base session SageMaker: it can't be told which of the role's notebook instances made it.",
    "handshake": "the AssumeRole by which a base session opened the notebook session of {opened}.",
    "unknown-name": "made in a session of the role under the name {session_name}, which is no known notebook instance's.",
    "unnamed": "made in a session of a role, but the record has only its unique id, {role_id}: give --role with logs of the role's own account, or --inventory with the output role_unique_id.",
    None: "not made by a notebook instance: its caller is no session of the role, and none that led back to one was found.",
}


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of the explanation; all text from the log is safe to show."""
    call = explanation.call
    opened = call.opening.session_name if call.opening else None
    is_unnamed = call.status is None and call.role_arn is None and call.role_id
    answer = _ANSWERS["unnamed" if is_unnamed else call.status].format(
        role_id=call.role_id, notebook=call.notebook, via=call.via, session_name=call.session_name, opened=opened
    )
    yield printable(
        f"Event {call.event_id} was {answer}" if call.status != "handshake" else f"Event {call.event_id} is {answer}"
    )
    yield ""
    for name in CALL_FIELDS[1:]:
        if (value := getattr(call, name)) is not None:
            yield printable(f"  {name:<18} {value}")
    yield ""
    yield "How its session came about (the nearest first):"
    for each in explanation.openings:
        opening = each.opening
        if opening is None:
            continue
        yield printable(f"  {each.event_time}  {opening.principal} opened {opening.session_name} of {opening.role_arn}")
        origin = f"from {each.source_ip_address}, " if each.source_ip_address else ""
        by_key = f"with the key {each.access_key_id}, " if each.access_key_id else ""
        yield printable(f"    {origin}{by_key}new key {opening.access_key_id}, event {each.event_id}")
    if not explanation.openings:
        yield "  The sources hold no AssumeRole that opened it: it lies up to 12 hours, the longest session, before the call."
    yield ""
    yield "What speaks against it:"
    for sign in explanation.signs:
        yield printable(f"  {sign.event_time}  {sign.kind}: {sign.text} (event {sign.event_id})")
    if not explanation.signs:
        yield "  Nothing in these sources, from 12 hours before to 12 hours after."
    yield ""
    yield f"Proof: {PROOF}"
    yield f"Sign: {SIGN}"
    yield ""
    yield "The record:"
    for line in json.dumps(explanation.record, indent=2).splitlines():
        yield printable(f"  {line}")
