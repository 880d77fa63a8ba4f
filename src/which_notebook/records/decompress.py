"""The content of a log file, compressed or not, in pieces of bounded size.

ISA-L decompresses faster than zlib and libdeflate do, but of a damaged file it loses some of what stands before the damage,
and says little of it. zlib gives every byte of that, and says what the damage is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

from isal import igzip_lib

from ..limits import Limits

GZIP = b"\x1f\x8b\x08"

# glibc gives blocks back to the system as they are freed, and takes them anew, page by page, until a larger one was freed.
bytes(16 * 1024 * 1024)


class DamagedFileError(Exception):
    """The content ends before the file does; the message says why."""


class EmptyFileError(DamagedFileError):
    """There is no content."""


class TruncatedFileError(DamagedFileError):
    """The file ends before its content does."""


def pieces(file: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Yield what stands in the file from here on, in pieces.

    Raises DamagedFileError, and loses some of it, where it is neither one whole gzip file nor something uncompressed; OSError
    as the file does.
    """
    head, at_once = _read_head(file, limits.read_bytes), limits.decompressed_bytes
    if not head.startswith(GZIP):
        yield head
        yield from iter(partial(file.read, limits.piece_bytes), b"")
        return
    decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    try:
        for data in chain([head], iter(partial(file.read, limits.read_bytes), b"")):
            yield decompressor.decompress(data, at_once)
            while not (decompressor.needs_input or decompressor.eof):
                yield decompressor.decompress(b"", at_once)
    except igzip_lib.IsalError as error:  # type: ignore[misc] # isal's stub takes the class for an instance
        raise DamagedFileError(str(error)) from None
    if not decompressor.eof or decompressor.unused_data:
        raise DamagedFileError("more or less than a gzip file")


def gzip_members(slices: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield the content of gzip data at half the speed: of several files in one, and of a damaged one all that precedes the damage.

    Raises DamagedFileError behind the last piece that can be had.
    """
    yield from joined(_members(slices, limits.piece_bytes), limits)


def _read_head(file: BinaryIO, size: int) -> bytes:
    head = file.read(size)
    while 0 < len(head) < len(GZIP) and (more := file.read(size)):
        head += more
    if not head:
        raise EmptyFileError("empty file")
    return head


def _members(slices: Iterator[bytes], at_once: int) -> Iterator[bytes]:
    """Yield the content of all members of gzip files; raises DamagedFileError behind the last piece that can be had."""
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
            before = decompressor.copy()
            damage = None
            try:
                piece = decompressor.decompress(data, at_once)
            except zlib.error as error:
                piece, damage = _until_damage(before, data), str(error)
            if piece:
                yielded = True
                yield piece
            if damage:
                raise DamagedFileError(_damage(damage, yielded))
            data = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
    if not decompressor.eof:
        raise TruncatedFileError("truncated gzip file")
    if not yielded:
        raise EmptyFileError("empty file, compressed")


def _until_damage(decompressor: Any, data: bytes) -> bytes:
    """Return what damaged data gives before the damage."""
    content: list[bytes] = []
    with suppress(zlib.error):
        content.extend(decompressor.decompress(bytes([byte])) for byte in data)
    return b"".join(content)


def joined(small: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield the same content in pieces of some megabytes: what begins in one may have to be read again with the next."""
    held: list[bytes] = []
    size = 0
    try:
        for piece in small:
            held.append(piece)
            size += len(piece)
            if size >= limits.piece_bytes:
                yield b"".join(held)
                held, size = [], 0
    except DamagedFileError:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def _damage(error: str, yielded: bool) -> str:
    reason = re.sub(r"^(?:.*: |Error -?\d+ )| found$", "", error)
    return f"damaged gzip file ({reason})" if yielded else f"no gzip file, or damaged from its start ({reason})"
