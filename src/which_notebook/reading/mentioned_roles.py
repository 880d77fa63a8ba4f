"""The roles that log files mention: suggestions for whoever asked for a role that isn't there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ..limits import Limits
from ..records.decompress import DamagedFileError, careful_pieces
from ..sources.registry import opened
from ..sources.source import LogFile

_NAME = re.compile(rb"assumed-role\\?/([\w+=,.@-]{1,64})(?=[/\"\\])")
_LONGEST = 80
_NAMES_AT_MOST = 10_000
_BYTES_AT_MOST = 1024**3
_SHOWN = 5


def nearest_roles(role_name: str, files: Iterable[LogFile], limits: Limits) -> list[str]:
    """Return the names of roles with sessions in the files that are most like this one; others where none is.

    Only the first gigabyte is looked at. Files that can be read once only are left alone.
    """
    names = sorted(_mentioned(files, limits))
    by_lower = {name.lower(): name for name in names}
    if same := by_lower.get(role_name.lower()):
        return [same]
    close = get_close_matches(role_name.lower(), by_lower, n=_SHOWN)
    return [by_lower[name] for name in close] or names[:_SHOWN]


def _mentioned(files: Iterable[LogFile], limits: Limits) -> set[str]:
    names: set[str] = set()
    size = 0
    for _, content in opened([file for file in files if file.version is not None], limits):
        if isinstance(content, OSError):
            continue
        end = b""
        try:
            with content:
                for piece in careful_pieces(content):
                    names.update(found.decode() for found in _NAME.findall(end + piece))
                    end = piece[-_LONGEST:]
                    size += len(piece)
                    if size > _BYTES_AT_MOST or len(names) > _NAMES_AT_MOST:
                        return names
        except (OSError, DamagedFileError):
            continue
    return names
