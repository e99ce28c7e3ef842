"""Typed rows under ordered keys. A Table is the only way that a layer reads and writes its state.

    QUEUES = Table("sqs", "queue", row=Queue, key=("account", "region", "name"))
    QUEUES.put(tx, queue); QUEUES.get(tx, "000000000000", "us-east-1", "orders")

A row is a frozen msgspec Struct with `array_like=True`: fields are stored by position, so a field is only ever added at the
end, with a default. Index entries are written and removed in the same transaction as their row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from cloudlet.kernel.keys import Part, Space
from cloudlet.kernel.tx import Tx

Row = TypeVar("Row", bound=msgspec.Struct)
IndexKey = Callable[[Any], tuple[Part, ...] | None]
_encode = msgspec.msgpack.Encoder().encode


class Table(Generic[Row]):
    """Rows of one type.

    name: the parts of the space that holds them, service first. key: the row's fields that make its key.
    indexes: name -> function of a row giving the index's leading key parts, or None to leave the row out.
    """

    def __init__(self, *name: str, row: type[Row], key: tuple[str, ...], indexes: dict[str, IndexKey] | None = None):
        self.space = Space(*name)
        self.key_fields = key
        self._key_of = _tuple_getter(key)
        self._decode = msgspec.msgpack.Decoder(row).decode
        aside = (*name[:-1], name[-1] + " by")  # not below the rows, or a scan would meet index entries
        self._indexes = {index: (Space(*aside, index), make) for index, make in (indexes or {}).items()}

    def get(self, tx: Tx, *key: Part) -> Row | None:
        raw = tx.get(self.space.key(*key))
        return None if raw is None else self._decode(raw)

    def put(self, tx: Tx, row: Row, *, was: Row | None = None) -> None:
        """Write a row. `was` is the row it replaces, where the caller has it: then its index entries need no read."""
        key = self._key_of(row)
        packed = self.space.key(*key)
        if self._indexes:
            if was is None and (raw := tx.get(packed)) is not None:
                was = self._decode(raw)
            self._reindex(tx, key, was, row)
        tx.put(packed, _encode(row))

    def insert(self, tx: Tx, row: Row) -> None:
        """Write a row whose key is known to be new; nothing is read."""
        key = self._key_of(row)
        if self._indexes:
            self._reindex(tx, key, None, row)
        tx.put(self.space.key(*key), _encode(row))

    def delete(self, tx: Tx, row: Row) -> None:
        key = self._key_of(row)
        if self._indexes:
            self._reindex(tx, key, row, None)
        tx.delete(self.space.key(*key))

    def scan(
        self, tx: Tx, *prefix: Part, start_after: Part = None, begins_with: str = "", limit: int = -1, reverse: bool = False
    ) -> Iterator[Row]:
        """Rows whose key begins with `prefix`, in order; of these, those whose next part is past `start_after` and begins
        with `begins_with`."""
        below = self.space(*prefix)
        start, end = below.holding(begins_with) if begins_with else (below.prefix, below.end)
        if start_after is not None:
            start = max(start, below(start_after).end)
        rows = tx.pages(start, end, reverse) if limit < 0 else tx.scan(start, end, limit, reverse)
        return (self._decode(value) for _, value in rows)

    def clear(self, tx: Tx, *prefix: Part) -> None:
        """Delete all rows below `prefix`; with indexes, row by row."""
        if not self._indexes:
            tx.clear_space(self.space(*prefix))
            return
        for row in list(self.scan(tx, *prefix)):
            self.delete(tx, row)

    def by(self, tx: Tx, index: str, *prefix: Part, limit: int = -1, reverse: bool = False, up_to: Part = None) -> Iterator[Row]:
        """Rows in the order of an index, those whose index key begins with `prefix` and whose next part is at most `up_to`."""
        space, _ = self._indexes[index]
        below = space(*prefix)
        end = below.end if up_to is None else below(up_to).end
        pairs = tx.pages(below.prefix, end, reverse) if limit < 0 else tx.scan(below.prefix, end, limit, reverse)
        for key, _ in pairs:
            row = self.get(tx, *space.parts(key)[-len(self.key_fields) :])
            if row is not None:
                yield row

    def _reindex(self, tx: Tx, key: tuple[Part, ...], was: Row | None, row: Row | None) -> None:
        for space, make in self._indexes.values():
            old = make(was) if was is not None else None
            new = make(row) if row is not None else None
            if old == new:
                continue
            if old is not None:
                tx.delete(space.key(*old, *key))
            if new is not None:
                tx.put(space.key(*new, *key), b"")


def _tuple_getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    get = attrgetter(*fields)
    if len(fields) > 1:
        return get
    return lambda row: (get(row),)
