"""What Cloudlet, or AWS itself, does not have: an error in the protocol's shape that names it, never a page."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import cbor2
import orjson
import pytest

from cloudlet.testing.server import InProcessServer
from tests.gateway.raw import JSON_1_0, Reply, ask, request, scope, sqs

FORM = "application/x-www-form-urlencoded"


def _xml(reply: Reply) -> dict[str, str]:
    return {part.tag.rpartition("}")[2]: part.text or "" for part in ElementTree.fromstring(reply.body).iter()}


def _signed(service: str, **headers: str) -> dict[str, str]:
    return {"authorization": scope(service), **headers}


def test_a_json_service(cloud: InProcessServer) -> None:
    headers = _signed("dynamodb", content_type=JSON_1_0, x_amz_target="DynamoDB_20120810.ListTables")
    reply = ask(cloud, request("POST", "/", b"{}", **headers))
    text = "The service dynamodb (operation ListTables) is not implemented by Cloudlet."
    assert (reply.status, orjson.loads(reply.body)) == (501, {"__type": "NotImplemented", "message": text})
    assert reply.headers["content-type"] == JSON_1_0


def test_a_query_service(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("POST", "/", b"Action=ListUsers&Version=2010-05-08", **_signed("iam", content_type=FORM)))
    told = _xml(reply)
    assert (reply.status, told["Code"], told["Type"]) == (501, "NotImplemented", "Receiver")
    assert told["Message"] == "The service iam is not implemented by Cloudlet."


def test_an_ec2_service(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("POST", "/", b"Action=DescribeInstances&Version=2016-11-15", **_signed("ec2", content_type=FORM)))
    assert (reply.status, reply.body.find(b"<Response><Errors><Error><Code>NotImplemented</Code>") > 0) == (501, True)


def test_a_rest_json_service(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("GET", "/2015-03-31/functions/", **_signed("lambda")))
    assert orjson.loads(reply.body) == {"message": "The service lambda is not implemented by Cloudlet."}
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (501, "NotImplemented")


def test_a_rest_xml_service(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("GET", "/2013-04-01/hostedzone", **_signed("route53")))
    assert (reply.status, _xml(reply)["Message"]) == (501, "The service route53 is not implemented by Cloudlet.")


def test_a_cbor_service(cloud: InProcessServer) -> None:
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    headers = _signed("monitoring", smithy_protocol="rpc-v2-cbor", content_type="application/cbor")
    reply = ask(cloud, request("POST", path, cbor2.dumps({}), **headers))
    text = "The service cloudwatch (operation ListMetrics) is not implemented by Cloudlet."
    assert (reply.status, cbor2.loads(reply.body)) == (501, {"__type": "NotImplemented", "message": text})
    assert reply.headers["smithy-protocol"] == "rpc-v2-cbor"


def test_an_old_cbor_service(cloud: InProcessServer) -> None:
    headers = _signed("kinesis", content_type="application/x-amz-cbor-1.1", x_amz_target="Kinesis_20131202.PutRecord")
    reply = ask(cloud, request("POST", "/", cbor2.dumps({}), **headers))
    assert (reply.status, cbor2.loads(reply.body)["__type"]) == (501, "NotImplemented")


@pytest.mark.parametrize("service", ["nonsense", "%00", "s3 ", "S3", "x" * 1000])
def test_a_service_that_nobody_has(cloud: InProcessServer, service: str) -> None:
    reply = ask(cloud, request("GET", "/", **_signed(service)))
    told = _xml(reply)
    assert (reply.status, told["Code"]) == (501, "NotImplemented")
    assert service in told["Message"]


def test_a_service_that_is_switched_off() -> None:
    with InProcessServer(services=frozenset({"s3"})) as cloud:
        reply = ask(cloud, sqs("ListQueues", b"{}"))
    text = "The service sqs (operation ListQueues) is switched off here (SERVICES or --services)."
    assert (reply.status, orjson.loads(reply.body)["message"]) == (501, text)


@pytest.mark.parametrize("headers", [_signed("sqs"), {}])
def test_unknown_operations_in_json(cloud: InProcessServer, headers: dict[str, str]) -> None:
    headers = {"content_type": JSON_1_0, "x_amz_target": "AmazonSQS.DrinkTea", **headers}
    reply = ask(cloud, request("POST", "/", b"{}", **headers))
    text = "The operation DrinkTea is not one of sqs's."
    assert (reply.status, orjson.loads(reply.body)) == (
        400,
        {"__type": "com.amazonaws.sqs#UnknownOperationException", "message": text},
    )


@pytest.mark.parametrize(
    "target",
    ["Nonsense.ListQueues", "", ".", "ListQueues", "AmazonSQS.", "AmazonSQS", "A" * 5000, "\xff.\xff", "AmazonSQS.list_queues"],
)
@pytest.mark.parametrize("headers", [_signed("sqs"), {}])
def test_unknown_targets(cloud: InProcessServer, target: str, headers: dict[str, str]) -> None:
    reply = ask(cloud, request("POST", "/", b"{}", content_type=JSON_1_0, x_amz_target=target, **headers))
    told: dict[str, Any] = orjson.loads(reply.body)
    assert reply.status in (400, 501), told
    assert told["__type"].rpartition("#")[2] in ("UnknownOperationException", "NotImplemented")
    assert told["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=DrinkTea&Version=2012-11-05", "InvalidAction"),
        (b"Version=2012-11-05", "MissingAction"),
        (b"", "MissingAction"),
        (b"Action=", "MissingAction"),
        (b"Action=%ff", "MalformedQueryString"),
        (b"Action=\xff", "MalformedQueryString"),
        (b"&" * 60_000 + b"a=&" * 60_000, "MalformedQueryString"),
    ],
)
def test_unknown_actions(cloud: InProcessServer, body: bytes, code: str) -> None:
    reply = ask(cloud, request("POST", "/", body, **_signed("sqs", content_type=FORM)))
    assert (reply.status, _xml(reply)["Code"]) == (400, code)


def test_an_action_that_no_service_has(cloud: InProcessServer) -> None:
    for action in ("DrinkTea", "x" * 1000, "<tea>"):
        told = _xml(ask(cloud, request("POST", "/", f"Action={action}".encode(), content_type=FORM)))
        assert (told["Code"], told["Message"]) == ("InvalidAction", f"The action {action} is not valid for this endpoint.")


def test_operations_not_done(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("GET", "/bucket?analytics&id=1", **_signed("s3")))
    told = _xml(reply)
    assert (reply.status, told["Code"]) == (501, "NotImplemented")
    assert told["Message"] == "Cloudlet does not implement s3's operation GetBucketAnalyticsConfiguration."


@pytest.mark.parametrize("path", ["/_localstack/none", "/_cloudlet/none", "/_aws/none", "/_localstack/init/none"])
def test_pages_that_are_not_there(cloud: InProcessServer, path: str) -> None:
    reply = ask(cloud, request("GET", path))
    assert (reply.status, orjson.loads(reply.body)) == (404, {"message": f"Cloudlet has no page GET {path}."})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_cloudlet/clock/advance", b'{"by": "soon"}'),
        ("/_cloudlet/clock/advance", b'{"by": "99999999999999999999999999w"}'),
        ("/_cloudlet/clock/advance", b"\xff"),
        ("/_cloudlet/clock/advance", b"[]"),
        ("/_cloudlet/clock/freeze", b'{"at": "now"}'),
        ("/_cloudlet/clock/freeze", b'{"at": 18446744073709551615}'),
        ("/_cloudlet/clock/freeze", b'{"at": true}'),
        ("/_localstack/health", b'{"action": 1}'),
        ("/_localstack/health", b'{"action": ["kill"]}'),
    ],
)
def test_pages_asked_badly(cloud: InProcessServer, path: str, body: bytes) -> None:
    reply = ask(cloud, request("POST", path, body))
    assert (reply.status, orjson.loads(reply.body)["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "PROPFIND", "LINK"])
@pytest.mark.parametrize("path", ["/", "/a/b/c?uploads", "/?x=%00", "/-/-", "/a?acl&cors&tagging", "/service/x/operation/y"])
def test_nonsense_paths(cloud: InProcessServer, method: str, path: str) -> None:
    reply = ask(cloud, request(method, path, b""))
    assert (400 <= reply.status < 500 or reply.status == 501) or reply.status in (200, 204)
    if reply.status >= 400:
        assert _xml(reply)["Code"]
