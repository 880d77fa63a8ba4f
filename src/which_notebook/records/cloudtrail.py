"""What of a CloudTrail record tells who made which call.

The fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
and https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from ..calls.call import BASE_SESSION, OPENS_SESSIONS, Call, Opening, role_name
from ..calls.clues import Clues
from .particulars import decoded, member_of, object_of, text_or_none
from .shapes.members import mended

_Of = TypeVar("_Of")


class RecordError(Exception):
    """A record can't be judged; the message says why, and which one where that can be told."""


def call_of(
    record: bytes,
    *,
    keep_record: bool = False,
    with_resources: bool | tuple[str, ...] = False,
    with_clues: bool = False,
) -> Call:
    """Return the call that a record tells of; its resources and clues only where they are asked for, since they take time.

    Raises RecordError where the record is no JSON, or lacks what every record of a call has.
    """
    try:
        call = _call(_decoded(record, _DECODER), with_resources=with_resources, with_clues=with_clues)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(_reason(record, error)) from None
    if keep_record:
        call.record = record
    return call


def calls_of(records: bytes, *, with_resources: bool | tuple[str, ...] = False, with_clues: bool = False) -> list[Call]:
    """Return the calls of records with commas between them; raises RecordError where one of them is none."""
    try:
        decoded: list[_Record] = _decoded(b"[%b]" % records, _LIST_DECODER)
        return [_call(each, with_resources=with_resources, with_clues=with_clues) for each in decoded]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(str(error)) from None


def _decoded(text: bytes, decoder: msgspec.json.Decoder[_Of]) -> _Of:
    if not text.isascii():
        str(text, "utf-8")  # the decoder doesn't look into what it skips
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return decoder.decode(mended(text))


def _call(record: _Record, *, with_resources: bool | tuple[str, ...], with_clues: bool) -> Call:
    identity = record.user_identity
    context = identity.session_context
    issuer = context.session_issuer if context else None
    role_arn, session_name, role_id = _session(
        identity.arn, identity.principal_id, issuer and issuer.arn, issuer and issuer.principal_id
    )
    event_time = _utc(record.event_time)
    if event_time is None:
        raise RecordError(f"record {record.event_id}: its eventTime {record.event_time!r} is no time")
    account_id, access_key_id = record.account_id or identity.account_id, identity.access_key_id
    # Most texts come again and again, and are kept in memory once.
    shared = _texts.setdefault
    call = Call(
        record.event_id,
        event_time,
        shared(record.event_source, record.event_source),
        shared(record.event_name, record.event_name),
        shared(record.aws_region, record.aws_region),
        shared(account_id, account_id),
        None,
        None,
        session_name,
        role_arn,
        shared(access_key_id, access_key_id),
        shared(record.source_ip_address, record.source_ip_address),
        record.vpc_endpoint_id,
        shared(record.user_agent, record.user_agent),
        record.error_code,
        context.source_identity if context else None,
        shared(record.event_category, record.event_category),
        identity.on_behalf_of.user_id if identity.on_behalf_of else None,
        record.request_id,
        role_id,
    )
    call.shared_event_id = record.shared_event_id
    if len(_texts) > _TEXTS_AT_MOST:
        _texts.clear()
    if (
        with_resources and (role_arn or role_id) and _may_hold(record, with_resources)
    ):  # of other callers none is asked for
        from .resources import around_of, resources_of

        call.resources = resources_of(
            record.event_source,
            record.event_name,
            around_of(role_arn, record.aws_region, account_id),
            record.request_parameters,
            record.resources,
            record.error_message if isinstance(record.error_message, str) else None,
        )
    if role_arn and record.event_source not in _DATA_SOURCES and record.event_name.startswith(_MAY_NAME_A_ROLE):
        call.named_role = _named_role(_held(record.request_parameters), role_arn)
        if record.event_name in _OF_STUDIO and record.event_source == "sagemaker.amazonaws.com":
            call.named_in_studio = _named_in_studio(_held(record.request_parameters))
    if role_id and role_arn is None and (record.event_source, record.event_name) == _DATA_ACCESS:
        call.lake_formation_role = _lake_formation_role(record, identity.account_id)
    if record.event_source == "sts.amazonaws.com" and record.event_name in OPENS_SESSIONS:
        call.opening = _opening(record)
    if context and session_name == BASE_SESSION:
        started = text_or_none(member_of(_held(context.attributes), "creationDate"))
        call.session_start = started and _utc(started)
    if with_clues:
        call.clues = _clues(record, is_base_session=session_name == BASE_SESSION)
    return call


