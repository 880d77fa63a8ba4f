"""All of the sources of one question, as one stream of calls."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from msgspec.structs import replace

from ..calls.filter import Question
from ..calls.search import Wanted
from ..calls.table import CallTable
from ..reading.reader import Reading
from ..records.cloudtrail import Call
from . import folder as files
from .source import LogFile, SourceError

if TYPE_CHECKING:
    from .event_history import Kept

EVENT_HISTORY = "cloudtrail:"
STANDARD_INPUT = "-"


class Sources:
    """Where to read: files, folders, `s3://bucket/prefix`, `-`, or the account's event history (`cloudtrail:`).

    A context manager: what can be read only once (standard input, a pipe), or slowly (the event history), is kept in a
    temporary file meanwhile, if `again` says that the question needs several readings. Raises SourceError where a name can't be meant.
    """

    def __init__(self, names: Sequence[str], question: Question, reading: Reading, *, again: bool = False) -> None:
        for name in names:
            _check(name)
        self._names = tuple(dict.fromkeys(names))
        self._question = question
        self._reading = reading
        self._again = again
        self._copies: dict[str, IO[bytes]] = {}
        self._history: Kept | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for copy in self._copies.values():
            copy.close()
        if self._history:
            self._history.close()

    def tables(self, wanted: Wanted, question: Question | None = None) -> Iterator[CallTable]:
        """Yield the wanted calls of all sources in tables, in the order of time, each once.

        Read is what may answer the question: by default the one that these sources were opened for.
        """
        question = question or self._question
        history: Iterator[list[Call]] = iter(())
        if EVENT_HISTORY in self._names:
            from .event_history import Kept, history_calls

            if self._again and self._history is None:
                self._history = Kept()
            # It knows by itself where sessions are opened, and every region more takes its time.
            of_history = replace(question, regions=self._question.regions)
            found = history_calls(wanted, of_history, self._reading, self._history)
            history = ([call] for call in found)
        return self._reading.tables(self._log_files(question), wanted, history)

    def calls(self, wanted: Wanted, question: Question | None = None) -> Iterator[Call]:
        """Yield the same calls one by one."""
        for table in self.tables(wanted, question):
            yield from table.calls()

    def files(self) -> Iterator[LogFile]:
        """Yield the log files that may answer the question."""
        return self._log_files(self._question)

    def _log_files(self, question: Question) -> Iterator[LogFile]:
        for name in self._names:
            if name.startswith("s3://"):
                from .s3 import log_objects

                yield from log_objects(name, question, self._reading.skip, self._reading.coverage)
            elif self._again and (name == STANDARD_INPUT or _is_pipe(name)):
                yield self._copy(name)
            elif name == STANDARD_INPUT:
                yield LogFile(STANDARD_INPUT)
            elif name != EVENT_HISTORY:
                yield from files.log_files(name, question, self._reading.skip, self._reading.coverage)

    def _copy(self, name: str) -> LogFile:
        copy = self._copies.get(name)
        if copy is None:
            import shutil
            import tempfile

            copy = tempfile.NamedTemporaryFile(prefix="which-notebook-")  # noqa: SIM115 - __exit__() closes it
            self._copies[name] = copy
            with open(0 if name == STANDARD_INPUT else name, "rb", closefd=name != STANDARD_INPUT) as source:
                shutil.copyfileobj(source, copy)
            copy.flush()
            self._reading.shown_names[copy.name] = name
        return LogFile(copy.name, os.fstat(copy.fileno()).st_size)


def _check(name: str) -> None:
    if name == STANDARD_INPUT and sys.stdin.isatty():
        raise SourceError(
            "- means standard input, but that is the terminal: pipe a log into the command, or name a file"
        )
    if name.startswith("s3:") and not name.removeprefix("s3:").strip("/"):
        raise SourceError(f"{name} names no bucket: write s3://BUCKET or s3://BUCKET/PREFIX")
    if (":/" in name or name.startswith(("s3:", "arn:"))) and not name.startswith("s3://") and not os.path.exists(name):
        raise SourceError(
            f"{name} is no source: give a file, a folder, -, s3://BUCKET/PREFIX or cloudtrail: (see which-notebook summary --help)"
        )
    if name.startswith("cloudtrail") and name != EVENT_HISTORY and not os.path.exists(name):
        raise SourceError(f"{name} is no source: the account's event history is cloudtrail: (with the colon)")


def _is_pipe(name: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(name).st_mode)
    except OSError:
        return False
