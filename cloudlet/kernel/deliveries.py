"""Events from one service to another: a job written in the sender's transaction, given to the sink of the ARN's service.

A `def` sink runs in the transaction that removes the delivery, so it happens once; an `async def` sink at least once. A sink's
Fault is tried again with growing pauses, then goes to the dead-letter target, where there is one, else is logged.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.kernel.context import Caller, Context, Conversation
from cloudlet.kernel.fault import Fault
from cloudlet.kernel.registry import Sink

if TYPE_CHECKING:
    from cloudlet.kernel.kernel import Kernel

KIND = "kernel.deliver"
_ATTEMPTS = 4
_FIRST_PAUSE_MS = 1_000
_log = logging.getLogger("cloudlet.deliveries")


class Delivery(msgspec.Struct, frozen=True):
    """source: the ARN that sends. account, region: on whose behalf."""

    arn: str
    event: Any
    source: str
    account: str
    region: str
    dead_letter: str | None = None
    attempts: int = 0


class Deliveries:
    def __init__(self, kernel: Kernel):
        self._kernel = kernel
        kernel.jobs.handlers[KIND] = self._attempt

    def send(self, ctx: Context, arn: str, event: Any, *, source: str, dead_letter: str | None) -> None:
        delivery = Delivery(arn, event, source, ctx.account, ctx.region, dead_letter)
        ctx.schedule(ctx.now, KIND, msgspec.to_builtins(delivery, builtin_types=(bytes,)))

    def _attempt(self, ctx: Context, payload: Any) -> None:
        delivery = msgspec.convert(payload, Delivery)
        try:
            sink, caller = self._target(delivery)
            if inspect.iscoroutinefunction(sink):
                ctx.schedule(ctx.now, KIND + ".slow", payload)
                return
            inner = self._kernel.nested(ctx, caller)
            sink(inner, delivery.arn, delivery.event)
            ctx.tx.merge(inner.tx)
        except Fault as fault:
            self._failed(ctx, delivery, fault)

    async def attempt_slow(self, conversation: Conversation, payload: Any) -> None:
        """The job of a delivery whose sink is `async def`."""
        delivery = msgspec.convert(payload, Delivery)
        try:
            sink, caller = self._target(delivery)
            await sink(Conversation(self._kernel, caller, conversation.request_id), delivery.arn, delivery.event)
        except Fault as fault:
            failure = fault  # the name in the except clause is gone when the transaction runs
            await conversation.transact(lambda ctx: self._failed(ctx, delivery, failure))

    def _target(self, delivery: Delivery) -> tuple[Sink, Caller]:
        """What takes the event, and as whom."""
        sink = self._kernel.sink(delivery.arn.split(":")[2])
        if sink is None:
            raise Fault("NoSink", f"nothing here accepts events for {delivery.arn}")
        return sink, Caller(delivery.account, delivery.region, delivery.source)

    def _failed(self, ctx: Context, delivery: Delivery, fault: Fault) -> None:
        attempts = delivery.attempts + 1
        if attempts < _ATTEMPTS:
            again = msgspec.structs.replace(delivery, attempts=attempts)
            pause = _FIRST_PAUSE_MS << attempts
            ctx.schedule(ctx.now + pause, KIND, msgspec.to_builtins(again, builtin_types=(bytes,)))
        elif delivery.dead_letter:
            last = msgspec.structs.replace(delivery, arn=delivery.dead_letter, dead_letter=None, attempts=0)
            ctx.schedule(ctx.now, KIND, msgspec.to_builtins(last, builtin_types=(bytes,)))
        else:
            _log.warning("a delivery from %s to %s failed for good: %s", delivery.source, delivery.arn, fault)
