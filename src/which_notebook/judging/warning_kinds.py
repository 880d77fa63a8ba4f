"""The kinds of warnings: one row for each. The report and the docs read it here."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

WarningName = Literal[
    "several-names",
    "several-addresses",
    "opened-by-another",
    "unknown-name",
    "notebooks-identity",
    "implicit-trust",
    "passed-role",
    "changed-role",
    "changed-notebook-instance",
    "other-user-profile",
]


class WarningKind(Struct, frozen=True):
    """One kind: its name in the answers, its title in the report, and what it means."""

    name: WarningName
    title: str
    meaning: str


WARNING_KINDS = (
    WarningKind(
        "several-names",
        "One base session, several names",
        "one base session, or one private address, opened sessions under two names: a notebook instance has only one. An address counts at any distance in time; one of a shared proxy doesn't, as long as base sessions take turns there and the names are opened from nowhere else",
    ),
    WarningKind(
        "several-addresses",
        "One name, several addresses at once",
        "calls under one name came from two addresses in turn within an hour; or calls of one service in one region came from a public and a private address in turn",
    ),
    WarningKind(
        "opened-by-another",
        "Session opened by somebody else",
        "a session of that name was opened by somebody who isn't a base session of a notebook instance of the role; of a user profile's session: by somebody who isn't SageMaker",
    ),
    WarningKind("unknown-name", "Name of no known notebook", "no notebook instance of that name is known"),
    WarningKind(
        "notebooks-identity",
        "A notebook's source identity, too",
        "calls count as a user profile's, but notebook sessions of the role carry the same source identity, as in imds mode: the calls may be those of a job that the notebook created. `--inventory` or `--follow` tells them apart",
    ),
    WarningKind(
        "implicit-trust",
        "Role trusts itself only implicitly",
        "the role assumed itself by the old implicit trust (`explicitTrustGrant` is false), not by its policy",
    ),
    WarningKind(
        "passed-role",
        "Role handed on by its own session",
        "a session of the role created something with the role itself: a job, a model, a notebook instance, a Lambda function, an EC2 instance. Its calls can't be told from a notebook's base session",
    ),
    WarningKind(
        "changed-role",
        "Role changed by its own session",
        "a session of the role changed the role, or a managed policy, which may be one of the role's",
    ),
    WarningKind(
        "changed-notebook-instance",
        "Notebook instance changed or opened by the role's session",
        "a session of the role created, changed, started or opened a notebook instance, or changed a lifecycle configuration",
    ),
    WarningKind(
        "other-user-profile",
        "Studio opened or changed for another user profile",
        "a session of the role opened Studio for another user profile than its own, created or changed another one, or switched the names of user profiles off in a domain",
    ),
)
