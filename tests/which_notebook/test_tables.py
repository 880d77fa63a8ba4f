"""The document says of statuses and warnings what the command's own tables say: WRITE_TABLES=1 writes it there."""

from __future__ import annotations

import pytest
from document_table import WRITE, Table
from workspace import CHECKOUT

from which_notebook.judging.evidence.kinds import KINDS
from which_notebook.judging.statuses import STATUSES
from which_notebook.judging.warning_kinds import WARNING_KINDS


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        ("status", {f"`{each.name}`": (each.meaning,) for each in STATUSES}),
        ("warning", {f"`{each.name}`": (each.meaning,) for each in WARNING_KINDS}),
        ("evidence", {f"`{each.name}`": (each.meaning, each.forged) for each in KINDS}),
    ],
    ids=["statuses", "warnings", "evidence"],
)
def test_the_document_has_the_commands_own_words(heading: str, rows: dict[str, tuple[str, ...]]) -> None:
    table = Table(CHECKOUT / "docs/which-notebook.md", heading)
    if WRITE:
        table.write(rows)
    assert table.documented() == rows
