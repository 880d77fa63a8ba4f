"""A table of Trino's: `trino://HOST:PORT/CATALOG/SCHEMA/TABLE`, asked through the package `trino`.

User and password come from where Trino's own clients take them, never from the command line: TRINO_USER, TRINO_PASSWORD
or TRINO_ACCESS_TOKEN in the environment, or ~/.netrc. https://trino.io/docs/current/client/client-protocol.html
"""

from __future__ import annotations

import getpass
import ipaddress
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from ... import __version__
from ...calls.scope import Scope
from ...errors import MissingPackageError, ServiceError
from ...limits import Limits
from ...progress import Progress
from ..coverage import Coverage
from ..source import SourceError
from .column_types import type_of
from .condition import Condition, all_of, is_one_of, quoted
from .engine import Engine, parts_of
from .partitions import ACCOUNT_COLUMNS, day_column, format_of_value
from .query import Query
from .tables import Table

_FORM = "trino://HOST:PORT/CATALOG/SCHEMA/TABLE"
_TLS_PORT = 443
_ROWS_AT_ONCE = 500
_SECONDS = 30.0
_USER, _PASSWORD, _TOKEN, _SCHEME = "TRINO_USER", "TRINO_PASSWORD", "TRINO_ACCESS_TOKEN", "TRINO_HTTP_SCHEME"

# https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/StandardErrorCode.java
_WAYS_OUT = {
    "TABLE_NOT_FOUND": "look at the name: SHOW TABLES lists those that there are",
    "SCHEMA_NOT_FOUND": "look at the name: SHOW SCHEMAS lists those that there are",
    "CATALOG_NOT_FOUND": "look at the name: SHOW CATALOGS lists those that there are",
    "PERMISSION_DENIED": "the user needs SELECT on the table",
    "EXCEEDED_TIME_LIMIT": "ask for less: --since, --account, --region",
    "EXCEEDED_SCAN_LIMIT": "ask for less: --since, --account, --region",
    "EXCEEDED_MEMORY_LIMIT": "ask for less: --since, --account, --region",
    "EXCEEDED_GLOBAL_MEMORY_LIMIT": "ask for less: --since, --account, --region",
    "EXCEEDED_LOCAL_MEMORY_LIMIT": "ask for less: --since, --account, --region",
    "QUERY_TEXT_TOO_LARGE": "raise query.max-length, or ask for less",
    "CLUSTER_OUT_OF_MEMORY": "ask for less, or later",
    "QUERY_QUEUE_FULL": "ask again later",
    "HIVE_BAD_DATA": "a file can't be read as the table says; the table's SerDe and location are to be looked at",
    "HIVE_UNSUPPORTED_FORMAT": "Trino has not AWS's own input format for CloudTrail; docs/athena.md has a table that it reads",
}  # fmt: skip


