"""Fixtures of the SQS tests: a client, queues, and the query protocol by hand, since SDKs no longer speak it."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"


@pytest.fixture
def sqs(client: Callable[..., Any]) -> Any:
    return client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    """The URL of a standard queue with default attributes."""
    return sqs.create_queue(QueueName="orders")["QueueUrl"]


@pytest.fixture
def fifo(sqs: Any) -> str:
    """The URL of a FIFO queue that tells repeats by content."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return sqs.create_queue(QueueName="orders.fifo", Attributes=attributes)["QueueUrl"]


@pytest.fixture
def query(sqs: Any) -> Callable[..., tuple[int, ElementTree.Element]]:
    """Sends a form to a path of the server; status and the root of the answer, its namespace taken off."""

    def send(path: str, fields: dict[str, str], **headers: str) -> tuple[int, ElementTree.Element]:
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(sqs.meta.endpoint_url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        root = ElementTree.fromstring(text)
        for element in root.iter():
            assert element.tag.startswith(NAMESPACE), element.tag
            element.tag = element.tag[len(NAMESPACE) :]
        return status, root

    return send
