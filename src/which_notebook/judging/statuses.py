"""The statuses of calls, one row each: table, report, explanation, help and docs read their words here."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

StatusName = Literal["attributed", "unattributed", "handshake", "unknown-name", "chained"]
Tone = Literal["plain", "attention", "faint", "doubt"]
"""How a call or a lane looks: as usual, as something to look at, as something that is expected, or as what isn't proven."""


class Lane(Struct, frozen=True):
    """Calls that stand together, in the summary's rows and the report's lanes.

    `kind` of a lane; `title`, where it isn't a name that it shows; `mark`, the symbol that goes before it. A lane
    `by_notebook` is one notebook's, else one `by_session_name`, else there is one for all.
    """

    kind: str
    tone: Tone
    title: str | None = None
    mark: str | None = None
    by_notebook: bool = False
    by_session_name: bool = False


UNATTRIBUTED = Lane("unattributed", "attention", title="Unattributed", mark="◆")
LIKELY = Lane("likely", "doubt", mark="≈")
DISPUTED = Lane("disputed", "doubt", mark="≠")
NO_NOTEBOOK = Lane("no-notebook", "doubt", mark="∅")
UNNAMED = Lane("unnamed", "doubt", mark="?")
UNKNOWN_NAME = Lane("unknown-name", "attention", mark="◇", by_session_name=True)
NOTEBOOK = Lane("notebook", "plain", by_notebook=True)
MORE_NAMES = Lane("more-names", "attention", title="More names", mark="◇")
HANDSHAKES = Lane("handshake", "faint", title="Handshakes")

UNATTRIBUTED_PARTS = (LIKELY, DISPUTED, NO_NOTEBOOK, UNNAMED)
"""Of the unattributed calls, by what evidence says of them: parts of their lane."""

LANES = (UNATTRIBUTED, *UNATTRIBUTED_PARTS, UNKNOWN_NAME, NOTEBOOK, MORE_NAMES, HANDSHAKES)
"""In the order in which they are shown: what needs attention first, handshakes last."""


class Status(Struct, frozen=True):
    """One status: what it means, how `event` says it of a call (filled in with the call's fields), and the call's lane.

    `has_name`: whether somebody chose a session's name there, so that it is a sign.
    """

    name: StatusName
    meaning: str
    explained: str
    lane: Lane
    has_name: bool = True


STATUSES = (
    Status(
        "attributed",
        "made in a notebook session, under the notebook instance's name",
        "was made in a session of the role under the name {notebook}, which {known}.",
        NOTEBOOK,
    ),
    Status(
        "unattributed",
        "made in the base session SageMaker, which all notebook instances share: nobody can tell which one made it",
        "was made in the base session SageMaker: it can't be told which of the role's notebook instances made it.",
        UNATTRIBUTED,
        has_name=False,
    ),
    Status(
        "handshake",
        "the AssumeRole by which a base session opens a notebook session; expected, and counted by itself",
        "is the AssumeRole by which a base session opened the notebook session {opened}.",
        HANDSHAKES,
    ),
    Status(
        "unknown-name",
        "made in a session of the role under a name that is no known notebook instance's",
        "was made in a session of the role under the name {session_name}, which is no known notebook instance's.",
        UNKNOWN_NAME,
    ),
    Status(
        "chained",
        "only with --follow: made in another session, which a notebook session opened",
        "was made in another session, which comes from the notebook session {notebook}: {via}.",
        NOTEBOOK,
    ),
)

STATUS_NAMES: tuple[StatusName, ...] = tuple(status.name for status in STATUSES)
STATUS_OF: dict[str | None, Status] = {status.name: status for status in STATUSES}
