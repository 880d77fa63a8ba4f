"""Queries that stand by themselves, for people who work in a console: each call of a role with its notebook.

The view of modules/athena is one of them. What they say of a call's session is what judging/attribution.py says; a test
compares them. They don't follow chains, join records that are delivered twice, or know what parameters mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from .condition import any_of, is_one_of, like, literal, pattern, quoted

_SESSION = r"(?s)\Aarn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/:]+)(?:/(.+))?\z"
_ROLE = r"(?s)\Aarn:aws[a-z-]*:iam::[0-9]{12}:role/.+\z"
_OF_PRINCIPAL = r"(?s)\AAROA[A-Z0-9]+:(.+)\z"
_NAME = r"[^/]+\z"
_NOTEBOOK = r"\A[a-zA-Z0-9](-*[a-zA-Z0-9])*\z"
_LONGEST_NAME = 63


class _Places(Struct, frozen=True):
    """Where a kind of tables has what a query is about."""

    identity: str
    columns: tuple[tuple[str, str], ...]
    role_asked: str
    name_asked: str
    is_opening: str


_ATHENA = _Places(
    identity="useridentity",
    columns=(
        ("event_id", "eventid"),
        ("event_time", "eventtime"),
        ("event_source", "eventsource"),
        ("event_name", "eventname"),
        ("aws_region", "awsregion"),
        ("account_id", "coalesce(recipientaccountid, useridentity.accountid)"),
        ("access_key_id", "useridentity.accesskeyid"),
        ("source_ip_address", "sourceipaddress"),
        ("vpc_endpoint_id", "vpcendpointid"),
        ("user_agent", "useragent"),
        ("error_code", "errorcode"),
        ("source_identity", "useridentity.sessioncontext.sourceidentity"),
        ("resources", "transform(resources, each -> each.arn)"),
        ("event_category", "eventcategory"),
        ("on_behalf_of", "useridentity.onbehalfof.userid"),
    ),
    role_asked="json_extract_scalar(requestparameters, '$.roleArn')",
    name_asked="json_extract_scalar(requestparameters, '$.roleSessionName')",
    is_opening="eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRole'",
)
_LAKE = _Places(
    identity="userIdentity",
    columns=(
        ("event_id", "eventID"),
        ("event_time", "eventTime"),
        ("event_source", "eventSource"),
        ("event_name", "eventName"),
        ("aws_region", "awsRegion"),
        ("account_id", "coalesce(recipientAccountId, userIdentity.accountId)"),
        ("access_key_id", "userIdentity.accessKeyId"),
        ("source_ip_address", "sourceIPAddress"),
        ("vpc_endpoint_id", "vpcEndpointId"),
        ("user_agent", "userAgent"),
        ("error_code", "errorCode"),
        ("source_identity", "userIdentity.sessionContext.sourceIdentity"),
        ("resources", "transform(resources, each -> each.arn)"),
        ("event_category", "eventCategory"),
        ("on_behalf_of", "userIdentity.onBehalfOf.userId"),
    ),
    role_asked="element_at(requestParameters, 'roleArn')",
    name_asked="element_at(requestParameters, 'roleSessionName')",
    is_opening="eventSource = 'sts.amazonaws.com' AND eventName = 'AssumeRole'",
)
PARTITIONS = ("account", "region", "day")
"""The partition columns of the table that modules/athena makes."""


def _is_possible(column: str) -> str:
    return f"length({column}) <= {_LONGEST_NAME} AND regexp_like({column}, '{_NOTEBOOK}')"


KNOWN = _is_possible("session_name")
"""What a session's name is where no names are known: one that a notebook instance could have."""

NONE_KNOWN = "false"
"""That a source identity is a notebook instance's name, where no names are known."""

COLUMNS = (
    "event_id", "event_time", "event_source", "event_name", "aws_region", "account_id", "notebook", "status",
    "session_name", "role_arn", "access_key_id", "source_ip_address", "vpc_endpoint_id", "user_agent", "error_code",
    "source_identity", "resources", "event_category", "user_profile", "on_behalf_of",
)  # fmt: skip
"""The fields of a call, in their order."""


