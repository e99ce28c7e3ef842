"""What botocore's model leaves out of SQS's two protocols: the query protocol's names, error codes, texts for what is missing."""

from __future__ import annotations

from typing import Any

_OURS = "AWS.SimpleQueueService."

# error shape -> code in the query protocol (and in JSON's x-amzn-query-error), HTTP status
ERRORS = {
    "BatchEntryIdsNotDistinct": (_OURS + "BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": (_OURS + "BatchRequestTooLong", 400),
    "EmptyBatchRequest": (_OURS + "EmptyBatchRequest", 400),
    "InvalidAddress": ("InvalidAddress", 404),
    "InvalidBatchEntryId": (_OURS + "InvalidBatchEntryId", 400),
    "InvalidParameterValueException": ("InvalidParameterValue", 400),
    "MessageNotInflight": (_OURS + "MessageNotInflight", 400),
    "MissingRequiredParameterException": ("MissingParameter", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": (_OURS + "PurgeQueueInProgress", 403),
    "QueueDeletedRecently": (_OURS + "QueueDeletedRecently", 400),
    "QueueDoesNotExist": (_OURS + "NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "TooManyEntriesInBatchRequest": (_OURS + "TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": (_OURS + "UnsupportedOperation", 400),
}


def _elements(name: str) -> dict[str, Any]:
    return {"member": {"locationName": name}}


def _entries(key: str, value: str) -> dict[str, Any]:
    return {"key": {"locationName": key}, "value": {"locationName": value}}


def _members(**names: str) -> dict[str, Any]:
    return {"members": {member: {"locationName": name} for member, name in names.items()}}


SHAPES: dict[str, dict[str, Any]] = {
    "AWSAccountIdList": _elements("AWSAccountId"),
    "ActionNameList": _elements("ActionName"),
    "AttributeNameList": _elements("AttributeName"),
    "BatchResultErrorEntryList": _elements("BatchResultErrorEntry"),
    "BinaryList": _elements("BinaryListValue"),
    "ChangeMessageVisibilityBatchRequestEntryList": _elements("ChangeMessageVisibilityBatchRequestEntry"),
    "ChangeMessageVisibilityBatchResultEntryList": _elements("ChangeMessageVisibilityBatchResultEntry"),
    "DeleteMessageBatchRequestEntryList": _elements("DeleteMessageBatchRequestEntry"),
    "DeleteMessageBatchResultEntryList": _elements("DeleteMessageBatchResultEntry"),
    "ListMessageMoveTasksResultEntryList": _elements("ListMessageMoveTasksResultEntry"),
    "MessageAttributeNameList": _elements("MessageAttributeName"),
    "MessageList": _elements("Message"),
    "MessageSystemAttributeList": _elements("MessageSystemAttributeName"),
    "QueueUrlList": _elements("QueueUrl"),
    "SendMessageBatchRequestEntryList": _elements("SendMessageBatchRequestEntry"),
    "SendMessageBatchResultEntryList": _elements("SendMessageBatchResultEntry"),
    "StringList": _elements("StringListValue"),
    "TagKeyList": _elements("TagKey"),
    "MessageBodyAttributeMap": _entries("Name", "Value"),
    "MessageBodySystemAttributeMap": _entries("Name", "Value"),
    "MessageSystemAttributeMap": _entries("Name", "Value"),
    "QueueAttributeMap": _entries("Name", "Value"),
    "TagMap": _entries("Key", "Value"),
    "CreateQueueRequest": _members(Attributes="Attribute", tags="Tag"),
    "GetQueueAttributesResult": _members(Attributes="Attribute"),
    "ListQueueTagsResult": _members(Tags="Tag"),
    "Message": _members(Attributes="Attribute", MessageAttributes="MessageAttribute"),
    "ReceiveMessageRequest": {"members": {"AttributeNames": {"shape": "ReceivedAttributeNameList"}}},
    "SendMessageBatchRequestEntry": _members(
        MessageAttributes="MessageAttribute", MessageSystemAttributes="MessageSystemAttribute"
    ),
    "SendMessageRequest": _members(MessageAttributes="MessageAttribute", MessageSystemAttributes="MessageSystemAttribute"),
    "SetQueueAttributesRequest": _members(Attributes="Attribute"),
    "TagQueueRequest": _members(Tags="Tag"),
}

# ReceiveMessage's AttributeNames are those of messages; the model has them as those of queues
NEW_SHAPES: dict[str, dict[str, Any]] = {
    "ReceivedAttributeNameList": {
        "type": "list",
        "member": {"shape": "MessageSystemAttributeName", "locationName": "AttributeName"},
        "flattened": True,
    },
}


def dialect(operation: str, violations: list[Any]) -> tuple[str, str] | None:
    """SQS tells of one broken constraint only, in texts of its own. violations: (value, path, kind, constraint, member) each."""
    first = violations[0]
    if first.kind != "required":
        return "InvalidAttributeName", f"Unknown Attribute {first.value}."
    if first.member == "Entries":
        return "EmptyBatchRequest", f"There should be at least one {operation}RequestEntry in the request."
    path = first.path.split(".")
    if first.member == "DataType":
        name = path[-3] if path[-2] == "member" else path[-2]
        text = f"The message attribute '{name}' must contain non-empty message attribute type."
        return "InvalidParameterValueException", text
    if path[0] == "entries":
        return "MissingRequiredParameterException", (
            f"The request must contain the parameter {operation}RequestEntry.{path[1]}.{first.member}."
        )
    return "MissingRequiredParameterException", f"The request must contain the parameter {first.member}."


WIRE: dict[str, Any] = {
    "protocols": ("query",),
    "error_prefix": "com.amazonaws.sqs#",
    "xml_namespace": "http://queue.amazonaws.com/doc/2012-11-05/",
    "errors": ERRORS,
    "shapes": SHAPES,
    "new_shapes": NEW_SHAPES,
    "dialect": dialect,
    "path_member": "QueueUrl",
}
