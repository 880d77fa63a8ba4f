"""What `finding` answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

from ..judging.finding import Finding
from ..judging.finding_actors import KnownActor
from ..judging.statuses import STATUS_OF
from .explain_text import opened_session, sign_of
from .safe_text import printable

_EVENTS_SHOWN = 10

Known = Sequence[tuple[Finding, list[KnownActor]]]

_NOBODY = "no notebook instance that is known"


class FindingAnswer:
    """Findings, and what is known of their actors; `with_logs`: as far as logs tell, too."""

    def __init__(self, known: Known, *, with_logs: bool) -> None:
        self.known = known
        self.with_logs = with_logs

    def rows(self) -> NoReturn:
        """Refuse: findings are no table."""
        raise NotImplementedError

    def plain(self) -> list[dict[str, Any]]:
        """Return the findings as they are put out as JSON."""
        return [
            {
                "finding_id": finding.id,
                "type": finding.type,
                "title": finding.title,
                "first_seen": finding.first_seen,
                "last_seen": finding.last_seen,
                "actors": [_plain(each) for each in actors],
            }
            for finding, actors in self.known
        ]

    def write_text(self, file: BinaryIO) -> None:
        """Write what each finding's actors are, and why."""
        for finding, actors in self.known:
            for line in self._lines(finding, actors):
                file.write(printable(line).rstrip().encode() + b"\n")
            file.write(b"\n")
        judged = [each for _, actors in self.known for each in actors if each.status]
        for sign in dict.fromkeys(sign_of(each.status, each.user_profile) for each in judged):
            file.write(f"What is not proven: {sign}\n".encode() if sign else b"")

    def _lines(self, finding: Finding, actors: list[KnownActor]) -> Iterator[str]:
        yield f"{finding.type} ({finding.id}), {finding.first_seen or '?'} to {finding.last_seen or '?'}"
        if not actors:
            yield "  It names no access key and no principal, so it can't be told who acted."
        for each in actors:
            yield f"  {each.actor.access_key_id or '(no access key)'}: {_answer(each)}"
            for text in each.why:
                yield f"    {text}"
            if not self.with_logs:
                continue
            for event, count in each.events.most_common(_EVENTS_SHOWN):
                yield f"    {count:,} {event}"
            for call in each.opened_by:
                if call.opening:
                    yield f"    {call.event_time}: {opened_session(call.opening)} (event {call.event_id})"
            for warning in each.warnings:
                yield f"    warning: {warning.event_time} {warning.kind}: {warning.text} (event {warning.event_id})"


def _answer(each: KnownActor) -> str:
    opener = f"notebook instance {each.notebook}" if each.notebook else f"Studio user profile {each.user_profile}"
    status = STATUS_OF.get(each.status)
    text = status.actor if status else _NOBODY
    text = text.format(notebook=each.notebook, user_profile=each.user_profile, opener=opener)
    is_open = each.is_notebook_role is None and each.status in ("attributed", "unattributed")
    return (
        f"{text}, if notebook instances use its role (--role says that they do; logs of its account may show it)"
        if is_open
        else text
    )


def _plain(each: KnownActor) -> dict[str, Any]:
    actor = each.actor
    return {
        "access_key_id": actor.access_key_id,
        "account_id": actor.account_id,
        "role": actor.role,
        "session_name": actor.session_name,
        "is_notebook_role": each.is_notebook_role,
        "status": each.status,
        "notebook": each.notebook,
        "user_profile": each.user_profile,
        "why": each.why,
        "calls": each.calls,
        "errors": each.errors,
        "first_seen": each.first_seen,
        "last_seen": each.last_seen,
        "event_names": dict(each.events.most_common()),
        "resources": dict(each.resources.most_common()),
        "opened_by": [
            {
                "event_id": call.event_id,
                "event_time": call.event_time,
                "principal": call.opening and call.opening.principal,
                "access_key_id": call.access_key_id,
                "source_ip_address": call.source_ip_address,
            }
            for call in each.opened_by
        ],
        "warnings": [
            {"kind": one.kind, "event_time": one.event_time, "event_id": one.event_id, "text": one.text}
            for one in each.warnings
        ],
    }
