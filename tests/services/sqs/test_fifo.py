from __future__ import annotations

from typing import Any

import pytest

from cloudlet.testing.server import InProcessServer

from .faults import bodies, counts, fault_of


def send(sqs: Any, url: str, body: str, group: str = "g", **more: Any) -> dict[str, Any]:
    return sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, **more)


def test_a_group_goes_on_when_nothing_of_it_is_in_flight(sqs: Any, fifo: str) -> None:
    for body in ("a1", "a2", "b1", "a3"):
        send(sqs, fifo, body, body[0])
    taken = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2)["Messages"]
    assert [message["Body"] for message in taken] == ["a1", "a2"]
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)) == ["b1"]
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=taken[1]["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=taken[0]["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == ["a3"]


def test_a_lapsed_message_comes_again_before_those_behind_it(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    cloud.freeze()
    for body in ("1", "2"):
        send(sqs, fifo, body)
    [first] = sqs.receive_message(QueueUrl=fifo)["Messages"]
    cloud.advance("30s")
    assert counts(sqs, fifo) == (2, 0, 0)
    told = fault_of(sqs.delete_message, QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    reason = "The receipt handle has expired."
    text = f"Value {first['ReceiptHandle']} for parameter ReceiptHandle is invalid. Reason: {reason}"
    assert told == ("InvalidParameterValue", text, 400)
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)) == ["1", "2"]
    assert fault_of(sqs.delete_message, QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])[1] == text


def test_system_attributes(sqs: Any, fifo: str) -> None:
    sent = send(sqs, fifo, "x", MessageDeduplicationId="d")
    [message] = sqs.receive_message(QueueUrl=fifo, MessageSystemAttributeNames=["All"])["Messages"]
    shown = message["Attributes"]
    assert (shown["MessageGroupId"], shown["MessageDeduplicationId"], shown["SequenceNumber"]) == (
        "g",
        "d",
        sent["SequenceNumber"],
    )
    assert len(sent["SequenceNumber"]) == 20


def test_repeats_are_dropped_for_five_minutes(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    cloud.freeze()
    first = send(sqs, fifo, "x", "g1")
    again = send(sqs, fifo, "x", "g2")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    [message] = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    cloud.advance("299s")
    send(sqs, fifo, "x", "g1")
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == []
    cloud.advance("1s")
    send(sqs, fifo, "x", "g1")
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == ["x"]


def test_deduplication_by_group(sqs: Any) -> None:
    given = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url = sqs.create_queue(QueueName="high.fifo", Attributes=given)["QueueUrl"]
    for group in ("g1", "g2", "g1"):
        send(sqs, url, "in " + group, group, MessageDeduplicationId="same")
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["in g1", "in g2"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"})
    send(sqs, url, "now of the queue", "g3", MessageDeduplicationId="same")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["now of the queue"]


def test_what_a_fifo_queue_wants(sqs: Any, fifo: str) -> None:
    url = sqs.create_queue(QueueName="plain.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert fault_of(sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="g") == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        400,
    )
    assert fault_of(sqs.send_message, QueueUrl=fifo, MessageBody="x") == (
        "MissingParameter",
        "The request must contain the parameter MessageGroupId.",
        400,
    )
    assert fault_of(send, sqs=sqs, url=fifo, body="x", DelaySeconds=2) == (
        "InvalidParameterValue",
        "Value 2 for parameter DelaySeconds is invalid. "
        "Reason: The request include parameter that is not valid for this queue type.",
        400,
    )


@pytest.mark.parametrize("value", ["", "group 123", "a" * 129])
def test_bad_deduplication_ids(sqs: Any, fifo: str, value: str) -> None:
    text = (
        f"Value {value} for parameter MessageDeduplicationId is invalid. "
        "Reason: MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length."
    )
    told = fault_of(send, sqs=sqs, url=fifo, body="x", MessageDeduplicationId=value)
    assert told == ("InvalidParameterValue", text, 400)


def test_the_visibility_of_a_group(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    cloud.freeze()
    for body in ("1", "2"):
        send(sqs, fifo, body)
    [first, second] = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2)["Messages"]
    for message, timeout in ((first, 0), (second, 100)):
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=timeout)
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == []
    cloud.advance("100s")
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2)) == ["1", "2"]


def test_delay_and_retention(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    cloud.freeze()
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"DelaySeconds": "10", "MessageRetentionPeriod": "60"})
    send(sqs, fifo, "a" * 5000)
    assert counts(sqs, fifo) == (0, 0, 1)
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == []
    cloud.advance("10s")
    assert counts(sqs, fifo) == (1, 0, 0)
    assert len(bodies(sqs.receive_message(QueueUrl=fifo, VisibilityTimeout=0))[0]) == 5000
    send(sqs, fifo, "b")
    cloud.advance("50s")
    assert counts(sqs, fifo) == (1, 0, 0)
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == ["b"]


def test_an_attempt_repeated_gives_the_same_messages(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    cloud.freeze()
    for body in ("1", "2", "3"):
        send(sqs, fifo, body)
    first = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, ReceiveRequestAttemptId="try")["Messages"]
    cloud.advance("20s")
    assert sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, ReceiveRequestAttemptId="try")["Messages"] == first
    cloud.advance("20s")
    for message in first:
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=fifo, ReceiveRequestAttemptId="try")) == ["3"]


def test_fair_queues_show_the_group(sqs: Any, queue: str) -> None:
    send(sqs, queue, "message", "test")
    [message] = sqs.receive_message(QueueUrl=queue, AttributeNames=["MessageGroupId", "SequenceNumber"])["Messages"]
    assert message["Attributes"] == {"MessageGroupId": "test"}
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert counts(sqs, queue) == (0, 0, 0)
