"""The ordered key-value store: one SQLite file, one table, reached through apsw.

    kv(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID

A write-ahead log makes a commit one append. With durability "process" the log is handed to the operating system before
the answer, which survives `kill -9`; with "disk" it is also synced. Several processes may share the file: a writer
takes SQLite's lock for the length of one commit group.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw

FORMAT = 1
_CACHE_KIB = 16 * 1024
_BUSY_TIMEOUT_MS = 30_000
_CHECKPOINT_PAGES = 2000
_HOT_KEYS, _LARGEST_HOT_BYTES = 4096, 2048
_MISSING: Any = object()

_GET = "SELECT value FROM kv WHERE key = ?"
_SCAN = "SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
_SCAN_BACK = "SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM kv WHERE key >= ? AND key < ? LIMIT ?)"
_PUT = "INSERT OR REPLACE INTO kv VALUES (?, ?)"
_DELETE = "DELETE FROM kv WHERE key = ?"
_CLEAR = "DELETE FROM kv WHERE key >= ? AND key < ?"


class StoreError(Exception):
    """The data folder cannot be used; the text says why and what to do."""


class FolderLock:
    """Holds a data folder for one server (all its workers). Raises StoreError where another has it."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StoreError(
                f"The data folder {folder} is in use by another Cloudlet; stop it, or choose another with --data."
            ) from None
        os.set_inheritable(self._file, True)

    def release(self) -> None:
        os.close(self._file)


class Store:
    """The engine. `begin`, then `apply` any number of times, then `commit` or `rollback`; reads see what was applied.

    shared: other processes write the file, too. Where none does, small values read of late are kept at hand (a few MB at
    most), each dropped when its key is written. Errors: StoreError for a file of a newer format or one that is no database.
    """

    def __init__(self, path: Path, durability: str = "process", *, shared: bool = False):
        self._hot: dict[bytes, bytes | None] | None = None if shared else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(_BUSY_TIMEOUT_MS)
            self._configure(durability)
            self._check_format(path)
        except apsw.NotADBError:
            raise StoreError(f"{path} is not a Cloudlet store; move it away, or choose another folder with --data.") from None
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
            raise StoreError(f"The store {path} cannot be opened: {error}.") from None
        self._cursor = self._db.cursor()
        self._execute = self._cursor.execute
        self.in_transaction = False

    def _configure(self, durability: str) -> None:
        run = self._db.execute
        run("PRAGMA page_size = 4096")
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {'FULL' if durability == 'disk' else 'NORMAL'}")
        run(f"PRAGMA cache_size = -{_CACHE_KIB}")
        run(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        run("PRAGMA journal_size_limit = 67108864")

    def _check_format(self, path: Path) -> None:
        found = int(self._db.pragma("user_version"))
        if found > FORMAT:
            raise StoreError(
                f"The store {path} was written by a newer Cloudlet (format {found}, this one reads up to {FORMAT}); "
                "upgrade Cloudlet, or choose another folder with --data."
            )
        if found < FORMAT:
            self._db.execute("CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            self._db.pragma("user_version", FORMAT)

    def get(self, key: bytes) -> bytes | None:
        hot = self._hot
        if hot is not None:
            value = hot.get(key, _MISSING)
            if value is not _MISSING:
                return value
        value = None
        for row in self._execute(_GET, (key,)):
            value = row[0]
        if hot is not None and (value is None or len(value) <= _LARGEST_HOT_BYTES):
            if len(hot) >= _HOT_KEYS:
                hot.clear()
            hot[key] = value
        return value

    def scan(self, start: bytes, end: bytes, limit: int = -1, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """The pairs with start <= key < end in order, at most `limit` of them (-1: all)."""
        return self._execute(_SCAN_BACK if reverse else _SCAN, (start, end, limit)).fetchall()  # type: ignore[return-value]

    def count(self, start: bytes, end: bytes, limit: int = -1) -> int:
        return self._execute(_COUNT, (start, end, limit)).fetchall()[0][0]  # type: ignore[return-value]

    def begin(self, write: bool = True) -> None:
        self._execute("BEGIN IMMEDIATE" if write else "BEGIN")
        self.in_transaction = True

    def apply(self, writes: dict[bytes, bytes | None], cleared: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Write into the open transaction: first the cleared ranges, then each key (None deletes)."""
        execute, hot = self._execute, self._hot
        for bounds in cleared:
            execute(_CLEAR, bounds)
            if hot:
                hot.clear()
        for key, value in writes.items():
            if hot:
                hot.pop(key, None)
            if value is None:
                execute(_DELETE, (key,))
            else:
                execute(_PUT, (key, value))

    def commit(self) -> None:
        self._execute("COMMIT")
        self.in_transaction = False

    def rollback(self) -> None:
        self.in_transaction = False
        if self._hot:
            self._hot.clear()  # it may hold what was just undone
        with contextlib.suppress(apsw.SQLError):  # SQLite has rolled back by itself after some errors
            self._execute("ROLLBACK")

    def close(self) -> None:
        self._cursor.close(True)
        self._db.close()
