"""Log files on this machine: a file, or all in a folder that hold records."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ..calls.scope import Scope
from ..errors import reason_of
from ..limits import Limits
from .coverage import Coverage
from .log_paths import holds_calls, is_log_by_name, may_answer
from .read_once import open_local
from .source import LogFile, Opened, Source

KIND = "folder"


class Folder(Source):
    """A folder, or one file."""

    def files(self, scope: Scope, coverage: Coverage) -> Iterator[LogFile]:
        """Yield a file as it is, of a folder all that may answer the question, in a fixed order.

        In a folder, a name with another ending is a log's too, if records stand at its beginning.
        """
        try:
            info = os.stat(self.name)
        except OSError as error:
            coverage.skip(self.name, reason_of(error))
            return
        if stat.S_ISDIR(info.st_mode):
            yield from _files_below(self.name, scope, coverage, self.limits)
        else:
            yield _log_file(os.path.abspath(self.name), info)

    @staticmethod
    def opened(files: list[LogFile], limits: Limits) -> Iterator[Opened]:
        """Yield each with its content."""
        for file in files:
            yield open_local(file, limits)


def _files_below(source: str, scope: Scope, coverage: Coverage, limits: Limits) -> Iterator[LogFile]:
    seen = False
    top = os.path.abspath(source)
    for folder, entries in _walk(top, coverage):
        # What the folders above the given one are called is its owner's business.
        if not holds_calls(f"{folder}/"[len(top) :]):
            continue
        is_asked_for = may_answer(f"{folder}/", scope)
        has_logs = False
        for entry in entries:
            if not holds_calls(entry.name):
                continue
            if not is_asked_for:
                has_logs |= is_log_by_name(entry.path)
                continue
            try:
                # A pipe in a folder would be waited for without end.
                if not stat.S_ISREG((info := entry.stat()).st_mode):
                    coverage.leave_out(entry.path, "no regular file")
                    continue
                if not is_log_by_name(entry.path) and (reason := _why_no_log(entry.path, limits)):
                    coverage.leave_out(entry.path, reason)
                    continue
                has_logs = True
                yield _log_file(entry.path, info)
            except OSError as error:
                if is_log_by_name(entry.path):
                    seen = True
                    coverage.skip(entry.path, reason_of(error))
                else:
                    coverage.leave_out(entry.path, reason_of(error))
        if has_logs:
            seen = True
            coverage.see(f"{folder}/")
    if not seen:
        coverage.skip(source, "no log files in this folder")


def _why_no_log(path: str, limits: Limits) -> str | None:
    from .heads import why_no_log

    with open(path, "rb") as file:
        return why_no_log(file, limits)


def _walk(source: str, coverage: Coverage) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Yield each folder with what is in it and is no folder."""
    pending = [source]
    # Links are followed, and may lead round in a circle.
    seen = set()
    while pending:
        folder = pending.pop()
        try:
            this = os.stat(folder)
            if (this.st_dev, this.st_ino) in seen:
                continue
            seen.add((this.st_dev, this.st_ino))
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            coverage.skip(folder, reason_of(error))
            continue
        files = []
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link that leads nowhere
                is_folder = False
            if is_folder:
                pending.append(entry.path)
            else:
                files.append(entry)
        yield folder, files[::-1]


def _log_file(path: str, info: os.stat_result) -> LogFile:
    if not stat.S_ISREG(info.st_mode):
        return LogFile(KIND, path)  # a pipe, such as the shell's <(…)
    if not _is_utf8(path):
        return LogFile(KIND, path, info.st_size)  # neither the cache nor another process can be told such a name
    version = f"{info.st_size}-{info.st_mtime_ns}-{info.st_ctime_ns}-{info.st_ino}"
    return LogFile(KIND, path, info.st_size, version)


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
