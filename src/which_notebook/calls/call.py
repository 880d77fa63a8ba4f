"""One API call, as it is judged and put out."""

from __future__ import annotations

import re

from msgspec import Struct

from .clues import Clues, Likely

# The session that SageMaker itself opens on an execution role.
BASE_SESSION = "SageMaker"
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
NOTEBOOK_NAME = re.compile(r"(?!.{64})[a-zA-Z0-9](-*[a-zA-Z0-9])*")

OPENS_SESSIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
"""Calls of STS that open a role's session, each with the same parameters and the same answer."""

CALL_FIELDS = (
    "event_id",
    "event_time",
    "event_source",
    "event_name",
    "aws_region",
    "account_id",
    "notebook",
    "status",
    "session_name",
    "role_arn",
    "access_key_id",
    "source_ip_address",
    "vpc_endpoint_id",
    "user_agent",
    "error_code",
    "source_identity",
    "resources",
    "event_category",
    "user_profile",
    "on_behalf_of",
)
"""The fields of a call in every output format but the text table, in their order."""

LIKELY_FIELDS = ("likely_notebook", "likely_evidence")
"""Those that --likely adds, behind all others."""


class Opening(Struct, array_like=True, gc=False):
    """What an AssumeRole call opened, or would have; also one with SAML or a web identity.

    `principal` is the caller: an ARN, or an AWS service's name; `service` is the latter, where CloudTrail says that the
    caller is one. `access_key_id` is the new session's, None where the call was refused. `explicit_trust_grant` is False where only a grandfathered implicit trust let a role assume itself:
    https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
    """

    role_arn: str
    session_name: str | None = None
    access_key_id: str | None = None
    source_identity: str | None = None
    principal: str | None = None
    explicit_trust_grant: bool | None = None
    service: str | None = None


class Call(Struct, array_like=True, gc=False):
    """One API call.

    From the record:

    - `role_arn`, `session_name`: the caller's; None where that is no role's session.
    - `role_id`: the role's unique id. Some records have nothing else of the role, see `role_ids`.
    - `lake_formation_role`: whose data access it was, where Lake Formation says so.
    - `on_behalf_of`: the user id of IAM Identity Center that trusted identity propagation put there.
    - `resources`: the ARNs of what the call was about.
    - `named_role`: the role that a change hands over or changes, as an ARN, or a name in the caller's account.
    - `named_in_studio`: the user profile that a call opens, creates or changes, or a domain's new ExecutionRoleIdentityConfig.
    - `shared_event_id`: stands in each account's copy of a call across accounts.
    - `session_start`: when a base session began.
    - `record`, `clues`: the record itself, and what it holds of evidence; only where they are asked for.

    From a judgement, and None until then:

    - `status`, `notebook`, `user_profile`: see `judging.statuses`.
    - `via`: of a chained call, the way from the notebook's or user profile's session to the caller's.
    - `notebook_role_arn`: that session's role.
    - `likely`: what evidence says; only where it is asked for.
    """

    event_id: str
    event_time: str
    event_source: str
    event_name: str
    aws_region: str | None = None
    account_id: str | None = None
    notebook: str | None = None
    status: str | None = None
    session_name: str | None = None
    role_arn: str | None = None
    access_key_id: str | None = None
    source_ip_address: str | None = None
    vpc_endpoint_id: str | None = None
    user_agent: str | None = None
    error_code: str | None = None
    source_identity: str | None = None
    event_category: str | None = None
    on_behalf_of: str | None = None
    request_id: str | None = None
    role_id: str | None = None
    lake_formation_role: str | None = None
    resources: tuple[str, ...] = ()
    named_role: str | None = None
    shared_event_id: str | None = None
    named_in_studio: str | None = None
    opening: Opening | None = None
    via: str | None = None
    notebook_role_arn: str | None = None
    user_profile: str | None = None
    record: bytes | None = None
    session_start: str | None = None
    clues: Clues | None = None
    likely: Likely | None = None

    @property
    def likely_notebook(self) -> str | None:
        """The notebook instance that all evidence names."""
        return self.likely.notebook if self.likely else None

    @property
    def likely_evidence(self) -> str | None:
        """The kinds of evidence; where there are some and no `likely_notebook`, they disagree, or name what is none."""
        return self.likely.kinds_text if self.likely else None


def role_name(arn: str) -> str:
    """Return the name in a role's ARN, or the text itself where it is a name already."""
    return arn.rpartition("/")[2]


def role_key(arn: str | None) -> tuple[str, str] | None:
    """Return what tells a role from all others: its ARN without the path, which may be missing in one of two ARNs."""
    return (arn.partition("/")[0], role_name(arn)) if arn else None


def shown_event(event_source: str, event_name: str) -> str:
    """Return a call's event as `service:Event`, such as `s3:GetObject`."""
    return f"{event_source.removesuffix('.amazonaws.com')}:{event_name}"
