from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any

from .faults import bodies

PATH = "/000000000000/orders"


def texts(root: Any, path: str) -> list[str | None]:
    return [element.text for element in root.findall(path)]


def test_a_queue_is_meant_by_its_path(sqs: Any, queue: str, query: Callable[..., Any]) -> None:
    fields = {
        "Action": "SendMessage",
        "MessageBody": "hello <&>",
        "MessageAttribute.1.Name": "Foo",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "Bar",
    }
    status, root = query(PATH, fields)
    assert (status, root.tag) == (200, "SendMessageResponse")
    assert texts(root, "SendMessageResult/MD5OfMessageAttributes") == ["ae7155c6026991b6d54b11589678bf9c"]

    fields = {"Action": "ReceiveMessage", "AttributeName.1": "SenderId", "MessageAttributeName.1": "All"}
    _, root = query(PATH, fields)
    [message] = root.findall("ReceiveMessageResult/Message")
    assert texts(message, "Body") == ["hello <&>"]
    assert texts(message, "Attribute/Name") == ["SenderId"]
    assert texts(message, "MessageAttribute/Name") == ["Foo"]
    assert texts(message, "MessageAttribute/Value/StringValue") == ["Bar"]

    handle = message.findtext("ReceiptHandle")
    _, root = query("/", {"Action": "DeleteMessage", "QueueUrl": queue, "ReceiptHandle": handle})
    assert [child.tag for child in root] == ["ResponseMetadata"]


def test_queues_by_query(query: Callable[..., Any]) -> None:
    fields = {
        "Action": "CreateQueue",
        "QueueName": "orders",
        "Attribute.1.Name": "DelaySeconds",
        "Attribute.1.Value": "3",
        "Tag.1.Key": "team",
        "Tag.1.Value": "blue",
    }
    _, root = query("/", fields)
    assert root.findtext("CreateQueueResult/QueueUrl").endswith(PATH)
    _, root = query(PATH, {"Action": "GetQueueAttributes", "AttributeName.1": "DelaySeconds"})
    assert texts(root, "GetQueueAttributesResult/Attribute/*") == ["DelaySeconds", "3"]
    _, root = query(PATH, {"Action": "ListQueueTags"})
    assert texts(root, "ListQueueTagsResult/Tag/*") == ["team", "blue"]
    query(PATH, {"Action": "UntagQueue", "TagKey.1": "team"})
    _, root = query(PATH, {"Action": "ListQueueTags"})
    assert texts(root, "ListQueueTagsResult/Tag") == []
    _, root = query("/", {"Action": "ListQueues"})
    assert len(texts(root, "ListQueuesResult/QueueUrl")) == 1
    permission = {"Action": "AddPermission", "Label": "a", "AWSAccountId.1": "111122223333", "ActionName.1": "SendMessage"}
    assert query(PATH, permission)[0] == 200


def test_batches_by_query(sqs: Any, queue: str, query: Callable[..., Any]) -> None:
    entry = "SendMessageBatchRequestEntry"
    fields = {"Action": "SendMessageBatch", f"{entry}.1.Id": "a", f"{entry}.1.MessageBody": "one"}
    fields |= {f"{entry}.2.Id": "b", f"{entry}.2.MessageBody": "two", f"{entry}.2.DelaySeconds": "901"}
    _, root = query(PATH, fields)
    assert texts(root, "SendMessageBatchResult/SendMessageBatchResultEntry/Id") == ["a"]
    [failed] = root.findall("SendMessageBatchResult/BatchResultErrorEntry")
    assert (failed.findtext("Id"), failed.findtext("SenderFault"), failed.findtext("Code")) == (
        "b",
        "true",
        "InvalidParameterValue",
    )
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["one"]


def test_a_plain_get(sqs: Any, queue: str) -> None:
    with urllib.request.urlopen(f"{queue}?Action=SendMessage&MessageBody=by%20hand") as answer:
        assert answer.status == 200
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["by hand"]


def test_errors_by_query(sqs: Any, queue: str, query: Callable[..., Any]) -> None:
    def told(path: str, **fields: str) -> tuple[int, str, str, str]:
        status, root = query(path, fields)
        assert root.tag == "ErrorResponse"
        return (status, *(root.findtext(f"Error/{part}") for part in ("Type", "Code", "Message")))

    assert told("/000000000000/none", Action="PurgeQueue") == (
        400,
        "Sender",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )
    assert told(PATH, Action="SendMessage") == (
        400,
        "Sender",
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    )
    assert told("/", Action="SendMessage", MessageBody="x")[3] == "The request must contain the parameter QueueUrl."
    assert told(PATH, Action="DeleteMessageBatch")[2] == "AWS.SimpleQueueService.EmptyBatchRequest"
    assert told(PATH, Action="GetQueueAttributes", **{"AttributeName.1": "Nonsense"})[2:] == (
        "InvalidAttributeName",
        "Unknown Attribute Nonsense.",
    )
