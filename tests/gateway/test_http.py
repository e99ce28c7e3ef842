"""HTTP/1.1 as clients speak it, well and badly: many requests on one connection, and cut anywhere."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from cloudlet.testing.server import InProcessServer
from tests.gateway.raw import ask, connection, request, scope, sqs

HEALTH = request("GET", "/_localstack/health")


def _create(name: str) -> bytes:
    return sqs("CreateQueue", json.dumps({"QueueName": name}).encode())


def test_a_connection_is_kept(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        for name in ("a", "b", "c"):
            raw.send(_create(name))
            reply = raw.reply()
            assert reply.status == 200
            assert json.loads(reply.body)["QueueUrl"].endswith("/" + name)


def test_pipelined_requests_are_answered_in_order(cloud: InProcessServer) -> None:
    names = [f"queue-{number}" for number in range(100)]
    with connection(cloud) as raw:
        raw.send(b"".join(_create(name) for name in names))
        assert [json.loads(raw.reply().body)["QueueUrl"].rpartition("/")[2] for _ in names] == names


def test_what_is_pipelined_behind_a_long_poll_waits(cloud: InProcessServer, client: Any) -> None:
    url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    poll = sqs("ReceiveMessage", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 1}).encode())
    entries = [{"Id": str(number), "MessageBody": "x" * 100_000} for number in range(10)]
    large = sqs("SendMessageBatch", json.dumps({"QueueUrl": url, "Entries": entries}).encode())
    with connection(cloud) as raw:
        raw.send(poll + large + HEALTH)
        assert json.loads(raw.reply().body) == {}
        assert len(json.loads(raw.reply().body)["Successful"]) == 10
        assert raw.reply().status == 200


def test_a_request_may_come_byte_by_byte(cloud: InProcessServer) -> None:
    data = _create("slow")
    with connection(cloud) as raw:
        for at in range(len(data)):
            raw.send(data[at : at + 1])
        assert raw.reply().status == 200


@pytest.mark.parametrize("start", range(40))
def test_two_requests_cut_anywhere(cloud: InProcessServer, start: int) -> None:
    data = HEALTH + _create("cut")
    with connection(cloud) as raw:
        for cut in range(start + 1, len(data), 40):
            raw.send(data[max(cut - 40, 0) : cut])
        raw.send(data[max(range(start + 1, len(data), 40)) :])
        assert (raw.reply().status, raw.reply().status) == (200, 200)


def test_chunked_bodies(cloud: InProcessServer) -> None:
    body = b'{"QueueName": "chunked"}'
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    reply = ask(cloud, sqs("CreateQueue", pieces, transfer_encoding="chunked"))
    assert reply.status == 200


def test_trailers_do_not_change_the_head(cloud: InProcessServer) -> None:
    body = b'{"QueueName": "q"}'
    pieces = b"%x\r\n%b\r\n0\r\nX-Amz-Target: AmazonSQS.Nonsense\r\nHost: elsewhere\r\n\r\n" % (len(body), body)
    reply = ask(cloud, sqs("CreateQueue", pieces, transfer_encoding="chunked"))
    assert json.loads(reply.body) == {"QueueUrl": "http://localhost/000000000000/q"}


def test_head_has_no_body(cloud: InProcessServer, client: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 1000)
    with connection(cloud) as raw:
        raw.send(request("HEAD", "/bucket/k") + request("HEAD", "/bucket/none") + HEALTH)
        found, missing = raw.reply(head=True), raw.reply(head=True)
        assert (found.status, found.headers["content-length"]) == (200, "1000")
        assert missing.status == 404
        assert b"services" in raw.reply().body


@pytest.mark.parametrize("target", ["http://localhost/_localstack/health", "http://else.where:1/_localstack/health?x=http://y/"])
def test_forms_of_the_target(cloud: InProcessServer, target: str) -> None:
    assert ask(cloud, request("GET", target)).status == 200


@pytest.mark.parametrize("target", ["*", "//", "/%", "/%ff", "/%00", "/../../etc/passwd", "?", "http://", "/" + "a/" * 10_000])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "PATCH", "TRACE"])
def test_odd_targets_are_answered(cloud: InProcessServer, method: str, target: str) -> None:
    reply = ask(cloud, request(method, target, b""))
    assert 200 <= reply.status < 500
    assert b"<html" not in reply.body.lower()


def test_connection_close(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(request("GET", "/_localstack/health", connection="close"))
        assert raw.reply().headers["connection"] == "close"
        assert raw.is_closed()


def test_http_1_0(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(b"GET /_localstack/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert raw.reply().status == 200
        assert raw.is_closed()


def test_an_upgrade_that_is_not_wanted_is_passed_over(cloud: InProcessServer) -> None:
    """Java's own HTTP client asks for h2c in its first request on every plain connection."""
    offered = request(
        "GET", "/_localstack/health", connection="Upgrade, HTTP2-Settings", upgrade="h2c", http2_settings="AAMAAABk"
    )
    with connection(cloud) as raw:
        raw.send(offered + HEALTH)
        assert (raw.reply().status, raw.reply().status) == (200, 200)
        raw.send(offered)
        assert raw.reply().status == 200


def test_connect_is_refused(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert raw.reply().status == 405
        assert raw.is_closed()


@pytest.mark.parametrize(
    "head",
    [
        "x-long: " + "a" * 100_000 + "\r\n",
        "".join(f"x-{number}: {'a' * 100}\r\n" for number in range(1000)),
        "x-" + "n" * 100_000 + ": a\r\n",
    ],
)
def test_a_head_that_is_too_long(cloud: InProcessServer, head: str) -> None:
    with connection(cloud) as raw:
        raw.send(f"GET / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
        assert raw.reply().status in (400, 431)
        assert raw.is_closed()


def test_a_head_without_end_is_cut_off(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(b"GET / HTTP/1.1\r\nx-endless: ")
        raw.send(b"a" * 500_000)
        assert raw.reply().status == 400
        assert raw.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /_localstack/health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n b: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nna me: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_400(cloud: InProcessServer, data: bytes) -> None:
    with connection(cloud) as raw:
        raw.send(data + b"x" * 500_000)
        reply = raw.reply()
        assert reply.status == 400
        assert b"<Code>" in reply.body
        assert raw.is_closed()


def test_garbage_behind_a_request_is_told_after_its_answer(cloud: InProcessServer, client: Any) -> None:
    url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    poll = sqs("ReceiveMessage", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 1}).encode())
    with connection(cloud) as raw:
        raw.send(poll + b"\x00garbage\r\n\r\n")
        assert (raw.reply().status, raw.reply().status) == (200, 400)
        assert raw.is_closed()


def test_a_client_library_sees_the_same(cloud: InProcessServer) -> None:
    made = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
    for _ in range(3):
        made.request("GET", "/", headers={"Authorization": scope("s3")})
        answered = made.getresponse()
        assert (answered.status, answered.read()[:5]) == (200, b"<?xml")
    made.close()
