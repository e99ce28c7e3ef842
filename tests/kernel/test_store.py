from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.kernel.store import FORMAT, FolderLock, Store, StoreError
from cloudlet.kernel.tx import Tx

keys = st.sampled_from([bytes([a, b]) for a in b"abc" for b in b"xyz"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.binary(max_size=3)),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("clear"), keys, keys),
        st.tuples(st.just("join")),
        st.tuples(st.just("nested"), keys, st.booleans()),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store") / "state.db")


@settings(deadline=None)
@given(steps=steps, start=keys, end=keys, limit=st.integers(-1, 4), reverse=st.booleans())
def test_a_transaction_sees_what_a_dict_would(
    store: Store, steps: list[tuple[object, ...]], start: bytes, end: bytes, limit: int, reverse: bool
) -> None:
    store.begin()
    model: dict[bytes, bytes] = {}
    tx = Tx(store, lambda key: 0)
    try:
        for step in steps:
            tx = _do(store, tx, model, step)
        expected = sorted(((k, v) for k, v in model.items() if start <= k < end), reverse=reverse)
        assert tx.scan(start, end, limit, reverse) == (expected if limit < 0 else expected[:limit])
        assert list(tx.pages(start, end, reverse, page=2)) == expected
        assert tx.count(start, end) == len(expected)
        assert {k: tx.get(k) for k in model} == model
    finally:
        store.rollback()


def _do(store: Store, tx: Tx, model: dict[bytes, bytes], step: tuple[object, ...]) -> Tx:
    match step:
        case ("put", bytes(key), bytes(value)):
            tx.put(key, value)
            model[key] = value
        case ("delete", bytes(key)):
            tx.delete(key)
            model.pop(key, None)
        case ("clear", bytes(start), bytes(end)):
            tx.clear(start, end)
            for key in [k for k in model if start <= k < end]:
                del model[key]
        case ("join",):
            store.apply(tx.writes, tx.cleared)
            return Tx(store, lambda key: 0)
        case ("nested", bytes(key), bool(kept)):
            inner = Tx(tx, tx.counter)
            inner.put(key, b"inner")
            assert inner.get(key) == b"inner"
            if kept:
                tx.merge(inner)
                model[key] = b"inner"
    return tx


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Store(path).close()
    db = apsw.Connection(str(path))
    db.pragma("user_version", FORMAT + 1)
    db.close()
    with pytest.raises(StoreError, match="written by a newer Cloudlet"):
        Store(path)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="not a Cloudlet store"):
        Store(path)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(StoreError, match="in use by another Cloudlet"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()
