"""The content of a log file, compressed or not, in pieces of bounded size.

Small gzip files go through libdeflate at once. Everything else, including whatever libdeflate refuses, goes through a
streaming decompressor, which gives what stands before the damage and says what the damage is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import chain
from types import ModuleType
from typing import BinaryIO

import deflate
import stringzilla
from isal import isal_zlib

GZIP = b"\x1f\x8b\x08"
_GZIP_TRAILER = 8
_READ_AT_ONCE = 16 * 1024 * 1024
_DECOMPRESSED_AT_ONCE = 32 * 1024 * 1024
_PIECE = 4 * 1024 * 1024
_SLICE = 64 * 1024
_SALVAGED_SLICE = 512


class DamagedFileError(Exception):
    """The content ends before the file does; the message says why."""


def pieces(file: BinaryIO, size: int | None = None) -> Iterator[bytes | bytearray]:
    """Yield the content: all of it in one piece where it is small, else in pieces of some megabytes.

    `size` is the file's, in bytes, where it is known, and need not be right. Raises DamagedFileError behind the last piece that can be had; OSError as the file does.
    """
    head = _read(file, _READ_AT_ONCE if size is None else min(size + 1, _READ_AT_ONCE))
    if not head:
        raise DamagedFileError("empty file")
    if not head.startswith(GZIP[:2]):
        yield head
        while piece := file.read(_PIECE):
            yield piece
        return
    if len(head) == _READ_AT_ONCE or _stated_size(head) > _DECOMPRESSED_AT_ONCE:
        rest = iter(lambda: file.read(_SLICE), b"")
        yield from _joined(_streamed(chain(_slices(head, _SLICE), rest), isal_zlib))
    elif (content := _at_once(head)) is not None:
        if not content:
            raise DamagedFileError("empty file, compressed")
        yield content
    else:
        # By small steps, so that little is lost where the damage is.
        yield from _joined(_streamed(_slices(head, _SALVAGED_SLICE), zlib))


def _read(file: BinaryIO, expected: int) -> bytes:
    """Read up to what is read at once; the expected size only spares memory."""
    data = file.read(expected)
    while len(data) < _READ_AT_ONCE and (more := file.read(min(_PIECE, _READ_AT_ONCE - len(data)))):
        data += more
    return data


def _at_once(data: bytes) -> bytearray | None:
    """Return the content of a gzip file of one member, or None where the slower way has to see to it."""
    if _may_have_members(data):
        return None
    try:
        content = deflate.gzip_decompress(data, _stated_size(data) or 1)
    except deflate.DeflateError:
        return None
    return content if len(content) == _stated_size(data) else None


def _may_have_members(data: bytes) -> bool:
    """Return whether a second member may begin somewhere, at the end of which libdeflate wouldn't arrive."""
    at = stringzilla.find(data, GZIP, 1)
    while 0 <= at < len(data) - 3:
        # The bytes may be there by chance; a header's reserved flags are 0: RFC 1952.
        if not data[at + 3] & 0b11100000:
            return True
        at = stringzilla.find(data, GZIP, at + 1)
    return False


def _stated_size(data: bytes) -> int:
    """Return what the trailer says of the content's size: of the last member's, modulo 4 GiB, and it may be wrong."""
    return int.from_bytes(data[-4:], "little")


def _streamed(slices: Iterator[bytes], zlib: ModuleType) -> Iterator[bytes]:
    """Yield the content of all members; what a slice holds before the damage in it is lost."""
    decompressor = zlib.decompressobj(wbits=31)
    yielded = False
    for given in slices:
        data = given
        while data:
            if decompressor.eof:
                # Padding behind the last member is zeros: https://www.gnu.org/software/gzip/manual/html_node/Tapes.html
                data = data.lstrip(b"\0")
                if not data:
                    break
                if not GZIP.startswith(data[:3]):
                    raise DamagedFileError("something that is no gzip follows the gzip data")
                decompressor = zlib.decompressobj(wbits=31)
            try:
                piece = decompressor.decompress(data, _PIECE)
            except zlib.error as error:
                raise DamagedFileError(_damage(str(error), yielded)) from None
            if piece:
                yielded = True
                yield piece
            data = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
    if not decompressor.eof:
        raise DamagedFileError("truncated gzip file")


def _joined(small: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same content in pieces of some megabytes: what begins in one may have to be read again with the next."""
    held: list[bytes] = []
    size = 0
    try:
        for piece in small:
            held.append(piece)
            size += len(piece)
            if size >= _PIECE:
                yield b"".join(held)
                held, size = [], 0
    except DamagedFileError:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def _slices(head: bytes, size: int) -> Iterator[bytes]:
    # The trailer by itself: a wrong one then costs none of the content.
    content = max(len(head) - _GZIP_TRAILER, 0)
    for at in range(0, content, size):
        yield head[at : min(at + size, content)]
    yield head[content:]


def _damage(error: str, yielded: bool) -> str:
    reason = re.sub(r"^(?:.*: |Error -?\d+ )| found$", "", error)
    return f"damaged gzip file ({reason})" if yielded else f"no gzip file, or damaged from its start ({reason})"