def _clues(record: _Record, *, is_base_session: bool) -> Clues | None:
    from .clues import interface_clues, session_clues

    identity, service = record.user_identity, record.event_source
    if service == "ec2.amazonaws.com" and record.error_code is None and "NetworkInterface" in record.event_name:
        issuer = identity.session_context.session_issuer if identity.session_context else None
        maker = identity.invoked_by, issuer.arn if issuer else None
        return interface_clues(record.event_name, maker, record.request_parameters, record.response_elements)
    if not is_base_session:
        return None
    error = record.error_code, record.error_message
    return session_clues(
        service, record.event_name, identity.arn, error, record.request_parameters, identity.in_scope_of
    )


def _may_hold(record: _Record, texts: bool | tuple[str, ...]) -> bool:
    """Return whether one of the texts may stand in what tells of resources: plainly, or escaped by JSON or in an S3 URL."""
    if texts is True or not texts:
        return True
    fields = str(bytes(record.request_parameters) + bytes(record.resources), "utf-8", "replace") + str(
        record.error_message
    )
    return "\\u" in fields or "%" in fields or any(text in fields for text in texts)


_NOTHING = Raw(b"null")


class _Issuer(Struct, gc=False, rename="camel"):
    arn: str | None = None
    principal_id: str | None = None


class _SessionContext(Struct, gc=False, rename="camel"):
    session_issuer: _Issuer | None = None
    source_identity: str | None = None
    attributes: Raw = _NOTHING


class _OnBehalfOf(Struct, gc=False, rename="camel"):
    user_id: str | None = None


class _Identity(Struct, gc=False, rename="camel"):
    type: Any = None
    arn: str | None = None
    principal_id: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    on_behalf_of: _OnBehalfOf | None = None
    session_context: _SessionContext | None = None
    in_scope_of: Raw = _NOTHING


class _Record(Struct, gc=False, rename="camel"):
    event_time: str
    event_source: str
    event_name: str
    user_identity: _Identity
    event_id: str = msgspec.field(name="eventID")
    aws_region: str | None = None
    account_id: str | None = msgspec.field(name="recipientAccountId", default=None)
    source_ip_address: str | None = msgspec.field(name="sourceIPAddress", default=None)
    vpc_endpoint_id: str | None = None
    user_agent: str | None = None
    error_code: str | None = None
    event_category: str | None = None
    request_id: str | None = msgspec.field(name="requestID", default=None)
    shared_event_id: str | None = msgspec.field(name="sharedEventID", default=None)
    error_message: Any = None
    resources: Raw = _NOTHING
    # They differ from service to service, and may have any shape.
    request_parameters: Raw = _NOTHING
    response_elements: Raw = _NOTHING
    additional_event_data: Raw = _NOTHING


# https://docs.aws.amazon.com/lake-formation/latest/dg/logging-using-cloudtrail.html
_DATA_ACCESS = ("lakeformation.amazonaws.com", "GetDataAccess")
# Events that change something: only these can hand a role over, or change one.
_MAY_NAME_A_ROLE = (
    "Add", "Associate", "Attach", "Create", "Delete", "Detach", "Put", "Register", "Replace", "Run", "Start", "Submit", "Tag",
    "Untag", "Update",
)  # fmt: skip
_OF_STUDIO = frozenset(("CreatePresignedDomainUrl", "CreateUserProfile", "UpdateUserProfile", "UpdateDomain"))
# They take no roles, and have the most events.
_DATA_SOURCES = frozenset(("s3.amazonaws.com", "dynamodb.amazonaws.com"))
_TEXTS_AT_MOST = 20_000
_texts: dict[Any, Any] = {}
_DECODER = msgspec.json.Decoder(_Record)
_LIST_DECODER: msgspec.json.Decoder[list[_Record]] = msgspec.json.Decoder(list[_Record])
# Of the days that every month has; others are looked at more closely.
_AS_CLOUDTRAIL_WRITES_IT = re.compile(
    r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
)

_SESSION_ARN = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/:]+)(?:/(.+))?", re.DOTALL)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", re.DOTALL)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_ROLE_ID = re.compile(r"AROA[A-Z0-9]+")


