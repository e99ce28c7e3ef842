"""Bodies on their way in and out: announced, broken off, slow; and what is left of them."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from cloudlet.testing.server import InProcessServer
from tests.conftest import connect
from tests.gateway.raw import Raw, blob_files, connection, request, resident_bytes, scope, settle, sqs, unreferenced

LARGE = 64 * 1024 * 1024
S3 = {"authorization": scope("s3")}
EXPECTS = {"expect": "100-continue"}


@pytest.fixture
def cloud() -> Iterator[InProcessServer]:
    """One of its own, so that its folder holds the blobs of one test."""
    with InProcessServer() as own:
        yield own


@pytest.fixture
def client(cloud: InProcessServer) -> Any:
    return lambda service: connect(cloud.endpoint, service)


@pytest.fixture
def bucket(cloud: InProcessServer, client: Any) -> str:
    client("s3").create_bucket(Bucket="bucket")
    return "bucket"


def _reset(raw: Raw) -> None:
    """Leave as a killed process does."""
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def test_leave_is_given_when_the_operation_reads(cloud: InProcessServer, bucket: str) -> None:
    with connection(cloud) as raw:
        raw.send(request("PUT", "/bucket/key", content_length="5", **S3, **EXPECTS))
        assert raw.reply().status == 100
        raw.send(b"hello")
        assert raw.reply().status == 200
        raw.send(request("GET", "/bucket/key", **S3))
        assert raw.reply().body == b"hello"


def test_an_early_error_comes_without_leave(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(request("PUT", "/no-bucket/key", content_length="5", **S3, **EXPECTS))
        reply = raw.reply()
        assert (reply.status, reply.headers["connection"]) == (404, "close")
        assert b"<Code>NoSuchBucket</Code>" in reply.body
        assert raw.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        sqs("CreateQueue", b"", content_length="18", **EXPECTS),
        request("POST", "/_localstack/health", content_length="18", **EXPECTS),
    ],
)
def test_leave_is_given_for_whole_bodies(cloud: InProcessServer, data: bytes) -> None:
    with connection(cloud) as raw:
        raw.send(data)
        assert raw.reply().status == 100
        raw.send(b'{"QueueName": "q"}')
        assert raw.reply().status in (200, 400)


@pytest.mark.parametrize("size", [600_000, 3_000_000, LARGE])
def test_an_early_error_reaches_who_sends_on(cloud: InProcessServer, size: int) -> None:
    with connection(cloud) as raw:
        for _ in range(2):  # the connection stays usable
            raw.send(request("PUT", "/no-bucket/key", content_length=str(size), **S3))
            for _ in range(size // 200_000):
                raw.send(b"x" * 200_000)
            raw.send(b"x" * (size % 200_000))
            assert b"<Code>NoSuchBucket</Code>" in raw.reply().body


def test_an_early_error_reaches_who_will_close(cloud: InProcessServer) -> None:
    with connection(cloud) as raw:
        raw.send(request("PUT", "/no-bucket/key", content_length=str(LARGE), connection="close", **S3))
        for _ in range(LARGE // 65536):
            raw.send(b"x" * 65536)
        assert b"<Code>NoSuchBucket</Code>" in raw.reply().body
        assert raw.is_closed()


@pytest.mark.parametrize("leave", [Raw.close, _reset])
@pytest.mark.parametrize("framing", [{"content_length": "1000000"}, {"transfer_encoding": "chunked"}])
def test_an_upload_that_breaks_off_leaves_nothing(
    cloud: InProcessServer, client: Any, bucket: str, framing: dict[str, str], leave: Any
) -> None:
    with connection(cloud) as raw:
        raw.send(request("PUT", "/bucket/key", **framing, **S3))
        piece = b"x" * 300_000  # more than it takes to wake the reader
        raw.send(b"%x\r\n%b\r\n" % (len(piece), piece) if "transfer_encoding" in framing else piece)
        while not unreferenced(cloud):
            pass  # the blob is being written
        leave(raw)
    settle(cloud)
    assert unreferenced(cloud) == []
    assert "Contents" not in client("s3").list_objects_v2(Bucket="bucket")


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_md5": base64.b64encode(hashlib.md5(b"else").digest()).decode()}, b"BadDigest"),
        ({"content_md5": "nonsense"}, b"InvalidDigest"),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, b"BadDigest"),
        ({"x_amz_checksum_sha256": "AAAA"}, b"InvalidRequest"),
        ({"x_amz_content_sha256": hashlib.sha256(b"else").hexdigest()}, b"XAmzContentSHA256Mismatch"),
        ({"x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x_amz_decoded_content_length": "10"}, b"IncompleteBody"),
        ({"content_encoding": "aws-chunked", "x_amz_decoded_content_length": "10"}, b"IncompleteBody"),
        ({"x_amz_decoded_content_length": "9" * 5000, "content_encoding": "aws-chunked"}, b"IncompleteBody"),
    ],
)
def test_a_body_that_is_not_as_promised_is_not_stored(
    cloud: InProcessServer, client: Any, bucket: str, headers: dict[str, str], code: bytes, size: int
) -> None:
    with connection(cloud) as raw:
        raw.send(request("PUT", "/bucket/key", b"x" * size, **S3, **headers))
        reply = raw.reply()
        assert (reply.status, b"<Code>" + code + b"</Code>" in reply.body) == (400, True), reply.body
    assert unreferenced(cloud) == []
    assert "Contents" not in client("s3").list_objects_v2(Bucket="bucket")


def test_a_slow_reader_costs_no_memory(cloud: InProcessServer, client: Any, bucket: str) -> None:
    client("s3").put_object(Bucket=bucket, Key="key", Body=bytes(LARGE))
    with connection(cloud, receive_buffer=4096) as raw:
        before = resident_bytes()
        raw.send(request("GET", "/bucket/key", **S3))
        for _ in range(100):
            assert raw.socket.recv(1000)
            settle(cloud)
        assert resident_bytes() - before < LARGE // 4


def test_a_slow_operation_holds_the_sender_back(cloud: InProcessServer, client: Any) -> None:
    """What is pipelined behind a long poll stays with the client."""
    url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    with connection(cloud) as raw:
        raw.send(sqs("ReceiveMessage", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()))
        raw.socket.settimeout(0.3)
        small = request("GET", "/_localstack/health", x_filler="x" * 1000)
        with pytest.raises(TimeoutError):
            for _ in range(50_000):
                raw.send(small)
    settle(cloud)


@pytest.mark.parametrize("leave", [Raw.close, _reset])
def test_a_download_that_breaks_off(cloud: InProcessServer, client: Any, bucket: str, leave: Any) -> None:
    client("s3").put_object(Bucket=bucket, Key="key", Body=bytes(LARGE))
    for _ in range(5):
        with connection(cloud, receive_buffer=4096) as raw:
            raw.send(request("GET", "/bucket/key", **S3))
            assert raw.socket.recv(1000)
            leave(raw)
    settle(cloud)
    assert client("s3").get_object(Bucket=bucket, Key="key")["ContentLength"] == LARGE
    assert len(blob_files(cloud)) >= 1


@pytest.mark.parametrize("leave", [Raw.close, _reset])
def test_a_long_poll_whose_client_has_left_takes_no_message(cloud: InProcessServer, client: Any, leave: Any) -> None:
    client_sqs = client("sqs")
    url = client_sqs.create_queue(QueueName="q")["QueueUrl"]
    with connection(cloud) as raw:
        raw.send(sqs("ReceiveMessage", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()))
        settle(cloud)
        leave(raw)
    settle(cloud)
    client_sqs.send_message(QueueUrl=url, MessageBody="kept")
    attributes = client_sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["ApproximateNumberOfMessages"], attributes["ApproximateNumberOfMessagesNotVisible"]) == ("1", "0")


@pytest.mark.parametrize("name", ["x-amz-meta-a\nset-cookie", "x-amz-meta-a: b", "x-amz-meta-\x00", "x-amz-meta-é"])
def test_a_form_cannot_write_headers(cloud: InProcessServer, client: Any, name: str) -> None:
    """A form's field may have any name, and those of metadata come back as names of headers."""
    s3 = client("s3")
    s3.create_bucket(Bucket="public", ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket="public")
    s3.put_bucket_acl(Bucket="public", ACL="public-read-write")
    fields = {"key": "key", name: "v", "x-amz-meta-kept": "a\nb\x00", "file": "data"}
    parts = (f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{text}\r\n' for n, text in fields.items())
    with connection(cloud) as raw:
        raw.send(
            request("POST", "/public", ("".join(parts) + "--b--\r\n").encode(), content_type="multipart/form-data; boundary=b")
        )
        assert raw.reply().status == 204
        raw.send(request("GET", "/public/key", **S3))
        reply = raw.reply()
    told = {header: text for header, text in reply.headers.items() if header.startswith("x-amz-meta") or header == "set-cookie"}
    assert (reply.body, told) == (b"data", {"x-amz-meta-kept": "a b"})
