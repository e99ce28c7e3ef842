"""Jobs, deliveries, the clock and blobs."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from cloudlet.kernel.context import Context, Conversation
from cloudlet.kernel.fault import Fault
from cloudlet.kernel.keys import Space
from tests.kernel.conftest import Bench

SPACE = Space("test")
ARN = "arn:aws:test:us-east-1:000000000000:thing"
OTHER = "arn:aws:other:us-east-1:000000000000:thing"
START = 1_700_000_000_000


@pytest.fixture
def ran(bench: Bench) -> list[tuple[int, Any]]:
    """What the job `test.note` was run with, and when on the clock, which stands still."""
    found: list[tuple[int, Any]] = []
    bench.kernel.transactions.run(lambda tx: bench.kernel.clock.freeze_at(tx, START))
    bench.kernel.jobs.handlers["test.note"] = lambda ctx, payload: found.append((ctx.now - START, payload))
    return found


def test_jobs_run_in_order_each_at_its_own_instant(bench: Bench, ran: list[Any]) -> None:
    def work(ctx: Context) -> None:
        ctx.schedule(ctx.now + 5000, "test.note", "second")
        ctx.schedule(ctx.now + 1000, "test.note", "first")
        ctx.unschedule(ctx.schedule(ctx.now + 2000, "test.note", "taken back"))

    bench.kernel.transact(work)
    bench.turn()
    assert ran == []
    bench.run(bench.kernel.advance(60_000))
    assert ran == [(1000, "first"), (5000, "second")]
    assert bench.kernel.clock.now() == START + 60_000


def test_a_job_may_schedule_the_next(bench: Bench, ran: list[Any]) -> None:
    def tick(ctx: Context, count: int) -> None:
        ran.append((ctx.now - START, count))
        ctx.schedule(ctx.now + 300_000, "test.tick", count + 1)

    bench.kernel.jobs.handlers["test.tick"] = tick
    bench.kernel.transact(lambda ctx: ctx.schedule(ctx.now + 300_000, "test.tick", 1))
    bench.run(bench.kernel.advance(24 * 3600 * 1000))
    assert len(ran) == 288
    assert ran[-1] == (24 * 3600 * 1000, 288)


def test_a_job_outlives_the_process(bench: Bench, ran: list[Any]) -> None:
    bench.kernel.transact(lambda ctx: ctx.schedule(ctx.now + 1000, "test.note", "later"))
    bench.reopen()
    bench.kernel.jobs.handlers["test.note"] = lambda ctx, payload: ran.append((ctx.now - START, payload))
    assert bench.kernel.clock.now() == START
    bench.run(bench.kernel.advance(1000))
    assert ran == [(1000, "later")]


def test_a_job_that_fails_is_tried_again_and_leaves_nothing_behind(bench: Bench, ran: list[Any]) -> None:
    def fail_twice(ctx: Context, payload: Any) -> None:
        ctx.tx.add(SPACE.key("runs"), 1)
        ran.append(ctx.now - START)
        if len(ran) < 3:
            raise RuntimeError("not yet")

    bench.kernel.jobs.handlers["test.fail"] = fail_twice
    bench.kernel.transact(lambda ctx: ctx.schedule(ctx.now, "test.fail", None))
    bench.run(bench.kernel.advance(60_000))
    assert ran == [0, 1000, 3000]
    assert bench.kernel.transact(lambda ctx: ctx.tx.counter(SPACE.key("runs"))) == 1


def test_an_async_job_is_waited_for(bench: Bench, ran: list[Any]) -> None:
    async def slow(conversation: Conversation, payload: Any) -> None:
        await conversation.transact(lambda ctx: ctx.tx.add(SPACE.key("runs"), payload))

    bench.kernel.jobs.handlers["test.slow"] = slow
    bench.kernel.transact(lambda ctx: ctx.schedule(ctx.now + 10, "test.slow", 3))
    bench.run(bench.kernel.advance(10))
    assert bench.kernel.transact(lambda ctx: ctx.tx.counter(SPACE.key("runs"))) == 3
    assert bench.kernel.jobs.next_due() is None


def test_a_running_clock_goes_on_from_where_it_was_moved(bench: Bench) -> None:
    before = bench.kernel.clock.now()
    bench.run(bench.kernel.advance(3_600_000))
    assert 3_600_000 <= bench.kernel.clock.now() - before < 3_610_000
    bench.reopen()
    assert 3_600_000 <= bench.kernel.clock.now() - before < 3_610_000


def test_a_delivery_reaches_its_sink(bench: Bench, ran: list[Any]) -> None:
    def sink(ctx: Context, arn: str, event: Any) -> None:
        ran.append((arn, event))

    bench.kernel.sink = lambda service: sink
    bench.kernel.transact(lambda ctx: [ctx.deliver(ARN, {"n": n, "raw": b"\x00"}) for n in range(3)])
    bench.run(bench.kernel.advance(0))
    assert ran == [(ARN, {"n": n, "raw": b"\x00"}) for n in range(3)]


def test_a_delivery_is_retried_then_goes_to_its_dead_letter_target(bench: Bench, ran: list[Any]) -> None:
    def broken(ctx: Context, arn: str, event: Any) -> None:
        ctx.tx.add(SPACE.key("half done"), 1)
        ran.append((ctx.now - START, arn))
        raise Fault("Broken", "always")

    def sound(ctx: Context, arn: str, event: Any) -> None:
        ran.append((ctx.now - START, arn))

    bench.kernel.sink = lambda service: broken if service == "test" else sound
    bench.kernel.transact(lambda ctx: ctx.deliver(ARN, "event", dead_letter=OTHER))
    bench.run(bench.kernel.advance(60_000))
    assert ran == [(0, ARN), (2000, ARN), (6000, ARN), (14000, ARN), (14000, OTHER)]
    assert bench.kernel.transact(lambda ctx: ctx.tx.counter(SPACE.key("half done"))) == 0


def test_an_async_sink_gets_its_delivery(bench: Bench, ran: list[Any]) -> None:
    async def sink(conversation: Conversation, arn: str, event: Any) -> None:
        ran.append(event)

    bench.kernel.sink = lambda service: sink
    bench.kernel.transact(lambda ctx: ctx.deliver(ARN, "event"))
    bench.run(bench.kernel.advance(0))
    assert ran == ["event"]


def test_a_call_that_fails_discards_its_own_writes_alone(bench: Bench) -> None:
    def work(ctx: Context) -> None:
        ctx.tx.put(SPACE.key("outer"), b"1")
        with pytest.raises(Fault, match="No"):
            ctx.call("test", "Inner", {})

    def inner(ctx: Context, req: dict[str, Any]) -> None:
        ctx.tx.put(SPACE.key("inner"), b"1")
        raise Fault("No", "no")

    class Found:
        conversation = False
        function = staticmethod(inner)

    bench.kernel.operation = lambda service, name: Found  # type: ignore[assignment,return-value]
    bench.kernel.transact(work)
    found = bench.kernel.transact(lambda ctx: (ctx.tx.get(SPACE.key("outer")), ctx.tx.get(SPACE.key("inner"))))
    assert found == (b"1", None)


def test_blobs_that_nothing_names_are_swept_at_the_next_start(bench: Bench) -> None:
    kept, lost = bench.kernel.blobs.create(), bench.kernel.blobs.create()
    for writer in (kept, lost):
        writer.write(b"bytes")
        writer.finish()
        os.utime(bench.kernel.blobs.path(writer.name), (time.time() - 60, time.time() - 60))
    bench.kernel.transact(lambda ctx: ctx.blobs.keep(ctx.tx, kept.name))
    bench.reopen()
    bench.run(bench.kernel.sweeping)
    assert bench.kernel.blobs.path(kept.name).read_bytes() == b"bytes"
    assert not bench.kernel.blobs.path(lost.name).exists()


def test_a_name_that_is_no_blobs_is_no_path(bench: Bench) -> None:
    with pytest.raises(ValueError, match="not a blob's name"):
        bench.kernel.blobs.path("../../../../etc/passwd")


def test_reset_forgets_everything(bench: Bench, ran: list[Any]) -> None:
    def work(ctx: Context) -> None:
        ctx.tx.put(SPACE.key("x"), b"1")
        ctx.schedule(ctx.now + 10, "test.note", "never")

    bench.kernel.transact(work)
    bench.kernel.reset()
    assert bench.kernel.transact(lambda ctx: ctx.tx.get(SPACE.key("x"))) is None
    bench.run(bench.kernel.advance(1000))
    assert ran == []
    assert abs(bench.kernel.clock.now() - time.time() * 1000) < 60_000
