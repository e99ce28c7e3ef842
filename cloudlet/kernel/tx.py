"""One transaction: writes are buffered here and seen by its own reads; nothing reaches the store until it is joined
to a commit group. Discarding one is dropping it. A nested transaction (`ctx.call`) has another as its base.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from cloudlet.kernel.keys import Space

_MISSING: Any = object()
_PAGE = 500


class Reader(Protocol):
    """What a transaction lies on: the store, or the transaction around it."""

    def get(self, key: bytes) -> bytes | None: ...

    def scan(self, start: bytes, end: bytes, limit: int = -1, reverse: bool = False) -> list[tuple[bytes, bytes]]: ...

    def count(self, start: bytes, end: bytes, limit: int = -1) -> int: ...


class Tx:
    """get, put, delete, scan, count and clear over ordered keys; `add` for counters; `touch` to wake waiting requests."""

    __slots__ = ("adds", "base", "base_counter", "cleared", "on_commit", "touched", "writes")

    def __init__(self, base: Reader, base_counter: Any):
        self.base = base
        self.base_counter = base_counter
        self.writes: dict[bytes, bytes | None] = {}
        self.cleared: list[tuple[bytes, bytes]] = []
        self.adds: dict[bytes, int] = {}
        self.touched: list[Any] = []
        self.on_commit: list[Any] = []

    @property
    def dirty(self) -> bool:
        return bool(self.writes or self.cleared or self.adds or self.touched or self.on_commit)

    def get(self, key: bytes) -> bytes | None:
        if self.writes:
            value = self.writes.get(key, _MISSING)
            if value is not _MISSING:
                return value
        if self.cleared and self._is_cleared(key):
            return None
        return self.base.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.writes[key] = value

    def delete(self, key: bytes) -> None:
        self.writes[key] = None

    def clear(self, start: bytes, end: bytes) -> None:
        """Delete every key with start <= key < end, at a cost that the transaction does not feel."""
        for key in [k for k in self.writes if start <= k < end]:
            del self.writes[key]
        for key in [k for k in self.adds if start <= k < end]:
            del self.adds[key]
        if start < end:
            self.cleared.append((start, end))

    def clear_space(self, space: Space) -> None:
        self.clear(space.prefix, space.end)

    def add(self, counter: bytes, amount: int) -> None:
        """Add to a counter without reading it; counters are merged once per commit group."""
        self.adds[counter] = self.adds.get(counter, 0) + amount

    def counter(self, key: bytes) -> int:
        """A counter's value, 0 where nothing was added."""
        base = 0 if self.cleared and self._is_cleared(key) else self.base_counter(key)
        return base + self.adds.get(key, 0)

    def touch(self, key: Any) -> None:
        """Run again what waits on `key`, once this transaction is committed."""
        self.touched.append(key)

    def scan(self, start: bytes, end: bytes, limit: int = -1, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """The pairs with start <= key < end in order (descending when `reverse`), at most `limit` (-1: all)."""
        changed = {k: v for k, v in self.writes.items() if start <= k < end} if self.writes else None
        if not changed and not self.cleared:
            return self.base.scan(start, end, limit, reverse)
        return self._merged(start, end, limit, reverse, changed or {})

    def pages(self, start: bytes, end: bytes, reverse: bool = False, page: int = _PAGE) -> Iterator[tuple[bytes, bytes]]:
        """The same pairs one by one, read in pages: for scans that end on what they find."""
        while rows := self.scan(start, end, page, reverse):
            yield from rows
            if len(rows) < page:
                return
            if reverse:
                end = rows[-1][0]
            else:
                start = rows[-1][0] + b"\0"

    def count(self, start: bytes, end: bytes, limit: int = -1) -> int:
        if not self.writes and not self.cleared:
            return self.base.count(start, end, limit)
        return len(self.scan(start, end, limit))

    def merge(self, inner: Tx) -> None:
        """Take over the writes of a nested transaction that succeeded."""
        for start, end in inner.cleared:
            self.clear(start, end)
        self.writes.update(inner.writes)
        for key, amount in inner.adds.items():
            self.add(key, amount)
        self.touched += inner.touched
        self.on_commit += inner.on_commit

    def _is_cleared(self, key: bytes) -> bool:
        return any(start <= key < end for start, end in self.cleared)

    def _merged(
        self, start: bytes, end: bytes, limit: int, reverse: bool, changed: dict[bytes, bytes | None]
    ) -> list[tuple[bytes, bytes]]:
        wanted = -1 if limit < 0 else limit + len(changed)
        found = self._not_cleared(start, end, wanted, reverse) if self.cleared else self.base.scan(start, end, wanted, reverse)
        if changed:
            found = [row for row in found if row[0] not in changed]
            found += [(k, v) for k, v in changed.items() if v is not None]
            found.sort(reverse=reverse)
        return found if limit < 0 else found[:limit]

    def _not_cleared(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        """The base's pairs outside of the cleared ranges; a range is skipped, not read through."""
        found: list[tuple[bytes, bytes]] = []
        for low, high in self._gaps(start, end, reverse):
            found += self.base.scan(low, high, limit - len(found) if limit >= 0 else -1, reverse)
            if 0 <= limit <= len(found):
                break
        return found

    def _gaps(self, start: bytes, end: bytes, reverse: bool) -> list[tuple[bytes, bytes]]:
        """What is left of a range when the cleared ones are taken out, in the order of the scan."""
        gaps, at = [], start
        for low, high in sorted(self.cleared):
            if low > at:
                gaps.append((at, min(low, end)))
            at = max(at, high)
        gaps.append((at, end))
        kept = [(low, high) for low, high in gaps if low < high and low < end]
        return kept[::-1] if reverse else kept
