"""Messages on their way from one queue to another: to a dead-letter queue, and back by a move task."""

from __future__ import annotations

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.services.sqs import fifo, standard
from cloudlet.services.sqs.layer import Message, Queue, drop_body, find_by_arn, load_body


class Undertaker:
    """Moves messages that were received too often to the dead-letter queue of `queue`. buried: how many it moved."""

    def __init__(self, ctx: Context, queue: Queue):
        self._ctx = ctx
        self._queue = queue
        self.buried = 0

    def bury(self, message: Message) -> bool:
        """Put the message on the dead-letter queue; False where that does not exist any more.

        It keeps its id, its count of receives and, in a standard queue, the instant it was sent.
        """
        ctx, queue = self._ctx, self._queue
        target = find_by_arn(ctx.tx, queue.dead_letter_arn or "")
        if target is None:
            return False
        self.buried += 1
        dead = msgspec.structs.replace(
            message,
            seq=ctx.ids.sequence(),
            body=load_body(ctx.tx, queue, message),
            sent_at=ctx.now if target.fifo else message.sent_at,
            visible_at=ctx.now,
            source=queue.arn,
        )
        (fifo if target.fifo else standard).push(ctx.tx, target, dead, ctx.now)
        return True


def resend(ctx: Context, source: Queue, target: Queue, message: Message) -> None:
    """Put a message taken from `source` on `target` as a new one: with a new id, and a retention period that begins now."""
    new = msgspec.structs.replace(
        message,
        id=ctx.new_id(),
        seq=ctx.ids.sequence(),
        body=load_body(ctx.tx, source, message),
        sent_at=ctx.now,
        visible_at=ctx.now,
        receive_count=0,
        first_received=0,
        source=None,
    )
    drop_body(ctx.tx, source, message)
    (fifo if target.fifo else standard).push(ctx.tx, target, new, ctx.now)
