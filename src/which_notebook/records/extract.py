"""What was read from a part of a file, and its form between processes and in the cache."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ..calls.call import Call


class Extract(Struct, array_like=True, gc=False):
    """What was read from a part of a file: its decompressed size in bytes, the matching calls, and the problems."""

    size: int
    calls: list[Call]
    problems: list[str]


encode = msgspec.msgpack.Encoder().encode
decode_extract = msgspec.msgpack.Decoder(Extract).decode
