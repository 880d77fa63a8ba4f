"""The calls as columns: each text stands once, a row is a number; what grows with the calls waits in temporary files."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from ...calls.spool import temporary_file
from ...limits import Limits
from ..safe_text import printable
from .embedded import embedded

# What a text that is looked up takes in memory besides. Beyond the limit a text may stand twice; the page puts that right.
_BYTES_BESIDES = 150
_TIME_LENGTH = len("2026-03-01T09:30:00Z")
_UUID_LENGTH = len("1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d")
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


class Texts(Column):
    """A field that few texts fill, or that is missing: a row is the text's number, or 0."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._at_most = limits.column_texts_bytes
        self._codes: dict[str | None, bytes] = {None: b"\0"}
        self._remembered = 0

    def add(self, text: str | None) -> None:
        """Append a call's text."""
        code = self._codes.get(text)
        if code is None:
            text = text or ""
            self._remembered += len(text) + _BYTES_BESIDES
            if self._remembered > self._at_most:
                self._codes, self._remembered = {None: b"\0"}, 0
            code = self._codes[text] = number_bytes(self._new_text(text))
        self.rows.add(code)


class Numbers(Column):
    """A small number of each call."""

    def add(self, number: int) -> None:
        """Append a call's number."""
        self.rows.add(number_bytes(number))


class Times(Column):
    """Times in their order: a row is the seconds since the one before, the first one's since the year 1.

    `texts` holds, in turn, a row's number and the text of a time that isn't written as CloudTrail writes it.
    """

    _START = datetime.fromisoformat("0001-01-01T00:00:00Z")

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._row = self._seconds = 0
        self._text, self._code = "", b"\0"

    def add(self, text: str) -> None:
        """Append a call's time."""
        if text == self._text:
            self.rows.add(self._code)
        else:
            try:
                seconds = int((datetime.fromisoformat(text) - self._START).total_seconds())
            except (ValueError, TypeError):
                seconds = -1  # such as a 30th of February
            self.rows.add(number_bytes(max(0, seconds - self._seconds)))
            if seconds < self._seconds or len(text) != _TIME_LENGTH:
                self._new_text(str(self._row))
                self._new_text(text)
            else:
                self._text, self._code = text, b"\0"
            self._seconds = max(seconds, self._seconds)
        self._row += 1


class EventIds(Column):
    """Event ids, all different: a row is a UUID's 16 bytes. Any other text is 12 zeros and the text's number."""

    def add(self, text: str) -> None:
        """Append a call's event id."""
        code = _uuid_bytes(text)
        if code is None:
            code = _OTHER_ID + self._new_text(text).to_bytes(4, "big")
        self.rows.add(code)


def _uuid_bytes(text: str) -> bytes | None:
    if len(text) != _UUID_LENGTH:
        return None
    try:
        code = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    is_plain = len(code) == 16 and not code.startswith(_OTHER_ID) and str(UUID(bytes=code)) == text
    return code if is_plain else None


def number_bytes(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; all but the last have the top bit set (LEB128)."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)
