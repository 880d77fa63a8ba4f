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


# Before an argument that begins as an option does and is none: nobody can give it on a command line.
_NO_OPTION = "\0"


class CommandParser(MainParser):
    """Takes options between what has none, as in `summary logs/ --role ROLE more-logs/`. Behind `--` nothing is an option."""

    _is_mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what was asked, and what isn't taken. argparse asks its own method for the options, then for the rest."""
        if self._is_mixing:
            return super().parse_known_args(args, namespace)
        end = args.index("--") if "--" in args else len(args)
        marked = [*args[:end], *(_NO_OPTION * each.startswith("-") + each for each in args[end + 1 :])]
        self._is_mixing = True
        try:
            options, unknown = self.parse_known_intermixed_args(marked, namespace)
        finally:
            self._is_mixing = False
        for name, value in vars(options).items():
            setattr(options, name, _unmarked(value))
        return options, _unmarked(unknown)


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_unmarked, value))
    return value.removeprefix(_NO_OPTION) if isinstance(value, str) else value
