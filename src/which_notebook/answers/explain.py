"""One call's explanation as JSON, and what every explanation says."""

from __future__ import annotations

from typing import Any

import msgspec

from ..calls.call import CALL_FIELDS
from ..judging.explanation import Explanation

PROOF = (
    "CloudTrail wrote the record's userIdentity, and the caller can't change it: the call was made with credentials of that "
    "session. Who opened that session, its AssumeRole record says in the same way."
)
SIGN = (
    "The session's name was chosen when the session was opened. In profile mode the notebook's user can choose another known "
    "name; in imds mode only the instance's root can."
)


def record_of(explanation: Explanation) -> Any:
    """Return the call's record, as it stands in the log."""
    return msgspec.json.decode(explanation.call.record or b"null")


def explanation_plain(explanation: Explanation) -> dict[str, Any]:
    """Return what is known of the call as it is put out as JSON."""
    call = explanation.call
    return {
        **{name: getattr(call, name) for name in CALL_FIELDS},
        "via": call.via,
        "opened_by": [
            {
                "event_id": each.event_id,
                "event_time": each.event_time,
                "principal": each.opening and each.opening.principal,
                "access_key_id": each.access_key_id,
                "source_ip_address": each.source_ip_address,
                "opened_session_name": each.opening and each.opening.session_name,
                "opened_role_arn": each.opening and each.opening.role_arn,
                "opened_access_key_id": each.opening and each.opening.access_key_id,
                "explicit_trust_grant": each.opening and each.opening.explicit_trust_grant,
            }
            for each in explanation.openings
        ],
        "warnings": [
            {"kind": each.kind, "event_time": each.event_time, "event_id": each.event_id, "text": each.text}
            for each in explanation.warnings
        ],
        "record": record_of(explanation),
    }
