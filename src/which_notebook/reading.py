"""Reads log files: what is remembered from the cache, the rest here or in worker processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .cache import Cache
from .log_file import LogFile
from .progress import Progress
from .record import Call
from .wanted import Wanted
from .workers import Part, Workers, decode_found, read_file_parts

_LISTED_AT_ONCE = 50_000
_REMEMBERED_PARTS = 20
# Below this, starting processes takes longer than they save.
_WORTH_WORKERS_BYTES = 8 * 1024 * 1024


@dataclass
class Reading:
    """How to read, and what is known of it afterwards.

    `jobs`: processes that read; `cut`: see `scan`; `cache`: where the cache stands, or None. `files`, `size` (bytes when
    decompressed), `skipped` (what couldn't be read, with the reason) and `notes` tell of all that was read. `shown_names`:
    what temporary files stand for.
    """

    jobs: int = 1
    cut: bool = True
    cache: Path | None = None
    progress: Progress = field(default_factory=Progress)
    files: int = 0
    size: int = 0
    skipped: dict[tuple[str, str], None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shown_names: dict[str, str] = field(default_factory=dict)

    def skip(self, name: str, reason: str) -> None:
        """Take down that a source, or a part of it, couldn't be read; the same only once."""
        self.skipped[self.shown_names.get(name, name), reason] = None

    def calls(self, files: Iterable[LogFile], wanted: Wanted) -> Iterator[Call]:
        """Yield the wanted calls of the files, in no particular order, and as often as they stand there."""
        cache = Cache(self.cache, wanted.digest)
        listed = iter(files)
        workers: Workers | None = None
        expected_files = expected_size = 0
        try:
            # By name, since sources may overlap.
            while listing := list({file.name: file for file in islice(listed, _LISTED_AT_ONCE)}.values()):
                expected_files += len(listing)
                expected_size += sum(file.size or 0 for file in listing)
                self.progress.expect(expected_files, expected_size, final=len(listing) < _LISTED_AT_ONCE // 2)
                unread = []
                for file in listing:
                    if (parts := cache.get(file)) is None:
                        unread.append(file)
                    else:
                        yield from self._remembered(file, parts)
                if workers is None and self.jobs > 1 and sum(file.size or 0 for file in unread) > _WORTH_WORKERS_BYTES:
                    workers = Workers(self.jobs, wanted, cut=self.cut)
                # What can be read only once is this process's: a pipe, standard input.
                here = unread if workers is None else [file for file in unread if file.version is None]
                yield from self._read(read_file_parts(here, wanted, cut=self.cut), cache)
                if workers:
                    yield from self._read(workers.read(file for file in unread if file.version is not None), cache)
        finally:
            if workers:
                workers.close()
            cache.close()
            if cache.trouble and cache.trouble not in self.notes:
                self.notes.append(cache.trouble)

    def _remembered(self, file: LogFile, parts: list[bytes]) -> Iterator[Call]:
        for part in parts:
            found = decode_found(part)
            self.size += found.size
            yield from found.calls
        self._count(file)

    def _read(self, parts: Iterable[Part], cache: Cache) -> Iterator[Call]:
        read: defaultdict[str, list[bytes]] = defaultdict(list)
        too_large: set[str] = set()
        for part in parts:
            found = decode_found(part.found)
            self.size += found.size
            for problem in found.problems:
                self.skip(part.file.name, problem)
            known = read[part.file.name]
            known.append(part.found)
            if len(known) > _REMEMBERED_PARTS:
                known.clear()
                too_large.add(part.file.name)
            if part.is_last:
                self._count(part.file)
                del read[part.file.name]
                if not found.problems and part.file.name not in too_large:
                    cache.put(part.file, known)
            yield from found.calls

    def _count(self, file: LogFile) -> None:
        self.files += 1
        self.progress.add(1, file.size or 0)
