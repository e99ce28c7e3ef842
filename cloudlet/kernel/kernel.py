"""The kernel put together: runs operations for callers, and ties clock, waits and jobs to commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cloudlet.kernel import clock as clocks
from cloudlet.kernel import jobs as background
from cloudlet.kernel.blobs import Blobs
from cloudlet.kernel.clock import Clock
from cloudlet.kernel.context import Caller, Context, Conversation
from cloudlet.kernel.deliveries import KIND, Deliveries
from cloudlet.kernel.fault import Fault, Wait
from cloudlet.kernel.ids import Ids
from cloudlet.kernel.jobs import Jobs
from cloudlet.kernel.keys import Space
from cloudlet.kernel.peers import Peers
from cloudlet.kernel.registry import Operation, Sink
from cloudlet.kernel.store import Store
from cloudlet.kernel.transactions import Transactions
from cloudlet.kernel.tx import Tx
from cloudlet.kernel.waits import Parked, Waits

T = TypeVar("T")
Answer = Callable[[Any, Fault | None], None]
_log = logging.getLogger("cloudlet.kernel")


class Kernel:
    """One per process. `peers` joins it to the other workers on the same store; the first of them runs the jobs."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, *, durability: str = "process", peers: Peers | None = None):
        self.loop = loop
        self.folder = folder
        self.peers = peers or Peers()
        self.ids = Ids(self.peers.number)
        self.store = Store(folder / "state.db", durability, shared=self.peers.shared)
        self.clock = Clock()
        self.clock.load(self.store)
        self.transactions = Transactions(self.store, loop, shared=self.peers.shared)
        self.transactions.committed = self._committed
        self.blobs = Blobs(folder / "blobs", self.ids, loop, durability=durability)
        self.waits = Waits(self.clock, loop)
        self.jobs = Jobs(self, loop, leader=self.peers.leader)
        self.deliveries = Deliveries(self)
        self.jobs.handlers[KIND + ".slow"] = self.deliveries.attempt_slow
        self.operation: Callable[[str, str], Operation] = _no_operations
        self.sink: Callable[[str], Sink | None] = lambda service: None
        self.options: dict[str, str] = {}
        self.sweeping: asyncio.Task[int] | None = None

    def start(self) -> None:
        """Begin background work: jobs that are due, blobs that a crash left, news from the other workers."""
        self.peers.listen(self.loop, self._heard)
        self.jobs.rearm()
        if self.peers.leader:
            self.sweeping = self.loop.create_task(self.blobs.sweep(self.store))

    def close(self) -> None:
        self.transactions.commit()
        if self.sweeping:
            self.sweeping.cancel()
        self.peers.close(self.loop)
        self.store.close()

    def submit(self, operation: Operation, caller: Caller, req: dict[str, Any], answer: Answer, request_id: str) -> Call:
        """Run an operation; `answer(result, fault)` is called once, when what it did is durable."""
        call = Call(self, operation, caller, req, answer, request_id)
        call.start()
        return call

    def transact(self, function: Callable[[Context], T], caller: Caller | None = None) -> T:
        """Run `function(ctx)` as a transaction, for the server's own purposes."""
        caller = caller or Caller("000000000000", "us-east-1", "cloudlet")
        return self.transactions.run(lambda tx: function(Context(self, tx, caller, self.ids.uuid())))

    def converse(self, conversation: Conversation, function: Callable[[Context], T]) -> asyncio.Future[T]:
        """The transaction of an `async def` operation: a future that resolves when it is durable."""
        future: asyncio.Future[T] = self.loop.create_future()
        joined: list[bool] = []
        result: Any = None

        def work(tx: Tx) -> T:
            result = function(Context(self, tx, conversation.caller, conversation.request_id))
            joined[:] = [tx.dirty]
            return result

        def done(error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def attempt() -> None:
            nonlocal result
            if future.done():
                return
            try:
                result = self.transactions.run(work)
            except Wait as wait:
                self.waits.park(attempt, wait.keys, wait.until)
            except Exception as error:
                future.set_exception(error)
            else:
                if joined[0]:
                    self.transactions.when_durable(done)
                else:
                    done(None)

        attempt()
        return future

    def nested(self, ctx: Context, caller: Caller) -> Context:
        """A context on a transaction within `ctx`'s; what it writes counts once it is merged."""
        inner = Tx(ctx.tx, ctx.tx.counter)
        context = Context(self, inner, caller, ctx.request_id, ctx.started)
        context.now = ctx.now
        return context

    def call(self, ctx: Context, service: str, name: str, req: dict[str, Any], *, principal: str | None = None) -> Any:
        operation = self.operation(service, name)
        if operation.conversation:
            raise TypeError(f"{service}.{name} is a conversation; a transaction cannot call it")
        caller = Caller(ctx.account, ctx.region, principal or ctx.principal, endpoint=ctx.endpoint)
        inner = self.nested(ctx, caller)
        result = operation.function(inner, req)
        ctx.tx.merge(inner.tx)
        return result

    async def advance(self, duration_ms: int) -> int:
        """Move the clock on, running each due job and each wait at its own instant; the new time."""
        was_frozen = self.clock.state.frozen_at is not None
        start = self.clock.now()
        target = start + duration_ms
        self._stand_at(start)
        while True:
            await self._settle()
            dues = [due for due in (self.jobs.next_due(), self.waits.next_due()) if due is not None and due <= target]
            if not dues:
                break
            self._stand_at(max(min(dues), self.clock.now()))
        self._stand_at(target)
        await self._settle()
        if not was_frozen:
            self.transactions.run(lambda tx: self.clock.resume_from(tx, target), writes=True)
            self.transactions.commit()
        return target

    async def _settle(self) -> None:
        await self.jobs.quiet()
        while self.waits.wake_due():
            self.transactions.commit()
            await self.jobs.quiet()

    def _stand_at(self, instant: int) -> None:
        self.transactions.run(lambda tx: self.clock.freeze_at(tx, instant), writes=True)
        self.transactions.commit()

    def reset(self) -> None:
        """Forget all state of all services, in all accounts and regions; the clock runs on real time again."""

        def wipe(tx: Tx) -> None:
            blobs = [key for key, _ in tx.pages(_BLOBS.prefix, _BLOBS.end)]
            names = [_BLOBS.parts(key)[0] for key in blobs]
            tx.clear(b"", b"\xff" * 8)
            tx.on_commit.append(lambda: self.blobs.discard(*names))
            self.clock.save(tx, clocks.ClockState())
            tx.touch(background.TOUCHED)

        self.transactions.run(wipe, writes=True)
        self.transactions.commit()
        self.waits.wake_all()

    def _committed(self, touched: set[Any]) -> None:
        if self.peers.shared:
            self.peers.tell(touched)
        self._act_on(touched)

    def _heard(self, touched: set[Any]) -> None:
        self._act_on(touched, from_peer=True)

    def _act_on(self, touched: set[Any], *, from_peer: bool = False) -> None:
        if clocks.TOUCHED in touched:
            if from_peer:
                self.clock.load(self.store)
            self.waits.rearm()
            self.jobs.rearm()
            if from_peer:
                self.waits.wake_due()
        elif background.TOUCHED in touched:
            self.jobs.rearm()
        self.waits.wake(touched)


_BLOBS = Space("blobs")


def _no_operations(service: str, name: str) -> Operation:
    raise Fault("NotImplemented", f"Cloudlet does not implement {service}.{name}.", status=501)


class Call:
    """One request's run of an operation, from submission to its answer; a Wait in between parks it."""

    __slots__ = ("_answer", "_caller", "_done", "_kernel", "_operation", "_parked", "_req", "_started", "_task", "request_id")

    def __init__(
        self, kernel: Kernel, operation: Operation, caller: Caller, req: dict[str, Any], answer: Answer, request_id: str
    ):
        self._kernel = kernel
        self._operation = operation
        self._caller = caller
        self._req = req
        self._answer = answer
        self._done = False
        self._parked: Parked | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = kernel.clock.now()
        self.request_id = request_id

    def start(self) -> None:
        if self._operation.conversation:
            self._task = self._kernel.loop.create_task(self._converse())
        else:
            self._attempt()

    def cancel(self) -> None:
        """The caller is gone: what waits is forgotten, so that it takes nothing that nobody would get."""
        if self._parked:
            self._kernel.waits.cancel(self._parked)
        if self._task and not self._done:
            self._task.cancel()
        self._done = True

    def _attempt(self) -> None:
        self._parked = None
        try:
            result = self._kernel.transactions.run(self._transaction)
        except Wait as wait:
            self._parked = self._kernel.waits.park(self._attempt, wait.keys, wait.until)
        except Fault as fault:
            self._finish(None, fault)
        except Exception:
            self._finish(None, self._bug())
        else:
            self._finish(result, None)

    def _transaction(self, tx: Tx) -> Any:
        ctx = Context(self._kernel, tx, self._caller, self.request_id, self._started)
        return self._operation.function(ctx, self._req)

    async def _converse(self) -> None:
        conversation = Conversation(self._kernel, self._caller, self.request_id)
        try:
            result = await self._operation.function(conversation, self._req)
        except Fault as fault:
            self._finish(None, fault)
        except Exception:
            self._finish(None, self._bug())
        else:
            self._finish(result, None)

    def _finish(self, result: Any, fault: Fault | None) -> None:
        def durable(error: Exception | None) -> None:
            if self._done:
                return
            self._done = True
            if error is not None:
                self._answer(None, Fault("InternalFailure", "The store could not commit the request.", status=500))
            else:
                self._answer(result, fault)

        self._kernel.transactions.when_durable(durable)

    def _bug(self) -> Fault:
        _log.exception("%s.%s failed (request %s)", self._operation.service, self._operation.name, self.request_id)
        text = "The request processing has failed because of an unknown error, exception or failure."
        return Fault("InternalFailure", text, status=500)
