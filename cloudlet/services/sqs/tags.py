"""TagQueue, UntagQueue, ListQueueTags."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs.checks import refuse_bad_tags
from cloudlet.services.sqs.layer import QUEUES
from cloudlet.services.sqs.urls import open_queue


def tag_queue(ctx: Context, req: dict[str, Any]) -> None:
    """Add tags to a queue; a tag of the same key gets the new value. 50 at most."""
    queue = open_queue(ctx, req["QueueUrl"])
    tags = {**queue.tags, **req["Tags"]}
    refuse_bad_tags(tags, queue.name)
    QUEUES.put(ctx.tx, msgspec.structs.replace(queue, tags=tags), was=queue)


def untag_queue(ctx: Context, req: dict[str, Any]) -> None:
    """Remove tags by their keys; keys that the queue does not have are ignored. Raises InvalidParameterValue without any."""
    queue = open_queue(ctx, req["QueueUrl"])
    keys = set(req["TagKeys"])
    if not keys:
        raise Fault("InvalidParameterValueException", "Tag keys must be between 1 and 128 characters in length.")
    tags = {key: value for key, value in queue.tags.items() if key not in keys}
    QUEUES.put(ctx.tx, msgspec.structs.replace(queue, tags=tags), was=queue)


def list_queue_tags(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a queue; no `Tags` where it has none."""
    queue = open_queue(ctx, req["QueueUrl"])
    return {"Tags": queue.tags} if queue.tags else {}