@lru_cache(maxsize=4096)
def _session(
    arn: str | None, principal_id: str | None, issuer_arn: str | None, issuer_id: str | None
) -> tuple[str | None, str | None, str | None]:
    """Return the role's ARN, the session's name and the role's unique id.

    What counts is the session's own ARN, whatever type of identity the record says. It drops the role's path, which the
    issuer's has; and some anonymised ARNs lack the session, which the principal id has too.
    """
    role_id, _, name = (principal_id or "").partition(":")
    match = _SESSION_ARN.fullmatch(arn or "")
    is_issued = issuer_arn is not None and _ROLE_ARN.fullmatch(issuer_arn) is not None
    if match:
        role_arn = issuer_arn if is_issued else f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"
        return role_arn, match[4] or name or None, issuer_id or role_id or None
    if arn or not _ROLE_ID.fullmatch(role_id) or not name:
        return None, None, None
    return (issuer_arn if is_issued else None), name, role_id


def _held(field: Raw) -> object:
    return object_of(decoded(field))


def _opening(record: _Record) -> Opening | None:
    identity = record.user_identity
    request = _held(record.request_parameters)
    role_arn = text_or_none(member_of(request, "roleArn"))
    if role_arn is None:
        return None  # CloudTrail leaves a refused call's parameters out.
    answer = _held(record.response_elements)
    granted = member_of(_held(record.additional_event_data), "explicitTrustGrant")
    return Opening(
        role_arn,
        text_or_none(member_of(request, "roleSessionName")),
        text_or_none(member_of(member_of(answer, "credentials"), "accessKeyId")),
        # An identity provider's word has it in the answer only.
        text_or_none(member_of(request, "sourceIdentity")) or text_or_none(member_of(answer, "sourceIdentity")),
        identity.arn or identity.invoked_by or identity.principal_id,
        granted if isinstance(granted, bool) else None,
        identity.invoked_by if identity.type == "AWSService" and identity.arn is None else None,
    )


def _lake_formation_role(record: _Record, account_id: str | None) -> str | None:
    """Return the role for whose session Lake Formation gave access to data, which it writes itself; of the caller's account only."""
    arn = text_or_none(member_of(_held(record.additional_event_data), "lakeFormationPrincipal")) or ""
    return arn if _ROLE_ARN.fullmatch(arn) and arn.split(":")[4] == account_id else None


def _named_role(request: object, caller_role_arn: str) -> str | None:
    """Return the role that parameters name: the caller's own where it is one of several."""
    profile = member_of(request, "iamInstanceProfile")
    # The console gives an instance profile the name of its role.
    by_profile = text_or_none(member_of(profile, "name")) or role_name(text_or_none(member_of(profile, "arn")) or "")
    roles = [text for text in (*_roles_in(request), by_profile) if text]
    own = (text for text in roles if text == caller_role_arn or role_name(text) == text == role_name(caller_role_arn))
    return next(own, roles[0] if roles else None)


def _named_in_studio(request: object) -> str | None:
    settings = member_of(request, "domainSettingsForUpdate")
    return text_or_none(member_of(request, "userProfileName") or member_of(settings, "executionRoleIdentityConfig"))


def _roles_in(value: object) -> Iterator[str]:
    """Yield what stands under names such as `roleArn`, `executionRole` and `roleName`, however deep."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, list):
            pending += each
        elif isinstance(each, dict):
            for name, inner in each.items():
                if isinstance(inner, str) and name.lower().endswith(("role", "rolearn", "rolename")):
                    yield inner
                elif isinstance(inner, (dict, list)):
                    pending.append(inner)


@lru_cache(maxsize=4096)
def _utc(event_time: str) -> str | None:
    """Return the time as CloudTrail writes it, so that the order of texts is the order of times; None where it is none."""
    if _AS_CLOUDTRAIL_WRITES_IT.fullmatch(event_time):
        return event_time
    try:
        moment = datetime.fromisoformat(event_time)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _reason(record: bytes, error: Exception) -> str:
    class Named(Struct):
        id: object = msgspec.field(name="eventID", default=None)

    if isinstance(error, UnicodeDecodeError):
        reason = "invalid UTF-8"
    elif isinstance(error, RecursionError):
        reason = "nested too deep"
    else:
        reason = str(error)
    try:
        event_id = msgspec.json.decode(record, type=Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        event_id = None
    return f"record {event_id if isinstance(event_id, str) else 'without eventID'}: {reason}"
