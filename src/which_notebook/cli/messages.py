"""Messages on standard error."""

from __future__ import annotations

import re
import sys
from itertools import islice

from ..answers.safe_text import printable
from ..sources.coverage import Coverage
from ..words import counted

_FILES_NAMED = 3
_DAMAGED = "damaged JSON, or none at all"


def say(text: str) -> None:
    """Print a message."""
    print(f"which-notebook: {printable(text)}", file=sys.stderr)


def say_coverage(coverage: Coverage) -> None:
    """Say what the reader of an answer should know of the reading: the notes, and what is missing."""
    for text in coverage.notes:
        say(text)
    say_unread(coverage)


def say_unread(coverage: Coverage) -> None:
    """Say which files were left out, and what couldn't be read."""
    for (ending, reason), files in sorted(coverage.left_out.items()):
        say(f"left out {counted(files, 'file')} ({ending}): {reason}")
    of_kinds: dict[str, dict[str, str]] = {}
    for file, reason in coverage.skipped:
        of_kinds.setdefault(_kind(reason), {}).setdefault(file, reason)
    for kind, files_of_kind in of_kinds.items():
        named = list(islice(files_of_kind.items(), _FILES_NAMED))
        if len(files_of_kind) == 1:
            ((file, reason),) = named
            say(f"could not read {file.removesuffix(':')}: {reason}")
        else:
            more = len(files_of_kind) - len(named)
            names = ", ".join(file for file, _ in named) + (f" and {more:,} more" if more else "")
            say(f"could not read {len(files_of_kind):,} files ({names}): {kind}")
    if len(coverage.skipped) > len(of_kinds):
        say("summary --format json has each of them, with its own reason")


def _kind(reason: str) -> str:
    """Return a reason without what is one file's alone: the place, the record, the names of keys."""
    if reason.startswith(("damaged JSON", "and ")) and not reason.endswith("unread"):
        return _DAMAGED
    return re.sub(r"^record [^:]*: |( but an object) with .*", r"\1", re.sub("[0-9][0-9,]*", "…", reason))
