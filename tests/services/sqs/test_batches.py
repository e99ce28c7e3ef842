from __future__ import annotations

from typing import Any

from .faults import bodies, fault_of


def test_each_entry_by_itself(sqs: Any, queue: str) -> None:
    entries = [
        {"Id": "1", "MessageBody": "a"},
        {"Id": "2", "MessageBody": "b", "DelaySeconds": 901},
        {"Id": "3", "MessageBody": "c", "MessageAttributes": {"Foo": {"DataType": "String", "StringValue": "Bar"}}},
        {"Id": "4", "MessageBody": "d", "MessageAttributes": {"Foo": {"DataType": "String"}}},
    ]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert answer["Failed"].pop()["Code"] == "InvalidParameterValue"
    for sent in answer["Successful"]:
        del sent["MessageId"]
    assert answer["Successful"] == [
        {"Id": "1", "MD5OfMessageBody": "0cc175b9c0f1b6a831c399e269772661"},
        {
            "Id": "3",
            "MD5OfMessageBody": "4a8a08f09d37b73795649038408b5f33",
            "MD5OfMessageAttributes": "ae7155c6026991b6d54b11589678bf9c",
        },
    ]
    assert answer["Failed"] == [
        {
            "Id": "2",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        }
    ]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    handles = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
    changes = [{**entry, "VisibilityTimeout": 0} for entry in handles]
    answer = sqs.change_message_visibility_batch(
        QueueUrl=queue, Entries=[*changes, {**changes[0], "Id": "x", "ReceiptHandle": "y"}]
    )
    assert answer["Successful"] == [{"Id": "0"}, {"Id": "1"}]
    assert [(failed["Id"], failed["Code"]) for failed in answer["Failed"]] == [("x", "ReceiptHandleIsInvalid")]
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["a", "c"]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[*handles, {"Id": "x", "ReceiptHandle": "y"}])
    assert answer["Successful"] == [{"Id": "0"}, {"Id": "1"}]
    assert [failed["Id"] for failed in answer["Failed"]] == ["x"]


def test_batches_that_are_wrong_as_a_whole(sqs: Any, queue: str) -> None:
    def told(*entries: dict[str, str]) -> tuple[str, str, int]:
        return fault_of(sqs.send_message_batch, QueueUrl=queue, Entries=list(entries))

    ours = "AWS.SimpleQueueService."
    assert told() == (
        ours + "EmptyBatchRequest",
        "There should be at least one SendMessageBatchRequestEntry in the request.",
        400,
    )
    assert told(*({"Id": str(n), "MessageBody": "x"} for n in range(20))) == (
        ours + "TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 20.",
        400,
    )
    twice = {"Id": "1", "MessageBody": "x"}
    assert told(twice, twice) == (ours + "BatchEntryIdsNotDistinct", "Id 1 repeated.", 400)
    assert told({"Id": "a b", "MessageBody": "x"}) == (
        ours + "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
        400,
    )
    assert told({"Id": "1", "MessageBody": "a" * 1_048_576}, {"Id": "2", "MessageBody": "b"}) == (
        ours + "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        400,
    )


def test_an_entry_larger_than_the_queue_takes(sqs: Any, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    entries = [{"Id": "1", "MessageBody": "a" * 1024}, {"Id": "2", "MessageBody": "b" * 1025}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [sent["Id"] for sent in answer["Successful"]] == ["1"]
    assert answer["Failed"] == [
        {
            "Id": "2",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        }
    ]


def test_a_fifo_batch_without_deduplication_ids(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="plain.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    entries = [
        {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"},
        {"Id": "2", "MessageBody": "y", "MessageGroupId": "g"},
    ]
    assert fault_of(sqs.send_message_batch, QueueUrl=url, Entries=entries) == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        400,
    )
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
