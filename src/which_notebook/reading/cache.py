"""Remembers what was read from a file, so that the next question needn't read it again.

One SQLite file in the user's own cache folder, which can be deleted at any time. An entry counts only while the file is
as it was: its size, both times and inode, or an S3 object's ETag. Trouble with the cache never stands in the way of an
answer.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress

import msgspec
from msgspec import Struct

from .. import __version__
from ..calls.search import Search
from ..limits import Limits
from ..sources.source import LogFile

_CHECKSUM = 4
# Of what is remembered. Raise it by one when reading a file gives something else: old entries are then ignored.
_EDITION = 15
_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY, wanted TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (wanted, name)
);
CREATE TABLE IF NOT EXISTS part (file INTEGER NOT NULL, found BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS part_of_file ON part (file);
CREATE TABLE IF NOT EXISTS answer (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, content BLOB NOT NULL);
"""
_GET = """
SELECT found FROM file JOIN part ON part.file = file.id
WHERE wanted = ? AND name = ? AND version = ? ORDER BY part.rowid
"""


class RememberedAnswer(Struct, array_like=True):
    """All that reading some files gave, in order: their number, their size when decompressed, encoded tables, and `role_arns`."""

    files: int
    size: int
    tables: list[bytes]
    role_arns: dict[str, str]


def cache_path() -> str:
    """Return where the cache stands on this system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "which-notebook", "found.sqlite")


_encode = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(RememberedAnswer).decode


class Cache:
    """The results of reading files for one search.

    `path` None stands for no cache. `trouble` says what is wrong with it, if anything.
    """

    def __init__(self, path: str | None, search: Search, limits: Limits) -> None:
        self.trouble: str | None = None
        # Another version may find other things.
        self._search = f"{__version__}/{_EDITION}/{search.digest}" if path else ""
        self._database: sqlite3.Connection | None = None
        self._path, self._limits = path, limits
        self._held: list[tuple[LogFile, list[bytes]]] = []
        self._held_bytes = 0
        if path:
            try:
                self._database = _open(path, limits)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)

    @property
    def is_open(self) -> bool:
        """Whether anything can be remembered."""
        return self._database is not None

    def get(self, file: LogFile) -> list[bytes] | None:
        """Return the parts that reading the file gave, one at least, or None where that isn't known."""
        if self._database is None or file.version is None:
            return None
        try:
            rows = self._database.execute(_GET, [self._search, file.name, file.version]).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        parts = [_unsealed(found) for (found,) in rows]
        return [part for part in parts if part is not None] if rows and None not in parts else None

    def put(self, file: LogFile, parts: list[bytes]) -> None:
        """Remember the parts that reading the file gave."""
        if self._database is None or file.version is None:
            return
        self._held.append((file, parts))
        self._held_bytes += sum(map(len, parts)) + 500
        if self._held_bytes >= self._limits.cache_held_bytes:
            self._write()

    def answer_name(self, files: Iterable[LogFile], accounts: Iterable[str]) -> str | None:
        """Return a name for all that these files give of some accounts, None where that can't be remembered."""
        if self._database is None:
            return None
        import hashlib

        digest = hashlib.blake2b(f"{self._search} {' '.join(accounts)}".encode(), digest_size=16)
        for file in files:
            if file.version is None:
                return None
            digest.update(f"{file.name}\0{file.version}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def get_answer(self, name: str) -> RememberedAnswer | None:
        """Return what is remembered under this name."""
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT content FROM answer WHERE name = ?", [name]).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        content = _unsealed(row[0]) if row else None
        return None if content is None else _decode_answer(content)

    def put_answer(self, name: str, answer: RememberedAnswer) -> None:
        """Remember all that some files gave."""
        if self._database is None:
            return
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO answer (name, content) VALUES (?, ?)", [name, _sealed(_encode(answer))]
            )
            self._database.execute(
                "DELETE FROM answer WHERE id NOT IN (SELECT id FROM answer ORDER BY id DESC LIMIT ?)",
                [self._limits.remembered_answers],
            )
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Write out what was put in."""
        self._write()
        if self._database:
            self._database.close()
            self._database = None

    def _write(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if self._database is None or not held:
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for file, parts in held:
                self._database.execute(
                    "DELETE FROM part WHERE file = (SELECT id FROM file WHERE wanted = ? AND name = ?)",
                    [self._search, file.name],
                )
                number = self._database.execute(
                    "INSERT OR REPLACE INTO file (wanted, name, version) VALUES (?, ?, ?)",
                    [self._search, file.name, file.version],
                ).lastrowid
                self._database.executemany(
                    "INSERT INTO part VALUES (?, ?)", [(number, _sealed(part)) for part in parts]
                )
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.trouble = f"the cache {self._path} can't be used ({error}); --no-cache does without it"
        if self._database:
            self._database.close()
            self._database = None
            if self._path and type(error) is sqlite3.DatabaseError:
                # Damaged: the next question begins a new one.
                with suppress(OSError):
                    os.unlink(self._path)


def _sealed(content: bytes) -> bytes:
    """Return the content with its checksum: SQLite wouldn't notice a changed byte in it."""
    return zlib.crc32(content).to_bytes(_CHECKSUM, "little") + content


def _unsealed(stored: bytes) -> bytes | None:
    content = stored[_CHECKSUM:]
    return content if zlib.crc32(content).to_bytes(_CHECKSUM, "little") == stored[:_CHECKSUM] else None


def _open(path: str, limits: Limits) -> sqlite3.Connection:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    # It grows with every file that was ever read.
    if os.path.exists(path) and os.path.getsize(path) > limits.cache_bytes:
        os.unlink(path)
    # What it holds is as confidential as the logs.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise  # locked, or not to be written: no reason to throw it away
    except sqlite3.DatabaseError:
        os.truncate(path, 0)  # damaged
        return _connect(path)


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=2, isolation_level=None)
    try:
        # Losing the cache in a crash costs nothing but time.
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database
