"""AddPermission and RemovePermission: statements in the queue's policy, by label."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs.checks import invalid
from cloudlet.services.sqs.layer import QUEUES, Queue
from cloudlet.services.sqs.urls import open_queue

_MAX_ACTIONS = 7
_ACTIONS = frozenset(
    {"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
     "ListDeadLetterSourceQueues", "PurgeQueue"}
)  # fmt: skip


def add_permission(ctx: Context, req: dict[str, Any]) -> None:
    """Add a statement to the queue's policy that allows the accounts the actions, each by its name without `sqs:`."""
    queue = open_queue(ctx, req["QueueUrl"])
    label, accounts, actions = req["Label"], req["AWSAccountIds"], req["Actions"]
    policy = _policy_of(queue)
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        raise invalid(label, "Label", "Already exists.")
    if len(actions) > _MAX_ACTIONS:
        raise Fault("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {_MAX_ACTIONS}.")
    for action in actions:
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions. "
            raise invalid(f"SQS:{action}", "ActionName", reason)

    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    names = [f"SQS:{action}" for action in actions]
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": names[0] if len(names) == 1 else names,
            "Resource": queue.arn,
        }
    )
    _save(ctx, queue, policy)


def remove_permission(ctx: Context, req: dict[str, Any]) -> None:
    """Take the statement of that label out of the queue's policy."""
    queue = open_queue(ctx, req["QueueUrl"])
    policy = _policy_of(queue)
    kept = [statement for statement in policy["Statement"] if statement.get("Sid") != req["Label"]]
    if len(kept) == len(policy["Statement"]):
        raise invalid(req["Label"], "Label", "can't find label on existing policy.")
    _save(ctx, queue, {**policy, "Statement": kept})


def _policy_of(queue: Queue) -> dict[str, Any]:
    if not queue.policy:
        return {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    policy: dict[str, Any] = orjson.loads(queue.policy)
    statements = policy.get("Statement", [])
    return {**policy, "Statement": statements if isinstance(statements, list) else [statements]}


def _save(ctx: Context, queue: Queue, policy: dict[str, Any]) -> None:
    text = orjson.dumps(policy).decode() if policy["Statement"] else None
    QUEUES.put(ctx.tx, msgspec.structs.replace(queue, policy=text, modified=ctx.now // 1000), was=queue)
