"""What is said to the person at the command line, on standard error."""

from __future__ import annotations

import sys
from itertools import islice

from ..answers.safe_text import printable
from ..sources.coverage import Coverage

_SKIPPED_NAMED = 20


def say(text: str) -> None:
    """Tell the person at the command line something."""
    print(f"which-notebook: {printable(text)}", file=sys.stderr)


def say_unread(coverage: Coverage) -> None:
    """Say which files were left out, and what couldn't be read."""
    for (ending, reason), files in sorted(coverage.left_out.items()):
        say(f"left out {files:,} file{'' if files == 1 else 's'} ({ending}): {reason}")
    for file, reason in islice(coverage.skipped, _SKIPPED_NAMED):
        say(f"could not read {file}: {reason}")
    if (more := len(coverage.skipped) - _SKIPPED_NAMED) > 0:
        say(f"and {more:,} more that could not be read; summary --format json names all")
