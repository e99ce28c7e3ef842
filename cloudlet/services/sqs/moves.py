"""StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
import orjson

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs import fifo, standard, tasks
from cloudlet.services.sqs.checks import invalid
from cloudlet.services.sqs.layer import QUEUES, Queue, find_by_arn
from cloudlet.services.sqs.tasks import CANCELLED, RUNNING, TASKS, Task

_MAX_RATE = 500
_MAX_LISTED = 10


def start_message_move_task(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Move the messages of a dead-letter queue to another queue, or back to where they came from.

    It goes on in the background, as fast as it can or at the given number of messages a second.
    """
    source = _named(ctx, req, "SourceArn")
    target = _named(ctx, req, "DestinationArn") if "DestinationArn" in req else None
    rate = req.get("MaxNumberOfMessagesPerSecond")
    if not any(True for _ in QUEUES.by(ctx.tx, "dead-letter", source.arn, limit=1)):
        raise Fault("InvalidParameterValueException", "Source queue must be configured as a Dead Letter Queue.")
    if target and target.id == source.id:
        raise Fault("InvalidParameterValueException", "Source queue arn and destination queue arn cannot be the same.")
    if rate is not None and not 1 <= rate <= _MAX_RATE:
        raise invalid(rate, "MaxNumberOfMessagesPerSecond", f"Must be between 1 and {_MAX_RATE}, if provided.")
    if any(task.status == RUNNING for task in tasks.latest(ctx, source, 1)):
        text = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        raise Fault("InvalidParameterValueException", text)

    task = Task(
        queue=source.id,
        number=ctx.ids.sequence(),
        id=ctx.new_id(),
        source=source.arn,
        target=target.arn if target else None,
        rate=rate,
        started=ctx.now,
        to_move=(fifo if source.fifo else standard).counts(ctx.tx, source, ctx.now).visible,
    )
    tasks.start(ctx, task)
    return {"TaskHandle": _handle(task)}


def cancel_message_move_task(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Stop a running task; what it moved stays moved."""
    task_id, arn = _read_handle(req["TaskHandle"])
    source = find_by_arn(ctx.tx, arn)
    if source is None:
        raise _no_such("SourceArn")
    task = next((task for task in tasks.latest(ctx, source, -1) if task.id == task_id), None)
    if task is None:
        raise Fault("ResourceNotFoundException", "Task does not exist.")
    if task.status != RUNNING:
        raise Fault("UnsupportedOperation", "Only active tasks can be cancelled.")
    TASKS.put(ctx.tx, msgspec.structs.replace(task, status=CANCELLED))
    return {"ApproximateNumberOfMessagesMoved": task.moved}


def list_message_move_tasks(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The latest tasks of a source queue, the newest first: one unless more, up to ten, are asked for."""
    source = _named(ctx, req, "SourceArn")
    limit = req.get("MaxResults", 1)
    if not 1 <= limit <= _MAX_LISTED:
        raise invalid(limit, "MaxResults", f"MaxResults must be an integer between 1 and {_MAX_LISTED}.")
    found = tasks.latest(ctx, source, limit)
    return {"Results": [_shown(task) for task in found]} if found else {}


def _shown(task: Task) -> dict[str, Any]:
    shown = {
        "TaskHandle": _handle(task) if task.status == RUNNING else None,
        "Status": task.status,
        "SourceArn": task.source,
        "DestinationArn": task.target,
        "MaxNumberOfMessagesPerSecond": task.rate,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.failure,
        "StartedTimestamp": task.started,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _named(ctx: Context, req: dict[str, Any], parameter: str) -> Queue:
    queue = find_by_arn(ctx.tx, req[parameter])
    if queue is None:
        raise _no_such(parameter)
    return queue


def _no_such(parameter: str) -> Fault:
    return Fault("ResourceNotFoundException", f"The resource that you specified for the {parameter} parameter doesn't exist.")


def _handle(task: Task) -> str:
    return base64.b64encode(orjson.dumps({"taskId": task.id, "sourceArn": task.source})).decode()


def _read_handle(handle: str) -> tuple[str, str]:
    try:
        said = orjson.loads(base64.b64decode(handle, validate=True))
        return str(said["taskId"]), str(said["sourceArn"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise Fault("InvalidParameterValueException", "Value for parameter TaskHandle is invalid.") from None
