"""Bodies that no client should send, read by the codecs themselves: a dict comes of them, or an error that AWS has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import cbor2
import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cloudlet.wire import eventstream
from cloudlet.wire.codec import Codec
from cloudlet.wire.message import Malformed, Request
from cloudlet.wire.model import load
from cloudlet.wire.overlay import Overlay, Rejected

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
fuzzed = settings(
    derandomize=True, database=None, deadline=None, max_examples=600, phases=PHASES, suppress_health_check=list(HealthCheck)
)
METRIC = {
    "MetricName": "m",
    "Dimensions": [{"Name": "n", "Value": "v"}],
    "Timestamp": cbor2.CBORTag(1, 1_700_000_000),
    "StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0},
    "Values": [1.0],
    "Unit": "Seconds",
    "StorageResolution": 1,
}
REQUESTS: dict[str, dict[str, Any]] = {
    "PutMetricData": {"Namespace": "n", "MetricData": [METRIC], "StrictEntityValidation": True},
    "GetMetricStatistics": {"Namespace": "n", "MetricName": "m", "StartTime": 0, "EndTime": 1.5, "Period": 60},
    "PutDashboard": {"DashboardName": "d", "DashboardBody": "{}"},
    "TagResource": {"ResourceARN": "a", "Tags": [{"Key": "k", "Value": "v"}]},
}
LEAVES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    2**64,
    -(2**64),
    10**400,
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "a" * 70_000,
    "\x00",
    "😀",
    b"",
    b"\xff",
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    Decimal("1E+999"),
    Fraction(1, 3),
    cbor2.undefined,
    cbor2.CBORTag(1, 10**300),
    cbor2.CBORTag(1, "x"),
    cbor2.CBORTag(0, "never"),
    cbor2.CBORTag(2, b"\xff" * 600),
    cbor2.CBORTag(4, [10**9, 1]),
    cbor2.CBORTag(5, [10**9, 1]),
    cbor2.CBORTag(30, [1, 0]),
    cbor2.CBORTag(35, "(" * 100),
    cbor2.CBORTag(37, b"x"),
    cbor2.CBORTag(260, b"x"),
    cbor2.CBORTag(999, []),
    cbor2.CBORSimpleValue(99),
    [],
    {},
    [[]],
    {"": {}},
    {1: 2},
    {b"a": 1},
]
NESTED = st.recursive(
    st.integers(0, len(LEAVES) - 1).map(LEAVES.__getitem__),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Name", "", "x"]), inner, max_size=2),
)
BROKEN = [
    b"\xff",
    b"\x80",
    b"\xa1",
    b"\xa1\x61",
    b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x7a\xff\xff\xff\xff",
    b"\x81" * 10_000,
    b"\xa1\x61a" * 10_000,
    b"\xbf" * 10_000,
    b"\xc1" * 10_000,
    b"\xbf\x61a\xff",
    b"\xa1\x61\xff\x01",
    b"\xd8\x1d\x00",
    b"\xd8\x1c\xa1\x6aDimensions\xd8\x1d\x00",
    b"\xd8\x1c\xa1\x6aMetricData\x81\xd8\x1d\x00",
    b"\xd8\x1c\xa1\x69Namespace\xd8\x1d\x00",
    b"\xa1\x80\x01",
    b"\xa1\xa0\x01",
    b"\xf7",
    b"\x1c",
]


@cache
def _codec(service: str, operation: str, protocol: str) -> Codec:
    model = load(service)
    return Codec(model, Overlay(), model.operation(operation), protocol)


def _parse(codec: Codec, body: bytes) -> None:
    """Raises anything that would be answered as a bug of ours."""
    try:
        assert isinstance(codec.parse(Request("POST", "/", "", {}, body), {}), dict)
    except (Malformed, Rejected) as told:
        assert told.code
        assert told.message


def _replaced(value: Any, steps: list[int], change: Any) -> Any:
    """`value` with one thing inside replaced: `steps` choose the way down."""
    if not steps or not isinstance(value, (dict, list)) or not value:
        return change
    at = steps[0] % len(value)
    if isinstance(value, list):
        return [_replaced(item, steps[1:], change) if number == at else item for number, item in enumerate(value)]
    return {k: _replaced(item, steps[1:], change) if number == at else item for number, (k, item) in enumerate(value.items())}


@fuzzed
@given(st.sampled_from(sorted(REQUESTS)), st.lists(st.integers(0, 9), max_size=4), NESTED, st.sampled_from([0, 0, 0, 1, 5]))
def test_wrong_cbor(operation: str, steps: list[int], change: Any, cut: int) -> None:
    body = cbor2.dumps(_replaced(REQUESTS[operation], steps, change))
    _parse(_codec("cloudwatch", operation, "smithy-rpc-v2-cbor"), body[: len(body) - cut])


@fuzzed
@given(st.binary(max_size=200), st.sampled_from(sorted(REQUESTS)))
def test_random_cbor(body: bytes, operation: str) -> None:
    _parse(_codec("cloudwatch", operation, "smithy-rpc-v2-cbor"), body)
    valid = cbor2.dumps(REQUESTS[operation])
    at = sum(body) % len(valid)
    _parse(_codec("cloudwatch", operation, "smithy-rpc-v2-cbor"), valid[:at] + body + valid[at + len(body) :])


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:12].hex())
def test_bodies_that_are_no_cbor(body: bytes) -> None:
    for operation in REQUESTS:
        _parse(_codec("cloudwatch", operation, "smithy-rpc-v2-cbor"), body)
    _parse(_codec("kinesis", "PutRecord", "amz-cbor-1.1"), body)


@pytest.mark.parametrize("depth", [10, 200, 330, 450, 500, 900])
def test_shapes_that_hold_themselves(depth: int) -> None:
    """DynamoDB's values nest; whatever the decoder lets through must not exhaust the stack."""
    nested = '{"L": [' * depth + '{"S": "x"}' + "]}" * depth
    body = f'{{"TableName": "t", "Item": {{"a": {nested}}}}}'.encode()
    _parse(_codec("dynamodb", "PutItem", "json-1.0"), body)


