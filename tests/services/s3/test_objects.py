"""Objects: put, get, head and delete, ranges, parts, overrides, metadata, keys."""

from __future__ import annotations

import hashlib
import urllib.request

import pytest
from s3answers import failure, failure_headers


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


def read(s3, key, **parameters):
    return s3.get_object(Bucket="orders", Key=key, **parameters)["Body"].read()


def test_put_get_head(s3):
    put = s3.put_object(Bucket="orders", Key="a/b", Body=b"hello world")
    assert put.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    etag = '"5eb63bbbe01eeed093cb22bb8f5acdc3"'
    checksum = {"ChecksumCRC32": "DUoRhQ==", "ChecksumType": "FULL_OBJECT"}
    assert put == {"ETag": etag, "ServerSideEncryption": "AES256", **checksum}
    got = s3.get_object(Bucket="orders", Key="a/b")
    assert got.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert got.pop("Body").read() == b"hello world"
    modified = got.pop("LastModified")
    properties = {
        "AcceptRanges": "bytes",
        "ContentLength": 11,
        "ContentType": "binary/octet-stream",
        "ETag": etag,
        "Metadata": {},
        "ServerSideEncryption": "AES256",
    }
    assert got == properties | checksum
    head = s3.head_object(Bucket="orders", Key="a/b")
    head.pop("ResponseMetadata")
    assert head == properties | {"LastModified": modified}


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 32 * 1024 + 1, 100_000, 3_000_000])
def test_sizes(s3, size):
    body = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000 + 1)
    body = body[:size]
    put = s3.put_object(Bucket="orders", Key="a", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert read(s3, "a") == body
    assert s3.head_object(Bucket="orders", Key="a")["ContentLength"] == size


def test_a_new_body_replaces_the_old_one(s3):
    for body in (b"x" * 100_000, b"small", b"y" * 50_000, b""):
        s3.put_object(Bucket="orders", Key="a", Body=body)
        assert read(s3, "a") == body


def test_what_is_not_there(s3):
    told = {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": "nothing", "status": 404}
    assert failure(s3.get_object, Bucket="orders", Key="nothing") == told
    assert failure(s3.head_object, Bucket="orders", Key="nothing") == {"Code": "404", "Message": "Not Found", "status": 404}
    for body in (b"1", b"1" * 100_000):
        assert failure(s3.put_object, Bucket="no-such-bucket", Key="a", Body=body) == {
            "Code": "NoSuchBucket",
            "Message": "The specified bucket does not exist",
            "BucketName": "no-such-bucket",
            "status": 404,
        }


def test_delete(s3):
    s3.put_object(Bucket="orders", Key="a", Body=b"1")
    for _ in range(2):
        gone = s3.delete_object(Bucket="orders", Key="a")
        assert gone.pop("ResponseMetadata")["HTTPStatusCode"] == 204
        assert gone == {}
    assert failure(s3.get_object, Bucket="orders", Key="a")["Code"] == "NoSuchKey"


@pytest.mark.parametrize(
    "key",
    ["/lead", "trail/", "a//b", "test@key/", "test%40key", "sp ace", "ü—👑", "a+b", "#hash", "a?b=c&d", "..", "a/./b", "'\"<&>"],
)
def test_keys(s3, key):
    s3.put_object(Bucket="orders", Key=key, Body=key.encode())
    assert read(s3, key) == key.encode()
    s3.delete_object(Bucket="orders", Key=key)
    assert failure(s3.get_object, Bucket="orders", Key=key)["Code"] == "NoSuchKey"


def test_longest_key(s3):
    s3.put_object(Bucket="orders", Key="k" * 1024, Body=b"1")
    told = failure(s3.put_object, Bucket="orders", Key="ü" * 513, Body=b"1")
    assert told == {
        "Code": "KeyTooLongError",
        "Message": "Your key is too long",
        "Size": "1026",
        "MaxSizeAllowed": "1024",
        "status": 400,
    }


BODY = b"0123456789"


@pytest.mark.parametrize(
    ("asked", "body", "shown"),
    [
        ("bytes=0-8", b"012345678", "bytes 0-8/10"),
        ("bytes=1-1", b"1", "bytes 1-1/10"),
        ("bytes=1-0", BODY, None),
        ("bytes=1-", b"123456789", "bytes 1-9/10"),
        ("bytes=-1-", BODY, None),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=-15", BODY, "bytes 0-9/10"),
        ("bytes=0-100", BODY, "bytes 0-9/10"),
        ("bytes=0--1", BODY, None),
        ("bytes=0-1,3-4", BODY, None),
        ("bytes-0-1", BODY, None),
        ("bytes=-", BODY, None),
    ],
)
def test_ranges(s3, asked, body, shown):
    s3.put_object(Bucket="orders", Key="a", Body=BODY)
    got = s3.get_object(Bucket="orders", Key="a", Range=asked)
    assert got["Body"].read() == body
    assert got.get("ContentRange") == shown
    assert got["ResponseMetadata"]["HTTPStatusCode"] == (206 if shown else 200)
    assert ("ChecksumCRC32" in got) == (body == BODY)
    head = s3.head_object(Bucket="orders", Key="a", Range=asked)
    assert (head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]) == (len(body), 206 if shown else 200)


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=100-200"])
def test_range_beyond_the_end(s3, asked):
    s3.put_object(Bucket="orders", Key="a", Body=BODY)
    assert failure(s3.get_object, Bucket="orders", Key="a", Range=asked) == {
        "Code": "InvalidRange",
        "Message": "The requested range is not satisfiable",
        "RangeRequested": asked,
        "ActualObjectSize": "10",
        "status": 416,
    }
    assert failure_headers(s3.get_object, "content-range", Bucket="orders", Key="a", Range=asked) == {
        "content-range": "bytes */10"
    }


def test_range_of_a_large_body(s3):
    body = bytes(range(256)) * 1000
    s3.put_object(Bucket="orders", Key="a", Body=body)
    assert read(s3, "a", Range="bytes=1000-200000") == body[1000:200001]
    assert read(s3, "a", Range="bytes=-5") == body[-5:]


def test_part_numbers_of_a_plain_object(s3):
    s3.put_object(Bucket="orders", Key="a", Body=b"test-123")
    got = s3.get_object(Bucket="orders", Key="a", PartNumber=1)
    assert (got["ContentRange"], got["ResponseMetadata"]["HTTPStatusCode"]) == ("bytes 0-7/8", 206)
    assert "PartsCount" not in got
    assert failure(s3.get_object, Bucket="orders", Key="a", PartNumber=2) == {
        "Code": "InvalidPartNumber",
        "Message": "The requested partnumber is not satisfiable",
        "ActualPartCount": "1",
        "PartNumberRequested": "2",
        "status": 416,
    }
    both = failure(s3.get_object, Bucket="orders", Key="a", PartNumber=1, Range="bytes=0-1")
    assert both["Message"] == "Cannot specify both Range header and partNumber query parameter"


def test_headers_and_metadata(s3):
    given = {
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="foo.jpg"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "StorageClass": "STANDARD_IA",
        "WebsiteRedirectLocation": "/elsewhere",
        "Metadata": {"colour": "blue", "empty": ""},
    }
    s3.put_object(Bucket="orders", Key="a", Body=b"1", Expires="Thu, 01 Dec 1994 16:00:00 GMT", **given)
    head = s3.head_object(Bucket="orders", Key="a")
    assert {name: head[name] for name in given} == given
    assert head["ExpiresString"] == "Thu, 01 Dec 1994 16:00:00 GMT"


def test_only_the_real_encoding_is_kept(s3):
    """`aws-chunked` says how the body travels."""
    url = s3.meta.endpoint_url + "/orders/a"
    for given, kept in (
        ("aws-chunked", None),
        ("gzip,aws-chunked", "gzip"),
        ("aws-chunked, br", "br"),
        ("a, aws-chunked, b", "a, b"),
    ):
        sent = {"Content-Encoding": given, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
        sent |= {"Content-Type": "text/plain", "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"}
        body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
        urllib.request.urlopen(urllib.request.Request(url, body, sent, method="PUT"))
        assert s3.head_object(Bucket="orders", Key="a").get("ContentEncoding") == kept
        assert read(s3, "a") == b"hello"


@pytest.mark.parametrize("body", [b"", b"hello"])
def test_an_encoding_alone_makes_no_chunks(s3, body):
    """The payload's hash and the decoded length tell that a body is chunked."""
    s3.put_object(Bucket="orders", Key="a", Body=body, ContentEncoding="gzip, aws-chunked")
    assert s3.head_object(Bucket="orders", Key="a")["ContentEncoding"] == "gzip"
    assert read(s3, "a") == body


def test_metadata_too_large(s3):
    s3.put_object(Bucket="orders", Key="a", Metadata={"k": "v" * 2047})
    assert failure(s3.put_object, Bucket="orders", Key="a", Metadata={"k": "v" * 2048}) == {
        "Code": "MetadataTooLarge",
        "Message": "Your metadata headers exceed the maximum allowed metadata size",
        "Size": "2049",
        "MaxSizeAllowed": "2048",
        "status": 400,
    }


def test_storage_classes(s3):
    assert failure(s3.put_object, Bucket="orders", Key="a", StorageClass="OUTPOSTS") == {
        "Code": "InvalidStorageClass",
        "Message": "The storage class you specified is not valid",
        "StorageClassRequested": "OUTPOSTS",
        "status": 400,
    }
    s3.put_object(Bucket="orders", Key="a", StorageClass="GLACIER")
    assert s3.head_object(Bucket="orders", Key="a")["StorageClass"] == "GLACIER"
    assert failure(s3.get_object, Bucket="orders", Key="a") == {
        "Code": "InvalidObjectState",
        "Message": "The operation is not valid for the object's storage class",
        "StorageClass": "GLACIER",
        "status": 403,
    }


def test_response_overrides(s3):
    s3.put_object(Bucket="orders", Key="a", Body=b"1", ContentType="text/plain")
    got = s3.get_object(Bucket="orders", Key="a", ResponseContentType="text/html", ResponseCacheControl="no-store")
    assert (got["ContentType"], got["CacheControl"]) == ("text/html", "no-store")
    assert s3.head_object(Bucket="orders", Key="a")["ContentType"] == "text/plain"


def test_presigned_urls(s3):
    put = s3.generate_presigned_url("put_object", {"Bucket": "orders", "Key": "a b", "ContentType": "text/plain"})
    request = urllib.request.Request(put, b"by url", {"Content-Type": "text/plain"}, method="PUT")
    assert urllib.request.urlopen(request).status == 200
    got = urllib.request.urlopen(s3.generate_presigned_url("get_object", {"Bucket": "orders", "Key": "a b"}))
    assert (got.read(), got.headers["Content-Type"]) == (b"by url", "text/plain")


def test_wrong_content_md5(s3):
    told = failure(s3.put_object, Bucket="orders", Key="a", Body=b"1", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert (told["Code"], told["status"]) == ("BadDigest", 400)
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=b"1", ContentMD5="nonsense")["Code"] == "InvalidDigest"
    assert failure(s3.get_object, Bucket="orders", Key="a")["Code"] == "NoSuchKey"


def test_customer_keys_are_not_done(s3):
    told = failure(s3.put_object, Bucket="orders", Key="a", SSECustomerKey=b"k" * 32, SSECustomerAlgorithm="AES256")
    assert (told["Code"], told["status"]) == ("NotImplemented", 501)


def test_kms(s3):
    key = "arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47"
    put = s3.put_object(Bucket="orders", Key="a", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.rpartition("/")[2])
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
    assert put["ETag"] != f'"{hashlib.md5(b"1").hexdigest()}"'
    got = s3.get_object(Bucket="orders", Key="a")
    assert (got["SSEKMSKeyId"], got["ETag"], got["Body"].read()) == (key, put["ETag"], b"1")
