"""Requests that are wrong in every way a generator thinks of: an AWS error that fits, never a 5xx of ours, never a hang."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cloudlet.testing.server import InProcessServer
from tests.conftest import connect
from tests.gateway.raw import Reply, ask, connection, request, scope, sqs

FORM = "application/x-www-form-urlencoded"
SQS_URL = "http://localhost/000000000000/q"
HEALTH = request("GET", "/_localstack/health")
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
fuzzed = settings(
    derandomize=True, database=None, deadline=None, max_examples=400, phases=PHASES, suppress_health_check=list(HealthCheck)
)

TEXTS = [
    "",
    " ",
    "\x00",
    "\ufffe",
    "é€😀",
    "../..",
    "a" * 70_000,
    "<&>\"'",
    "\r\n",
    "%ff",
    "NaN",
    "1e400",
    "-1",
    "٣",
    "null",
    "²",
]
NUMBERS = [0, -1, 1.5, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, True, False]
LEAVES = st.sampled_from([*TEXTS, *NUMBERS, None])
WRONG = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "", "\x00", "Id"]), inner, max_size=3),
)
DEEP = [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000]
BROKEN_JSON = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'"\\ud800"',
    b"NaN",
    b'{"a": NaN}',
    b'{"a": 1e400}',
    b"{} x",
    b'{"a":1,"a":2}',
    *DEEP,
]
BROKEN_JSON += [b'{"QueueUrl": "\\ud800"}', b'{"QueueUrl": "\xff"}', b'{"QueueUrl": ' + DEEP[0] + b"}", "{}".encode("utf-16")]

ENTRY = {"Id": "a", "MessageBody": "b", "DelaySeconds": 1, "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1"}}}
SQS_REQUESTS: dict[str, dict[str, Any]] = {
    "AddPermission": {"QueueUrl": SQS_URL, "Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]},
    "CancelMessageMoveTask": {"TaskHandle": "aGFuZGxl"},
    "ChangeMessageVisibility": {"QueueUrl": SQS_URL, "ReceiptHandle": "r", "VisibilityTimeout": 1},
    "ChangeMessageVisibilityBatch": {"QueueUrl": SQS_URL, "Entries": [{"Id": "a", "ReceiptHandle": "r", "VisibilityTimeout": 1}]},
    "CreateQueue": {
        "QueueName": "q",
        "Attributes": {"VisibilityTimeout": "30", "Policy": "{}", "RedrivePolicy": "{}"},
        "tags": {"a": "b"},
    },
    "DeleteMessage": {"QueueUrl": SQS_URL, "ReceiptHandle": "r"},
    "DeleteMessageBatch": {"QueueUrl": SQS_URL, "Entries": [{"Id": "a", "ReceiptHandle": "r"}]},
    "GetQueueAttributes": {"QueueUrl": SQS_URL, "AttributeNames": ["All"]},
    "GetQueueUrl": {"QueueName": "q", "QueueOwnerAWSAccountId": "000000000000"},
    "ListDeadLetterSourceQueues": {"QueueUrl": SQS_URL, "NextToken": "t", "MaxResults": 1},
    "ListMessageMoveTasks": {"SourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "MaxResults": 1},
    "ListQueueTags": {"QueueUrl": SQS_URL},
    "ListQueues": {"QueueNamePrefix": "q", "NextToken": "t", "MaxResults": 1},
    "PurgeQueue": {"QueueUrl": SQS_URL},
    "ReceiveMessage": {
        "QueueUrl": SQS_URL,
        "MaxNumberOfMessages": 1,
        "VisibilityTimeout": 0,
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["n.*"],
        "ReceiveRequestAttemptId": "i",
    },
    "RemovePermission": {"QueueUrl": SQS_URL, "Label": "l"},
    "SendMessage": {
        "QueueUrl": SQS_URL,
        **ENTRY,
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "x"}},
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
    },
    "SendMessageBatch": {"QueueUrl": SQS_URL, "Entries": [ENTRY, {**ENTRY, "Id": "b"}]},
    "SetQueueAttributes": {
        "QueueUrl": SQS_URL,
        "Attributes": {"DelaySeconds": "1", "RedriveAllowPolicy": "{}", "KmsMasterKeyId": "k"},
    },
    "StartMessageMoveTask": {
        "SourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
        "DestinationArn": "a",
        "MaxNumberOfMessagesPerSecond": 1,
    },
    "TagQueue": {"QueueUrl": SQS_URL, "Tags": {"a": "b"}},
    "UntagQueue": {"QueueUrl": SQS_URL, "TagKeys": ["a"]},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[InProcessServer]:
    """Queue `q` and a bucket with an object are there."""
    with InProcessServer() as own:
        client = connect(own.endpoint, "s3")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="key", Body=b"x" * 1000)
        connect(own.endpoint, "sqs").create_queue(QueueName="q")
        yield own
        assert ask(own, HEALTH).status == 200


def _is_fine(reply: Reply, sent: bytes) -> None:
    assert reply.status < 500 or reply.status == 501, (reply, sent[:2000])
    assert b"<html" not in reply.body.lower()


def _check_json(reply: Reply, sent: bytes) -> None:
    _is_fine(reply, sent)
    if reply.status >= 400:
        told = json.loads(reply.body)
        assert told["__type"].startswith("com.amazonaws.sqs#"), (told, sent[:500])
        assert reply.headers["content-type"].startswith("application/x-amz-json-1.0")
        assert "x-amzn-requestid" in reply.headers


def _check_xml(reply: Reply, sent: bytes) -> None:
    _is_fine(reply, sent)
    if reply.status >= 400 and reply.body:
        names = {part.tag.rpartition("}")[2] for part in ElementTree.fromstring(reply.body).iter()}
        assert names >= {"Error", "Code"} or "Code" in names, (reply, sent[:500])


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within a request."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        found += _places(item, (*path, name))
    return found


def _changed(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A copy with one value replaced, or left out where `change` is `...`."""
    if not path:
        return change
    name, rest = path[0], path[1:]
    if isinstance(value, list):
        out = [_changed(item, rest, change) if at == name else item for at, item in enumerate(value)]
        return [item for item in out if item is not ...]
    out_map = {key: _changed(item, rest, change) if key == name else item for key, item in value.items()}
    return {key: item for key, item in out_map.items() if item is not ...}


