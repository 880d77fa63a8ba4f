"""Reads content as the command reads a file."""

from __future__ import annotations

import io
from typing import Any

from records import ROLE

from which_notebook.calls.search import Search
from which_notebook.limits import LIMITS
from which_notebook.records.scan import scan

WANTED = Search(role_names=(ROLE,), with_resources=True)


def calls_in(data: bytes, wanted: Search = WANTED) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the calls, as far as they are put out, and the problems."""
    parts = list(scan(io.BytesIO(data), wanted, LIMITS))
    found = [
        {
            name: getattr(call, name)
            for name in call.__struct_fields__
            if name not in ("record", "role_id", "named_role", "named_in_studio")
        }
        for part in parts
        for call in part.calls
    ]
    return found, [problem for part in parts for problem in part.problems]
