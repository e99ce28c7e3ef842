"""UploadPartCopy. Expected errors were recorded from AWS."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.testing.server import InProcessServer

Client = Callable[..., Any]
LARGE = bytes(range(256)) * 4096 * 6
FORM = (
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
    "zero-based offsets of the first and last bytes to copy"
)


@pytest.fixture
def s3(client: Client) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    s3.put_object(Bucket="shelf", Key="source key", Body=b"0123456789")
    return s3


def begin(s3: Any, **options: Any) -> dict[str, Any]:
    upload = s3.create_multipart_upload(Bucket="shelf", Key="target", **options)["UploadId"]
    return {"Bucket": "shelf", "Key": "target", "UploadId": upload}


def copy(
    s3: Any, to: dict[str, Any], number: int, text: str | None = None, source: str = "source key", **more: Any
) -> dict[str, Any]:
    if text is not None:
        more["CopySourceRange"] = text
    return s3.upload_part_copy(**to, PartNumber=number, CopySource={"Bucket": "shelf", "Key": source}, **more)


def fault(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    return {k: v for k, v in raised.value.response["Error"].items() if k not in ("HostId", "RequestId")}


def complete(s3: Any, to: dict[str, Any], *parts: dict[str, Any]) -> dict[str, Any]:
    listed = [{"PartNumber": n, "ETag": part["CopyPartResult"]["ETag"]} for n, part in enumerate(parts, 1)]
    return s3.complete_multipart_upload(**to, MultipartUpload={"Parts": listed})


def blobs(cloud: InProcessServer) -> list[Any]:
    """The files of the blobs that are named."""
    store, paths = cloud.cloud.kernel.store, cloud.cloud.kernel.blobs.path
    names = cloud.run(lambda: store.scan(b"\x02blobs\x00", b"\x02blobs\x01"))
    return [paths(key[len(b"\x02blobs\x00\x02") : -1].decode()) for key, _ in names]


def test_ranges(s3: Any) -> None:
    to = begin(s3)
    answer = copy(s3, to, 1, "bytes=0-8")
    answer.pop("ResponseMetadata")
    assert isinstance(answer["CopyPartResult"].pop("LastModified"), datetime)
    assert answer == {"CopyPartResult": {"ETag": '"22975d8a5ed1b91445f6c55ac121505b"'}, "ServerSideEncryption": "AES256"}
    assert copy(s3, to, 2, "bytes=1-1")["CopyPartResult"]["ETag"] == '"c4ca4238a0b923820dcc509a6f75849b"'
    assert copy(s3, to, 3, "bytes=0-0")["CopyPartResult"]["ETag"] == '"cfcd208495d565ef66e7dff9f98764da"'
    assert copy(s3, to, 4)["CopyPartResult"]["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"'
    assert [(part["PartNumber"], part["Size"]) for part in s3.list_parts(**to)["Parts"]] == [(1, 9), (2, 1), (3, 1), (4, 10)]


@pytest.mark.parametrize(
    "text", ["0-8", *("bytes=" + form for form in ("1-0", "-1-", "0--1", "0-1,3-4,7-9", "-", "-0", "1-", "-2", "-15"))]
)
def test_ranges_of_another_form(s3: Any, text: str) -> None:
    to = begin(s3)
    expected = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text, "Code": "InvalidArgument", "Message": FORM}
    assert fault(lambda: copy(s3, to, 1, text)) == expected


def test_ranges_beyond_the_source(s3: Any) -> None:
    to = begin(s3)
    assert fault(lambda: copy(s3, to, 1, "bytes=0-100")) == {
        "ArgumentName": "x-amz-copy-source-range",
        "ArgumentValue": "bytes=0-100",
        "Code": "InvalidArgument",
        "Message": "Range specified is not valid for source object of size: 10",
    }
    assert fault(lambda: copy(s3, to, 1, "bytes=100-200")) == {
        "Code": "InvalidRequest",
        "Message": "The specified copy range is invalid for the source object size",
    }


def test_conditions_on_the_source(s3: Any) -> None:
    to = begin(s3)
    etag = s3.head_object(Bucket="shelf", Key="source key")["ETag"]
    failed = {"Code": "PreconditionFailed", "Message": "At least one of the pre-conditions you specified did not hold"}
    for condition, value, name in (
        ("CopySourceIfNoneMatch", etag, "x-amz-copy-source-If-None-Match"),
        ("CopySourceIfMatch", '"other"', "x-amz-copy-source-If-Match"),
        ("CopySourceIfUnmodifiedSince", datetime(2020, 1, 1, tzinfo=UTC), "x-amz-copy-source-If-Unmodified-Since"),
    ):
        asked = {condition: value}
        assert fault(lambda asked=asked: copy(s3, to, 1, **asked)) == failed | {"Condition": name}
    copy(s3, to, 1, CopySourceIfMatch=etag)
    copy(s3, to, 1, CopySourceIfNoneMatch='"other"')


def test_sources_that_are_not_there(s3: Any) -> None:
    to = begin(s3)
    assert fault(lambda: copy(s3, to, 1, source="nothing"))["Code"] == "NoSuchKey"
    assert fault(lambda: copy(s3, to | {"UploadId": "wrong"}, 1))["Code"] == "NoSuchUpload"
    assert fault(lambda: copy(s3, to, 0))["Code"] == "InvalidArgument"


def test_a_version_as_source(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="shelf", Key="source key", Body=b"old")["VersionId"]
    s3.put_object(Bucket="shelf", Key="source key", Body=b"new")
    to = begin(s3)
    source = {"Bucket": "shelf", "Key": "source key", "VersionId": old}
    answer = s3.upload_part_copy(**to, PartNumber=1, CopySource=source)
    assert (answer["CopySourceVersionId"], answer["CopyPartResult"]["ETag"]) == (old, f'"{hashlib.md5(b"old").hexdigest()}"')


def test_a_whole_large_object_is_shared(s3: Any, cloud: InProcessServer) -> None:
    s3.create_bucket(Bucket="shelf")
    s3.put_object(Bucket="shelf", Key="large", Body=LARGE)
    to = begin(s3)
    parts = [copy(s3, to, number, source="large") for number in (1, 2)]
    assert parts[0]["CopyPartResult"]["ETag"] == f'"{hashlib.md5(LARGE).hexdigest()}"'
    files = blobs(cloud)
    assert (len(files), len({path.stat().st_ino for path in files})) == (3, 1)
    complete(s3, to, *parts)
    s3.delete_object(Bucket="shelf", Key="large")
    assert s3.get_object(Bucket="shelf", Key="target")["Body"].read() == LARGE * 2
    # a part of the object made so is one blob again
    again = begin(s3)
    third = copy(s3, again, 1, f"bytes={len(LARGE)}-{2 * len(LARGE) - 1}", source="target")
    assert third["CopyPartResult"]["ETag"] == parts[0]["CopyPartResult"]["ETag"]
    assert len({path.stat().st_ino for path in blobs(cloud)}) == 1


def test_a_range_across_parts_is_copied(s3: Any) -> None:
    s3.put_object(Bucket="shelf", Key="large", Body=LARGE)
    to = begin(s3)
    complete(s3, to, copy(s3, to, 1, source="large"), copy(s3, to, 2, source="large"))
    to = begin(s3, ChecksumAlgorithm="CRC32")
    start, end = len(LARGE) - 100, len(LARGE) + 50_000
    answer = copy(s3, to, 1, f"bytes={start}-{end}", source="target")["CopyPartResult"]
    expected = (LARGE * 2)[start : end + 1]
    assert answer["ETag"] == f'"{hashlib.md5(expected).hexdigest()}"'
    listed = [{"PartNumber": 1, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]}]
    s3.complete_multipart_upload(**to, MultipartUpload={"Parts": listed})
    assert s3.get_object(Bucket="shelf", Key="target")["Body"].read() == expected
