from __future__ import annotations

import json
import threading
import urllib.request
from queue import SimpleQueue
from typing import Any

import pytest

from cloudlet.kernel.context import Context
from cloudlet.services.sqs.layer import count, find_by_arn
from cloudlet.testing.server import InProcessServer

from .faults import bodies, counts, fault_of


def test_send_receive_delete(sqs: Any, queue: str) -> None:
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    sent = sqs.send_message(
        QueueUrl=queue,
        MessageBody="msg",
        MessageAttributes={"Foo": {"DataType": "String", "StringValue": "Bar"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}},
    )
    assert sent["MD5OfMessageBody"] == "6e2baaf3b97dbeef01c0043275f9a0e7"
    assert sent["MD5OfMessageAttributes"] == "ae7155c6026991b6d54b11589678bf9c"
    assert "MD5OfMessageSystemAttributes" in sent

    [message] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
    attributes = message.pop("Attributes")
    assert attributes.pop("SentTimestamp") <= attributes.pop("ApproximateFirstReceiveTimestamp")
    assert attributes == {"SenderId": "000000000000", "ApproximateReceiveCount": "1", "AWSTraceHeader": trace}
    handle = message.pop("ReceiptHandle")
    assert message == {
        "MessageId": sent["MessageId"],
        "MD5OfBody": "6e2baaf3b97dbeef01c0043275f9a0e7",
        "Body": "msg",
        "MD5OfMessageAttributes": "ae7155c6026991b6d54b11589678bf9c",
        "MessageAttributes": {"Foo": {"DataType": "String", "StringValue": "Bar"}},
    }
    assert counts(sqs, queue) == (0, 1, 0)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    assert counts(sqs, queue) == (0, 0, 0)


def test_binary_attributes(sqs: Any, queue: str) -> None:
    value = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"
    attributes = {"attr1": {"DataType": "Binary", "BinaryValue": value}}
    sqs.send_message(QueueUrl=queue, MessageBody="test", MessageAttributes=attributes)
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"


@pytest.mark.parametrize(
    ("names", "shown", "md5"),
    [
        (["All"], ["General", "Hello", "Help.Me"], "4c360f3fdafd970e05fae2f149d997f5"),
        ([".*"], ["General", "Hello", "Help.Me"], "4c360f3fdafd970e05fae2f149d997f5"),
        (["Hello", "General"], ["General", "Hello"], "fca026605781cb4126a1e9044df24232"),
        (["Hello", "None"], ["Hello"], "a311262e065454b75da111d535b8dacd"),
        (["Hel.*"], ["Hello", "Help.Me"], "83fee93c1bcd8b9a5a923ffacdc636c7"),
        (["None"], [], None),
        ([], [], None),
    ],
)
def test_attributes_are_chosen_by_name(sqs: Any, queue: str, names: list[str], shown: list[str], md5: str | None) -> None:
    values = {"Hello": "There", "General": "Kenobi", "Help.Me": "Me"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
    sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=attributes)
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=names)["Messages"]
    assert sorted(message.get("MessageAttributes", {})) == shown
    assert message.get("MD5OfMessageAttributes") == md5


def test_the_visibility_timeout(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    for body in "ab":
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    [first] = sqs.receive_message(QueueUrl=queue)["Messages"]
    cloud.advance("29s")
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["b"]
    cloud.advance("1s")
    assert counts(sqs, queue) == (1, 1, 0)
    [again] = sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert (again["Body"], again["Attributes"]) == ("a", {"ApproximateReceiveCount": "2"})
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    cloud.advance("30s")
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["b"]


def test_deleting_after_the_timeout(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    [first] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)["Messages"]
    cloud.advance("2s")
    [_] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    assert counts(sqs, queue) == (0, 0, 0)


def test_changing_the_visibility(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=100)
    cloud.advance("99s")
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    told = fault_of(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=43_200)
    assert told[1] == (
        "Value 43200 for parameter VisibilityTimeout is invalid. "
        "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
    )
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert counts(sqs, queue) == (1, 0, 0)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    told = fault_of(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=1)
    reason = "Message does not exist or is not available for visibility timeout change."
    assert told == ("InvalidParameterValue", f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}", 400)


def test_handles_that_are_none(sqs: Any, queue: str) -> None:
    told = fault_of(sqs.delete_message, QueueUrl=queue, ReceiptHandle="garbage")
    assert told == ("ReceiptHandleIsInvalid", 'The input receipt handle "garbage" is not a valid receipt handle.', 404)


def test_delays(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "10"})
    sqs.send_message(QueueUrl=queue, MessageBody="later")
    sqs.send_message(QueueUrl=queue, MessageBody="now", DelaySeconds=0)
    assert counts(sqs, queue) == (1, 0, 1)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["now"]
    cloud.advance("10s")
    assert counts(sqs, queue) == (1, 1, 0)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["later"]


