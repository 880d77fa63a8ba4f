"""Calls as columns, so that many can be filtered and counted at once.

Encoded, a column is its different texts and their numbers; only those that are asked for are decoded, and equal texts
are then one object, which makes counting them cheap.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any, Literal, Self

import msgspec
from msgspec import Struct

from .call import LIKELY_FIELDS, Call, Opening
from .clues import Clues

# What a judgement gives a call; the rest stands in the log.
JUDGED = ("status", "notebook", "via", "notebook_role_arn", "user_profile", "likely")
_SPARSE = ("opening", "record", "clues")
_LOGGED = tuple(name for name in Call.__struct_fields__ if name not in (*JUDGED, *_SPARSE))
_OF_LIKELY = dict(zip(LIKELY_FIELDS, (attrgetter("notebook"), attrgetter("kinds_text")), strict=True))
_TEXTS_OF_THEIR_OWN = ("event_id", "event_time")
# Of the numbers in a column, in bytes, with array's code for them.
_WIDTHS: dict[int, Literal["B", "H", "I"]] = {1: "B", 2: "H", 4: "I"}


class _Column(Struct, array_like=True):
    texts: list[str | tuple[str, ...] | None]
    numbers: bytes  # of the texts, row by row; empty where each row has a text of its own


class _Encoded(Struct, array_like=True):
    length: int
    columns: dict[str, msgspec.Raw]
    openings: dict[int, Opening]
    records: dict[int, bytes]
    clues: dict[int, Clues]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Encoded).decode
_decode_column = msgspec.msgpack.Decoder(_Column).decode


class CallTable:
    """Some calls, in the order of time.

    `openings` has what the AssumeRole calls opened, by row; `records` the records, and `clues` the clues, where they are kept.
    """

    def __init__(
        self,
        length: int,
        columns: dict[str, list[Any]],
        openings: dict[int, Opening],
        records: dict[int, bytes],
        clues: dict[int, Clues],
    ) -> None:
        self.openings = openings
        self.records = records
        self.clues = clues
        self._length = length
        self._columns = columns
        # Columns that nobody asked for yet come from one of these.
        self._calls: Sequence[Call] = ()
        self._encoded: dict[str, msgspec.Raw] = {}
        self._selected_from: tuple[CallTable, Sequence[object]] | None = None

    def __len__(self) -> int:
        return self._length

    @classmethod
    def of(cls, calls: Sequence[Call]) -> Self:
        """Return the calls as columns."""
        openings = {row: call.opening for row, call in enumerate(calls) if call.opening is not None}
        records = {row: call.record for row, call in enumerate(calls) if call.record is not None}
        clues = {row: call.clues for row, call in enumerate(calls) if call.clues is not None}
        table = cls(len(calls), {}, openings, records, clues)
        table._calls = calls
        return table

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """Return what `encode` made; raises msgspec.DecodeError where it is something else."""
        decoded = _decode(encoded)
        table = cls(decoded.length, {}, decoded.openings, decoded.records, decoded.clues)
        table._encoded = decoded.columns
        return table

    def encode(self) -> bytes:
        """Return the table as bytes, without what a judgement gave."""
        columns = {}
        for name in _LOGGED:
            column = self[name]
            if name in _TEXTS_OF_THEIR_OWN:
                encoded = _Column(column, b"")
            else:
                numbers = {text: number for number, text in enumerate(dict.fromkeys(column))}
                width = next(width for width in _WIDTHS if len(numbers) <= 256**width)
                encoded = _Column(list(numbers), array(_WIDTHS[width], map(numbers.__getitem__, column)).tobytes())
            columns[name] = msgspec.Raw(_encode(encoded))
        return _encode(_Encoded(self._length, columns, self.openings, self.records, self.clues))

    def __getitem__(self, name: str) -> list[Any]:
        """Return a column, by the name of the call's field."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._new_column(name)
        return column

    def _new_column(self, name: str) -> list[Any]:
        if name in _OF_LIKELY:
            return [likely and _OF_LIKELY[name](likely) for likely in self["likely"]]
        if self._selected_from:
            table, chosen = self._selected_from
            return list(compress(table[name], chosen))
        if name in JUDGED:
            return [None] * self._length
        if name not in self._encoded:
            return list(map(attrgetter(name), self._calls))
        column = _decode_column(self._encoded[name])
        if not column.numbers:
            return column.texts
        width = len(column.numbers) // self._length
        return list(map(column.texts.__getitem__, memoryview(column.numbers).cast(_WIDTHS[width])))

    def __setitem__(self, name: str, column: list[Any]) -> None:
        """Put a column in the place of another."""
        self._columns[name] = column

    def rows(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield some columns' texts, row by row."""
        return zip(*(self[name] for name in names), strict=True)

    def selected(self, chosen: Sequence[object]) -> CallTable:
        """Return the rows whose place in `chosen` is true."""
        if all(chosen):
            return self
        rows = list(compress(range(self._length), chosen))
        # Few rows have these.
        openings = {bisect_left(rows, row): opening for row, opening in self.openings.items() if chosen[row]}
        records = {bisect_left(rows, row): record for row, record in self.records.items() if chosen[row]}
        clues = {bisect_left(rows, row): clue for row, clue in self.clues.items() if chosen[row]}
        selected = CallTable(len(rows), {}, openings, records, clues)
        selected._selected_from = self, chosen
        return selected

    def name_roles(self, role_arns: Mapping[str, str]) -> None:
        """Give a call whose record has only its role's unique id the role's ARN, where that is known, or Lake Formation says it."""
        ids, governed = self["role_id"], self["lake_formation_role"]
        if not role_arns.keys().isdisjoint(ids) or any(governed):
            self["role_arn"] = [
                arn or role_arns.get(role_id) or of_lake
                for arn, role_id, of_lake in zip(self["role_arn"], ids, governed, strict=True)
            ]

    def calls(self) -> Iterator[Call]:
        """Yield the calls one by one."""
        fields = (*_LOGGED, *JUDGED)
        for row, texts in enumerate(self.rows(fields)):
            call = Call(**dict(zip(fields, texts, strict=True)))
            call.opening = self.openings.get(row)
            call.record = self.records.get(row)
            call.clues = self.clues.get(row)
            yield call
