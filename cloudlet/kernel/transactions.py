"""Runs functions as transactions and commits them in groups.

All transactions that end within one turn of the event loop join one commit; their answers wait for it (`when_durable`), and so
do the answers of reads made meanwhile, which may have seen what is not yet committed. With several processes on one
store (`shared`) a group holds SQLite's write lock from its first write on, and a function that turns out to write is run
again under the lock, so that what it read still holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from cloudlet.kernel.fault import Wait
from cloudlet.kernel.store import Store
from cloudlet.kernel.tx import Tx

T = TypeVar("T")
Durable = Callable[[Exception | None], None]
_log = logging.getLogger("cloudlet.kernel")


class _Writes(Exception):
    """A function that was run as a read has written."""


class Transactions:
    """One per process. `committed` is called with the keys touched by each group, after its answers are released."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop, *, shared: bool = False):
        self._store = store
        self._loop = loop
        self._shared = shared
        self._open = False
        self._adds: dict[bytes, int] = {}
        self._waiting: list[Durable] = []
        self._touched: set[Any] = set()
        self._on_commit: list[Callable[[], None]] = []
        self.committed: Callable[[set[Any]], None] = lambda touched: None

    def run(self, function: Callable[[Tx], T], *, writes: bool = False) -> T:
        """Run `function` on a transaction of its own and join what it wrote to the group; what it raises discards it.

        writes: it is known to write; spares the second run when the store is shared.
        """
        if self._shared and not self._open:
            if not writes:
                with contextlib.suppress(_Writes):
                    return self._read_only(function)
            self._begin()
        tx = Tx(self._store, self.counter)
        try:
            result = function(tx)
        except Wait as wait:
            if wait.keep and tx.dirty:
                self._join(tx)
            raise
        if tx.dirty:
            self._join(tx)
        return result

    def when_durable(self, callback: Durable) -> None:
        """Call back once all that has been seen so far is committed: at once where nothing is pending."""
        if self._open:
            self._waiting.append(callback)
        else:
            callback(None)

    def counter(self, key: bytes) -> int:
        raw = self._store.get(key)
        base = int.from_bytes(raw, "big", signed=True) if raw else 0
        return base + self._adds.get(key, 0)

    def commit(self) -> None:
        """End the group now. Called by the loop at the end of its turn."""
        if not self._open:
            return
        error: Exception | None = None
        try:
            self._flush_counters()
            self._store.commit()
        except Exception as failure:
            _log.exception("a commit failed; its requests are answered with an error")
            self._store.rollback()
            error = failure
        self._release(error)

    def _read_only(self, function: Callable[[Tx], T]) -> T:
        """Run without the write lock. Raises _Writes where that does not do."""
        self._store.begin(write=False)
        try:
            tx = Tx(self._store, self.counter)
            result = function(tx)
        except Wait as wait:
            if wait.keep and tx.dirty:
                raise _Writes from None
            raise
        finally:
            self._store.rollback()
        if tx.dirty:
            raise _Writes
        return result

    def _begin(self) -> None:
        self._store.begin()
        self._open = True
        self._loop.call_soon(self.commit)

    def _join(self, tx: Tx) -> None:
        if not self._open:
            self._begin()
        try:
            if tx.cleared:
                self._forget_counters(tx.cleared)
            self._store.apply(tx.writes, tx.cleared)
        except Exception as failure:
            self._store.rollback()
            self._release(failure)
            raise
        for key, amount in tx.adds.items():
            self._adds[key] = self._adds.get(key, 0) + amount
        self._touched.update(tx.touched)
        self._on_commit += tx.on_commit

    def _forget_counters(self, cleared: list[tuple[bytes, bytes]]) -> None:
        for start, end in cleared:
            for key in [k for k in self._adds if start <= k < end]:
                del self._adds[key]

    def _flush_counters(self) -> None:
        if self._adds:
            self._store.apply({key: self.counter(key).to_bytes(8, "big", signed=True) for key in self._adds})

    def _release(self, error: Exception | None) -> None:
        waiting, touched, effects = self._waiting, self._touched, self._on_commit
        self._waiting, self._touched, self._on_commit = [], set(), []
        self._adds = {}
        self._open = False
        for callback in waiting:
            callback(error)
        if error is not None:
            return
        for effect in effects:
            effect()
        if touched:
            self.committed(touched)
