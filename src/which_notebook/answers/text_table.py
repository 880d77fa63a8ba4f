"""Tables as people read them: columns as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

# A key may have 1,024 letters, and an error's text more: one such cell makes no column wider than this.
_WIDEST = 100


def cut(cell: str) -> str:
    """Return a cell that isn't wider than a table's widest; what is cut off is in the other formats."""
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


def widths_of(rows: Iterable[Sequence[str]]) -> list[int]:
    """Return how wide each column of some rows is."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def row_text(cells: Sequence[str], widths: Sequence[int], *, numbers: Collection[int] = ()) -> str:
    """Return a row's line, with two spaces between columns; in the columns of these `numbers` cells stand to the right."""
    padded = (
        cell.rjust(width) if at in numbers else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded)
