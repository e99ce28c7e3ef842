"""A server that checks signatures: what a secret it knows has signed is taken, anything else leaves nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cloudlet.testing.server import InProcessServer
from tests.gateway.raw import Reply, ask, request, scope

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG"
EMPTY = hashlib.sha256(b"").hexdigest()
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHUNK = 64 * 1024


@pytest.fixture(scope="module")
def strict() -> Iterator[InProcessServer]:
    with InProcessServer(verify_signatures=True, secrets={KEY: SECRET}) as cloud:
        _client(cloud, "s3").create_bucket(Bucket="bucket")
        yield cloud


def _client(cloud: InProcessServer, service: str, key: str = KEY, secret: str = SECRET, **options: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, signature_version="s3v4" if service == "s3" else "v4", **options),
    )


def _code(ask: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as told:
        ask()
    return told.value.response["Error"]["Code"], told.value.response["ResponseMetadata"]["HTTPStatusCode"]


def _keys(cloud: InProcessServer) -> list[str]:
    return [found["Key"] for found in _client(cloud, "s3").list_objects_v2(Bucket="bucket").get("Contents", [])]


@pytest.mark.parametrize("key", ["key", "a b/c+d/é~!'()*", "x//y/./z"])
def test_what_is_signed_is_taken(strict: InProcessServer, key: str) -> None:
    s3 = _client(strict, "s3")
    s3.put_object(Bucket="bucket", Key=key, Body=b"x" * 100_000, Metadata={"name": "a  b"})
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == b"x" * 100_000
    s3.put_object_tagging(Bucket="bucket", Key=key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(Bucket="bucket", Key=key)
    url = _client(strict, "sqs").create_queue(QueueName="q")["QueueUrl"]
    assert _client(strict, "sqs").send_message(QueueUrl=url, MessageBody="é")["MessageId"]


@pytest.mark.parametrize(("key", "code"), [(KEY, "SignatureDoesNotMatch"), ("AKIDNOBODY", "InvalidAccessKeyId")])
def test_the_wrong_secret(strict: InProcessServer, key: str, code: str) -> None:
    s3 = _client(strict, "s3", key, "wrong")
    assert _code(lambda: s3.put_object(Bucket="bucket", Key="wrong", Body=b"x")) == (code, 403)
    assert _code(lambda: s3.list_buckets()) == (code, 403)
    assert _code(lambda: s3.create_bucket(Bucket="other")) == (code, 403)
    sqs = _client(strict, "sqs", key, "wrong")
    assert _code(lambda: sqs.create_queue(QueueName="wrong")) == (code.replace("InvalidAccessKeyId", "InvalidClientTokenId"), 403)
    assert "wrong" not in _keys(strict)


def _fetch(cloud: InProcessServer, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    made = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
    made.request(method, f"{parts.path}?{parts.query}", body)
    answered = made.getresponse()
    return answered.status, answered.read()


def test_presigned_urls(strict: InProcessServer) -> None:
    s3, wrong = _client(strict, "s3"), _client(strict, "s3", KEY, "wrong")
    params = {"Bucket": "bucket", "Key": "presigned"}
    put = s3.generate_presigned_url("put_object", Params=params)
    assert _fetch(strict, "PUT", put, b"hello")[0] == 200
    get = s3.generate_presigned_url("get_object", Params=params)
    assert _fetch(strict, "GET", get) == (200, b"hello")
    for method, url in [
        ("GET", wrong.generate_presigned_url("get_object", Params=params)),
        ("DELETE", get),
        ("GET", get.replace("/presigned", "/other")),
        ("GET", get.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601")),
        ("GET", get + "&versionId=1"),
        ("GET", get[:-1] + ("0" if get[-1] != "0" else "1")),
        ("GET", get.replace("X-Amz-Signature=", "X-Amz-Signature=%ff")),
    ]:
        status, body = _fetch(strict, method, url)
        assert (status, b"<Code>SignatureDoesNotMatch</Code>" in body) == (403, True), url
    for url in (get.replace("X-Amz-Expires=3600", "X-Amz-Expires=" + "9" * 5000), get.replace("X-Amz-Date=2", "X-Amz-Date=x")):
        assert _fetch(strict, "GET", url)[0] in (400, 403)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=",
        f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request",
        scope("s3").replace("test", KEY),
        scope("s3").replace("test", KEY).replace("Signature=00", "Signature=\xff"),
        f"AWS {KEY}:c2lnbmF0dXJl",
        "Bearer token",
        "\xff",
    ],
)
def test_headers_that_are_no_signature(strict: InProcessServer, authorization: str) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for date in (stamp, "", "\xb2" * 8 + "T000000Z", "99999999T999999Z"):
        reply = ask(strict, request("PUT", "/bucket/forged", b"x", authorization=authorization, x_amz_date=date))
        assert reply.status in (400, 403), reply
        assert b"<Code>" in reply.body
    assert "forged" not in _keys(strict)


def _signed(body: bytes, method: str = "PUT", target: str = "/bucket/chunks", **headers: str) -> dict[str, str]:
    """The headers of a request that is signed with `body` as its payload's hash."""
    sent = AWSRequest(method, f"http://localhost{target}", headers={"X-Amz-Content-SHA256": body.decode(), **headers})
    auth = S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1")
    auth.payload = lambda asked: body.decode()  # type: ignore[method-assign]
    auth.add_auth(sent)
    return {name.lower(): value for name, value in sent.headers.items()}