@st.composite
def wrong_sqs(draw: Any) -> tuple[str, dict[str, Any]]:
    operation = draw(st.sampled_from(sorted(SQS_REQUESTS)))
    req = SQS_REQUESTS[operation]
    for _ in range(draw(st.integers(1, 2))):
        places = _places(req) or [("X",)]
        req = _changed(req, draw(st.sampled_from(places)), draw(st.just(...) | WRONG))
    if draw(st.integers(0, 5)) == 0:
        req = {**req, draw(st.sampled_from(["", "Unknown", "\x00", "__type"])): draw(LEAVES)}
    return operation, req


@fuzzed
@given(
    wrong_sqs(),
    st.sampled_from(["{}", "{}", "{}", "cut", "application/x-amz-json-1.1", "text/html", "", "\xff", "application/json"]),
)
def test_json(cloud: InProcessServer, wrong: tuple[str, dict[str, Any]], kind: str) -> None:
    operation, req = wrong
    body = json.dumps(req, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if kind == "cut":
        body = body[: len(body) * 2 // 3]
    data = sqs(operation, body, **({} if kind in ("{}", "cut") else {"content_type": kind}))
    reply = ask(cloud, data)
    if kind in ("{}", "cut"):
        _check_json(reply, data)
    else:
        _is_fine(reply, data)


@pytest.mark.parametrize("operation", SQS_REQUESTS)
def test_bodies_that_are_no_json(cloud: InProcessServer, operation: str) -> None:
    for body in BROKEN_JSON:
        data = sqs(operation, body)
        _check_json(ask(cloud, data), data)


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """A request in the query protocol, roughly: lists numbered, maps by Name and Value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _flat(item, f"{prefix}.{number}")
    else:
        yield prefix, "true" if value is True else str(value)


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Attribute.1.Name",
                "Attribute.1.Value",
                "Attribute..Name",
                "Tag.1",
                "DelaySeconds..x",
                "DelaySeconds.",
                "QueueUrl..a",
                "MessageAttribute.1.Name",
                "MessageAttribute.1.Value.BinaryValue",
                "MessageAttribute.1.Value.DataType",
                "SendMessageBatchRequestEntry.99999999999.Id",
                "SendMessageBatchRequestEntry.1.Id.",
                "AttributeName.x",
                "." * 60,
                "",
                "=",
                "Version",
                "Action",
                "MaxNumberOfMessages",
            ]
        ),
        st.sampled_from(TEXTS + [str(number)[:4300] for number in NUMBERS]),
    ),
    max_size=4,
)


@fuzzed
@given(wrong_sqs(), PAIRS, st.sampled_from([b"", b"", b"&\xff", b"&%ff=%ff", b"&Action=Other", b"&" * 50, b"&a.b=1&a=2&a.b.c=3"]))
def test_query(cloud: InProcessServer, wrong: tuple[str, dict[str, Any]], pairs: list[tuple[str, str]], tail: bytes) -> None:
    operation, req = wrong
    fields = [("Action", operation), ("Version", "2012-11-05"), *_flat(req), *pairs]
    body = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in fields).encode() + tail
    data = request("POST", "/000000000000/q", body, content_type=FORM, authorization=scope("sqs"))
    _check_xml(ask(cloud, data), data)


SPLICES = [
    b"\x00",
    b"\xff",
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"\x16\x03\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"HTTP/1.1",
    b" ",
    b":",
    b"Expect: 100-continue\r\n",
]


@fuzzed
@given(st.binary(max_size=300) | st.lists(st.sampled_from([HEALTH, *SPLICES]), max_size=6).map(b"".join), st.booleans())
def test_random_bytes(cloud: InProcessServer, data: bytes, leave: bool) -> None:
    with connection(cloud) as raw:
        raw.send(data)
        if not leave:
            raw.socket.shutdown(1)
            while True:
                try:
                    reply = raw.reply()
                except (ConnectionError, ValueError, IndexError):  # closed, or bytes of another protocol
                    break
                assert reply.status in (100, 200, 204, 400, 404, 405)


@fuzzed
@given(st.integers(0, 300), st.sampled_from(SPLICES), st.integers(0, 3))
def test_spliced_requests(cloud: InProcessServer, at: int, splice: bytes, drop: int) -> None:
    data = sqs("SendMessage", json.dumps({"QueueUrl": SQS_URL, "MessageBody": "x"}).encode(), connection="close")
    at = at % len(data)
    data = data[:at] + splice + data[at + drop :]
    with connection(cloud) as raw:
        raw.send(data)
        raw.socket.shutdown(1)
        answered = raw.rest()
    assert b" 500 " not in answered[:20]
