"""What `event` answers."""

from __future__ import annotations

from typing import Any, BinaryIO, NoReturn

from ..calls.call import CALL_FIELDS, LIKELY_FIELDS
from ..judging.explanation import Explanation
from .explain_text import explanation_lines
from .likely_text import plain_likely


class ExplanationAnswer:
    """What `event` answers."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    def write_text(self, file: BinaryIO) -> None:
        """Write the explanation in sentences."""
        file.write("\n".join(explanation_lines(self.explanation)).encode() + b"\n")

    def rows(self) -> NoReturn:
        """Refuse: one call's explanation is no table."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """Return what is known of the call as it is put out as JSON."""
        call, explanation = self.explanation.call, self.explanation
        return {
            **{name: getattr(call, name) for name in CALL_FIELDS},
            "via": call.via,
            **self._likely(),
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
                for each in explanation.opened_by
            ],
            "warnings": [
                {"kind": each.kind, "event_time": each.event_time, "event_id": each.event_id, "text": each.text}
                for each in explanation.warnings
            ],
            "record": explanation.record,
        }

    def _likely(self) -> dict[str, Any]:
        call, explained = self.explanation.call, self.explanation.likely
        if explained is None:
            return {}
        return {**{name: getattr(call, name) for name in LIKELY_FIELDS}, "likely": plain_likely(explained)}
