"""The roles that log files mention: suggestions for whoever asked for a role that isn't there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ..limits import Limits
from ..records.decompress import DamagedFileError
from ..records.packing import contents
from ..sources.registry import opened
from ..sources.source import LogFile

_NAME = re.compile(rb"assumed-role\\?/([\w+=,.@-]{1,64})(?=[/\"\\])")
_LONGEST = 80
_NAMES_AT_MOST = 10_000
_BYTES_AT_MOST = 1024**3
_SHOWN = 5


def roles_named_there(files: Iterable[LogFile], limits: Limits, role_name: str = "") -> str | None:
    """Return a sentence with the names of roles with sessions in the files, those most like this one first; None without any.

    Only the first gigabyte is looked at. Files that can be read once only are left alone.
    """
    names = _nearest(role_name, sorted(_mentioned(files, limits)))
    if names == [role_name]:
        return f"{role_name} is in these logs, but no call of it counts"
    return f"Roles in these logs: {', '.join(names)}" if names else None


def _nearest(role_name: str, names: list[str]) -> list[str]:
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
                for piece in (piece for _, pieces in contents(content, limits) for piece in pieces):
                    names.update(found.decode() for found in _NAME.findall(end + piece))
                    end = piece[-_LONGEST:]
                    size += len(piece)
                    if size > _BYTES_AT_MOST or len(names) > _NAMES_AT_MOST:
                        return names
        except (OSError, DamagedFileError):
            continue
    return names