def test_messages_are_kept_for_the_retention_period(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    for body in ("a", "b" * 5000, "c"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    [_] = sqs.receive_message(QueueUrl=queue)["Messages"]
    cloud.advance("345599s")
    sqs.send_message(QueueUrl=queue, MessageBody="new")
    assert counts(sqs, queue) == (4, 0, 0)
    cloud.advance("1s")
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["new"]
    assert counts(sqs, queue) == (0, 1, 0)


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [
        ("MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided."),
        ("MaxNumberOfMessages", 0, "Must be between 1 and 10, if provided."),
        ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."),
    ],
)
def test_receives_out_of_range(sqs: Any, queue: str, parameter: str, value: int, reason: str) -> None:
    told = fault_of(sqs.receive_message, QueueUrl=queue, **{parameter: value})
    assert told == ("InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}", 400)


def test_the_largest_message(sqs: Any, queue: str) -> None:
    body = "x" * (1_048_576 - 7 - 6)
    attributes = {"a": {"DataType": "String", "StringValue": "123456"}}
    sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=attributes)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == [body]
    told = fault_of(sqs.send_message, QueueUrl=queue, MessageBody=body + "x", MessageAttributes=attributes)
    text = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    assert told == ("InvalidParameterValue", text, 400)


def test_messages_that_are_refused(sqs: Any, queue: str) -> None:
    def told(**params: Any) -> tuple[str, str]:
        return fault_of(sqs.send_message, QueueUrl=queue, **{"MessageBody": "x", **params})[:2]

    assert told(MessageBody="") == ("MissingParameter", "The request must contain the parameter MessageBody.")
    assert told(MessageBody="\x00")[0] == "InvalidMessageContents"
    assert told(DelaySeconds=901) == (
        "InvalidParameterValue",
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
    )
    assert told(MessageAttributes={"piyo": {"DataType": "String", "StringValue": ""}}) == (
        "InvalidParameterValue",
        "Message (user) attribute 'piyo' must contain a non-empty value of type 'String'.",
    )
    assert told(MessageAttributes={"a": {"DataType": "Text", "StringValue": "x"}}) == (
        "InvalidParameterValue",
        "The type of message (user) attribute 'a' is invalid. You must use only the following supported type prefixes: "
        "Binary, Number, String.",
    )
    assert told(MessageAttributes={"a..b": {"DataType": "String", "StringValue": "x"}})[0] == "InvalidParameterValue"
    assert told(MessageAttributes={"a": {"DataType": "Number", "StringValue": "x"}})[0] == "InvalidParameterValue"


def test_a_long_poll_ends_when_a_message_comes(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    answers = _poll(cloud, sqs, queue, WaitTimeSeconds=20)
    sqs.send_message(QueueUrl=queue, MessageBody="here")
    assert bodies(answers.get(timeout=10)) == ["here"]


def test_a_long_poll_sees_what_becomes_visible(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"ReceiveMessageWaitTimeSeconds": "10"})
    sqs.send_message(QueueUrl=queue, MessageBody="delayed", DelaySeconds=4)
    answers = _poll(cloud, sqs, queue)
    cloud.advance("4s")
    [message] = answers.get(timeout=10)["Messages"]
    assert message["Body"] == "delayed"
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=3)
    answers = _poll(cloud, sqs, queue)
    cloud.advance("3s")
    assert bodies(answers.get(timeout=10)) == ["delayed"]


def test_a_long_poll_keeps_its_deadline(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    cloud.freeze()
    answers = _poll(cloud, sqs, queue, WaitTimeSeconds=10)
    cloud.advance("9s")
    sqs.send_message(QueueUrl=queue, MessageBody="too late", DelaySeconds=2)
    assert answers.empty()
    cloud.advance("1s")
    assert bodies(answers.get(timeout=10)) == []


def test_too_many_in_flight(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")

    def crowd(ctx: Context) -> None:
        row = find_by_arn(ctx.tx, "arn:aws:sqs:us-east-1:000000000000:orders")
        assert row
        count(ctx.tx, row, 120_000, in_flight=120_000)

    cloud.run(lambda: cloud.cloud.kernel.transact(crowd))
    text = (
        "Too many messages have been received without being deleted. "
        "Please delete your received messages or let them timeout before receiving more."
    )
    assert fault_of(sqs.receive_message, QueueUrl=queue) == ("OverLimit", text, 403)


def test_the_page_of_messages_takes_nothing(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    for body in ("flies", "waits"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    sqs.send_message(QueueUrl=queue, MessageBody="comes", DelaySeconds=60)
    [_] = sqs.receive_message(QueueUrl=queue)["Messages"]

    def shown(options: str = "") -> list[str]:
        with urllib.request.urlopen(f"{cloud.endpoint}/_aws/sqs/messages?QueueUrl={queue}{options}") as answer:
            return bodies(json.load(answer))

    assert shown() == shown() == ["waits"]
    assert shown("&ShowInvisible=true") == ["flies", "waits"]
    assert shown("&ShowInvisible=true&ShowDelayed=true") == ["flies", "waits", "comes"]


def test_events_of_other_services(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    event = {"body": "told", "attributes": {"a": {"DataType": "Binary", "BinaryValue": b"\x01"}}}
    arn = "arn:aws:sqs:us-east-1:000000000000:orders"
    cloud.run(lambda: cloud.cloud.kernel.transact(lambda ctx: ctx.deliver(arn, event)))
    cloud.advance("1s")
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert (message["Body"], message["MessageAttributes"]) == ("told", event["attributes"])


def _poll(cloud: InProcessServer, sqs: Any, queue: str, **params: Any) -> SimpleQueue[Any]:
    """Receive in another thread; comes back once that waits. The answer will be put on what is returned."""
    answers: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=lambda: answers.put(sqs.receive_message(QueueUrl=queue, **params)), daemon=True).start()
    for _ in range(100_000):
        if cloud.run(cloud.cloud.kernel.waits.next_due) is not None:
            return answers
    raise AssertionError("the receive did not wait")
