"""Reads sources: from the cache what is remembered, the rest here or in worker processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice

from ..calls.call import Call
from ..calls.order import in_order, in_whole_seconds
from ..calls.scope import Scope
from ..calls.search import Search
from ..calls.table import CallTable
from ..calls.twins import Twins
from ..records.extract import Extract, decode_extract, encode
from ..sources.coverage import Coverage
from ..sources.source import LogFile, Source
from .cache import Cache, RememberedAnswer
from .options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Part
    from .workers import Workers


class Reader:
    """Reads some sources, once or several times.

    `role_arns`: the roles' ARNs by their unique ids, as far as they are known; each reading may tell more of them.
    """

    def __init__(self, sources: Sequence[Source], options: Options, role_arns: Mapping[str, str] | None = None) -> None:
        self.options = options
        self.role_arns = dict(role_arns or {})
        self._sources = sources

    def calls(self, search: Search, scope: Scope, coverage: Coverage) -> Generator[Call, None, None]:
        """Yield what `tables` does, call by call."""
        for table in self.tables(search, scope, coverage):
            yield from table.calls()

    def tables(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[CallTable]:
        """Yield the matching calls of all sources in tables, in the order of time, each once.

        Read is what the scope allows. What that covered is added to `coverage` in the end.
        """
        covered = Coverage()
        try:
            yield from self._tables(search, scope, covered)
        finally:
            coverage.add(covered)

    def _tables(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[CallTable]:
        with closing(Cache(self.options.cache, search, self.options.limits)) as cache:
            yield from _Reading(self, search, coverage, cache).tables(
                self.files(scope, coverage), self._parts(search, scope, coverage), scope.accounts
            )
        if cache.trouble:
            coverage.note(cache.trouble)

    def files(self, scope: Scope, coverage: Coverage) -> Iterator[LogFile]:
        """Yield the files that the scope allows."""
        for source in self._sources:
            yield from source.files(scope, coverage)

    def roles_named_there(self, scope: Scope, role_name: str = "") -> str | None:
        """Return a sentence on the roles that the scope's files mention; see `mentioned_roles`."""
        from .mentioned_roles import roles_named_there

        return roles_named_there(self.files(scope, Coverage()), self.options.limits, role_name)

    def _parts(self, search: Search, scope: Scope, coverage: Coverage) -> Iterator[Extract]:
        for source in self._sources:
            yield from source.calls(search, scope, coverage)


