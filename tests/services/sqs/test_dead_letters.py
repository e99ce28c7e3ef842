from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloudlet.testing.server import InProcessServer

from .faults import bodies, counts, fault_of

ARN = "arn:aws:sqs:us-east-1:000000000000:"


def redrive(sqs: Any, queue: str, target: str, count: Any = 1) -> None:
    policy = json.dumps({"deadLetterTargetArn": ARN + target, "maxReceiveCount": count})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})


@pytest.fixture
def dead(sqs: Any, queue: str) -> str:
    """The URL of `queue`'s dead-letter queue."""
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive(sqs, queue, "dead")
    return url


def kill(sqs: Any, queue: str, *bodies: str) -> None:
    """Send messages, and have them end on the dead-letter queue."""
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    for _ in range(len(bodies)):
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)


def test_a_message_received_too_often_moves(cloud: InProcessServer, sqs: Any, queue: str, dead: str) -> None:
    cloud.freeze()
    sent = sqs.send_message(
        QueueUrl=queue, MessageBody="m" * 5000, MessageAttributes={"MyAttribute": {"DataType": "String", "StringValue": "foobar"}}
    )
    [alive] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
    cloud.advance("30s")
    with ThreadPoolExecutor() as threads:  # the poll that finds the message spent waits on for another
        poll = threads.submit(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=1)
        found = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=20)
        assert not poll.done()
        cloud.advance("1s")
        assert bodies(poll.result(timeout=30)) == []
    [message] = found["Messages"]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "m" * 5000
    assert message["MD5OfMessageAttributes"] == "adb59cd4678ea5a855436b949cd07ab6"
    assert message["Attributes"] == {
        **alive["Attributes"],
        "ApproximateReceiveCount": "2",
        "DeadLetterQueueSourceArn": ARN + "orders",
    }
    assert counts(sqs, queue) == (0, 0, 0)
    assert counts(sqs, dead) == (0, 1, 0)


def test_fifo_dead_letters_let_the_group_go_on(cloud: InProcessServer, sqs: Any, fifo: str) -> None:
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    redrive(sqs, fifo, "dead.fifo")
    for body in ("bad", "good"):
        sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
    sqs.receive_message(QueueUrl=fifo)
    cloud.advance("30s")
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == ["good"]
    [message] = sqs.receive_message(QueueUrl=dead, AttributeNames=["MessageGroupId"])["Messages"]
    assert (message["Body"], message["Attributes"]) == ("bad", {"MessageGroupId": "g"})


def test_the_policy_as_it_is_shown(sqs: Any, queue: str, dead: str) -> None:
    redrive(sqs, queue, "dead", "4")
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    assert json.loads(shown) == {"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 4}
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("{}", "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ('{"maxReceiveCount": 1}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        ("nonsense", "Redrive policy is not a valid JSON map."),
        (json.dumps({"maxReceiveCount": 1, "deadLetterTargetArn": ARN + "none"}), "Dead letter target does not exist."),
        (
            json.dumps({"maxReceiveCount": 1001, "deadLetterTargetArn": ARN + "orders"}),
            "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            json.dumps({"maxReceiveCount": 1, "deadLetterTargetArn": ARN + "orders.fifo"}),
            "Dead-letter queue must be same type of queue as the source.",
        ),
    ],
)
def test_bad_redrive_policies(sqs: Any, queue: str, fifo: str, policy: str, reason: str) -> None:
    told = fault_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    assert told == ("InvalidParameterValue", f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}", 400)


