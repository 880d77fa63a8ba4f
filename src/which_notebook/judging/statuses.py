"""The statuses of calls, one row each: table, report, explanation, help and docs read their words here."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

StatusName = Literal["attributed", "unattributed", "handshake", "unknown-name", "chained", "user-profile"]
Tone = Literal["plain", "person", "attention", "faint", "doubt"]
"""How a call or a lane looks: as a notebook's, as a person's, as something to look at, as something that is expected, or as what isn't proven."""


class Lane(Struct, frozen=True):
    """Calls that stand together, in the summary's rows and the report's lanes.

    `kind` of a lane; `title`, where it isn't a name that it shows; `mark`, the symbol that goes before it, and `spoken`, what
    a screen reader says instead. There is a lane for each name `by_notebook`, `by_user_profile` or `by_session_name`; without
    these one in all.
    """

    kind: str
    tone: Tone
    title: str | None = None
    mark: str | None = None
    spoken: str | None = None
    by_notebook: bool = False
    by_user_profile: bool = False
    by_session_name: bool = False

    @property
    def is_of_a_name(self) -> bool:
        """Whether there may be any number of this kind."""
        return self.by_notebook or self.by_user_profile or self.by_session_name


UNATTRIBUTED = Lane("unattributed", "attention", title="Unattributed", mark="◆")
LIKELY = Lane("likely", "doubt", mark="≈")
DISPUTED = Lane("disputed", "doubt", mark="≠")
NO_NOTEBOOK = Lane("no-notebook", "doubt", mark="∅")
UNNAMED = Lane("unnamed", "doubt", mark="?")
UNKNOWN_NAME = Lane("unknown-name", "attention", mark="◇", spoken="unknown name", by_session_name=True)
NOTEBOOK = Lane("notebook", "plain", by_notebook=True)
USER_PROFILE = Lane("user-profile", "person", mark="○", by_user_profile=True)
MORE_NAMES = Lane("more-names", "attention", title="More names", mark="◇", spoken="unknown name")
HANDSHAKES = Lane("handshake", "faint", title="Handshakes")

UNATTRIBUTED_PARTS = (LIKELY, DISPUTED, NO_NOTEBOOK, UNNAMED)
"""Of the unattributed calls, by what evidence says of them: parts of their lane."""

LANES = (UNATTRIBUTED, *UNATTRIBUTED_PARTS, UNKNOWN_NAME, NOTEBOOK, USER_PROFILE, MORE_NAMES, HANDSHAKES)
"""In the order in which they are shown: what needs attention first, handshakes last."""


class Status(Struct, frozen=True):
    """One status: what it means, and the call's lane.

    `explained`: how `event` says it of a call; `actor`, who a finding's actor is whose calls have it; both are filled in
    with the call's fields. `by_name`: what a session's name alone tells, of a status that needs no more. `has_name`:
    whether somebody chose a session's name there, so that it is a sign.
    """

    name: StatusName
    meaning: str
    explained: str
    actor: str
    lane: Lane
    has_name: bool = True
    by_name: str | None = None


_SOMEBODY = "one of the role's notebook instances, in the base session: which one can't be told"

STATUSES = (
    Status(
        "attributed",
        "made in a notebook session, under the notebook instance's name",
        "was made in a session of the role under the name {notebook}, which {known}.",
        "the notebook instance {notebook}, by the name of its session",
        NOTEBOOK,
        by_name=": a notebook session has its notebook instance's name.",
    ),
    Status(
        "unattributed",
        "made in the base session SageMaker, which all notebook instances share: nobody can tell which one made it",
        "was made in the base session SageMaker: it can't be told which of the role's notebook instances made it.",
        _SOMEBODY,
        UNATTRIBUTED,
        has_name=False,
        by_name=": the base session, which all notebook instances of the role share. The finding alone can't tell which one it "
        "was, or whether it was Studio.",
    ),
    Status(
        "handshake",
        "the AssumeRole by which a base session opens a notebook session; expected, and counted by itself",
        "is the AssumeRole by which a base session opened the notebook session {opened}.",
        _SOMEBODY,
        HANDSHAKES,
    ),
    Status(
        "unknown-name",
        "made in a session of the role under a name that is no known notebook instance's",
        "was made in a session of the role under the name {session_name}, which is no known notebook instance's.",
        "a session under a name that is no known notebook instance's",
        UNKNOWN_NAME,
        by_name=", which is no known notebook instance's name.",
    ),
    Status(
        "chained",
        "only with --follow: made in another session, which a notebook session or a user profile's session opened",
        "was made in another session, which comes from {origin}: {via}.",
        "the {opener}, by the name of a session that led to this one",
        NOTEBOOK,
    ),
    Status(
        "user-profile",
        "made in a base session with a source identity: the name of a SageMaker Studio user profile, or the source identity of the session that created a job",
        "was made in the base session SageMaker with the source identity {user_profile}: by the Studio user profile of that "
        "name, or by a training or processing job that a session with this source identity created, such as a notebook "
        "session in imds mode.",
        "the Studio user profile {user_profile}, or a job of its, by the source identity of the base session",
        USER_PROFILE,
    ),
)

STATUS_NAMES: tuple[StatusName, ...] = tuple(status.name for status in STATUSES)
STATUS_OF: dict[str | None, Status] = {status.name: status for status in STATUSES}


def name_shown(notebook: str | None, user_profile: str | None, session_name: str | None) -> str | None:
    """Return the name under which a call stands with others: no notebook instance can have a user profile's."""
    return notebook or (f"user profile {user_profile}" if user_profile else session_name)


def status_of(lane: Lane) -> StatusName:
    """Return the status of a lane's calls; of a notebook's lane, that of those that aren't chained."""
    return next(status.name for status in STATUSES if status.lane is lane)


def lane_of(status: str | None, user_profile: str | None) -> Lane:
    """Return the lane of a judged call; a chained one stands with whoever it comes from."""
    return USER_PROFILE if user_profile else STATUS_OF[status].lane
