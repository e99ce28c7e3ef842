"""Background work as rows: schedules, retries, expiry. One process runs what is due, each job in a transaction of its own.

    ("jobs", due, id) -> Job          id grows, so jobs of the same instant run in the order they were made

A job's row is deleted in the transaction that does its work, so it is done exactly once; an `async def` job's row goes when it
has ended, so it is done at least once. One that fails is tried again with growing pauses.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.kernel.context import Caller, Context, Conversation
from cloudlet.kernel.keys import Space
from cloudlet.kernel.registry import JobHandler
from cloudlet.kernel.tx import Tx

if TYPE_CHECKING:
    from cloudlet.kernel.kernel import Kernel

TOUCHED = "jobs"
_JOBS = Space("jobs")
_BATCH = 100
_LONGEST_SLEEP_SECONDS = 3600.0
_FIRST_RETRY_MS, _LAST_RETRY_MS = 1_000, 300_000
_NOBODY = Caller("000000000000", "us-east-1", "cloudlet")
_log = logging.getLogger("cloudlet.jobs")


class Job(msgspec.Struct, frozen=True, array_like=True):
    """kind names the handler; attempts counts the failures so far."""

    kind: str
    payload: Any
    attempts: int = 0


class Jobs:
    """The scheduler. `handlers` maps a kind to its function (ctx, payload); `find_handler` loads a missing kind's service."""

    def __init__(self, kernel: Kernel, loop: asyncio.AbstractEventLoop, *, leader: bool):
        self._kernel = kernel
        self._loop = loop
        self._leader = leader
        self._alarm: asyncio.TimerHandle | None = None
        self._running: dict[bytes, asyncio.Task[None]] = {}
        self.handlers: dict[str, JobHandler] = {}
        self.find_handler: Callable[[str], None] = lambda kind: None

    def schedule(self, tx: Tx, due: int, kind: str, payload: Any) -> tuple[int, int]:
        job = (due, self._kernel.ids.sequence())
        tx.put(_JOBS.key(*job), msgspec.msgpack.encode(Job(kind, payload)))
        tx.touch(TOUCHED)
        return job

    def unschedule(self, tx: Tx, job: tuple[int, int]) -> None:
        tx.delete(_JOBS.key(*job))

    def next_due(self) -> int | None:
        """The instant of the earliest job that is not running."""
        for key, _ in self._kernel.store.scan(_JOBS.prefix, _JOBS.end, len(self._running) + 1):
            if key not in self._running:
                return _JOBS.parts(key)[0]
        return None

    def rearm(self) -> None:
        """Set the alarm to the next job: after a commit that touched jobs, or a move of the clock."""
        if not self._leader:
            return
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        due, clock = self.next_due(), self._kernel.clock
        if due is None or (clock.state.frozen_at is not None and due > clock.now()):
            return
        delay = min(max(due - clock.now(), 0) / 1000, _LONGEST_SLEEP_SECONDS)
        self._alarm = self._loop.call_later(delay, self.run_due)

    def run_due(self) -> int:
        """Start every job whose instant has come, a batch at most; the number started."""
        now = self._kernel.clock.now()
        rows = self._kernel.store.scan(_JOBS.prefix, _JOBS.key(now + 1), _BATCH + len(self._running))
        due = [(key, value) for key, value in rows if key not in self._running]
        for key, value in due:
            self._start(key, msgspec.msgpack.decode(value, type=Job))
        self.rearm()
        return len(due)

    async def quiet(self) -> None:
        """Run due jobs until none is left and none is running."""
        while self.run_due() or self._running:
            if self._running:
                await asyncio.wait(list(self._running.values()))
            self._kernel.transactions.commit()
            await asyncio.sleep(0)

    def _start(self, key: bytes, job: Job) -> None:
        if job.kind not in self.handlers:
            self.find_handler(job.kind)
        handler = self.handlers.get(job.kind)
        if handler is None:
            _log.error("no handler for job %r; it is dropped", job.kind)
            self._kernel.transactions.run(lambda tx: tx.delete(key))
        elif inspect.iscoroutinefunction(handler):
            self._running[key] = self._loop.create_task(self._converse(key, job, handler))
        else:
            self._transact(key, job, handler)

    def _transact(self, key: bytes, job: Job, handler: JobHandler) -> None:
        kernel = self._kernel

        def work(tx: Tx) -> None:
            if tx.get(key) is not None:
                tx.delete(key)
                handler(Context(kernel, tx, _NOBODY, kernel.ids.uuid()), job.payload)

        try:
            kernel.transactions.run(work, writes=True)
        except Exception:
            self._put_off(key, job)

    async def _converse(self, key: bytes, job: Job, handler: JobHandler) -> None:
        kernel = self._kernel
        try:
            await handler(Conversation(kernel, _NOBODY, kernel.ids.uuid()), job.payload)
        except Exception:
            self._put_off(key, job)
        else:
            kernel.transactions.run(lambda tx: tx.delete(key), writes=True)
        finally:
            del self._running[key]
            self.rearm()

    def _put_off(self, key: bytes, job: Job) -> None:
        _log.exception("job %r failed (attempt %d); it will be tried again", job.kind, job.attempts + 1)
        pause = min(_FIRST_RETRY_MS << min(job.attempts, 10), _LAST_RETRY_MS)

        def work(tx: Tx) -> None:
            tx.delete(key)
            later = _JOBS.key(self._kernel.clock.now() + pause, _JOBS.parts(key)[1])
            tx.put(later, msgspec.msgpack.encode(Job(job.kind, job.payload, job.attempts + 1)))
            tx.touch(TOUCHED)

        self._kernel.transactions.run(work, writes=True)
