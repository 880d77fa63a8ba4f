"""What a file's bytes are packed in: told by the first ones, whatever the file's name, and undone layer by layer.

Firehose compresses with gzip what CloudWatch Logs has compressed with gzip already; a zip archive holds files; PowerShell's
`>` writes UTF-16. The marks: https://www.garykessler.net/library/file_sigs.html.
"""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import chain
from typing import Any, BinaryIO

from msgspec import Struct

from ..calls.spool import temporary_file
from ..limits import Limits
from .decompress import GZIP, DamagedFileError, EmptyFileError, gzip_members, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zipfile

ZIP, PARQUET = b"PK\x03\x04", b"PAR1"
_EMPTY_ZIP = b"PK\x05\x06"
_DEEPEST = 3
# Records compress 10 to 50 times. Of gzip, which comes to 1,032 times at most, the problems in it set the end.
_TIMES_AT_MOST = 250
_NOT_JUDGED_BYTES = 256 * 1024 * 1024
_BOMB = f"unpacks to more than {_TIMES_AT_MOST} times its size, which no log does"
_XZ_MEMORY = 256 * 1024 * 1024
# A mark is two characters at least, of UTF-16 too.
_MARK_BYTES = 8


class _Stream(Struct, frozen=True):
    """One way of compressing: its mark, its name, and a decompressor with the standard library's interface."""

    mark: bytes
    name: str
    new: Callable[[], Any]


def _zstd() -> Any:
    for module in ("compression.zstd", "backports.zstd"):  # the standard library has it from Python 3.14 on
        with suppress(ImportError):
            return import_module(module).ZstdDecompressor()
    raise DamagedFileError("compressed with zstd: install which-notebook[zstd]")


_STREAMS = (
    _Stream(b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    _Stream(b"BZh", "bzip2", bz2.BZ2Decompressor),
    _Stream(b"\xfd7zXZ\0", "xz", partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY)),
)


def contents(file: BinaryIO, limits: Limits) -> Iterator[tuple[str | None, Iterator[bytes]]]:
    """Yield what a file holds, as pieces of bounded size: the files of a zip archive with their names, or else one content.

    The pieces raise DamagedFileError behind the last one that can be had; OSError as the file does.
    """
    start = file.tell()
    head = file.read(_MARK_BYTES)
    file.seek(start)
    if not head.startswith((ZIP, _EMPTY_ZIP)):
        yield None, unpacked(iter(partial(file.read, limits.packed_read_bytes), b""), limits)
        return
    import zipfile

    with seekable(file, limits) as whole:
        try:
            archive = zipfile.ZipFile(whole)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            yield None, _raising(f"damaged zip archive ({error})")
            return
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, unpacked(_of_archive(archive, member, limits), limits, depth=1)


def unpacked(slices: Iterator[bytes], limits: Limits, depth: int = 0) -> Iterator[bytes]:
    """Yield what is within all layers, as UTF-8 where it is text; raises DamagedFileError behind the last piece that can be had."""
    head = b""
    for some in slices:
        head += some
        if len(head) >= _MARK_BYTES:
            break
    if not head:
        raise EmptyFileError("empty file, compressed" if depth else "empty file")
    counted = _Counted(chain([head], slices))
    stream = next((stream for stream in _STREAMS if head.startswith(stream.mark)), None)
    if depth >= _DEEPEST and (stream or head.startswith(GZIP)):
        raise DamagedFileError(f"compressed more than {_DEEPEST} times over")
    if head.startswith(GZIP[:2]):
        inner = gzip_members(counted, limits)
        yield from unpacked(_bounded(inner, counted) if depth else inner, limits, depth + 1)
    elif stream:
        inner = joined(_streams(counted, stream, limits.piece_bytes), limits)
        yield from unpacked(_bounded(inner, counted), limits, depth + 1)
    elif depth and head.startswith((ZIP, PARQUET)):
        raise DamagedFileError("a zip archive or a Parquet file that is compressed once more: unpack it first")
    elif encoding := _encoding(head):
        yield from _as_utf8(counted, encoding)
    else:
        rest = iter(counted)
        yield next(rest).removeprefix(codecs.BOM_UTF8)
        yield from rest if depth else joined(rest, limits)


def seekable(file: BinaryIO, limits: Limits) -> BinaryIO:
    """Return a file that can be read from its end: the file itself, or a copy."""
    try:
        file.seek(0, io.SEEK_END)
    except OSError:  # an object of S3
        file.seek(0)
        copy = temporary_file()
        shutil.copyfileobj(file, copy, limits.piece_bytes)
        copy.seek(0)
        return copy
    file.seek(0)
    return file


class _Counted:
    """Passes slices on, and knows how many bytes they were."""

    def __init__(self, slices: Iterator[bytes]) -> None:
        self._slices = slices
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        some = next(self._slices)
        self.size += len(some)
        return some


def _bounded(inner: Iterator[bytes], packed: _Counted) -> Iterator[bytes]:
    """Yield the pieces, as long as they aren't many times what they were packed in."""
    size = 0
    for piece in inner:
        size += len(piece)
        if _is_bomb(size, packed.size):
            raise DamagedFileError(_BOMB)
        yield piece


def _streams(slices: _Counted, stream: _Stream, at_once: int) -> Iterator[bytes]:
    """Yield the content of data that one decompressor, or several one after the other, can read."""
    decompressor = stream.new()
    for given in slices:
        data = given
        while data:
            if decompressor.eof:
                decompressor = stream.new()
            try:
                yield decompressor.decompress(data, at_once)
                while not (decompressor.eof or decompressor.needs_input):
                    yield decompressor.decompress(b"", at_once)
            except (OSError, ValueError, EOFError, lzma.LZMAError) as error:
                raise DamagedFileError(f"damaged {stream.name} file ({error})") from None
            except Exception as error:
                if type(error).__name__ != "ZstdError":  # of a package that may not be there
                    raise
                raise DamagedFileError(f"damaged zstd file ({error})") from None
            data = decompressor.unused_data if decompressor.eof else b""
    if not decompressor.eof:
        raise DamagedFileError(f"truncated {stream.name} file")


def _of_archive(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> Iterator[bytes]:
    """Yield the content of one file of an archive."""
    import zipfile

    if member.flag_bits & 1:
        raise DamagedFileError("encrypted in a zip archive: unpack it first")
    size = 0
    try:
        with archive.open(member) as content:
            while piece := content.read(limits.piece_bytes):
                size += len(piece)
                if _is_bomb(size, member.compress_size):
                    yield from _raising(_BOMB)
                yield piece
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, lzma.LZMAError) as error:
        raise DamagedFileError(f"damaged zip archive ({error})") from None
    except Exception as error:
        if type(error).__module__ != "zlib":
            raise
        raise DamagedFileError(f"damaged zip archive ({error})") from None


def _encoding(head: bytes) -> str | None:
    """Return which UTF-16 a text is in, by its mark or by the zeros of its first letters."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4 and head[0] and head[2] and not (head[1] or head[3]):
        return "utf-16-le"
    if len(head) >= 4 and head[1] and head[3] and not (head[0] or head[2]):
        return "utf-16-be"
    return None


def _as_utf8(slices: _Counted, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for some in slices:
        yield decoder.decode(some).encode()
    yield decoder.decode(b"", True).encode()


def _is_bomb(size: int, packed_size: int) -> bool:
    return size > _NOT_JUDGED_BYTES and size > _TIMES_AT_MOST * packed_size


def _raising(reason: str) -> Iterator[bytes]:
    raise DamagedFileError(reason)
    yield b""
