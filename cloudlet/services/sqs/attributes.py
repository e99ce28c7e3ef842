"""A queue's attributes: from AWS's texts to the fields of its row, with AWS's checks, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs import fifo, standard
from cloudlet.services.sqs.layer import Queue, find_by_arn

# attribute -> field, least, most, default
_NUMBERS: dict[str, tuple[str, int, int, int]] = {
    "VisibilityTimeout": ("visibility_timeout", 0, 43_200, 30),
    "DelaySeconds": ("delay", 0, 900, 0),
    "MaximumMessageSize": ("max_size", 1_024, 1_048_576, 1_048_576),
    "MessageRetentionPeriod": ("retention", 60, 1_209_600, 345_600),
    "ReceiveMessageWaitTimeSeconds": ("wait", 0, 20, 0),
    "KmsDataKeyReusePeriodSeconds": ("kms_reuse", 60, 86_400, 300),
}
# attribute of FIFO queues -> field, texts and what they stand for (the first is the default)
_CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "ContentBasedDeduplication": ("content_dedup", {"false": False, "true": True}),
    "DeduplicationScope": ("dedup_scope", {"queue": "queue", "messageGroup": "messageGroup"}),
    "FifoThroughputLimit": ("throughput", {"perQueue": "perQueue", "perMessageGroupId": "perMessageGroupId"}),
}
_BOOLEANS = {"true": True, "false": False}
_COUNTS = {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}


def changed(ctx: Context, queue: Queue, given: Mapping[str, str]) -> Queue:
    """The queue with new attributes; an empty text sets one back to its default. Raises Fault for what AWS would refuse."""
    fields: dict[str, Any] = {}
    for name, text in given.items():
        if name in _NUMBERS:
            fields[_NUMBERS[name][0]] = _number(name, text)
        elif name in _CHOICES and queue.fifo:
            fields[_CHOICES[name][0]] = _choice(name, text)
        elif name == "FifoQueue" and queue.fifo:
            if text != "true":
                raise _invalid(name, "Modifying queue type is not supported.")
        elif name in _OTHERS:
            fields.update(_OTHERS[name](ctx, queue, text))
        else:
            raise Fault("InvalidAttributeName", f"Unknown Attribute {name}.")
    return _consistent(msgspec.structs.replace(queue, **fields), given)


def different(ctx: Context, queue: Queue, given: Mapping[str, str]) -> str | None:
    """The first of the given attributes that the queue has another value of."""
    for name in given:
        if name != "FifoQueue" and changed(ctx, queue, {name: given[name]}) != queue:
            return name
    return None


def shown(ctx: Context, queue: Queue, names: list[str]) -> dict[str, str]:
    """The attributes asked for by name, or by `All`, as GetQueueAttributes answers them."""
    everything = "All" in names
    wanted = set(names)
    found = _settings(queue)
    if everything or wanted & _COUNTS:
        state = (fifo if queue.fifo else standard).counts(ctx.tx, queue, ctx.now)
        found["ApproximateNumberOfMessages"] = str(state.visible)
        found["ApproximateNumberOfMessagesNotVisible"] = str(state.in_flight)
        found["ApproximateNumberOfMessagesDelayed"] = str(state.delayed)
    return found if everything else {name: text for name, text in found.items() if name in wanted}


def _settings(queue: Queue) -> dict[str, str]:
    found = {
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(queue.created),
        "LastModifiedTimestamp": str(queue.modified),
        "SqsManagedSseEnabled": "true" if queue.managed_sse else "false",
    }
    for name, (field, *_) in _NUMBERS.items():
        if name != "KmsDataKeyReusePeriodSeconds":
            found[name] = str(getattr(queue, field))
    if queue.fifo:
        found["FifoQueue"] = "true"
        for name, (field, texts) in _CHOICES.items():
            found[name] = next(text for text, value in texts.items() if value == getattr(queue, field))
    if queue.dead_letter_arn:
        policy = {"deadLetterTargetArn": queue.dead_letter_arn, "maxReceiveCount": queue.max_receive_count}
        found["RedrivePolicy"] = orjson.dumps(policy).decode()
    if queue.kms_key:
        found["KmsMasterKeyId"] = queue.kms_key
        found["KmsDataKeyReusePeriodSeconds"] = str(queue.kms_reuse)
    if queue.redrive_allow:
        found["RedriveAllowPolicy"] = queue.redrive_allow
    if queue.policy:
        found["Policy"] = queue.policy
    return found


def _number(name: str, text: str) -> int:
    _, least, most, default = _NUMBERS[name]
    if text == "":
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _invalid(name)
    return int(text)


def _choice(name: str, text: str) -> Any:
    _, texts = _CHOICES[name]
    if text == "":
        return next(iter(texts.values()))
    if text not in texts:
        raise _invalid(name)
    return texts[text]


def _consistent(queue: Queue, given: Mapping[str, str]) -> Queue:
    """Encryption is either by a KMS key or by SQS; high throughput needs deduplication by group."""
    if given.get("KmsMasterKeyId") and given.get("SqsManagedSseEnabled") == "true":
        raise Fault("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time. "
                    "You can either enable KMS SSE or SQS SSE.")  # fmt: skip
    if given.get("KmsMasterKeyId"):
        queue = msgspec.structs.replace(queue, managed_sse=False)
    elif given.get("SqsManagedSseEnabled") == "true":
        queue = msgspec.structs.replace(queue, kms_key=None, kms_reuse=300)
    if queue.throughput == "perMessageGroupId" and queue.dedup_scope != "messageGroup":
        raise _invalid("FifoThroughputLimit", "FifoThroughputLimit perMessageGroupId requires DeduplicationScope messageGroup.")
    return queue


def _policy(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    if text and not isinstance(_json(text), dict):
        raise _invalid("Policy")
    return {"policy": text or None}


def _kms_key(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    return {"kms_key": text or None}


def _managed_sse(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    if text not in ("", *_BOOLEANS):
        raise _invalid("SqsManagedSseEnabled")
    return {"managed_sse": _BOOLEANS.get(text, False)}


def _redrive_policy(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    if text == "":
        return {"dead_letter_arn": None, "max_receive_count": 0}
    policy = _json(text)

    def refuse(reason: str) -> Fault:
        return _invalid_parameter(f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}")

    if not isinstance(policy, dict):
        raise refuse("Redrive policy is not a valid JSON map.")
    for mandatory in ("maxReceiveCount", "deadLetterTargetArn"):
        if mandatory not in policy:
            raise refuse(f"Redrive policy does not contain mandatory attribute: {mandatory}.")
    limit = str(policy["maxReceiveCount"])
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 1000):
        raise refuse(f"Invalid value for maxReceiveCount: {limit}, valid values are from 1 to 1000 both inclusive.")
    arn = str(policy["deadLetterTargetArn"])
    target = find_by_arn(ctx.tx, arn)
    if target is None:
        raise refuse("Dead letter target does not exist.")
    if target.account != queue.account or target.region != queue.region:
        raise refuse("Dead letter target owner should be same as the source.")
    if target.fifo != queue.fifo:
        raise refuse("Dead-letter queue must be same type of queue as the source.")
    if not _allows(target, queue):
        raise refuse("Dead letter target does not allow the source queue to use it.")
    return {"dead_letter_arn": arn, "max_receive_count": int(limit)}


def _allows(target: Queue, source: Queue) -> bool:
    allow = orjson.loads(target.redrive_allow) if target.redrive_allow else {}
    permission = allow.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (permission == "byQueue" and source.arn in allow.get("sourceQueueArns", ()))


def _redrive_allow_policy(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    if text == "":
        return {"redrive_allow": None}
    policy = _json(text)

    def refuse(reason: str) -> Fault:
        return _invalid_parameter(f"Value {text} for parameter RedriveAllowPolicy is invalid. Reason: {reason}")

    if not isinstance(policy, dict):
        raise refuse("Amazon SQS can't create the redrive allow policy. Invalid JSON.")
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
    if (permission == "byQueue") != bool(sources) or len(sources or ()) > 10:
        raise refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
    return {"redrive_allow": text}


_OTHERS: dict[str, Callable[[Context, Queue, str], dict[str, Any]]] = {
    "Policy": _policy,
    "KmsMasterKeyId": _kms_key,
    "SqsManagedSseEnabled": _managed_sse,
    "RedrivePolicy": _redrive_policy,
    "RedriveAllowPolicy": _redrive_allow_policy,
}


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _invalid(name: str, reason: str = "") -> Fault:
    text = f"Invalid value for the parameter {name}."
    return Fault("InvalidAttributeValue", f"{text} Reason: {reason}" if reason else text)


def _invalid_parameter(text: str) -> Fault:
    return Fault("InvalidParameterValueException", text)
