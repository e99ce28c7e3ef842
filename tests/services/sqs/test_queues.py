from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudlet.testing.server import InProcessServer

from .faults import bodies, fault_of

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", 400)


def test_a_new_queue_has_the_default_attributes(sqs: Any, queue: str) -> None:
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert found.pop("CreatedTimestamp") == found.pop("LastModifiedTimestamp")
    assert found == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": "arn:aws:sqs:us-east-1:000000000000:orders",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }


def test_a_high_throughput_fifo_queue(sqs: Any) -> None:
    given = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url = sqs.create_queue(QueueName="a.fifo", Attributes=given)["QueueUrl"]
    names = [*given, "ContentBasedDeduplication"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert found == {**given, "ContentBasedDeduplication": "false"}


def test_creating_a_queue_again(sqs: Any, queue: str) -> None:
    assert sqs.create_queue(QueueName="orders")["QueueUrl"] == queue
    assert sqs.create_queue(QueueName="orders", Attributes={"DelaySeconds": "0"})["QueueUrl"] == queue
    assert fault_of(sqs.create_queue, QueueName="orders", Attributes={"DelaySeconds": "1"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
        400,
    )


@pytest.mark.parametrize("name", ["", "a.b", "a" * 81, "a.fifo", "ä"])
def test_bad_names(sqs: Any, name: str) -> None:
    text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    assert fault_of(sqs.create_queue, QueueName=name) == ("InvalidParameterValue", text, 400)


@pytest.mark.parametrize(
    ("name", "text"),
    [("VisibilityTimeout", "43201"), ("DelaySeconds", "-1"), ("MaximumMessageSize", "1023"), ("MessageRetentionPeriod", "x")],
)
def test_bad_attribute_values(sqs: Any, name: str, text: str) -> None:
    told = fault_of(sqs.create_queue, QueueName="a", Attributes={name: text})
    assert told == ("InvalidAttributeValue", f"Invalid value for the parameter {name}.", 400)


def test_what_is_no_attribute(sqs: Any, queue: str, fifo: str) -> None:
    change = sqs.set_queue_attributes
    unknown = ("InvalidAttributeName", "Unknown Attribute FifoQueue.", 400)
    assert fault_of(change, QueueUrl=queue, Attributes={"FifoQueue": "true"}) == unknown
    assert fault_of(change, QueueUrl=fifo, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        400,
    )
    change(QueueUrl=fifo, Attributes={"FifoQueue": "true"})
    told = fault_of(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["Nonsense"])
    assert told == ("InvalidAttributeName", "Unknown Attribute Nonsense.", 400)


def test_encryption_is_by_one_key_or_the_other(sqs: Any, queue: str) -> None:
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]

    def shown() -> dict[str, str]:
        return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]

    kms = {"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000", "SqsManagedSseEnabled": "false"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=kms)
    assert shown() == kms
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": ""})
    assert shown() == {"SqsManagedSseEnabled": "false"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"})
    assert shown() == {"SqsManagedSseEnabled": "true"}


def test_policies_come_and_go(sqs: Any, queue: str) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"] == {"Policy": policy}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])


def test_a_queue_made_anew_holds_nothing_of_the_old_one(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="old")
    sqs.delete_queue(QueueUrl=queue)
    assert fault_of(sqs.get_queue_url, QueueName="orders") == NO_QUEUE
    assert fault_of(sqs.delete_queue, QueueUrl=queue) == NO_QUEUE
    assert fault_of(sqs.send_message, QueueUrl=queue, MessageBody="x") == NO_QUEUE
    sqs.create_queue(QueueName="orders")
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []


def test_listing_by_pages(sqs: Any) -> None:
    urls = [sqs.create_queue(QueueName=f"page-{n}")["QueueUrl"] for n in range(5)]
    sqs.create_queue(QueueName="other")
    first = sqs.list_queues(QueueNamePrefix="page", MaxResults=2)
    rest = sqs.list_queues(QueueNamePrefix="page", NextToken=first["NextToken"])
    assert first["QueueUrls"] + rest["QueueUrls"] == urls
    assert "NextToken" not in rest
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="none")


