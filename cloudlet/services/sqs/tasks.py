"""Message move tasks as rows, and the job that works on them.

    ("sqs", "task", source queue id, number) -> Task      the number grows, so the latest task is the last

A task's job runs once a second where it has a limit per second, else at once again, until the source has nothing to receive.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.tables import Table
from cloudlet.services.sqs import fifo, standard
from cloudlet.services.sqs.layer import Message, Queue, find_by_arn
from cloudlet.services.sqs.redrive import resend

JOB = "sqs.move"
RUNNING, COMPLETED, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"
_AT_ONCE = 500
_SECOND_MS = 1000
_KEPT = 10


class Task(msgspec.Struct, frozen=True, array_like=True):
    """One move task. target: an ARN, or None for the queue that each message came from. rate: messages a second."""

    queue: int
    number: int
    id: str
    source: str
    target: str | None
    rate: int | None
    started: int
    to_move: int
    moved: int = 0
    status: str = RUNNING
    failure: str | None = None


TASKS: Table[Task] = Table("sqs", "task", row=Task, key=("queue", "number"))


def latest(ctx: Context, queue: Queue, limit: int) -> list[Task]:
    """The newest tasks of a source queue, the newest first."""
    return list(TASKS.scan(ctx.tx, queue.id, limit=limit, reverse=True))


def start(ctx: Context, task: Task) -> None:
    TASKS.put(ctx.tx, task)
    for old in list(TASKS.scan(ctx.tx, task.queue, reverse=True))[_KEPT:]:
        TASKS.delete(ctx.tx, old)
    ctx.schedule(ctx.now, JOB, [task.queue, task.number])


def forget_tasks(ctx: Context, queue: Queue) -> None:
    TASKS.clear(ctx.tx, queue.id)


def move(ctx: Context, payload: Any) -> None:
    """The job: move what may be moved now, and come again while there is more."""
    task = TASKS.get(ctx.tx, *payload)
    if task is None or task.status != RUNNING:
        return
    source = find_by_arn(ctx.tx, task.source)
    if source is None:
        return
    limit = min(task.rate or _AT_ONCE, _AT_ONCE)
    messages = (fifo if source.fifo else standard).take_ready(ctx.tx, source, ctx.now, limit)
    failure, moved = None, 0
    for message in messages:
        failure = _move_one(ctx, task, source, message) if failure is None else failure
        if failure is None:
            moved += 1
        else:
            _put_back(ctx, source, message)
    done = not failure and len(messages) < limit
    status = FAILED if failure else COMPLETED if done else RUNNING
    TASKS.put(ctx.tx, msgspec.structs.replace(task, moved=task.moved + moved, status=status, failure=failure))
    if status == RUNNING:
        ctx.schedule(ctx.now + (_SECOND_MS if task.rate else 0), JOB, payload)


def _move_one(ctx: Context, task: Task, source: Queue, message: Message) -> str | None:
    """Why the message cannot be moved, or None when it was."""
    arn = task.target or message.source
    if arn is None:
        return "CouldNotDetermineMessageSource"
    target = find_by_arn(ctx.tx, arn)
    if target is None:
        return "AWS.SimpleQueueService.NonExistentQueue"
    resend(ctx, source, target, message)
    return None


def _put_back(ctx: Context, source: Queue, message: Message) -> None:
    (fifo if source.fifo else standard).push(ctx.tx, source, message, ctx.now)