def calls_sql(
    table: str, roles: str, known: str = KNOWN, identity_known: str = NONE_KNOWN, *,
    partitions: Sequence[str] = PARTITIONS, where: Sequence[str] = (), of_lake: bool = False,
) -> str:  # fmt: skip
    """Return the query of a role's calls.

    Arguments: conditions, `roles` on `role_arn`; `known` and `identity_known`, that `session_name` and that `source_identity` is
    a notebook instance's name.
    """
    places = _LAKE if of_lake else _ATHENA
    arn, principal = f"{places.identity}.arn", f"{places.identity}.principal{'Id' if of_lake else 'id'}"
    context = "sessionContext.sessionIssuer" if of_lake else "sessioncontext.sessionissuer"
    issuer = f"{places.identity}.{context}.arn"
    own = [f"{expression} AS {column}" for column, expression in places.columns]
    parts = [f"regexp_extract({arn}, '{_SESSION}', {group})" for group in (1, 2, 3)]
    made = " || ".join(("'arn:'", parts[0], "':iam::'", parts[1], "':role/'", parts[2]))
    lines = [
        *own,
        *map(_plain, partitions),
        f"CASE\n      WHEN regexp_like({arn}, '{_SESSION}') THEN\n        CASE WHEN regexp_like({issuer}, '{_ROLE}') THEN {issuer} ELSE {made} END\n"
        f"      WHEN coalesce({arn}, '') = '' AND regexp_like({principal}, '{_OF_PRINCIPAL}') AND regexp_like({issuer}, '{_ROLE}') THEN {issuer}\n"
        "    END AS role_arn",
        f"coalesce(regexp_extract({arn}, '{_SESSION}', 4), regexp_extract({principal}, '(?s)\\A[^:]*:(.+)\\z', 1)) AS session_name",
        f"CASE WHEN {places.is_opening} THEN {places.role_asked} END AS opened_role_arn",
        f"CASE WHEN {places.is_opening} THEN {places.name_asked} END AS opened_session_name",
    ]
    conditions = [f"{arn} LIKE '%:assumed-role/%' OR {principal} LIKE 'AROA%:%'", *where]
    inner = (
        "  SELECT\n    " + ",\n    ".join(lines) + f"\n  FROM {table}\n  WHERE " + "\n    AND ".join(f"({each})" for each in conditions)
    )  # fmt: skip
    is_attributed = f"lower(session_name) <> 'sagemaker' AND ({known})"
    # A job has the source identity of the session that created it, which in imds mode is a notebook's name.
    of_notebook = f"lower(source_identity) <> 'sagemaker' AND ({identity_known})"
    is_users = f"session_name = 'SageMaker' AND {_is_possible('source_identity')} AND NOT ({of_notebook})"
    status = (
        "CAST(CASE\n"
        f"    WHEN {is_users} THEN 'user-profile'\n"
        "    WHEN session_name = 'SageMaker' AND split_part(opened_role_arn, '/', 1) = split_part(role_arn, '/', 1)\n"
        f"      AND regexp_extract(opened_role_arn, '{_NAME}') = regexp_extract(role_arn, '{_NAME}')\n"
        "      AND coalesce(opened_session_name, '') <> 'SageMaker' THEN 'handshake'\n"
        "    WHEN session_name = 'SageMaker' THEN 'unattributed'\n"
        f"    WHEN {is_attributed} THEN 'attributed'\n"
        "    ELSE 'unknown-name'\n"
        "  END AS varchar) AS status"
    )
    judged = {
        "notebook": f"CASE WHEN {is_attributed} THEN session_name END AS notebook",
        "status": status,
        "user_profile": f"CASE WHEN {is_users} THEN source_identity END AS user_profile",
    }
    selected = [judged.get(column, column) for column in COLUMNS] + list(map(_plain, partitions))
    return f"WITH sessions AS (\n{inner}\n)\nSELECT\n  " + ",\n  ".join(selected) + f"\nFROM sessions\nWHERE {roles}\n"


def insights_query(roles: Sequence[str]) -> str:
    """Return the same for CloudWatch Logs Insights, as far as its language goes: the session of each call.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
    """
    names = "|".join(_regex(each.rpartition("/")[2]) for each in roles)
    return (
        "fields eventTime as event_time, eventSource as event_source, eventName as event_name, awsRegion as aws_region,\n"
        "  recipientAccountId as account_id, userIdentity.accessKeyId as access_key_id, sourceIPAddress as source_ip_address,\n"
        "  errorCode as error_code, eventID as event_id, userIdentity.sessionContext.sourceIdentity as source_identity,\n"
        "  userIdentity.onBehalfOf.userId as on_behalf_of\n"
        f"| filter userIdentity.arn like /:assumed-role\\/(?:{names})\\//\n"
        "| parse userIdentity.arn /:assumed-role\\/(?<role_name>[^\\/]+)\\/(?<session_name>.+)/\n"
        '| fields session_name = "SageMaker" as is_base_session\n'
        "| sort @timestamp asc\n"
        "| limit 10000\n"
    )


def roles_condition(roles: Sequence[str]) -> str:
    """Return the condition that `role_arn` is one of these roles: names, or ARNs; `*` and `?` are wildcards."""
    conditions = []
    for role in roles:
        if not role.startswith("arn:"):
            conditions.append(like("role_arn", "", f"/{pattern(role, wildcards=True)}"))
        elif {"*", "?"} & set(role):
            conditions.append(like("role_arn", pattern(role, wildcards=True)))
        else:
            conditions.append(is_one_of("role_arn", [role]))
    return any_of(conditions).with_values


def table_name(name: str) -> str:
    """Return a table's name, with its database and catalog where these stand before it."""
    return quoted(*name.split("."))


def at_least(column: str, value: str) -> str:
    """Return the condition that a column isn't less than a value."""
    return f"{column} >= {literal(value)}"


def at_most(column: str, value: str) -> str:
    """Return the condition that a column isn't more than a value."""
    return f"{column} <= {literal(value)}"


def among(column: str, values: Sequence[str]) -> str:
    """Return the condition that a column has one of these values."""
    return is_one_of(column, values).with_values


def names_condition(column: str, names: Sequence[str]) -> str:
    """Return the condition that a column has one of these names; `*` and `?` are wildcards."""
    return any_of(like(column, pattern(each, wildcards=True)) for each in names).with_values


def _regex(name: str) -> str:
    return re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]").replace("/", r"\/")


def _plain(column: str) -> str:
    return quoted(column)