class _Reading:
    """One reading for one search."""

    def __init__(self, reader: Reader, search: Search, coverage: Coverage, cache: Cache) -> None:
        self._role_arns = reader.role_arns
        self._options, self._limits, self._progress = reader.options, reader.options.limits, reader.options.progress
        self._search, self._coverage, self._cache = search, coverage, cache
        self._has_problems = False
        self._learned_arns: dict[str, str] = {}  # other readings know more, which isn't what these files give

    def tables(
        self, files: Iterator[LogFile], parts: Iterator[Extract], accounts: tuple[str, ...]
    ) -> Iterator[CallTable]:
        """Yield the calls of the files, and of the parts that come without one; `accounts` are those that are asked for.

        Where no file has changed since the same was asked for, all comes from the cache as it is.
        """
        # By name, since sources may overlap.
        first = {file.name: file for file in islice(files, self._limits.listed_files)}.values()
        part = next(parts, None)
        is_all = part is None and len(first) < self._limits.listed_files
        name = self._cache.answer_name(first, accounts) if is_all else None
        if name and (answer := self._cache.get_answer(name)):
            yield from self._remembered_answer(answer)
            return
        without_file = map(self._of_part, chain([part] if part else [], parts))
        batches = filter(None, chain(without_file, self._batches(first, files)))  # most files have none of the calls
        tables: list[bytes] = []
        twins = Twins(accounts)
        ordered = twins.left_out(in_order(map(twins.seen, map(self._learned, batches)), self._limits))
        for calls in in_whole_seconds(ordered, self._limits):
            table = CallTable.of(calls)
            if name:
                tables.append(table.encode())
                if sum(map(len, tables)) > self._limits.remembered_answer_bytes:
                    name = None
                    tables.clear()
            table.name_roles(self._role_arns)
            yield table
        if name and not self._has_problems:
            self._cache.put_answer(
                name, RememberedAnswer(self._coverage.files, self._coverage.size, tables, self._learned_arns)
            )

    def _remembered_answer(self, answer: RememberedAnswer) -> Iterator[CallTable]:
        self._coverage.files += answer.files
        self._coverage.size += answer.size
        self._learn(answer.role_arns.items())
        for table in map(CallTable.decode, answer.tables):
            table.name_roles(self._role_arns)
            yield table

    def _of_part(self, part: Extract) -> list[Call]:
        self._coverage.size += part.size
        self._progress.add(0, part.size)
        return part.calls

    def _batches(self, first: Collection[LogFile], rest: Iterator[LogFile]) -> Iterator[list[Call]]:
        workers: Workers | None = None
        expected_files = expected_size = 0
        listing = first
        try:
            while listing:
                expected_files += len(listing)
                expected_size += sum(file.size or 0 for file in listing)
                self._progress.expect(expected_files, expected_size, final=len(listing) < self._limits.listed_files)
                unread = []
                for file in listing:
                    if (parts := self._cache.get(file)) is None:
                        unread.append(file)
                    else:
                        yield from self._remembered(file, parts)
                if unread:
                    from .parts import read_file_parts

                    size = sum(file.size or 0 for file in unread)
                    if workers is None and self._options.jobs > 1 and size > self._limits.worth_workers_bytes:
                        from .workers import Workers

                        workers = Workers(self._options, self._search)
                    # What can be read only once is this process's: a pipe, standard input.
                    here = unread if workers is None else [file for file in unread if file.version is None]
                    yield from self._read(read_file_parts(here, self._search, self._options))
                    if workers:
                        yield from self._read(workers.read(file for file in unread if file.version is not None))
                listing = list(islice(rest, self._limits.listed_files))
        finally:
            if workers:
                workers.close()

    def _remembered(self, file: LogFile, parts: list[bytes]) -> Iterator[list[Call]]:
        for part in parts:
            extract = decode_extract(part)
            self._coverage.size += extract.size
            yield extract.calls
        self._count(file)

    def _read(self, parts: Iterable[Part]) -> Iterator[list[Call]]:
        read: defaultdict[str, list[bytes]] = defaultdict(list)
        for part in parts:
            name, extract = part.file.name, part.extract
            self._coverage.size += extract.size
            for problem in extract.problems:
                self._has_problems = True
                self._coverage.skip(part.file.shown_name or name, problem)
            if self._cache.is_open and len(read[name]) <= self._limits.remembered_parts:
                read[name].append(part.encoded or encode(extract))
            if part.is_last:
                self._count(part.file)
                encoded = read.pop(name, [])
                if not extract.problems and 0 < len(encoded) <= self._limits.remembered_parts:
                    self._cache.put(part.file, encoded)
            yield extract.calls

    def _learned(self, calls: list[Call]) -> list[Call]:
        """Return the calls; of all that are read, these come before the first table."""
        self._learn((call.role_id, call.role_arn) for call in calls)
        return calls

    def _learn(self, roles: Iterable[tuple[str | None, str | None]]) -> None:
        """Take in roles' unique ids and ARNs. Records that don't say who issued a session have a role's ARN without its path."""
        for role_id, arn in set(roles):
            if role_id and arn:
                for arns in (self._role_arns, self._learned_arns):
                    known = arns.get(role_id, arn)
                    arns[role_id] = max(known, arn, key=lambda each: (each.count("/"), each))

    def _count(self, file: LogFile) -> None:
        self._coverage.files += 1
        self._progress.add(1, file.size or 0)
