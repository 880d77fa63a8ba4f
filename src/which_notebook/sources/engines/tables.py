"""What a table holds, told by its columns: CloudTrail's fields, as in AWS's own tables, or Security Lake's OCSF.

AWS's tables: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html (the older ones have no
`sourceidentity`, the console's no partitions), https://docs.aws.amazon.com/security-lake/latest/userguide/subscriber-query-examples2.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from ...records.shapes import ocsf
from ..source import SourceError
from .column_types import Type, has
from .condition import quoted
from .record_fields import COLUMNS, record_of

_OCSF_COLUMNS = (
    "metadata", "time", "time_dt", "cloud", "region", "api", "actor", "http_request", "src_endpoint", "resources",
    "unmapped", "class_uid",
)  # fmt: skip
_CLOUDTRAIL_NEEDS = ("useridentity", "eventtime", "eventsource", "eventname", "eventid")
_OCSF_NEEDS = ("metadata", "api", "actor", "class_uid")
_COLUMNS_NAMED = 8


class Table(Struct, frozen=True):
    """A table as its catalog describes it: its name in SQL, the types of its columns, and which of them are partitions.

    `day_format`: how its day column writes a day, as `strftime` has it, where that is known.
    """

    sql_name: str
    columns: dict[str, Type]
    day_format: str | None = None
    injected: frozenset[str] = field(default_factory=frozenset)
    """Columns of which a query must give the values: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-dynamic-id-partitioning.html."""


class Fields(Struct, frozen=True):
    """Where a table's rows have what a search looks for: SQL expressions, or None where the table hasn't it."""

    arn: str
    principal_id: str
    issuer_arn: str
    issuer_id: str | None
    access_key_id: str
    source_identity: str | None
    event_name: str
    event_source: str
    event_id: str
    event_time: str
    timestamp: str | None
    aws_region: str | None
    account_id: str | None
    request: str
    response: str
    additional: str


class Form(Struct, frozen=True):
    """A form of tables: the columns to ask for, what of them a search looks at, and how a row becomes a record."""

    columns: tuple[str, ...]
    fields: Fields
    record_of: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    lacks: tuple[str, ...] = ()


def form_of(table: Table) -> Form:
    """Return the form that a table's columns tell. Raises SourceError where they are no records of calls."""
    if all(has(table.columns, each) for each in _CLOUDTRAIL_NEEDS):
        return _cloudtrail(table)
    if all(has(table.columns, each) for each in _OCSF_NEEDS):
        return _ocsf(table)
    named = ", ".join(list(table.columns)[:_COLUMNS_NAMED])
    raise SourceError(
        f"{table.sql_name} holds no CloudTrail records: it has neither {', '.join(_CLOUDTRAIL_NEEDS)} nor Security "
        f"Lake's columns, but {named or 'none'}; modules/athena makes such a table"
    )


def _cloudtrail(table: Table) -> Form:
    if not has(table.columns, "useridentity", "arn"):
        raise SourceError(
            f"{table.sql_name} has its useridentity as a text, not as a struct with arn, principalid and accesskeyid; modules/athena "
            "makes a table that can be asked"
        )

    def expression(*path: str) -> str | None:
        return quoted(*path) if has(table.columns, *path) else None

    identity, session = "useridentity", ("useridentity", "sessioncontext")
    nothing = "CAST(NULL AS varchar)"
    recipient, caller = expression("recipientaccountid"), expression(identity, "accountid")
    columns = tuple(each for each in COLUMNS if has(table.columns, each))
    fields = Fields(
        arn=quoted(identity, "arn"),
        principal_id=expression(identity, "principalid") or nothing,
        issuer_arn=expression(*session, "sessionissuer", "arn") or nothing,
        issuer_id=expression(*session, "sessionissuer", "principalid"),
        access_key_id=expression(identity, "accesskeyid") or nothing,
        source_identity=expression(*session, "sourceidentity"),
        event_name=quoted("eventname"),
        event_source=quoted("eventsource"),
        event_id=quoted("eventid"),
        event_time=quoted("eventtime"),
        timestamp=None,
        aws_region=expression("awsregion"),
        account_id=f"coalesce({recipient}, {caller})" if recipient and caller else recipient or caller,
        request=expression("requestparameters") or nothing,
        response=expression("responseelements") or nothing,
        additional=expression("additionaleventdata") or nothing,
    )
    lacks = [".".join(each) for each in _TELLING_STRUCTS if not has(table.columns, *each)]
    return Form(columns, fields, record_of, (*lacks, *(each for each in _TELLING if each not in columns)))


_TELLING_STRUCTS = (("useridentity", "sessioncontext", "sourceidentity"), ("useridentity", "onbehalfof", "userid"))
_TELLING = ("vpcendpointid", "eventcategory", "requestid", "recipientaccountid")
"""Columns that some tables lack, and of which an answer tells."""


def _ocsf(table: Table) -> Form:
    def expression(*path: str) -> str | None:
        return quoted(*path) if has(table.columns, *path) else None

    # The release candidates had the ARN as `uuid`, see records/shapes/ocsf.py.
    user, is_old = ("actor", "user"), has(table.columns, "actor", "user", "uuid")
    nothing = "CAST(NULL AS varchar)"
    is_map = str(table.columns.get("unmapped")).startswith("map")
    unmapped = f"json_format(CAST({quoted('unmapped')} AS JSON))" if has(table.columns, "unmapped") else "''"
    identity = "userIdentity.sessionContext.sourceIdentity"

    def of(side: str) -> str:
        said = expression("api", side, "data")
        return f"concat(coalesce({said}, ''), coalesce({unmapped}, ''))" if said else unmapped

    time = expression("time_dt")
    fields = Fields(
        arn=expression(*user, "uuid" if is_old else "uid") or nothing,
        principal_id=expression(*user, "uid" if is_old else "uid_alt") or nothing,
        issuer_arn=expression("actor", "session", "issuer") or nothing,
        issuer_id=None,
        access_key_id=expression(*user, "credential_uid") or nothing,
        source_identity=f"element_at({quoted('unmapped')}, '{identity}')" if is_map else None,
        event_name=quoted("api", "operation"),
        event_source=quoted("api", "service", "name"),
        event_id=quoted("metadata", "uid"),
        event_time=(
            f"to_iso8601(date_trunc('second', {time}))"
            if time
            else f"to_iso8601(from_unixtime({quoted('time')} / 1000))"
        ),
        timestamp=time,
        aws_region=expression("cloud", "region") or expression("region"),
        account_id=expression("cloud", "account", "uid"),
        request=of("request"),
        response=of("response"),
        additional=unmapped,
    )
    return Form(tuple(each for each in _OCSF_COLUMNS if each in table.columns), fields, ocsf.record_of)