def test_a_tampered_body_of_an_operation_without_a_stream(strict: InProcessServer) -> None:
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    headers = _signed(hashlib.sha256(body).hexdigest().encode(), target="/bucket?tagging")
    assert ask(strict, request("PUT", "/bucket?tagging", body, **headers)).status in (200, 204)
    reply = ask(strict, request("PUT", "/bucket?tagging", body.replace(b"<Value>b", b"<Value>c"), **headers))
    assert (reply.status, b"<Code>XAmzContentSHA256Mismatch</Code>" in reply.body) == (400, True)
    assert _client(strict, "s3").get_bucket_tagging(Bucket="bucket")["TagSet"] == [{"Key": "a", "Value": "b"}]


class Chunks:
    """A body in chunks, signed each on the one before, with a checksum in a signed trailer."""

    def __init__(self, headers: dict[str, str]):
        self._stamp = headers["x-amz-date"]
        self._scope = f"{self._stamp[:8]}/us-east-1/s3/aws4_request"
        self._previous = headers["authorization"].rpartition("Signature=")[2]

    def _sign(self, kind: str, *digests: str) -> bytes:
        text = "\n".join((f"AWS4-HMAC-SHA256-{kind}", self._stamp, self._scope, self._previous, *digests))
        key = ("AWS4" + SECRET).encode()
        for part in self._scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self._previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return self._previous.encode()

    def chunk(self, data: bytes) -> bytes:
        signature = self._sign("PAYLOAD", EMPTY, hashlib.sha256(data).hexdigest())
        return b"%x;chunk-signature=%b\r\n" % (len(data), signature) + (data + b"\r\n" if data else b"")

    def trailer(self, line: bytes) -> bytes:
        signature = self._sign("TRAILER", hashlib.sha256(line + b"\n").hexdigest())
        return line + b"\r\nx-amz-trailer-signature:" + signature + b"\r\n"


def _upload(cloud: InProcessServer, data: bytes, *, trailer: bool, change: Callable[[bytes], bytes] = lambda raw: raw) -> Reply:
    extra = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(data))}
    line = b"x-amz-checksum-sha1:" + base64.b64encode(hashlib.sha1(data).digest())
    if trailer:
        extra["X-Amz-Trailer"] = "x-amz-checksum-sha1"
    headers = _signed((SIGNED_CHUNKS + ("-TRAILER" if trailer else "")).encode(), **extra)
    chunks = Chunks(headers)
    body = b"".join(chunks.chunk(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)) + chunks.chunk(b"")
    body += (chunks.trailer(line) if trailer else b"") + b"\r\n"
    return ask(cloud, request("PUT", "/bucket/chunks", change(body), **headers))


@pytest.mark.parametrize("trailer", [False, True])
@pytest.mark.parametrize("size", [0, 10, CHUNK, 300_000])
def test_signed_chunks(strict: InProcessServer, size: int, trailer: bool) -> None:
    data = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    assert _upload(strict, data, trailer=trailer).status == 200
    s3 = _client(strict, "s3")
    assert s3.get_object(Bucket="bucket", Key="chunks")["Body"].read() == data
    s3.delete_object(Bucket="bucket", Key="chunks")


@pytest.mark.parametrize("size", [1000, 300_000])
@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda raw: raw.replace(b"zz", b"zy", 1), ("SignatureDoesNotMatch",)),
        (lambda raw: raw[::-1].replace(b"zz"[::-1], b"yz"[::-1], 1)[::-1], ("SignatureDoesNotMatch",)),
        (lambda raw: raw.replace(b"chunk-signature=", b"chunk-signature=0", 1), ("SignatureDoesNotMatch",)),
        (lambda raw: raw.replace(b"chunk-signature=", b"chunk-signature=\xff", 1), ("SignatureDoesNotMatch",)),
        (
            lambda raw: raw.replace(b";chunk-signature=", b";none=", 1)[:50] + raw[50:],
            ("SignatureDoesNotMatch", "IncompleteBody"),
        ),
        (lambda raw: raw.replace(b"x-amz-trailer-signature:", b"x-amz-trailer-signature:0"), ("SignatureDoesNotMatch",)),
        (lambda raw: raw[: raw.index(b"x-amz-trailer-signature")] + b"\r\n", ("SignatureDoesNotMatch",)),
        (lambda raw: raw.replace(b"sha1:", b"sha1:A"), ("SignatureDoesNotMatch",)),
        (lambda raw: raw[: raw.index(b"x-amz-checksum")] + b"\r\n", ("SignatureDoesNotMatch",)),
        (lambda raw: raw[: raw.index(b"\r\nx-amz-checksum")], ("SignatureDoesNotMatch", "IncompleteBody")),
        (lambda raw: raw[: len(raw) // 2], ("SignatureDoesNotMatch", "IncompleteBody")),
        (lambda raw: b"", ("SignatureDoesNotMatch", "IncompleteBody")),
    ],
)
def test_tampered_chunks_are_refused(
    strict: InProcessServer, change: Callable[[bytes], bytes], codes: tuple[str, ...], size: int
) -> None:
    reply = _upload(strict, b"z" * size, trailer=True, change=change)
    assert reply.status in (400, 403), reply
    assert any(f"<Code>{code}</Code>".encode() in reply.body for code in codes), reply.body
    assert "chunks" not in _keys(strict)
