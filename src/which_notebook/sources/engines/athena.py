"""A table of Athena's: `athena://WORKGROUP/DATABASE/TABLE`, in the configured region.

Its columns come from the Glue Data Catalog, its rows from the place where the workgroup has its results.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from ... import aws
from ...calls.scope import Scope
from ...errors import ServiceError
from ...limits import Limits
from ...progress import Progress
from ..coverage import Coverage
from .athena_errors import may_succeed_again, reason_of_failure, reason_of_message
from .athena_results import rows_of
from .athena_scan import in_words, size_below
from .column_types import type_of
from .condition import literal, quoted
from .engine import Engine, parts_of
from .partitions import day_column, format_of_java, format_of_value
from .query import Query
from .tables import Table

_FORM = "athena://WORKGROUP/DATABASE/TABLE"
# Others ask Athena too: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html.
_ATTEMPTS = 10
_TRIES = 3
_SECONDS_FIRST, _SECONDS_AT_MOST = 0.2, 2.0
_LONGEST_PARAMETER = 1024
_METHODS = {
    "StartQueryExecution": "start_query_execution",
    "GetQueryExecution": "get_query_execution",
    "StopQueryExecution": "stop_query_execution",
}
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class Athena(Engine):
    """A table or view. It needs what docs/athena.md lists: to run queries, to read catalog, logs and results, to write results."""

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        super().__init__(name, limits, again=again, progress=progress)
        self._workgroup, self._database, self._table_name = parts_of(name, _FORM)
        self._sql_name = quoted(self._database, self._table_name)
        self._location: str | None = None

    def described(self, scope: Scope) -> Table:
        """Ask Glue for the table."""
        glue = aws.client("glue", attempts=_ATTEMPTS)
        try:
            with aws.named_errors("glue:GetTable"):
                described = glue.get_table(DatabaseName=self._database, Name=self._table_name)["Table"]
        except ServiceError as error:
            raise ServiceError(reason_of_message(str(error.strerror))) from None
        storage, parameters = described.get("StorageDescriptor") or {}, described.get("Parameters") or {}
        self._location = storage.get("Location") or None
        keys = [each["Name"].lower() for each in described.get("PartitionKeys") or ()]
        columns = [*(storage.get("Columns") or ()), *(described.get("PartitionKeys") or ())]
        table = Table(
            self._sql_name,
            {each["Name"].lower(): type_of(each.get("Type") or "") for each in columns},
            injected=frozenset(each for each in keys if parameters.get(f"projection.{each}.type") == "injected"),
        )
        day = day_column(table)
        if day not in keys:
            return table
        if written := parameters.get(f"projection.{day}.format"):
            day_format = format_of_java(written)
        else:
            with aws.named_errors("glue:GetPartitions"):
                page = glue.get_partitions(DatabaseName=self._database, TableName=self._table_name, MaxResults=1)
            partitions = page.get("Partitions") or ()
            day_format = next((format_of_value(each["Values"][keys.index(day)]) for each in partitions), None)
        return Table(table.sql_name, table.columns, day_format, table.injected)

    def rows(self, query: Query, coverage: Coverage) -> Generator[str, None, None]:
        """Run the query, wait for it, and read its results; what nobody waits for any more is stopped."""
        if not query.is_limited:
            self._warn_of_the_whole()
        execution = self._executed(query)
        scanned = (execution.get("Statistics") or {}).get("DataScannedInBytes", 0)
        coverage.note(f"{self.name}: Athena scanned {in_words(scanned)}")
        yield from rows_of(execution)

    def _executed(self, query: Query) -> dict[str, Any]:
        for tries_left in reversed(range(_TRIES)):
            execution = self._ended(self._started(query))
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                return execution
            if not (tries_left and may_succeed_again(status)):
                raise ServiceError(reason_of_failure(status))
        raise AssertionError

    def _started(self, query: Query) -> str:
        statement = query.statement
        for value in statement.parameters:
            if len(literal(value)) > _LONGEST_PARAMETER:
                raise ServiceError(
                    f"{value[:40]}… is longer than Athena's parameters may be ({_LONGEST_PARAMETER:,} characters)"
                )
        # Athena takes each as SQL has it: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html.
        given = {"ExecutionParameters": list(map(literal, statement.parameters))} if statement.parameters else {}
        answer = self._asked(
            "StartQueryExecution",
            QueryString=statement.text,
            QueryExecutionContext={"Database": self._database},
            WorkGroup=self._workgroup,
            **given,
        )
        return str(answer["QueryExecutionId"])

    def _ended(self, identifier: str) -> dict[str, Any]:
        """Wait for a query; stop it where something ends the waiting, such as Ctrl-C."""
        state, seconds = "QUEUED", _SECONDS_FIRST
        try:
            while True:
                execution: dict[str, Any] = self._asked("GetQueryExecution", QueryExecutionId=identifier)[
                    "QueryExecution"
                ]
                state = execution["Status"]["State"]
                scanned = (execution.get("Statistics") or {}).get("DataScannedInBytes", 0)
                self.progress.state(f"Athena: {state.lower()}, {in_words(scanned)} scanned so far")
                if state in _ENDED:
                    return execution
                time.sleep(seconds)
                seconds = min(seconds * 1.5, _SECONDS_AT_MOST)
        finally:
            if state not in _ENDED:
                with suppress(OSError):  # what ended the waiting says more
                    self._asked("StopQueryExecution", QueryExecutionId=identifier)

    def _asked(self, operation: str, **parameters: Any) -> dict[str, Any]:
        client = aws.client("athena", attempts=_ATTEMPTS)
        try:
            with aws.named_errors(f"athena:{operation}"):
                answer: dict[str, Any] = getattr(client, _METHODS[operation])(**parameters)
        except ServiceError as error:
            raise ServiceError(reason_of_message(str(error.strerror))) from None
        return answer

    def _warn_of_the_whole(self) -> None:
        warning = f"{self.name}: no --since, --until, --account or --region limits what Athena reads, or the table has no partitions by them"
        if self._location:
            size, files, is_all = size_below(self._location)
            if size is not None:
                warning += f"; it may scan {'' if is_all else 'more than '}{in_words(size)} in {files:,} files{'' if is_all else ' and more'}"
        self.progress.warn(warning)
