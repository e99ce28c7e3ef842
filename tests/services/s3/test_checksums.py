"""Checksums of objects: given, promised in a trailer, S3's own; wrong ones."""

from __future__ import annotations

import base64
import hashlib
import io
import urllib.error
import urllib.request
import zlib

import pytest
from botocore.config import Config
from s3answers import failure, plain

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
BODY = b"test-checksum"
KNOWN = {
    "CRC32": base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode(),
    "SHA1": "jbXkHAsXUrubtL3dqDQ4w+7WXc0=",
    "SHA256": base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
}


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("body", [BODY, b"", b"x" * 100_000], ids=["small", "empty", "large"])
def test_each_algorithm(s3, algorithm, body):
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket="orders", Key="a", Body=body, ChecksumAlgorithm=algorithm)
    value = put[member]
    assert put["ChecksumType"] == "FULL_OBJECT"
    if body == BODY:
        assert value == KNOWN.get(algorithm, value)
    again = s3.put_object(Bucket="orders", Key="b", Body=body, **{member: value})
    assert again[member] == value
    assert s3.get_object(Bucket="orders", Key="b", ChecksumMode="ENABLED")[member] == value
    head = s3.head_object(Bucket="orders", Key="b", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"]) == (value, "FULL_OBJECT")
    assert member not in s3.head_object(Bucket="orders", Key="b")
    attributes = s3.get_object_attributes(Bucket="orders", Key="b", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"] == {member: value, "ChecksumType": "FULL_OBJECT"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [10, 100_000])
def test_wrong_values(s3, algorithm, size):
    member, body = f"Checksum{algorithm}", b"x" * size
    told = failure(s3.put_object, Bucket="orders", Key="a", Body=body, **{member: "no-base64"})
    text = f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."
    assert told == {"Code": "InvalidRequest", "Message": text, "status": 400}
    other = s3.put_object(Bucket="orders", Key="other", Body=b"other", ChecksumAlgorithm=algorithm)[member]
    told = failure(s3.put_object, Bucket="orders", Key="a", Body=body, **{member: other})
    text = f"The {algorithm} you specified did not match the calculated checksum."
    assert told == {"Code": "BadDigest", "Message": text, "status": 400}
    assert failure(s3.get_object, Bucket="orders", Key="a")["Code"] == "NoSuchKey"


def test_s3s_own(client):
    s3 = client("s3", config=Config(request_checksum_calculation="when_required"))
    s3.create_bucket(Bucket="orders")
    put = plain(s3.put_object(Bucket="orders", Key="a", Body=b"123456"))
    assert (put["ChecksumCRC64NVME"], put["ChecksumType"]) == ("CVmbZh4IWzA=", "FULL_OBJECT")


def test_managed_uploads(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    body = b"0123456789" * 20_000
    s3.upload_fileobj(io.BytesIO(body), "orders", "a", ExtraArgs={"ChecksumAlgorithm": "CRC32C"})
    assert s3.get_object(Bucket="orders", Key="a")["Body"].read() == body


def put_chunked(s3, trailer: bytes, body: bytes = b"hello") -> int:
    head = {
        "Content-Type": "text/plain",
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    chunks = b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer)
    request = urllib.request.Request(s3.meta.endpoint_url + "/orders/a", chunks, head, method="PUT")
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code


def test_trailers(s3):
    assert put_chunked(s3, b"x-amz-checksum-crc32:NhCmhg==") == 200
    assert put_chunked(s3, b"x-amz-checksum-crc32:AAAAAA==") == 400
    assert put_chunked(s3, b"x-amz-checksum-crc32:nonsense") == 400
    assert s3.get_object(Bucket="orders", Key="a")["Body"].read() == b"hello"


def test_one_only(s3):
    told = failure(s3.put_object, Bucket="orders", Key="a", Body=b"1", ChecksumCRC32="AAAAAA==", ChecksumCRC32C="AAAAAA==")
    text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    assert told == {"Code": "InvalidRequest", "Message": text, "status": 400}
