"""The kinds of sources, recognised by the form of a name. A new kind is a file in this folder and a row here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import groupby

from msgspec import Struct

from ..limits import Limits
from ..progress import Progress
from .read_once import is_read_once
from .source import LogFile, Opened, Source, SourceError


class _Kind(Struct, frozen=True):
    """One kind: which names are of it, and the class, in a module that is loaded when it is needed."""

    name: str
    is_named: Callable[[str], bool]
    class_name: str

    def load(self) -> type[Source]:
        found: type[Source] = getattr(import_module(f".{self.name}", __package__), self.class_name)
        return found


# The first whose form fits. A name with "cloudtrail" in front that is no file is meant for the event history.
_KINDS = (
    _Kind("s3", lambda name: name.startswith("s3://") or name.rstrip("/") == "s3:", "Bucket"),
    _Kind("event_history", lambda name: _begins_without_file(name, "cloudtrail"), "EventHistory"),
    _Kind("engines.athena", lambda name: name.startswith("athena:"), "Athena"),
    _Kind("engines.trino", lambda name: name.startswith("trino:"), "Trino"),
    _Kind("read_once", is_read_once, "ReadOnce"),
    _Kind("folder", lambda name: True, "Folder"),
)


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
    kinds = {kind.name: kind for kind in _KINDS}
    for kind, group in groupby(files, key=lambda file: file.kind):
        yield from kinds[kind].load().opened(list(group), limits)


def _source(name: str, limits: Limits, *, again: bool, progress: Progress | None) -> Source:
    kind = next(kind for kind in _KINDS if kind.is_named(name))
    if kind is _KINDS[-1] and (":/" in name or name.startswith(("s3:", "arn:"))) and not os.path.exists(name):
        raise SourceError(
            f"{name} is no source: give a file, a folder, -, s3://BUCKET/PREFIX, cloudtrail:, athena://… or trino://… (see which-notebook summary --help)"
        )
    return kind.load()(name, limits, again=again, progress=progress)


def _begins_without_file(name: str, start: str) -> bool:
    return name == f"{start}:" or (name.startswith(start) and not os.path.exists(name))
