"""What single operations and batches both do to one message."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs import digests, fifo, receipts, standard
from cloudlet.services.sqs.checks import invalid
from cloudlet.services.sqs.layer import Message, Queue, Receipt

_MAX_VISIBILITY_SECONDS = 43_200
_SEQUENCE_BASE = 10**19  # so that sequence numbers have twenty digits, as AWS's have


def send(ctx: Context, queue: Queue, req: dict[str, Any]) -> dict[str, Any]:
    """Put a checked message on the queue; SendMessage's answer. A repeat in a FIFO queue is answered with the first one's ids."""
    attributes = req.get("MessageAttributes")
    trace = (req.get("MessageSystemAttributes") or {}).get("AWSTraceHeader")
    answer = {"MD5OfMessageBody": digests.of_body(req["MessageBody"])}
    if attributes:
        answer["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
    if trace:
        answer["MD5OfMessageSystemAttributes"] = digests.of_attributes({"AWSTraceHeader": trace})
    message = Message(
        id=ctx.new_id(),
        seq=ctx.ids.sequence(),
        body=req["MessageBody"],
        md5=answer["MD5OfMessageBody"],
        sender=ctx.account,
        sent_at=ctx.now,
        visible_at=ctx.now + 1000 * (queue.delay if queue.fifo else req.get("DelaySeconds", queue.delay)),
        attributes=attributes or None,
        md5_attributes=answer.get("MD5OfMessageAttributes"),
        trace=trace["StringValue"] if trace else None,
        group=req.get("MessageGroupId"),
    )
    if not queue.fifo:
        standard.push(ctx.tx, queue, message, ctx.now)
        answer["MessageId"] = message.id
        return answer
    dedup = req.get("MessageDeduplicationId") or sha256(req["MessageBody"].encode()).hexdigest()
    sent = push_once(ctx, queue, message, dedup)
    answer["MessageId"] = sent.message_id
    answer["SequenceNumber"] = sequence_number(sent.seq)
    return answer


def push_once(ctx: Context, queue: Queue, message: Message, dedup: str) -> fifo.Sent:
    """Put a message on a FIFO queue unless its deduplication id was used in the last five minutes; the message that counts."""
    scope = message.group or "" if queue.dedup_scope == "messageGroup" else ""
    earlier = fifo.sent_before(ctx.tx, queue, scope, dedup, ctx.now)
    if earlier:
        return earlier
    sent = fifo.Sent(ctx.now, message.id, message.seq)
    fifo.remember_sent(ctx.tx, queue, scope, dedup, sent)
    fifo.push(ctx.tx, queue, msgspec.structs.replace(message, dedup=dedup), ctx.now)
    return sent


def sequence_number(seq: int) -> str:
    return str(_SEQUENCE_BASE + seq)


def delete_by_handle(ctx: Context, queue: Queue, handle: str) -> None:
    """Raises Fault for a handle that is none of this queue's, or in a FIFO queue one that is no longer good."""
    receipt = _read(queue, handle)
    if not queue.fifo:
        standard.delete(ctx.tx, queue, receipt)
    elif message := fifo.find_in_flight(ctx.tx, queue, receipt, ctx.now):
        fifo.delete(ctx.tx, queue, message)
    elif fifo.exists(ctx.tx, queue, receipt):
        raise invalid(handle, "ReceiptHandle", "The receipt handle has expired.")


def change_visibility(ctx: Context, queue: Queue, handle: str, timeout: int) -> None:
    """timeout: seconds. In a standard queue, a handle whose timeout is over changes nothing, and that is no error."""
    receipt = _read(queue, handle)
    if not 0 <= timeout <= _MAX_VISIBILITY_SECONDS:
        raise invalid(
            timeout, "VisibilityTimeout", f"VisibilityTimeout must be an integer between 0 and {_MAX_VISIBILITY_SECONDS}."
        )
    kind: Any = fifo if queue.fifo else standard
    message = (
        fifo.find_in_flight(ctx.tx, queue, receipt, ctx.now) if queue.fifo else standard.find_in_flight(ctx.tx, queue, receipt)
    )
    if message is None and not kind.exists(ctx.tx, queue, receipt):
        raise invalid(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
    if message is None and queue.fifo:
        raise invalid(handle, "ReceiptHandle", "The receipt handle has expired.")
    if message is None or message.visible_at <= ctx.now:
        return
    if ctx.now + timeout * 1000 - message.leased_at > _MAX_VISIBILITY_SECONDS * 1000:
        reason = f"Total VisibilityTimeout for the message is beyond the limit [{_MAX_VISIBILITY_SECONDS} seconds]"
        raise invalid(timeout, "VisibilityTimeout", reason)
    kind.hide_until(ctx.tx, queue, message, ctx.now + timeout * 1000, ctx.now)


def _read(queue: Queue, handle: str) -> Receipt:
    receipt = receipts.read(handle)
    if receipt is None:
        raise Fault("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    if receipt.queue != queue.id:
        raise Fault("ReceiptHandleIsInvalid", f'The receipt handle "{handle}" is not valid for this queue.')
    return receipt
