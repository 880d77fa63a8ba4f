"""The calls as columns: each text stands once, a row is a number; what grows with the calls waits in temporary files."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from ...calls.spool import temporary_file
from ...limits import Limits
from ..safe_text import joined, printable
from .embedded import embedded

# What a text that is looked up takes in memory besides. Beyond the limit a text may stand twice; the page puts that right.
_BYTES_BESIDES = 150
_TIME_LENGTH = len("2026-03-01T09:30:00Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OTHER_ID = bytes(12)


class Spool:
    """Bytes to be read once they are all there; in memory while they are few."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._file: BinaryIO | None = None

    def add(self, data: bytes) -> None:
        """Append bytes."""
        self._held += data
        if len(self._held) > self._limits.column_bytes:
            if self._file is None:
                self._file = temporary_file()
            self._file.write(self._held)
            self._held.clear()

    def read(self) -> Iterator[bytes]:
        """Yield all bytes; every part but the last is a multiple of three long."""
        rest = b""
        if self._file is not None:
            self._file.seek(0)
            while part := self._file.read(self._limits.column_read_bytes):
                part = rest + part
                whole = len(part) - len(part) % 3
                yield part[:whole]
                rest = part[whole:]
        yield rest + bytes(self._held)

    def close(self) -> None:
        """Forget the bytes."""
        self._held.clear()
        if self._file is not None:
            self._file.close()


class Column:
    """One field of all calls; put out as a JSON object of `texts`, a list, and `rows`, numbers as bytes in base64."""

    def __init__(self, limits: Limits) -> None:
        self.rows = Spool(limits)
        self.texts = Spool(limits)
        self._texts_count = 0

    def add(self, values: Iterable[Any]) -> None:
        """Append some calls' values."""
        self.rows.add(b"".join(map(self._row, values)))

    def _row(self, value: Any) -> bytes:
        """Return a call's row."""
        raise NotImplementedError

    def json(self) -> Iterator[bytes]:
        """Yield the column as JSON, in parts."""
        yield b'{"texts":['
        yield from self.texts.read()
        yield b'],"rows":"'
        yield from map(b64encode, self.rows.read())
        yield b'"}'

    def close(self) -> None:
        """Remove the temporary files."""
        self.rows.close()
        self.texts.close()

    def _new_text(self, text: str) -> int:
        """Append a text; return its number, the first one's being 1."""
        self.texts.add((b"," if self._texts_count else b"") + embedded(printable(text)))
        self._texts_count += 1
        return self._texts_count


_MISSING: dict[str | tuple[str, ...] | None, bytes] = {None: b"\0", (): b"\0"}


class Texts(Column):
    """A field that few texts fill, or that is missing: a row is the text's number, or 0."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._at_most = limits.column_texts_bytes
        self._known = _MISSING.copy()
        self._remembered = 0

    def _row(self, value: str | tuple[str, ...] | None) -> bytes:
        row = self._known.get(value)
        if row is None:
            text = joined(value)
            self._remembered += len(text) + _BYTES_BESIDES
            if self._remembered > self._at_most:
                self._known, self._remembered = _MISSING.copy(), 0
            row = self._known[value] = number_bytes(self._new_text(text))
        return row


class Numbers(Column):
    """A small number of each call."""

    def _row(self, value: int) -> bytes:
        return number_bytes(value)


class Times(Column):
    """Times in their order: a row is the seconds since the one before, the first one's since the year 1.

    `texts` holds, in turn, a row's number and the text of a time that isn't written as CloudTrail writes it.
    """

    _START = datetime.fromisoformat("0001-01-01T00:00:00Z")

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._number = self._seconds = 0
        self._text = ""

    def _row(self, value: str) -> bytes:
        self._number += 1
        if value == self._text:
            return b"\0"
        try:
            seconds = int((datetime.fromisoformat(value) - self._START).total_seconds())
        except (ValueError, TypeError):
            seconds = -1  # such as a 30th of February
        row = number_bytes(max(0, seconds - self._seconds))
        if seconds < self._seconds or len(value) != _TIME_LENGTH:
            self._new_text(str(self._number - 1))
            self._new_text(value)
        else:
            self._text = value
        self._seconds = max(seconds, self._seconds)
        return row


class EventIds(Column):
    """Event ids, all different: a row is a UUID's 16 bytes. Any other text is 12 zeros and the text's number."""

    def _row(self, value: str) -> bytes:
        if _UUID.fullmatch(value):
            row = bytes.fromhex(value.replace("-", ""))
            if not row.startswith(_OTHER_ID):
                return row
        return _OTHER_ID + self._new_text(value).to_bytes(4, "big")


def number_bytes(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; all but the last have the top bit set (LEB128)."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)
