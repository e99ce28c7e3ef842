"""CreateQueue, DeleteQueue, PurgeQueue, GetQueueUrl, GetQueueAttributes, SetQueueAttributes, and the lists of queues."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs import attributes, fifo
from cloudlet.services.sqs.checks import refuse_bad_tags
from cloudlet.services.sqs.layer import QUEUES, Queue, clear_messages
from cloudlet.services.sqs.tasks import forget_tasks
from cloudlet.services.sqs.urls import no_such_queue, open_queue, queue_url

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MAX_LISTED = 1000
_PURGE_PAUSE_MS = 60_000


def create_queue(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Make a queue; one of the same name whose attributes do not differ from the given ones is answered as if it were new."""
    name, given = req["QueueName"], req.get("Attributes") or {}
    fifo_asked = given.get("FifoQueue") == "true"
    _refuse_bad_name(name, fifo_asked, given)
    there = QUEUES.get(ctx.tx, ctx.account, ctx.region, name)
    if there:
        name_of_difference = attributes.different(ctx, there, given)
        if name_of_difference:
            text = f"A queue already exists with the same name and a different value for attribute {name_of_difference}"
            raise Fault("QueueNameExists", text)
        return {"QueueUrl": queue_url(ctx, there)}

    tags = req.get("tags") or {}
    refuse_bad_tags(tags, name)
    second = ctx.now // 1000
    queue = Queue(ctx.account, ctx.region, name, ctx.ids.sequence(), second, second, fifo=fifo_asked, tags=tags)
    queue = attributes.changed(ctx, queue, given)
    QUEUES.insert(ctx.tx, queue)
    return {"QueueUrl": queue_url(ctx, queue)}


def delete_queue(ctx: Context, req: dict[str, Any]) -> None:
    """Delete a queue with all its messages, whether it is empty or not."""
    queue = open_queue(ctx, req["QueueUrl"])
    clear_messages(ctx, queue)
    fifo.forget_all(ctx.tx, queue)
    forget_tasks(ctx, queue)
    QUEUES.delete(ctx.tx, queue)


def purge_queue(ctx: Context, req: dict[str, Any]) -> None:
    """Delete all messages of a queue; once in 60 seconds."""
    queue = open_queue(ctx, req["QueueUrl"])
    if queue.purged and ctx.now - queue.purged < _PURGE_PAUSE_MS:
        text = f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
        raise Fault("PurgeQueueInProgress", text)
    clear_messages(ctx, queue)
    QUEUES.put(ctx.tx, msgspec.structs.replace(queue, purged=ctx.now), was=queue)


def get_queue_url(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The URL of a queue by its name, of the caller's account unless another is given."""
    queue = QUEUES.get(ctx.tx, req.get("QueueOwnerAWSAccountId") or ctx.account, ctx.region, req["QueueName"])
    if queue is None:
        raise no_such_queue()
    return {"QueueUrl": queue_url(ctx, queue)}


def get_queue_attributes(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The attributes asked for. The numbers of messages are exact, not approximate."""
    queue = open_queue(ctx, req["QueueUrl"])
    found = attributes.shown(ctx, queue, req.get("AttributeNames") or [])
    return {"Attributes": found} if found else {}


def set_queue_attributes(ctx: Context, req: dict[str, Any]) -> None:
    """Change attributes, from the next request on. An empty text takes one back to its default."""
    queue = open_queue(ctx, req["QueueUrl"])
    changed = attributes.changed(ctx, queue, req["Attributes"])
    QUEUES.put(ctx.tx, msgspec.structs.replace(changed, modified=ctx.now // 1000), was=queue)
    ctx.tx.touch(queue.topic)


def list_queues(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The URLs of the account's queues in this region, by name; a next token only where the caller limits the number."""
    limit = _limit(req)
    found = list(
        QUEUES.scan(
            ctx.tx,
            ctx.account,
            ctx.region,
            begins_with=req.get("QueueNamePrefix", ""),
            start_after=_last_name(req.get("NextToken")),
            limit=limit + 1,
        )
    )
    return _page(ctx, found, limit, "QueueUrls", more="MaxResults" in req)


def list_dead_letter_source_queues(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The URLs of the queues whose redrive policy names this one."""
    queue = open_queue(ctx, req["QueueUrl"])
    limit = _limit(req)
    last = _last_name(req.get("NextToken")) or ""
    found = [source for source in QUEUES.by(ctx.tx, "dead-letter", queue.arn) if source.name > last]
    answer = _page(ctx, found, limit, "queueUrls", more="MaxResults" in req)
    return {"queueUrls": [], **answer}


def _refuse_bad_name(name: str, fifo_asked: bool, given: dict[str, str]) -> None:
    if "FifoQueue" in given and not fifo_asked:
        if given["FifoQueue"] != "false":
            raise Fault("InvalidAttributeValue", "Invalid value for the parameter FifoQueue.")
        # AWS knows the attribute for FIFO queues only
        raise Fault("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    if fifo_asked and not (name.endswith(".fifo") and len(name) <= 80 and _NAME.fullmatch(name[:-5])):
        text = (
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo "
            "suffix and be 1 to 80 in length."
        )
        raise Fault("InvalidParameterValueException", text)
    if not fifo_asked and not _NAME.fullmatch(name):
        text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise Fault("InvalidParameterValueException", text)


def _limit(req: dict[str, Any]) -> int:
    limit = req.get("MaxResults", _MAX_LISTED)
    if not 1 <= limit <= _MAX_LISTED:
        text = f"Value {limit} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."
        raise Fault("InvalidParameterValueException", text)
    return int(limit)


def _page(ctx: Context, found: list[Queue], limit: int, member: str, *, more: bool) -> dict[str, Any]:
    urls = [queue_url(ctx, queue) for queue in found[:limit]]
    answer: dict[str, Any] = {member: urls} if urls else {}
    if more and len(found) > limit:
        answer["NextToken"] = base64.b64encode(urls[-1].encode()).decode()
    return answer


def _last_name(token: str | None) -> str | None:
    """The name of the last queue of the page before; the token is its URL."""
    if token is None:
        return None
    try:
        return base64.b64decode(token, validate=True).decode().rpartition("/")[2]
    except (binascii.Error, ValueError):
        raise Fault("InvalidParameterValueException", "Invalid or expired next token.") from None
