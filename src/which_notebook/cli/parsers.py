"""argparse's parsers, as this command wants them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from ..errors import UsageError


class MainParser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on. An option's name is written in full: a new one may begin as it does."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(allow_abbrev=False, **arguments)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (see {self.prog} --help)")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]
        """Return what was asked. Raises UsageError for whatever isn't taken."""
        options: argparse.Namespace
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # argparse's own would name the help that says nothing of a command's options.
            raise UsageError(f"unrecognized arguments: {' '.join(unknown)} (see {self.prog} {options.command} --help)")
        return options


class CommandParser(MainParser):
    """Takes options between what has none, as in `summary logs/ --role ROLE more-logs/`."""

    _is_mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what was asked, and what isn't taken. argparse asks its own method for the options, then for the rest."""
        if self._is_mixing:
            return super().parse_known_args(args, namespace)
        self._is_mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False
