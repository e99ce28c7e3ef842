"""SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, Wait
from cloudlet.services.sqs import answers, checks, fifo, standard
from cloudlet.services.sqs.actions import change_visibility, delete_by_handle, send
from cloudlet.services.sqs.layer import (
    IN_FLIGHT_LIMIT,
    Message,
    Queue,
    in_flight,
)
from cloudlet.services.sqs.redrive import Undertaker
from cloudlet.services.sqs.urls import open_queue

_SECOND_MS = 1000
_TOO_MANY_IN_FLIGHT = (
    "Too many messages have been received without being deleted. "
    "Please delete your received messages or let them timeout before receiving more."
)


def send_message(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Put one message on a queue; it can be received once its delay has passed.

    A FIFO queue drops a repeat of a deduplication id for five minutes and answers with the first message's id.
    """
    queue = open_queue(ctx, req["QueueUrl"])
    checks.refuse_bad_message(queue, req)
    return send(ctx, queue, req)


def receive_message(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Take up to ten messages; each stays invisible for the visibility timeout, unless it is deleted before.

    With a wait time, an empty queue is answered when a message can be received, or when the time is over.
    """
    queue = open_queue(ctx, req["QueueUrl"])
    limit = _within(req, "MaxNumberOfMessages", 1, 1, 10, "Must be between 1 and 10, if provided.")
    wait = _within(req, "WaitTimeSeconds", queue.wait, 0, 20, "Must be >= 0 and <= 20, if provided.")
    timeout = _within(req, "VisibilityTimeout", queue.visibility_timeout, 0, 43_200, "Must be >= 0 and <= 43200, if provided.")
    attempt = req.get("ReceiveRequestAttemptId")
    if attempt is not None and not queue.fifo:
        raise checks.invalid(
            attempt, "ReceiveRequestAttemptId", "The request include parameter that is not valid for this queue type."
        )

    undertaker = Undertaker(ctx, queue)
    taken = _take(ctx, queue, limit, timeout * _SECOND_MS, undertaker, attempt)
    deadline = ctx.started + wait * _SECOND_MS
    if not taken and ctx.now < deadline:
        due = (fifo if queue.fifo else standard).next_due(ctx.tx, queue)
        until = deadline if due is None else min(deadline, max(due, ctx.now + 1))
        raise Wait([queue.topic], until, keep=undertaker.buried > 0)
    if not taken:
        return {}
    write = answers.Received(ctx.tx, queue, req)
    return {"Messages": [write.message(message) for message in taken]}


def delete_message(ctx: Context, req: dict[str, Any]) -> None:
    """Delete a message by the handle of one of its receives; a FIFO queue wants that of the last, before its timeout is over."""
    queue = open_queue(ctx, req["QueueUrl"])
    delete_by_handle(ctx, queue, req["ReceiptHandle"])


def change_message_visibility(ctx: Context, req: dict[str, Any]) -> None:
    """Let a received message's visibility timeout end so many seconds from now; 0 makes it visible at once."""
    queue = open_queue(ctx, req["QueueUrl"])
    change_visibility(ctx, queue, req["ReceiptHandle"], req["VisibilityTimeout"])


def _take(ctx: Context, queue: Queue, limit: int, timeout_ms: int, undertaker: Undertaker, attempt: str | None) -> list[Message]:
    tx, now = ctx.tx, ctx.now
    if not queue.fifo:
        if _is_full(ctx, queue):
            raise Fault("OverLimit", _TOO_MANY_IN_FLIGHT)
        return standard.lease(tx, queue, now, limit, timeout_ms, undertaker.bury)
    if attempt and (again := fifo.repeat_attempt(tx, queue, attempt, now, timeout_ms)):
        return again
    if _is_full(ctx, queue):  # a FIFO queue then gives out nothing, without an error
        return []
    taken = fifo.lease(tx, queue, now, limit, timeout_ms, undertaker.bury)
    if attempt and taken:
        fifo.remember_attempt(tx, queue, attempt, taken, now)
    return taken


def _is_full(ctx: Context, queue: Queue) -> bool:
    """Whether as many messages are in flight as may be; leases that have ended are looked for only where it seems so."""
    if in_flight(ctx.tx, queue) < IN_FLIGHT_LIMIT:
        return False
    return (fifo if queue.fifo else standard).counts(ctx.tx, queue, ctx.now).in_flight >= IN_FLIGHT_LIMIT


def _within(req: dict[str, Any], name: str, default: int, least: int, most: int, reason: str) -> int:
    value = req.get(name)
    if value is None:
        return default
    if not least <= value <= most:
        raise checks.invalid(value, name, reason)
    return int(value)
