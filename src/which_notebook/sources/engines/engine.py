"""What all engines share: a search becomes queries, and their rows become calls."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

import msgspec

from ...calls.call import Call
from ...calls.scope import Scope
from ...calls.search import Search
from ...errors import reason_of
from ...limits import Limits
from ...progress import Progress
from ...records.cloudtrail import RecordError, call_of
from ...records.extract import Extract
from ..coverage import Coverage
from ..source import Source, SourceError
from .query import Query, queries
from .tables import Form, Table, form_of

_decode = msgspec.json.Decoder(list[object]).decode
_encode = msgspec.json.encode


class Engine(Source):
    """A table of an engine's. What an engine does of its own: `described` and `rows`."""

    def __init__(self, name: str, limits: Limits, *, again: bool = False, progress: Progress | None = None) -> None:
        super().__init__(name, limits, again=again, progress=progress)
        self._known: Table | None = None

    def described(self, scope: Scope) -> Table:
        """Return the table, as its catalog says. Raises OSError where it can't be asked, SourceError where there is none."""
        raise NotImplementedError

    def rows(self, query: Query, coverage: Coverage) -> Generator[str, None, None]:
        """Run a query, and yield its rows, in bounded memory. Raises OSError where it fails."""
        raise NotImplementedError

    def queries(self, search: Search, scope: Scope) -> Iterator[str]:
        """Yield the statements by which a search would be asked, with their values."""
        table, form = self._table(scope)
        for query in queries(table, form, search, scope):
            yield query.statement.with_values

    def calls(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[Extract]:
        """Yield the matching calls, in parts of bounded size."""
        try:
            table, form = self._table(scope)
            if form.lacks:
                coverage.note(f"{self.name} has no {', '.join(form.lacks)}: what an answer tells of these is missing")
            for query in queries(table, form, search, scope):
                with closing(self.rows(query, coverage)) as rows:
                    for extract in _extracts(rows, form, search, self.limits):
                        for problem in extract.problems:
                            coverage.skip(self.name, problem)
                        yield extract
        except OSError as error:
            coverage.skip(self.name, reason_of(error))

    def _table(self, scope: Scope) -> tuple[Table, Form]:
        if self._known is None:
            self._known = self.described(scope)
        return self._known, form_of(self._known)


def parts_of(name: str, form: str) -> list[str]:
    """Split a source's name as `form` says. Raises SourceError where it doesn't fit."""
    rest = name.partition("://")[2]
    parts = rest.split("/")
    if len(parts) != len(form.split("/")) - 2 or not all(parts):
        raise SourceError(f"{name} is no source: write {form}")
    return parts


def _extracts(rows: Iterator[str], form: Form, search: Search, limits: Limits) -> Iterator[Extract]:
    extract = Extract(0, [], [])
    for row in rows:
        extract.size += len(row)
        try:
            call = _call(row, form, search)
        except RecordError as error:
            extract.problems.append(str(error))
        else:
            if call is not None and search.matches(call):
                extract.calls.append(call)
        if len(extract.calls) >= limits.found_calls or extract.size >= limits.parsed_bytes:
            yield extract
            extract = Extract(0, [], [])
    yield extract


def _call(row: str, form: Form, search: Search) -> Call | None:
    try:
        values = _decode(row)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RecordError(f"a row that is no JSON ({error})") from None
    record = form.record_of(dict(zip(form.columns, values, strict=True)))
    if record is None:
        return None
    return call_of(
        _encode(record),
        keep_record=search.keeps_record,
        with_resources=search.with_resources,
        with_clues=search.with_clues,
    )
