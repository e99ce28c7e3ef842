"""Every operation of nine services, both ways: what botocore's client sends we read, and what we write it reads."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore import parsers, serialize
from botocore.compat import HTTPHeaders
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.wire.codec import Codec
from cloudlet.wire.message import Request
from cloudlet.wire.model import Model, load
from cloudlet.wire.overlay import Overlay
from cloudlet.wire.uris import Router
from tests.wire.shapes import for_botocore, structures, without_empties

SERVICES = ("s3", "sqs", "sns", "dynamodb", "lambda", "iam", "cloudformation", "cloudwatch", "ec2")
_LEFT_OUT = {  # they share method and URI with a newer operation and are not routed, or go to a host of their own
    "s3": {
        "WriteGetObjectResponse",
        "GetBucketLifecycle",
        "GetBucketNotification",
        "PutBucketLifecycle",
        "PutBucketNotification",
        "ListDirectoryBuckets",
    }
}
_ALSO = {"cloudwatch": ("query", "json-1.0"), "sqs": ("json-1.0",)}
_EXAMPLES = 3

MODELS: dict[str, Model] = {name: load(name) for name in SERVICES}
CLIENT = botocore.session.get_session()
CASES = [
    (s, p, op) for s in SERVICES for p in (MODELS[s].protocol, *_ALSO.get(s, ())) for op in sorted(MODELS[s].operation_names)
]
quick = settings(max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def _botocore_protocol(protocol: str) -> str:
    return "json" if protocol.startswith("json") else protocol


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", range(4))
def test_requests(service: str, part: int) -> None:
    for protocol, name in [(p, op) for s, p, op in CASES if s == service][part::4]:
        _check_request(service, protocol, name)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", range(4))
def test_answers(service: str, part: int) -> None:
    for protocol, name in [(p, op) for s, p, op in CASES if s == service][part::4]:
        _check_answer(service, protocol, name)


def _check_request(service: str, protocol: str, name: str) -> None:
    model = MODELS[service]
    operation = model.operation(name)
    if operation.input is None or name in _LEFT_OUT.get(service, ()):
        return
    shape = operation.input
    codec = Codec(model, Overlay(dialect=lambda operation, violations: None), operation, protocol)
    router = Router(model, frozenset(_LEFT_OUT.get(service, ()))) if protocol.startswith("rest-") else None
    client = CLIENT.get_service_model(service)
    serializer = serialize.create_serializer(_botocore_protocol(protocol), include_validation=False)

    @quick
    @given(structures(shape))
    def check(sent: dict[str, Any]) -> None:
        raw = serializer.serialize_to_request(for_botocore(shape, sent), client.operation_model(name))
        request = _request(raw)
        labels: dict[str, str] = {}
        if router:
            found = router.find(request)
            assert found is not None
            assert found[0] == name
            labels = found[1]
        assert without_empties(codec.parse(request, labels)) == without_empties(sent)

    check()


def _request(raw: dict[str, Any]) -> Request:
    body = raw["body"]
    if isinstance(body, dict):
        body = "&".join(f"{_quote(k)}={_quote(str(v))}" for k, v in body.items()).encode()
    query = raw["query_string"]
    if isinstance(query, dict):
        pairs = [(k, i) for k, v in query.items() for i in (v if isinstance(v, list) else [v])]
        query = "&".join(f"{_quote(k)}={_quote(str(v))}" for k, v in pairs)
    path, _, more = raw["url_path"].partition("?")
    query = "&".join(filter(None, (more, query)))
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in raw["headers"].items()}
    return Request(raw["method"], path, query, headers, body.encode() if isinstance(body, str) else body)


def _quote(text: str) -> str:
    return "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in text.encode())


def _check_answer(service: str, protocol: str, name: str) -> None:
    model = MODELS[service]
    operation = model.operation(name)
    shape = operation.output
    if (
        shape is None
        or name in _LEFT_OUT.get(service, ())
        or any(member.traits.get("eventstream") for member in shape.members.values())
    ):
        return
    codec = Codec(model, Overlay(), operation, protocol)
    output = CLIENT.get_service_model(service).operation_model(name).output_shape
    parser = parsers.create_parser(_botocore_protocol(protocol))

    @quick
    @given(structures(shape), st.uuids())
    def check(result: dict[str, Any], request_id: Any) -> None:
        result |= {member: 200 for member, used in shape.members.items() if used.location == "statusCode"}
        response = codec.serialise(result, str(request_id))
        headers = _headers(response.headers)
        found = parser.parse({"headers": headers, "body": response.body, "status_code": response.status}, output)
        assert found.pop("ResponseMetadata")["HTTPStatusCode"] == response.status
        expected = for_botocore(shape, result)
        assert without_empties(found) == without_empties(expected)

    check()


def _headers(pairs: list[tuple[str, str]]) -> Any:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers[name] = value
    return headers
