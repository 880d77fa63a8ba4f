"""The kinds of sources, recognised by the form of a name. A new kind is a file in this folder and a row here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from ..limits import Limits
from ..progress import Progress
from .read_once import is_read_once
from .source import LogFile, Opened, Source, SourceError


class Kind(Struct, frozen=True):
    """One kind: which names are of it, and the class, in a module that is loaded when it is needed.

    `name` is the module's, in this folder. `form` and `help` are for people: how such a name is written, and what the source is.
    """

    name: str
    class_name: str
    is_named: Callable[[str], bool]
    form: str
    help: str

    def load(self) -> type[Source]:
        """Return the kind's class."""
        loaded: type[Source] = getattr(import_module(f".{self.name}", __package__), self.class_name)
        return loaded


KINDS = (
    Kind("folder", "Folder", lambda name: True, "a file, a folder", "of a folder, all files in it that hold records"),
    Kind("read_once", "ReadOnce", is_read_once, "-", "standard input"),
    Kind(
        "s3",
        "Bucket",
        lambda name: name.startswith("s3://") or name.rstrip("/") == "s3:",
        "s3://BUCKET/PREFIX",
        "a bucket, a folder in it, or one object",
    ),
    Kind(
        "event_history",
        "EventHistory",
        # A name with this in front that is no file is meant for it.
        lambda name: name == "cloudtrail:" or (name.startswith("cloudtrail") and not os.path.exists(name)),
        "cloudtrail:",
        "the account's event history: 90 days, management events only",
    ),
    Kind(
        "engines.athena",
        "Athena",
        lambda name: name.startswith("athena:"),
        "athena://WORKGROUP/DATABASE/TABLE",
        "a table that Athena is asked for",
    ),
    Kind(
        "engines.trino",
        "Trino",
        lambda name: name.startswith("trino:"),
        "trino://HOST:PORT/CATALOG/SCHEMA/TABLE",
        "a table that Trino is asked for",
    ),
)
"""In the order in which people are told of them. A name is of the last kind that it fits."""


@contextmanager
def opened_sources(
    names: Iterable[str], limits: Limits, *, again: bool = False, progress: Progress | None = None
) -> Iterator[Sequence[Source]]:
    """Provide the sources with these names while the block runs; `again` says that they will be read several times.

    Raises SourceError where a name can't be meant, or something that it needs isn't installed.
    """
    sources = [_source(name, limits, again=again, progress=progress) for name in dict.fromkeys(names)]
    try:
        yield sources
    finally:
        for source in sources:
            source.close()


def opened(files: Iterable[LogFile], limits: Limits) -> Iterator[Opened]:
    """Yield each file, in order, with its content, or with the reason why it can't be had."""
    kinds = {kind.name: kind for kind in KINDS}
    for kind, group in groupby(files, key=attrgetter("kind")):
        yield from kinds[kind].load().opened(list(group), limits)


def _source(name: str, limits: Limits, *, again: bool, progress: Progress | None) -> Source:
    kind = next(kind for kind in reversed(KINDS) if kind.is_named(name))
    if kind is KINDS[0] and (":/" in name or name.startswith(("s3:", "arn:"))) and not os.path.exists(name):
        *forms, last = (each.form for each in KINDS)
        raise SourceError(f"{name} is no source: give {', '.join(forms)} or {last} (see which-notebook summary --help)")
    return kind.load()(name, limits, again=again, progress=progress)
