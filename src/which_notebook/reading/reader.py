"""Reads log files: what is remembered comes from the cache, the rest is read here or in worker processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice

from msgspec import Struct, field

from ..calls.order import in_order
from ..calls.search import Wanted
from ..calls.table import CallTable
from ..calls.twins import without_twins
from ..records.cloudtrail import Call
from ..sources.coverage import Coverage
from ..sources.source import LogFile
from .cache import Answer, Cache
from .progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Part
    from .workers import Workers

_LISTED_AT_ONCE = 50_000
_REMEMBERED_PARTS = 20
_REMEMBERED_ANSWER_BYTES = 16 * 1024 * 1024
# Below this, starting processes takes longer than they save.
_WORTH_WORKERS_BYTES = 8 * 1024 * 1024


class Reading(Struct):
    """How to read, and what is known of it afterwards.

    `jobs`: processes that read; `cut`: see `scan`; `cache`: where the cache stands, or None. `files`, `size` (bytes when
    decompressed), `skipped` (what couldn't be read, with the reason; `skips`: how often that was found) and `notes` tell of
    all that was read, and `coverage` of what there is. `role_arns`: the roles' ARNs by their unique ids, as far as they are
    known. `shown_names`: what temporary files stand for.
    """

    jobs: int = 1
    cut: bool = True
    cache: str | None = None
    progress: Progress = field(default_factory=Progress)
    files: int = 0
    size: int = 0
    skipped: dict[tuple[str, str], None] = field(default_factory=dict)
    skips: int = 0
    notes: dict[str, None] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    role_arns: dict[str, str] = field(default_factory=dict)
    shown_names: dict[str, str] = field(default_factory=dict)

    def skip(self, name: str, reason: str) -> None:
        """Take down that a source, or a part of it, couldn't be read; the same only once."""
        self.skipped[self.shown_names.get(name, name), reason] = None
        self.skips += 1

    def note(self, text: str) -> None:
        """Take down what the reader of the answer should know; the same only once."""
        self.notes[text] = None

    def tables(
        self, files: Iterable[LogFile], wanted: Wanted, others: Iterable[list[Call]] = ()
    ) -> Iterator[CallTable]:
        """Yield the wanted calls of the files, and other calls, in order, each once.

        Where no file has changed since the same was asked for, all comes from the cache as it is.
        """
        listed = iter(files)
        # By name, since sources may overlap.
        first = {file.name: file for file in islice(listed, _LISTED_AT_ONCE)}.values()
        with closing(Cache(self.cache, wanted)) as cache:
            others = iter(others)
            some = next(others, None)
            name = cache.answer_name(first) if some is None and len(first) < _LISTED_AT_ONCE else None
            if name and (answer := cache.get_answer(name)):
                self.files += answer.files
                self.size += answer.size
                self.role_arns.update(answer.role_arns)
                for table in map(CallTable.decode, answer.tables):
                    table.name_roles(self.role_arns)
                    yield table
                return
            before = (self.files, self.size, self.skips)
            batches = chain([some or []], others, self._batches(first, listed, wanted, cache))
            remembered: list[bytes] = []
            for calls in without_twins(in_order(map(self._learned, batches))):
                table = CallTable.of(calls)
                if name:
                    remembered.append(table.encode())
                    if sum(map(len, remembered)) > _REMEMBERED_ANSWER_BYTES:
                        name = None
                        remembered.clear()
                table.name_roles(self.role_arns)
                yield table
            if name and self.skips == before[2]:
                cache.put_answer(
                    name, Answer(self.files - before[0], self.size - before[1], remembered, self.role_arns)
                )
        if cache.trouble:
            self.note(cache.trouble)

    def _batches(
        self, first: Collection[LogFile], rest: Iterator[LogFile], wanted: Wanted, cache: Cache
    ) -> Iterator[list[Call]]:
        workers: Workers | None = None
        expected_files = expected_size = 0
        listing = first
        try:
            while listing:
                expected_files += len(listing)
                expected_size += sum(file.size or 0 for file in listing)
                self.progress.expect(expected_files, expected_size, final=len(listing) < _LISTED_AT_ONCE)
                unread = []
                for file in listing:
                    if (parts := cache.get(file)) is None:
                        unread.append(file)
                    else:
                        yield from self._remembered(file, parts)
                if unread:
                    from .parts import read_file_parts

                    size = sum(file.size or 0 for file in unread)
                    if workers is None and self.jobs > 1 and size > _WORTH_WORKERS_BYTES:
                        from .workers import Workers

                        workers = Workers(self.jobs, wanted, cut=self.cut)
                    # What can be read only once is this process's: a pipe, standard input.
                    here = unread if workers is None else [file for file in unread if file.version is None]
                    yield from self._read(read_file_parts(here, wanted, cut=self.cut), cache)
                    if workers:
                        yield from self._read(workers.read(file for file in unread if file.version is not None), cache)
                listing = list(islice(rest, _LISTED_AT_ONCE))
        finally:
            if workers:
                workers.close()

    def _remembered(self, file: LogFile, parts: list[bytes]) -> Iterator[list[Call]]:
        from .parts import decode_found

        for part in parts:
            found = decode_found(part)
            self.size += found.size
            yield found.calls
        self._count(file)

    def _read(self, parts: Iterable[Part], cache: Cache) -> Iterator[list[Call]]:
        from .parts import encode

        read: defaultdict[str, list[bytes]] = defaultdict(list)
        for part in parts:
            name, found = part.file.name, part.found
            self.size += found.size
            for problem in found.problems:
                self.skip(name, problem)
            if cache.is_open and len(read[name]) <= _REMEMBERED_PARTS:
                read[name].append(part.encoded or encode(found))
            if part.is_last:
                self._count(part.file)
                known = read.pop(name, [])
                if not found.problems and 0 < len(known) <= _REMEMBERED_PARTS:
                    cache.put(part.file, known)
            yield found.calls

    def _learned(self, calls: list[Call]) -> list[Call]:
        """Return the calls; of all that are read, these come before the first table."""
        self.role_arns.update({call.role_id: call.role_arn for call in calls if call.role_arn and call.role_id})
        return calls

    def _count(self, file: LogFile) -> None:
        self.files += 1
        self.progress.add(1, file.size or 0)
