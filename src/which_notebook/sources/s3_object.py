"""An S3 object as a file to be read from start to end."""

from __future__ import annotations

import io
from typing import Any

from .. import aws

AT_ONCE = 16
"""How many requests to S3 a process has under way."""

_RESUMED_AT_MOST = 4


class ObjectReader(io.RawIOBase):
    """Reads one object, named `s3://bucket/key`; where the connection breaks off, it goes on behind what it has.

    Raises OSError, with a reason that a person can read, where the object can't be had.
    """

    def __init__(self, name: str) -> None:
        self._bucket, _, self._key = name.removeprefix("s3://").partition("/")
        self._at = 0
        self._resumed = 0
        self._version: str | None = None
        self._body = self._get()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: it can begin anew."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on from another place, counted from the object's start, with a new request."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only from the start")
        self._body.close()
        self._at = offset
        self._body = self._get()
        return offset

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; return how many bytes that are, 0 at the object's end."""
        while True:
            try:
                with aws.named_errors("s3:GetObject"):
                    data: bytes = self._body.read(len(buffer))
            except OSError:
                if self._resumed == _RESUMED_AT_MOST:
                    raise
                self._resumed += 1
                self._body.close()
                self._body = self._get()
            else:
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)

    def close(self) -> None:
        """Close the connection, if the object wasn't read to its end."""
        if not self.closed and hasattr(self, "_body"):
            self._body.close()
        super().close()

    def _get(self) -> Any:
        # The rest of another version would be nonsense.
        only = {"Range": f"bytes={self._at}-", "IfMatch": self._version} if self._version and self._at else {}
        with aws.named_errors("s3:GetObject"):
            client = aws.client("s3", connections=AT_ONCE)
            answer = client.get_object(Bucket=self._bucket, Key=self._key, **only)
        self._version = answer["ETag"]
        return answer["Body"]
