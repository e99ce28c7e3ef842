"""Large bodies as files: written and complete before the transaction that names them.

    DATA/blobs/<2 hex>/<30 hex>       one blob
    ("blobs", name) -> b""            it is referenced; written by the transaction that stores its name

A file without that key is garbage: what a crash left. It is swept at the next start. A dropped blob's file is removed a little
after the commit, so that answers being sent can still open it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cloudlet.kernel.ids import Ids
from cloudlet.kernel.keys import Space
from cloudlet.kernel.store import Store
from cloudlet.kernel.tx import Tx

INLINE_BYTES = 32 * 1024
_REFERENCES = Space("blobs")
_GRACE_SECONDS = 5.0


class FileRange(NamedTuple):
    """`length` bytes of a file from `start` on."""

    path: Path
    start: int
    length: int


class Content:
    """A result's streaming body: bytes and pieces of files, one after another. `len` is its size in bytes."""

    __slots__ = ("pieces", "size")

    def __init__(self, pieces: list[bytes | FileRange]):
        self.pieces = pieces
        self.size = sum(piece.length if isinstance(piece, FileRange) else len(piece) for piece in pieces)

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return True


class BlobWriter:
    """One blob being written. `finish` makes it complete (and, with durability "disk", synced); `abort` removes it."""

    def __init__(self, path: Path, name: str, *, sync: bool):
        self.name = name
        self.size = 0
        self._path = path
        self._sync = sync
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        self.size += len(view)
        while view:
            view = view[os.write(self._file, view) :]

    def finish(self) -> str:
        if self._sync:
            os.fsync(self._file)
        os.close(self._file)
        if self._sync:
            _sync_folder(self._path.parent)
        return self.name

    def abort(self) -> None:
        os.close(self._file)
        self._path.unlink(missing_ok=True)


class Blobs:
    """The folder of blobs. Names are random and never reused; a name is checked before it becomes a path."""

    def __init__(self, folder: Path, ids: Ids, loop: asyncio.AbstractEventLoop, *, durability: str = "process"):
        self._folder = folder
        self._ids = ids
        self._loop = loop
        self._sync = durability == "disk"

    def create(self) -> BlobWriter:
        name = self._ids.hex(32)
        path = self.path(name)
        try:
            return BlobWriter(path, name, sync=self._sync)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            return BlobWriter(path, name, sync=self._sync)

    def path(self, name: str) -> Path:
        if len(name) != 32 or not name.isalnum():
            raise ValueError("not a blob's name")
        return self._folder / name[:2] / name[2:]

    def link(self, name: str) -> str:
        """A second name for a blob's bytes, at no cost in bytes: copies share them, and each is dropped by itself."""
        copy = self._ids.hex(32)
        target = self.path(copy)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(self.path(name), target)
        return copy

    def keep(self, tx: Tx, name: str) -> None:
        """Reference a finished blob from this transaction on."""
        tx.put(_REFERENCES.key(name), b"")

    def drop(self, tx: Tx, name: str) -> None:
        """Give a blob up; its file goes after the commit."""
        tx.delete(_REFERENCES.key(name))
        tx.on_commit.append(lambda: self.discard(name))

    def discard(self, *names: str) -> None:
        self._loop.call_later(_GRACE_SECONDS, self._unlink, names)

    def _unlink(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    async def sweep(self, store: Store) -> int:
        """Remove the files that nothing references and that are older than this call; the number removed."""
        before, removed = time.time() - 1, 0
        for folder in self._subfolders():
            for path in list(folder.iterdir()):
                unreferenced = store.get(_REFERENCES.key(folder.name + path.name)) is None
                if unreferenced and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    removed += 1
            await asyncio.sleep(0)
        return removed

    def _subfolders(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from sorted(path for path in self._folder.iterdir() if path.is_dir())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
