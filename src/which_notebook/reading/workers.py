"""Worker processes that read log files and send back what they find, part by part.

A worker that is ahead waits until its last part was taken, so memory stays bounded however much there is to read.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ..calls.search import Search
from ..progress import Progress
from ..records.extract import Extract, decode_extract, encode
from ..sources.source import LogFile
from .options import Options
from .parts import Part, read_file_parts

_BATCH_BYTES = 4 * 1024 * 1024
# What is sent ahead has to fit into the pipe, or both sides would wait for each other.
_BATCH_NAMES = 16 * 1024
_BATCHES_AHEAD = 2


class _Sent(Struct, array_like=True):
    """A part as it comes from a worker, in which the file is known by its place in the batch."""

    place: int
    extract: bytes
    is_last: bool


_decode_sent = msgspec.msgpack.Decoder(_Sent).decode
_decode_batch = msgspec.msgpack.Decoder(list[LogFile]).decode


class Workers:
    """Some processes that read files; after `close` none of them is left."""

    def __init__(self, options: Options, search: Search) -> None:
        context: ForkContext | SpawnContext = (
            multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
        )
        # A progress bar can't be handed to another process, and isn't a worker's to show.
        options = replace(options, progress=Progress())
        self._search, self._options = search, options
        self._processes: dict[Connection, BaseProcess] = {}
        with _interrupts_held():
            for _ in range(options.jobs):
                ours, theirs = context.Pipe()
                others = [*self._processes, ours]
                process = context.Process(target=_work, args=(theirs, others, search, options), daemon=True)
                process.start()
                theirs.close()
                self._processes[ours] = process

    def read(self, files: Iterable[LogFile]) -> Iterator[Part]:
        """Yield what the workers find, in the order in which it comes."""
        batches = _batches(files, self._options.limits.batch_files)
        waiting: dict[Connection, deque[list[LogFile]]] = {connection: deque() for connection in self._processes}
        done = dict.fromkeys(waiting, 0)  # files of the first batch
        for _ in range(_BATCHES_AHEAD):
            for connection, ahead in waiting.items():
                self._send(connection, ahead, batches)
        while any(waiting.values()):
            ready = wait([connection for connection, ahead in waiting.items() if ahead])
            for connection in [each for each in waiting if each in ready]:
                ahead = waiting[connection]
                try:
                    sent = _decode_sent(connection.recv_bytes())
                except (EOFError, OSError):  # at its end, within a part, or with a batch that it didn't take
                    yield from self._lost(ahead, done[connection])
                    continue
                file = ahead[0][sent.place]
                yield Part(file, decode_extract(sent.extract), sent.is_last, sent.extract)
                done[connection] += sent.is_last
                if done[connection] == len(ahead[0]):
                    done[connection] = 0
                    ahead.popleft()
                    self._send(connection, ahead, batches)
        # Something is left only where all workers have ended.
        for batch in batches:
            yield from read_file_parts(batch, self._search, self._options)

    @staticmethod
    def _lost(ahead: deque[list[LogFile]], done: int) -> Iterator[Part]:
        """Name what a worker that ended by itself left unread."""
        for file in islice(chain.from_iterable(ahead), done, None):
            yield Part(file, Extract(0, [], ["the process that read it ended (out of memory?)"]), True)
        ahead.clear()

    @staticmethod
    def _send(connection: Connection, ahead: deque[list[LogFile]], batches: Iterator[list[LogFile]]) -> None:
        if batch := next(batches, None):
            ahead.append(batch)
            # Where the process has ended, receiving says so.
            with suppress(OSError):
                connection.send_bytes(encode(batch))

    def close(self) -> None:
        """End the processes."""
        for connection, process in self._processes.items():
            connection.close()
            process.terminate()
        for process in self._processes.values():
            process.join()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: each is to ignore it, and to be known here, before it comes."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, others: list[Connection], search: Search, options: Options) -> None:
    # Ctrl-C reaches the whole group; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in others:
        each.close()
    try:
        while True:
            batch = _decode_batch(connection.recv_bytes())
            place = 0
            for part in read_file_parts(batch, search, options):
                connection.send_bytes(encode(_Sent(place, encode(part.extract), part.is_last)))
                place += part.is_last
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _batches(files: Iterable[LogFile], at_most: int) -> Iterator[list[LogFile]]:
    batch: list[LogFile] = []
    size = names = 0
    for file in files:
        batch.append(file)
        size += file.size or 0
        names += len(file.name)
        if len(batch) == at_most or size >= _BATCH_BYTES or names >= _BATCH_NAMES:
            yield batch
            batch, size, names = [], 0, 0
    if batch:
        yield batch
