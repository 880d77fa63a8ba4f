"""One call's explanation as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..calls.call import CALL_FIELDS, Opening
from ..judging.explanation import Explanation
from ..judging.statuses import STATUS_OF
from .likely_text import likely_lines
from .safe_text import printable

PROOF = (
    "CloudTrail wrote the record's userIdentity, and the caller can't change it: the call was made with that identity's "
    "credentials. A session's AssumeRole record proves in the same way who opened it."
)
SIGN = (
    "A notebook session's name is chosen when the session is opened. In profile mode the notebook's user can choose another "
    "known name; in imds mode only the instance's root can."
)

SIGN_OF_A_PROFILE = (
    "Whoever opens a session may set its source identity, and nobody can change it afterwards. SageMaker sets the user "
    "profile's name where the domain's ExecutionRoleIdentityConfig is USER_PROFILE_NAME. Others can set it only where both "
    "their own policies and the role's trust policy allow sts:SetSourceIdentity to them; and whoever may open Studio for "
    "another user profile works under that name."
)

_KNOWN = {
    True: "is a known notebook instance's",
    False: "a notebook instance can have (--inventory tells which names are real)",
}
_NOT_OPENED = (
    "  The sources hold no AssumeRole that opened it. A notebook session was opened at most one hour before the call, "
    "any other one at most 12 hours: read the logs of that time, too."
)
_WITHOUT_KEY = "  The record has no access key id, so nothing tells which AssumeRole opened it."

_UNNAMED = (
    "was made in a session of a role, but the record has only its unique id, {role_id}: give --role with logs of the role's "
    "own account, or --inventory with the output role_unique_id."
)
_OF_NOBODY = "was made in no session of the role, and in none that leads back to one in these sources."


_BY_ID = (
    "The record has no ARN of its caller, as the copy that a resource owner's account gets. The role is known by its unique "
    "id {role_id}: from other records of the role, an inventory, or what Lake Formation itself wrote."
)


def sign_of(status: str | None, user_profile: str | None) -> str | None:
    """Return who could have chosen the name behind a status; None if nobody could."""
    if user_profile:
        return SIGN_OF_A_PROFILE
    meaning = STATUS_OF.get(status)
    return SIGN if meaning and meaning.has_name else None


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
    fields = {name: getattr(call, name) for name in ("notebook", "user_profile", "session_name", "via", "role_id")}
    fields["origin"] = (
        f"the notebook session {call.notebook}"
        if call.notebook
        else f"the session of the user profile {call.user_profile}"
    )
    known = _KNOWN[explanation.names_are_known]
    yield printable(f"Event {call.event_id} {answer.format(opened=opened, known=known, **fields)}")
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
    if call.session_name:
        yield from _how_opened(explanation)
    if explanation.likely:
        yield from map(printable, likely_lines(explanation.likely))
    if call.status:
        yield "Warnings about the attribution:"
        for warning in explanation.warnings:
            yield printable(f"  {warning.event_time}  {warning.kind}: {warning.text} (event {warning.event_id})")
        if not explanation.warnings:
            yield "  None in these sources, from 12 hours before to 12 hours after."
        yield ""
    yield f"What is proven: {PROOF}"
    if sign := sign_of(call.status, call.user_profile):
        yield f"What is not proven: {sign}"
    yield ""
    yield "The record:"
    for line in json.dumps(explanation.record, indent=2).splitlines():
        yield printable(f"  {line}")


def opened_session(opening: Opening) -> str:
    """Return who opened which session."""
    return f"{opening.principal} opened {opening.session_name} of {opening.role_arn}"


def _how_opened(explanation: Explanation) -> Iterator[str]:
    yield "How its session came about (the last opening first):"
    for each in explanation.opened_by:
        opening = each.opening
        if opening is None:
            continue
        yield printable(f"  {each.event_time}  {opened_session(opening)}")
        origin = f"from {each.source_ip_address}, " if each.source_ip_address else ""
        by_key = f"with the key {each.access_key_id}, " if each.access_key_id else ""
        yield printable(f"    {origin}{by_key}new key {opening.access_key_id}, event {each.event_id}")
    if not explanation.opened_by:
        yield _NOT_OPENED if explanation.call.access_key_id else _WITHOUT_KEY
    yield ""