@fuzzed
@given(
    st.lists(st.integers(0, 9), max_size=4),
    st.sampled_from(
        [None, True, 0, -1, 2**64, 1.5, 1e300, "", "x" * 999, "1e400", "NaN", "2020-13-45", "²", [], {}, [None], [[]]]
    ),
)
def test_wrong_json(steps: list[int], change: Any) -> None:
    """Timestamps, blobs, numbers and documents of the JSON protocols."""
    for service, operation, protocol, req in (
        ("kinesis", "PutRecord", "json", {"StreamName": "s", "Data": "eA==", "PartitionKey": "p"}),
        (
            "kinesis",
            "GetShardIterator",
            "json",
            {"StreamName": "s", "ShardId": "s", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.5},
        ),
        (
            "logs",
            "PutLogEvents",
            "json",
            {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
        ),
        ("lambda", "CreateFunction", "rest-json", {"FunctionName": "f", "Role": "r", "Code": {"ZipFile": "eA=="}, "Timeout": 3}),
        (
            "cloudwatch",
            "GetMetricStatistics",
            "json-1.0",
            {"Namespace": "n", "MetricName": "m", "StartTime": 0, "EndTime": "1", "Period": 60},
        ),
    ):
        _parse(_codec(service, operation, protocol), json.dumps(_replaced(req, steps, change)).encode())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
VALUES = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=50)


@fuzzed
@given(
    st.dictionaries(TEXTS.filter(lambda name: 0 < len(name.encode()) < 256), VALUES, max_size=5),
    st.binary(max_size=5000),
    st.integers(1, 4000),
)
def test_frames_are_read_by_botocore(headers: dict[str, Any], payload: bytes, cut: int) -> None:
    sent = eventstream.frame(list(headers.items()), payload) * 2
    buffer = EventStreamBuffer()
    found = []
    for at in range(0, len(sent), cut):
        buffer.add_data(sent[at : at + cut])
        found += list(buffer)
    assert [(frame.headers, frame.payload) for frame in found] == [(headers, payload)] * 2


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "event"),
    [
        (
            "kinesis",
            "SubscribeToShard",
            "json",
            {"SubscribeToShardEvent": {"Records": [], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 0}},
        ),
        ("lambda", "InvokeWithResponseStream", "rest-json", {"PayloadChunk": {"Payload": b"\x00\xff"}}),
        ("s3", "SelectObjectContent", "rest-xml", {"Stats": {"Details": {"BytesScanned": 1}}}),
        ("s3", "SelectObjectContent", "rest-xml", {"End": {}}),
    ],
)
def test_events_are_read_by_botocore(service: str, operation: str, protocol: str, event: dict[str, Any]) -> None:
    output = load(service).operation(operation).output
    assert output
    stream = next(member for member in output.members.values() if member.traits.get("eventstream"))
    buffer = EventStreamBuffer()
    buffer.add_data(eventstream.event_writer(stream, protocol)(event))
    (frame,) = list(buffer)
    assert (frame.headers[":message-type"], frame.headers[":event-type"]) == ("event", next(iter(event)))
