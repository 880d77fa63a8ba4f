"""Where an answer goes: standard output, or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ..errors import CommandError, ServiceError, reason_of


class OutputError(CommandError):
    """The answer can't be put out as it was asked for; the message says why and what to do."""

    is_wrong_usage = False


@contextmanager
def output_file(path: str | None) -> Iterator[BinaryIO]:
    """Open the output: standard output, or a file, which is there whole in the end or not at all.

    Raises OutputError where the file can't be written.
    """
    if path is None or path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except ServiceError:
            raise  # it is no trouble of the output's
        except OSError as error:
            # What is still held back would fail once more at Python's end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(f"can't write standard output: {reason_of(error)}") from None
        return
    import tempfile

    target = os.path.realpath(path)
    temporary: str | None = None
    try:
        # What it holds is as confidential as the logs: readable by its owner, as mkstemp makes it.
        if os.path.exists(path) and not os.path.isfile(target) and not os.path.isdir(target):
            with open(path, "wb") as device:  # such as /dev/null, which must not be replaced
                yield device
            return
        folder, name = os.path.split(target)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        with open(descriptor, "wb") as file:
            yield file
        os.replace(temporary, target)
        temporary = None
    except ServiceError:
        raise
    except OSError as error:
        raise OutputError(f"can't write {path}: {reason_of(error)}") from None
    finally:
        if temporary:
            os.unlink(temporary)