def test_purging_once_a_minute(cloud: InProcessServer, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="a" * 5000)
    sqs.send_message(QueueUrl=queue, MessageBody="b", DelaySeconds=5)
    sqs.purge_queue(QueueUrl=queue)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    assert fault_of(sqs.purge_queue, QueueUrl=queue) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        "Only one PurgeQueue operation on orders is allowed every 60 seconds.",
        403,
    )
    cloud.advance("60s")
    sqs.purge_queue(QueueUrl=queue)


def test_every_form_of_a_queue_url(sqs: Any, queue: str) -> None:
    for number, url in enumerate(
        (
            queue,
            "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/orders",
            "http://us-east-1.queue.localhost.localstack.cloud:4566/000000000000/orders",
            "http://localhost:4566/queue/us-east-1/000000000000/orders",
            "https://sqs.us-east-1.amazonaws.com/000000000000/orders",
            "https://queue.amazonaws.com/000000000000/orders",
            "orders",
        )
    ):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == [str(n) for n in range(7)]
    elsewhere = "http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/orders"
    assert fault_of(sqs.send_message, QueueUrl=elsewhere, MessageBody="x") == NO_QUEUE


@pytest.mark.parametrize(
    ("strategy", "url"),
    [
        ("standard", "http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/a"),
        ("domain", "http://eu-west-1.queue.localhost.localstack.cloud:4566/000000000000/a"),
        ("path", "http://localhost.localstack.cloud:4566/queue/eu-west-1/000000000000/a"),
    ],
)
def test_the_form_of_answers_can_be_chosen(client: Callable[..., Any], cloud: InProcessServer, strategy: str, url: str) -> None:
    cloud.cloud.kernel.options = {"SQS_ENDPOINT_STRATEGY": strategy, "LOCALSTACK_HOST": "localhost.localstack.cloud:4566"}
    try:
        assert client("sqs", region="eu-west-1").create_queue(QueueName="a")["QueueUrl"] == url
    finally:
        cloud.cloud.kernel.options = {}


def test_queues_of_accounts_and_regions_are_apart(client: Callable[..., Any], sqs: Any, queue: str) -> None:
    other = client("sqs", account="111122223333")
    assert fault_of(other.get_queue_url, QueueName="orders") == NO_QUEUE
    assert other.get_queue_url(QueueName="orders", QueueOwnerAWSAccountId="000000000000")["QueueUrl"] == queue
    assert fault_of(client("sqs", region="eu-west-1").get_queue_url, QueueName="orders") == NO_QUEUE


def test_tags(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="a", tags={"a": "1", "b": "2"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"b": "3", "c": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "none"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "3", "c": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["b", "c"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    told = "Tag keys must be between 1 and 128 characters in length."
    assert fault_of(sqs.untag_queue, QueueUrl=url, TagKeys=[]) == ("InvalidParameterValue", told, 400)


def test_permissions_are_statements_of_the_policy(sqs: Any, queue: str) -> None:
    sqs.add_permission(QueueUrl=queue, Label="first", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    sqs.add_permission(QueueUrl=queue, Label="all", AWSAccountIds=["111122223333", "444455556666"], Actions=["*"])
    repeated = fault_of(sqs.add_permission, QueueUrl=queue, Label="all", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    assert repeated == ("InvalidParameterValue", "Value all for parameter Label is invalid. Reason: Already exists.", 400)
    sqs.remove_permission(QueueUrl=queue, Label="all")
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(policy) == {
        "Version": "2008-10-17",
        "Id": "arn:aws:sqs:us-east-1:000000000000:orders/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "first",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "SQS:SendMessage",
                "Resource": "arn:aws:sqs:us-east-1:000000000000:orders",
            }
        ],
    }
    assert fault_of(sqs.remove_permission, QueueUrl=queue, Label="all")[0] == "InvalidParameterValue"
