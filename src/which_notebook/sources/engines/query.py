"""Makes a query from a search. The query picks every record that the search means.

It may pick others, too: `Search.matches` drops them.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ...calls.call import BASE_SESSION, OPENS_SESSIONS
from ...calls.scope import Scope
from ...calls.search import OF_AN_INTERFACE, Search
from .condition import Condition, all_of, any_of, holds, is_one_of, like, literal, pattern, quoted
from .partitions import limits_of
from .tables import Fields, Form, Table

KEYS_AT_ONCE = 5_000
"""A query may have 262,144 bytes on Athena: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html."""

_STS = "sts.amazonaws.com"
_EC2 = "ec2.amazonaws.com"
_GLOBAL_CHARACTERS = "=+"  # which some writers of JSON escape


class Query(Struct, frozen=True):
    """A query, and whether it reads only a part of the table."""

    condition: Condition
    columns: tuple[str, ...]
    table: str
    is_limited: bool

    @property
    def statement(self) -> Condition:
        """The whole query: a row is one text, a JSON list of the columns' values."""
        values = ", ".join(f"CAST({quoted(each)} AS JSON)" for each in self.columns)
        select = f"SELECT json_format(CAST(ARRAY[{values}] AS JSON)) AS record"
        return Condition(f"{select}\nFROM {self.table}\nWHERE {self.condition.text}", self.condition.parameters)


def queries(table: Table, form: Form, search: Search, scope: Scope) -> Iterator[Query]:
    """Yield the queries that give all that is searched for: one, but for many access keys or source identities."""
    limits, is_limited = limits_of(table, form, scope)
    for part in _parts(search):
        condition = all_of([*limits, _picks(part, form.fields)])
        yield Query(condition, form.columns, table.sql_name, is_limited)


def _parts(search: Search) -> Iterator[Search]:
    keys, identities = _some(search.access_keys), _some(search.source_identities)
    yield replace(search, access_keys=next(keys), source_identities=next(identities))
    for more in keys:
        yield Search(access_keys=more)
    for more in identities:
        yield Search(source_identities=more)


def _some(values: frozenset[str]) -> Iterator[frozenset[str]]:
    """Yield values that go into one query; the first ones in any case."""
    ordered = sorted(values)
    for start in range(0, max(len(ordered), 1), KEYS_AT_ONCE):
        yield frozenset(ordered[start : start + KEYS_AT_ONCE])


def _picks(search: Search, fields: Fields) -> Condition:
    """Return a condition that every record meets which `Search.matches` takes; the order is that method's."""
    picked = [*_of_roles(search, fields), *_openings(search, fields)]
    if search.event_id is not None:
        picked.append(is_one_of(fields.event_id, [search.event_id]))
    if search.base_sessions:
        picked.append(like(fields.arn, "", f"/{pattern(BASE_SESSION)}"))
        picked.append(like(fields.principal_id, "", f":{pattern(BASE_SESSION)}"))
    if search.with_clues:
        # A text that escapes letters may say anything.
        descriptions = [holds(fields.response, OF_AN_INTERFACE.decode()), holds(fields.response, "\\u")]
        made = all_of([_is(fields.event_name, "CreateNetworkInterface"), any_of(descriptions)])
        ended = _is(fields.event_name, "DeleteNetworkInterface")
        picked.append(all_of([_is(fields.event_source, _EC2), any_of([made, ended])]))
    if search.access_keys:
        picked.append(is_one_of(fields.access_key_id, sorted(search.access_keys)))
    if search.source_identities and fields.source_identity:
        picked.append(is_one_of(fields.source_identity, sorted(search.source_identities)))
    return any_of(picked or [Condition("false")])


def _of_roles(search: Search, fields: Fields) -> Iterator[Condition]:
    for role in search.role_names:
        # The session's ARN, or where its issuer has another name, that.
        yield like(fields.arn, "", f":assumed-role/{pattern(role, wildcards=True)}", "")
        yield like(fields.issuer_arn, "", f"/{pattern(role, wildcards=True)}")
        yield all_of([_is(fields.event_name, "GetDataAccess"), like(fields.additional, "", _loose(role), "")])
    nameless = Condition(f"coalesce({fields.arn}, '') = ''")
    if search.role_names and not search.role_ids:
        yield all_of([nameless, like(fields.principal_id, "AROA", ":", "")])
    for role_id in search.role_ids:
        yield all_of([nameless, like(fields.principal_id, f"{pattern(role_id)}:", "")])
    if search.role_ids and not search.role_names:
        yield any_of(like(fields.principal_id, f"{pattern(role_id)}:", "") for role_id in search.role_ids)
        if fields.issuer_id:
            yield is_one_of(fields.issuer_id, search.role_ids)


def _openings(search: Search, fields: Fields) -> Iterator[Condition]:
    """Yield the conditions for calls that open sessions."""
    conditions = [like(fields.request, "", _loose(role), "") for role in search.role_names]
    conditions += [holds(fields.response, key) for key in sorted(search.opened_keys)]
    if conditions:
        # A text that escapes letters may say anything.
        conditions += [holds(fields.request, "\\u"), holds(fields.response, "\\u")]
    if search.chains:
        of_a_session = [like(fields.arn, "", ":assumed-role/", ""), like(fields.principal_id, "AROA", ":", "")]
        conditions.append(all_of([any_of(of_a_session), Condition(f"{fields.response} IS NOT NULL")]))
    if conditions:
        yield all_of(
            [
                any_of(_is(fields.event_name, name) for name in OPENS_SESSIONS),
                _is(fields.event_source, _STS),
                any_of(conditions),
            ]
        )


def _loose(role: str) -> str:
    """Return a role's name as a part of a pattern for JSON's text."""
    loose = pattern(role, wildcards=True)
    for each in _GLOBAL_CHARACTERS:
        loose = loose.replace(each, "%")
    return loose


def _is(column: str, value: str) -> Condition:
    return Condition(f"{column} = {literal(value)}")
