"""`GET /_aws/sqs/messages?QueueUrl=...`: a queue's messages, read without receiving them."""

from __future__ import annotations

import base64
from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.services.sqs import fifo, standard
from cloudlet.services.sqs.answers import Received
from cloudlet.services.sqs.checks import missing
from cloudlet.services.sqs.urls import open_queue

_EVERYTHING = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}


def messages(ctx: Context, request: Any) -> dict[str, Any]:
    """The messages that can be received now; with ShowInvisible=true those in flight too, with ShowDelayed=true the delayed."""
    query = request.query
    if "QueueUrl" not in query:
        raise missing("QueueUrl")
    queue = open_queue(ctx, query["QueueUrl"])
    invisible, delayed = query.get("ShowInvisible") == "true", query.get("ShowDelayed") == "true"
    write = Received(ctx.tx, queue, _EVERYTHING)
    shown = []
    for _, message in (fifo if queue.fifo else standard).all_messages(ctx.tx, queue):
        hidden = message.visible_at > ctx.now
        if not hidden or (invisible if message.receive_count else delayed):
            shown.append(_plain(write.message(message)))
    return {"Messages": shown}


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it: binary attribute values in base64."""
    if "MessageAttributes" in message:
        message["MessageAttributes"] = {
            name: {part: base64.b64encode(text).decode() if isinstance(text, bytes) else text for part, text in value.items()}
            for name, value in message["MessageAttributes"].items()
        }
    return message
