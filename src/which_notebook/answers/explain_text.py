"""One call's explanation as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..calls.call import CALL_FIELDS
from ..judging.explanation import Explanation
from ..judging.statuses import STATUS_OF
from .safe_text import printable

PROOF = (
    "CloudTrail wrote the record's userIdentity, and the caller can't change it: the call was made with credentials of that "
    "session. Who opened that session, its AssumeRole record says in the same way."
)
SIGN = (
    "The session's name was chosen when the session was opened. In profile mode the notebook's user can choose another known "
    "name; in imds mode only the instance's root can."
)


_UNNAMED = (
    "was made in a session of a role, but the record has only its unique id, {role_id}: give --role with logs of the role's "
    "own account, or --inventory with the output role_unique_id."
)
_OF_NOBODY = "was not made by a notebook instance: its caller is no session of the role, and none that led back to one was found."


_BY_ID = (
    "The record has no ARN of its caller, as the copy that a resource owner's account gets. The role is known by its unique "
    "id {role_id}: from other records of the role, an inventory, or what Lake Formation itself wrote."
)


def _has_arn(record: Any) -> bool:
    identity = record.get("userIdentity") if isinstance(record, dict) else None
    return isinstance(identity, dict) and bool(identity.get("arn"))


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of the explanation; all text from the log is safe to show."""
    call = explanation.call
    opened = call.opening.session_name if call.opening else None
    if status := STATUS_OF.get(call.status):
        answer = status.explained
    else:
        answer = _UNNAMED if call.role_arn is None and call.role_id else _OF_NOBODY
    fields = {name: getattr(call, name) for name in ("notebook", "session_name", "via", "role_id")}
    yield printable(f"Event {call.event_id} {answer.format(opened=opened, **fields)}")
    yield ""
    for name in CALL_FIELDS[1:]:
        value = getattr(call, name)
        for at, each in enumerate(value if isinstance(value, tuple) else [value]):
            if each is not None:
                yield printable(f"  {'' if at else name:<18} {each}")
    yield ""
    if call.role_arn and not _has_arn(explanation.record):
        yield printable(_BY_ID.format(role_id=call.role_id))
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
    for warning in explanation.warnings:
        yield printable(f"  {warning.event_time}  {warning.kind}: {warning.text} (event {warning.event_id})")
    if not explanation.warnings:
        yield "  Nothing in these sources, from 12 hours before to 12 hours after."
    yield ""
    yield f"Proof: {PROOF}"
    yield f"Sign: {SIGN}"
    yield ""
    yield "The record:"
    for line in json.dumps(explanation.record, indent=2).splitlines():
        yield printable(f"  {line}")