def test_a_dead_letter_queue_chooses_its_sources(sqs: Any, queue: str) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [ARN + "other"]}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    policy = json.dumps({"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 1})
    told = fault_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    assert told[0] == "InvalidParameterValue"
    allow["sourceQueueArns"].append(ARN + "orders")
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    redrive(sqs, queue, "dead")


def test_a_move_task_takes_messages_back(cloud: InProcessServer, sqs: Any, queue: str, dead: str) -> None:
    kill(sqs, queue, "a", "b" * 5000)
    before = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"]
    sqs.start_message_move_task(SourceArn=ARN + "dead")
    cloud.advance("1s")
    [task] = sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"]
    assert isinstance(task.pop("StartedTimestamp"), int)
    assert task == {
        "Status": "COMPLETED",
        "SourceArn": ARN + "dead",
        "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 2,
    }
    back = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert sorted(message["Body"] for message in back) == ["a", "b" * 5000]
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in back] == ["1", "1"]
    assert before[0]["MessageId"] not in [message["MessageId"] for message in back]
    assert counts(sqs, dead) == (0, 0, 0)


def test_a_move_task_with_a_limit_fails_when_its_destination_goes(
    cloud: InProcessServer, sqs: Any, queue: str, dead: str
) -> None:
    target = sqs.create_queue(QueueName="target")["QueueUrl"]
    cloud.freeze()
    for n in range(10):
        sqs.send_message(QueueUrl=dead, MessageBody=str(n))
    started = sqs.start_message_move_task(SourceArn=ARN + "dead", DestinationArn=ARN + "target", MaxNumberOfMessagesPerSecond=1)
    text = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    assert fault_of(sqs.start_message_move_task, SourceArn=ARN + "dead") == ("InvalidParameterValue", text, 400)
    cloud.advance("2s")
    [task] = sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"]
    assert (task["TaskHandle"], task["Status"]) == (started["TaskHandle"], "RUNNING")
    sqs.delete_queue(QueueUrl=target)
    cloud.advance("5s")
    [task] = sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"]
    del task["StartedTimestamp"]
    assert task == {
        "ApproximateNumberOfMessagesMoved": 3,
        "ApproximateNumberOfMessagesToMove": 10,
        "DestinationArn": ARN + "target",
        "FailureReason": "AWS.SimpleQueueService.NonExistentQueue",
        "MaxNumberOfMessagesPerSecond": 1,
        "SourceArn": ARN + "dead",
        "Status": "FAILED",
    }
    assert counts(sqs, dead) == (7, 0, 0)


def test_cancelling_a_move_task(cloud: InProcessServer, sqs: Any, queue: str, dead: str) -> None:
    cloud.freeze()
    for n in range(5):
        sqs.send_message(QueueUrl=dead, MessageBody=str(n))
    handle = sqs.start_message_move_task(SourceArn=ARN + "dead", DestinationArn=ARN + "orders", MaxNumberOfMessagesPerSecond=2)[
        "TaskHandle"
    ]
    cloud.advance("500ms")
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 2
    cloud.advance("10s")
    [task] = sqs.list_message_move_tasks(SourceArn=ARN + "dead", MaxResults=10)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", 2)
    assert counts(sqs, dead) == (3, 0, 0)


def test_move_tasks_that_cannot_start(sqs: Any, queue: str, dead: str) -> None:
    def missing(parameter: str) -> tuple[str, str, int]:
        text = f"The resource that you specified for the {parameter} parameter doesn't exist."
        return ("ResourceNotFoundException", text, 404)

    start = sqs.start_message_move_task
    assert fault_of(start, SourceArn=ARN + "none") == missing("SourceArn")
    assert fault_of(start, SourceArn=ARN + "dead", DestinationArn=ARN + "none") == missing("DestinationArn")
    assert fault_of(start, SourceArn=ARN + "orders") == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
        400,
    )


def test_a_message_that_came_from_nowhere_stays(cloud: InProcessServer, sqs: Any, queue: str, dead: str) -> None:
    sqs.send_message(QueueUrl=dead, MessageBody="x")
    sqs.start_message_move_task(SourceArn=ARN + "dead")
    cloud.advance("1s")
    [task] = sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert bodies(sqs.receive_message(QueueUrl=dead)) == ["x"]
