"""What AWS checks of a message that is sent, in its order and with its texts."""

from __future__ import annotations

import re
from typing import Any

from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs.layer import Queue

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,256}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MAX_ATTRIBUTES = 10
_MAX_TAGS = 50
_MAX_DELAY_SECONDS = 900
_WRONG_QUEUE_TYPE = "The request include parameter that is not valid for this queue type."


def invalid(value: Any, parameter: str, reason: str) -> Fault:
    return Fault("InvalidParameterValueException", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> Fault:
    return Fault("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def refuse_bad_message(queue: Queue, req: dict[str, Any]) -> None:
    """Raise the Fault that AWS has for a message; `req` is a SendMessage request or a batch's entry."""
    body = req["MessageBody"]
    if not body:
        raise missing("MessageBody")
    if not (body.isascii() and body.isprintable()) and _NOT_XML.search(body):
        raise Fault(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
            "#x10000 to #x10FFFF",
        )
    if attributes := req.get("MessageAttributes"):
        _refuse_bad_attributes(attributes)
    if system := req.get("MessageSystemAttributes"):
        _refuse_bad_system_attributes(system)
    if size_of(req) > queue.max_size:
        text = f"One or more parameters are invalid. Reason: Message must be shorter than {queue.max_size} bytes."
        raise Fault("InvalidParameterValueException", text)
    delay = req.get("DelaySeconds")
    if delay is not None:
        _refuse_bad_delay(queue, delay)
    if queue.fifo or "MessageGroupId" in req or "MessageDeduplicationId" in req:
        _refuse_bad_ids(queue, req)


def refuse_missing_ids(queue: Queue, req: dict[str, Any]) -> None:
    """What a FIFO queue cannot do without; in a batch, one such entry fails them all."""
    if not queue.fifo:
        return
    if "MessageGroupId" not in req:
        raise missing("MessageGroupId")
    if "MessageDeduplicationId" not in req and not queue.content_dedup:
        text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        raise Fault("InvalidParameterValueException", text)


def refuse_bad_tags(tags: dict[str, str], queue_name: str) -> None:
    if len(tags) > _MAX_TAGS:
        raise Fault("InvalidParameterValueException", f"Too many tags added for queue {queue_name}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            raise Fault("InvalidParameterValueException", "Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            raise Fault("InvalidParameterValueException", "Tag values must be between 0 and 256 characters in length.")


def size_of(req: dict[str, Any]) -> int:
    """Bytes of a message: its body, and of each attribute name, type and value."""
    body = req["MessageBody"]
    size = len(body) if body.isascii() else len(body.encode())
    for name, value in (req.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(value["DataType"].encode())
        size += len(value.get("BinaryValue", b"")) + len(value.get("StringValue", "").encode())
    return size


def _refuse_bad_delay(queue: Queue, delay: int) -> None:
    if queue.fifo and delay:
        raise invalid(delay, "DelaySeconds", _WRONG_QUEUE_TYPE)
    if not 0 <= delay <= _MAX_DELAY_SECONDS:
        raise invalid(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")


def _refuse_bad_ids(queue: Queue, req: dict[str, Any]) -> None:
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = req.get(name)
        if value is None:
            continue
        if not queue.fifo and name == "MessageDeduplicationId":
            raise invalid(value, name, _WRONG_QUEUE_TYPE)
        if not _TOKEN.fullmatch(value):
            raise invalid(value, name, f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.")
    refuse_missing_ids(queue, req)


def _refuse_bad_attributes(attributes: dict[str, dict[str, Any]]) -> None:
    if len(attributes) > _MAX_ATTRIBUTES:
        text = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{_MAX_ATTRIBUTES}]."
        raise Fault("InvalidParameterValueException", text)
    for name, value in attributes.items():
        _refuse_bad_name(name)
        _refuse_bad_value("(user)", name, value)


def _refuse_bad_system_attributes(attributes: dict[str, dict[str, Any]]) -> None:
    for name, value in attributes.items():
        if name != "AWSTraceHeader":
            text = f"Message system attribute name '{name}' is invalid."
            raise Fault("InvalidParameterValueException", text)
        if value["DataType"] != "String":
            text = f"Message system attribute '{name}' must be of type String."
            raise Fault("InvalidParameterValueException", text)
        _refuse_bad_value("(system)", name, value)


def _refuse_bad_name(name: str) -> None:
    if not name:
        text = "The request must contain non-empty message (user) attribute names."
    elif not _ATTRIBUTE_NAME.fullmatch(name):
        text = (
            f"Message (user) attribute name '{name}' is invalid. You can use only alphanumeric characters, hyphens, underscores "
            "and periods."
        )
    elif name.lower().startswith(("aws.", "amazon.")):
        text = f"Message (user) attribute name '{name}' is invalid. It can't start with a reserved prefix: AWS. or Amazon."
    elif name[0] == "." or name[-1] == "." or ".." in name:
        text = f"Message (user) attribute name '{name}' is invalid. It can't start or end with a period or have two in a row."
    else:
        return
    raise Fault("InvalidParameterValueException", text)


def _refuse_bad_value(whose: str, name: str, value: dict[str, Any]) -> None:
    kind = value["DataType"]
    base = kind.partition(".")[0]
    if not kind:
        text = f"The message attribute '{name}' must contain non-empty message attribute type."
    elif base not in ("String", "Number", "Binary"):
        text = (
            f"The type of message {whose} attribute '{name}' is invalid. You must use only the following supported type "
            "prefixes: Binary, Number, String."
        )
    elif not value.get("BinaryValue" if base == "Binary" else "StringValue"):
        text = f"Message {whose} attribute '{name}' must contain a non-empty value of type '{kind}'."
    elif base == "Number" and not _NUMBER.fullmatch(value["StringValue"]):
        text = f"Can't cast the value of message {whose} attribute '{name}' to a number."
    elif base != "Binary" and _NOT_XML.search(value["StringValue"]):
        text = f"Invalid characters found in the value of message {whose} attribute '{name}'."
    else:
        return
    raise Fault("InvalidParameterValueException", text)
