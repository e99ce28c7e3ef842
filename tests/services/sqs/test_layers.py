"""Both kinds of queue against a naive model: a list of messages, searched from its start."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.kernel.store import Store
from cloudlet.kernel.tx import Tx
from cloudlet.services.sqs import fifo, standard
from cloudlet.services.sqs.layer import Counts, Message, Queue, Receipt

RETENTION_MS = 60_000
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from("ab"), st.sampled_from([0, 0, 0, 3])),
        st.tuples(st.just("receive"), st.integers(1, 4), st.sampled_from([0, 2, 5])),
        st.tuples(st.just("delete"), st.integers(0, 9), st.none()),
        st.tuples(st.just("hide"), st.integers(0, 9), st.sampled_from([0, 1, 8])),
        st.tuples(st.just("wait"), st.sampled_from([1, 2, 5, 70]), st.none()),
    ),
    max_size=60,
)


class Entry(msgspec.Struct):
    """A message of the model."""

    seq: int
    group: str
    sent_at: int
    available_at: int
    leased_until: int = 0
    receives: int = 0


class Model:
    def __init__(self, ordered: bool):
        self.ordered = ordered
        self.entries: list[Entry] = []
        self.dropped = False

    def drop_expired(self, now: int) -> None:
        kept = [e for e in self.entries if e.sent_at + RETENTION_MS > now or e.leased_until > now]
        self.dropped = self.dropped or kept != self.entries
        self.entries = kept

    def visible(self, now: int) -> list[Entry]:
        return [e for e in self.entries if e.available_at <= now and e.leased_until <= now]

    def counts(self, now: int) -> Counts:
        """A lapsed message counts as in flight while others that a FIFO queue gave out with it still are: it is held back."""
        flying = sum(e.leased_until > now for e in self.entries)
        if self.ordered:
            held = {e.group for e in self.entries if e.leased_until > now}
            flying = sum(e.leased_until > 0 and e.group in held for e in self.entries)
        delayed = sum(e.available_at > now for e in self.entries)
        return Counts(len(self.entries) - flying - delayed, flying, delayed)

    def end_leases(self, now: int) -> None:
        """A FIFO queue forgets who had a group's messages once none of them is in flight."""
        held = {e.group for e in self.entries if e.leased_until > now}
        for entry in self.entries:
            if entry.group not in held:
                entry.leased_until = 0

    def receivable(self, now: int, limit: int) -> list[int]:
        """What a FIFO queue must give out: groups by their first message's age, none that has messages in flight."""
        taken: list[int] = []
        heads = {e.group: e for e in reversed(self.entries)}
        for group in sorted(heads, key=lambda group: (heads[group].available_at, heads[group].seq)):
            members = [e for e in self.entries if e.group == group]
            if any(e.leased_until > now for e in members):
                continue
            for entry in members:
                if entry.available_at > now or len(taken) == limit:
                    break
                taken.append(entry.seq)
        return taken


class Bench:
    """A queue in a store of its own; every step is committed before the next."""

    def __init__(self, folder: str, ordered: bool):
        self.store = Store(Path(folder) / "state.db")
        self.queue = Queue("000000000000", "us-east-1", "q", 1, 0, 0, fifo=ordered, retention=RETENTION_MS // 1000, delay=3)

    def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """Call `work(tx, the queue, *given)` and commit."""

        def counter(key: bytes) -> int:
            return int.from_bytes(self.store.get(key) or b"", "big", signed=True)

        tx = Tx(self.store, counter)
        result = work(tx, self.queue, *given)
        self.store.begin()
        totals = {key: tx.counter(key).to_bytes(8, "big", signed=True) for key in tx.adds}
        self.store.apply({**tx.writes, **totals}, tx.cleared)
        self.store.commit()
        return result


@pytest.mark.parametrize("ordered", [False, True])
@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_a_queue_does_as_its_model(ordered: bool, steps: list[tuple[str, Any, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench, model = Bench(folder, ordered), Model(ordered)
        play(bench, model, steps)
        bench.store.close()


def never(message: Message) -> bool:
    """No message is moved to a dead-letter queue."""
    return False


def play(bench: Bench, model: Model, steps: list[tuple[str, Any, Any]]) -> None:
    now, seq, receipts = 1_000_000, 0, []
    kind = fifo if model.ordered else standard
    for step, first, second in steps:
        if step == "wait":
            now += first * 1000
        elif step == "send":
            seq += 1
            delay = 1000 * second
            message = Message(str(seq), seq, "x" * (3000 if seq % 3 == 0 else 3), "", "", now, now + delay, group=first)
            bench.run(kind.push, message, now)
            model.entries.append(Entry(seq, first, now, now + delay))
        elif step == "receive":
            model.drop_expired(now)
            model.end_leases(now)
            taken = bench.run(kind.lease, now, first, second * 1000, never)
            check_taken(model, now, first, [message.seq for message in taken])
            for message in taken:
                entry = next(e for e in model.entries if e.seq == message.seq)
                entry.receives += 1
                entry.leased_until = now + 1000 * second if second else 0
                receipts.append(Receipt(bench.queue.id, message.sent_at, message.seq, message.receive_count, message.group or ""))
                assert message.receive_count == entry.receives
        elif receipts:
            change(bench, model, receipts[first % len(receipts)], now, None if step == "delete" else second * 1000)
        model.drop_expired(now)
        found = bench.run(kind.counts, now)
        if not any(e.sent_at + RETENTION_MS <= now for e in model.entries):
            assert found[1:] == model.counts(now)[1:]
            assert found.visible >= model.counts(now).visible
            assert found.visible == model.counts(now).visible or model.dropped
    now += 10_000_000
    assert bench.run(kind.lease, now, 10, 0, never) == []


def check_taken(model: Model, now: int, limit: int, taken: list[int]) -> None:
    if model.ordered:
        assert taken == model.receivable(now, limit)
        return
    visible = {e.seq for e in model.visible(now)}
    assert set(taken) <= visible and len(set(taken)) == len(taken)
    assert len(taken) == min(limit, len(visible))


def change(bench: Bench, model: Model, receipt: Receipt, now: int, timeout_ms: int | None) -> None:
    """Delete (timeout None) or hide by a receipt that may be stale."""
    entry = next((e for e in model.entries if e.seq == receipt.seq), None)
    current = entry is not None and entry.leased_until > now and (entry.receives == receipt.receive_count or not model.ordered)
    if model.ordered:
        message = bench.run(fifo.find_in_flight, receipt, now)
        assert (message is not None) == current
        if message is None:
            return
        if timeout_ms is None:
            bench.run(fifo.delete, message)
        else:
            bench.run(fifo.hide_until, message, now + timeout_ms, now)
    elif timeout_ms is None:
        bench.run(standard.delete, receipt)
    elif current:
        message = bench.run(standard.find_in_flight, receipt)
        bench.run(standard.hide_until, message, now + timeout_ms, now)
    if entry and timeout_ms is None:
        model.entries.remove(entry)
    elif entry and current:
        entry.leased_until = now + timeout_ms if timeout_ms else 0