class Trino(Engine):
    """A table or view. TLS, but for an address of this machine, or where TRINO_HTTP_SCHEME says http; then without a secret."""

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        super().__init__(name, limits, again=again, progress=progress)
        address, *path = parts_of(name, _FORM)
        if "@" in address:
            raise SourceError(f"a source's name takes no user or password: set {_USER}, and {_PASSWORD} or {_TOKEN}")
        self._host, _, port = address.rpartition(":")
        if not self._host or not port.isdecimal():
            raise SourceError(f"{name} is no source: write {_FORM}")
        self._port, self._catalog, self._schema = int(port), path[0], path[1]
        self._table_name = quoted(*path)

    def described(self, scope: Scope) -> Table:
        """Ask for the table's columns, and how its day column writes a day."""
        columns = {str(row[0]): type_of(str(row[1])) for row in self._run(Condition(f"DESCRIBE {self._table_name}"))}
        table = Table(self._table_name, columns)
        day = day_column(table)
        if day is None or columns[day] == "date" or not (scope.since or scope.until):
            return table
        # A projection's day can't be asked for otherwise; where accounts are injected, one has to be named.
        account = next((each for each in ACCOUNT_COLUMNS if each in columns), None)
        accounts = scope.accounts or scope.service_accounts
        within = [is_one_of(quoted(account), accounts[:1])] if account and accounts else []
        where = all_of([Condition(f"{quoted(day)} IS NOT NULL"), *within])
        seen = Condition(f"SELECT {quoted(day)} FROM {self._table_name} WHERE {where.text} LIMIT 1", where.parameters)  # noqa: S608
        value = next((row[0] for row in self._run(seen)), None)
        return Table(self._table_name, columns, format_of_value(value))

    def rows(self, query: Query, coverage: Coverage) -> Generator[str, None, None]:
        """Run the query; its rows come as Trino finds them."""
        for row in self._run(query.statement):
            yield str(row[0])

    def _run(self, statement: Condition) -> Iterator[list[Any]]:
        with _named_errors():
            cursor = self._connection.cursor(stats_callback=self._show)
            try:
                cursor.execute(statement.text, statement.parameters or None)
                while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                    yield from rows
            finally:
                # Also where it was interrupted: what nobody waits for is ended; what ended it says more than a failure of this.
                with suppress(Exception):
                    cursor.cancel()

    def _show(self, stats: dict[str, Any]) -> None:
        done, of = stats.get("completedSplits", 0), stats.get("totalSplits", 0)
        self.progress.state(
            f"Trino: {str(stats.get('state', '')).lower()}, {done:,} of {of:,} parts, "
            f"{stats.get('processedBytes', 0):,} bytes read"
        )

    @cached_property
    def _connection(self) -> Any:
        from trino import auth, dbapi

        user = os.environ.get(_USER) or getpass.getuser()
        password, token = os.environ.get(_PASSWORD), os.environ.get(_TOKEN)
        scheme = os.environ.get(_SCHEME) or ("http" if _is_here(self._host) and self._port != _TLS_PORT else "https")
        if scheme not in ("http", "https"):
            raise SourceError(f"{_SCHEME} is {scheme!r}: http and https are taken")
        if (password or token) and scheme == "http":
            raise SourceError(
                f"{self.name} is asked without TLS, so neither {_PASSWORD} nor {_TOKEN} is sent there: set {_SCHEME}=https"
            )
        known = (
            auth.JWTAuthentication(token) if token else auth.BasicAuthentication(user, password) if password else None
        )
        connect: Any = dbapi.connect
        return connect(
            host=self._host,
            port=self._port,
            user=user,
            catalog=self._catalog,
            schema=self._schema,
            http_scheme=scheme,
            auth=known,
            source=f"which-notebook/{__version__}",
            http_session=_session(scheme),
            request_timeout=_SECONDS,
            timezone="UTC",
        )

    def close(self) -> None:
        """End the connection."""
        if "_connection" in self.__dict__:
            self._connection.close()


def _session(scheme: str) -> Any:
    """Return the session of requests; without TLS it sends no secret that ~/.netrc has, either."""
    import requests

    session = requests.Session()
    session.trust_env = scheme == "https"
    return session


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        import requests
        from trino import exceptions
    except ImportError:
        raise MissingPackageError("trino:// needs the package trino: pip install trino") from None

    try:
        yield
    except exceptions.TrinoQueryError as error:
        raise ServiceError(_reason(str(error.error_name), str(error.message))) from None
    except exceptions.HttpError as error:
        message = str(error)
        if "401" in message or "403" in message:
            message = (
                f"Trino doesn't accept who asks ({message}): set {_USER}, and {_PASSWORD} or {_TOKEN}, or ~/.netrc"
            )
        raise ServiceError(message) from None
    except (exceptions.Error, requests.RequestException) as error:
        raise ServiceError(f"Trino can't be asked ({error})") from None


def _reason(code: str, message: str) -> str:
    if "Injected projected partition column" in message or "Column projection" in message:
        return f"the table takes one account a question: give --account ({code}: {message})"
    way_out = _WAYS_OUT.get(code)
    return f"{code}: {message}" + (f"; {way_out}" if way_out else "")
