"""What a queue accepts from other services: one message for each event delivered to its ARN."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.services.sqs import checks
from cloudlet.services.sqs.actions import send
from cloudlet.services.sqs.layer import find_by_arn
from cloudlet.services.sqs.urls import no_such_queue


def deliver(ctx: Context, arn: str, event: Any) -> None:
    """Put one message on the queue `arn`.

    event: `body`, and where there are any `attributes` (as SendMessage takes them), `group` and `dedup`. Raises Fault where the
    queue does not exist or would refuse the message.
    """
    queue = find_by_arn(ctx.tx, arn)
    if queue is None:
        raise no_such_queue()
    members = {
        "MessageBody": event["body"],
        "MessageAttributes": event.get("attributes"),
        "MessageGroupId": event.get("group"),
        "MessageDeduplicationId": event.get("dedup"),
    }
    req = {name: value for name, value in members.items() if value is not None}
    checks.refuse_bad_message(queue, req)
    send(ctx, queue, req)
