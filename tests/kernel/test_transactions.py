from __future__ import annotations

from typing import Any

import pytest

from cloudlet.kernel.context import Context, Conversation
from cloudlet.kernel.fault import Fault, Wait
from cloudlet.kernel.keys import Space
from tests.kernel.conftest import Bench

SPACE = Space("test")
KEY, COUNTER = SPACE.key("key"), SPACE.key("counter")


def test_an_answer_waits_for_the_commit(bench: Bench) -> None:
    def write(ctx: Context, req: dict[str, Any]) -> str:
        ctx.tx.put(KEY, b"1")
        return "written"

    answers = bench.submit(write)
    assert answers == []
    bench.turn()
    assert answers == ["written"]


def test_a_read_of_what_is_not_yet_committed_waits_too(bench: Bench) -> None:
    def write(ctx: Context, req: dict[str, Any]) -> str:
        ctx.tx.put(KEY, b"1")
        return "written"

    def read(ctx: Context, req: dict[str, Any]) -> bytes | None:
        return ctx.tx.get(KEY)

    assert bench.submit(read) == [None]
    bench.submit(write)
    answers = bench.submit(read)
    assert answers == []
    bench.turn()
    assert answers == [b"1"]


def test_a_fault_discards_what_was_written(bench: Bench) -> None:
    def write(ctx: Context, req: dict[str, Any]) -> None:
        ctx.tx.put(KEY, b"1")
        ctx.tx.add(COUNTER, 5)
        raise Fault("No", "not this time")

    answers = bench.submit(write)
    bench.turn()
    assert [str(fault) for fault in answers] == ["No: not this time"]
    assert bench.kernel.transact(lambda ctx: (ctx.tx.get(KEY), ctx.tx.counter(COUNTER))) == (None, 0)


def test_a_bug_is_an_internal_failure(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken(ctx: Context, req: dict[str, Any]) -> None:
        ctx.tx.put(KEY, b"1")
        raise RuntimeError("oh")

    answers = bench.submit(broken)
    bench.turn()
    assert (answers[0].code, answers[0].status) == ("InternalFailure", 500)
    assert "RuntimeError: oh" in caplog.text
    assert bench.kernel.transact(lambda ctx: ctx.tx.get(KEY)) is None


def test_counters_add_up_over_groups_and_restarts(bench: Bench) -> None:
    def add(ctx: Context, req: dict[str, Any]) -> int:
        ctx.tx.add(COUNTER, 2)
        return ctx.tx.counter(COUNTER)

    together = [bench.submit(add) for _ in range(3)]
    bench.turn()
    assert together == [[2], [4], [6]]
    bench.reopen()
    assert bench.kernel.transact(lambda ctx: ctx.tx.counter(COUNTER)) == 6


def test_a_cleared_counter_begins_anew(bench: Bench) -> None:
    def work(ctx: Context) -> int:
        ctx.tx.add(COUNTER, 2)
        ctx.tx.clear_space(SPACE)
        ctx.tx.add(COUNTER, 1)
        return ctx.tx.counter(COUNTER)

    bench.kernel.transact(lambda ctx: ctx.tx.add(COUNTER, 7))
    assert bench.kernel.transact(work) == 1
    bench.turn()
    assert bench.kernel.transact(lambda ctx: ctx.tx.counter(COUNTER)) == 1


def test_a_wait_runs_again_when_its_key_is_touched(bench: Bench) -> None:
    def receive(ctx: Context, req: dict[str, Any]) -> bytes:
        found = ctx.tx.get(KEY)
        if found is None:
            ctx.tx.put(SPACE.key("garbage"), b"a wait discards this")
            raise Wait(["news"], ctx.started + 20_000)
        return found

    def send(ctx: Context, req: dict[str, Any]) -> None:
        ctx.tx.put(KEY, b"hello")
        ctx.tx.touch("news")

    answers = bench.submit(receive)
    bench.turn()
    assert answers == []
    bench.submit(send)
    bench.turn()
    assert answers == [b"hello"]
    assert bench.kernel.transact(lambda ctx: ctx.tx.get(SPACE.key("garbage"))) is None


def test_a_wait_ends_on_the_clock(bench: Bench) -> None:
    def receive(ctx: Context, req: dict[str, Any]) -> str:
        if ctx.now >= ctx.started + 20_000:
            return f"nothing after {ctx.now - ctx.started} ms"
        raise Wait(["news"], ctx.started + 20_000)

    bench.kernel.transactions.run(lambda tx: bench.kernel.clock.freeze_at(tx, 1_000_000))
    answers = bench.submit(receive)
    bench.run(bench.kernel.advance(19_999))
    assert answers == []
    bench.run(bench.kernel.advance(1))
    assert answers == ["nothing after 20000 ms"]


def test_a_caller_that_leaves_takes_nothing(bench: Bench) -> None:
    runs = []

    def receive(ctx: Context, req: dict[str, Any]) -> None:
        runs.append(1)
        raise Wait(["news"], ctx.started + 20_000)

    answers = bench.submit(receive)
    bench.call.cancel()
    bench.kernel.transact(lambda ctx: ctx.tx.touch("news"))
    bench.turn()
    assert (answers, runs) == ([], [1])


def test_a_conversation_resumes_after_the_commit(bench: Bench) -> None:
    async def talk(ctx: Conversation, req: dict[str, Any]) -> list[Any]:
        first = await ctx.transact(lambda inner: inner.tx.get(KEY))
        await ctx.transact(lambda inner: inner.tx.put(KEY, b"1"))
        second = await ctx.transact(lambda inner: inner.tx.get(KEY))
        return [first, second]

    answers = bench.submit(talk)
    bench.turn()
    assert answers == [[None, b"1"]]


def test_a_wait_may_keep_what_was_written(bench: Bench) -> None:
    def bury(ctx: Context, req: dict[str, Any]) -> bytes | None:
        if ctx.tx.get(KEY) is None:
            ctx.tx.put(KEY, b"buried")
            raise Wait(["news"], ctx.started + 20_000, keep=True)
        return ctx.tx.get(KEY)

    answers = bench.submit(bury)
    bench.turn()
    assert (answers, bench.kernel.transact(lambda ctx: ctx.tx.get(KEY))) == ([], b"buried")
    bench.kernel.transact(lambda ctx: ctx.tx.touch("news"))
    bench.turn()
    assert answers == [b"buried"]
