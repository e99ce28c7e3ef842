"""CopyObject: directives, versions, checksums, conditions on both sides, and copies of an object onto itself."""

from __future__ import annotations

import base64
import hashlib

import pytest
from s3answers import NO_SUCH_KEY, PRECONDITION, failure, plain

ILLEGAL = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, "
    "storage class, website redirect location or encryption attributes."
)
BODY = b'{"key": "value"}'


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


def copy(s3, source="source", target="target", **parameters):
    from_here = {"Bucket": "orders", "Key": source} if isinstance(source, str) else source
    return s3.copy_object(Bucket="orders", Key=target, CopySource=from_here, **parameters)


def test_shape_of_the_answer(s3):
    put = s3.put_object(Bucket="orders", Key="source", Body=BODY)
    answer = plain(copy(s3))
    modified = answer["CopyObjectResult"].pop("LastModified")
    assert answer == {
        "CopyObjectResult": {"ETag": put["ETag"], "ChecksumCRC32": "MzVIGw==", "ChecksumType": "FULL_OBJECT"},
        "ServerSideEncryption": "AES256",
    }
    got = s3.get_object(Bucket="orders", Key="target")
    assert got["Body"].read() == BODY
    assert got["LastModified"] == modified


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_copies_outlive_their_source(s3, size):
    body = b"x" * size
    s3.put_object(Bucket="orders", Key="source", Body=body)
    copy(s3)
    s3.put_object(Bucket="orders", Key="source", Body=b"other")
    s3.delete_object(Bucket="orders", Key="source")
    assert s3.get_object(Bucket="orders", Key="target")["Body"].read() == body


def test_sources_as_text(s3):
    s3.put_object(Bucket="orders", Key="dir/ü &%40+", Body=b"1")
    for source in ("orders/dir/ü &%40+", "/orders/dir/ü &%40+"):
        s3.copy_object(Bucket="orders", Key="target", CopySource=source)
        assert s3.get_object(Bucket="orders", Key="target")["Body"].read() == b"1"
    for source in ("orders", "orders/", "/orders"):
        told = failure(s3.copy_object, Bucket="orders", Key="target", CopySource=source)
        assert (told["Code"], told["ArgumentName"]) == ("InvalidArgument", "x-amz-copy-source")


@pytest.mark.parametrize("key", ["file%2Fname", "test@key/", "test key/", "test key//", "a%123", "a&b=c", "ü"])
def test_special_characters(s3, key):
    s3.put_object(Bucket="orders", Key=f"src-{key}", Body=b"test")
    copy(s3, f"src-{key}", f"dest-{key}")
    assert s3.get_object(Bucket="orders", Key=f"dest-{key}")["Body"].read() == b"test"


def test_what_is_not_there(s3):
    assert failure(copy, s3=s3, source="nothing") == {
        "Code": "NoSuchKey",
        "Message": NO_SUCH_KEY,
        "Key": "nothing",
        "status": 404,
    }
    assert failure(copy, s3=s3, source={"Bucket": "nowhere", "Key": "a"})["BucketName"] == "nowhere"


def test_metadata_directive(s3):
    given = {"Metadata": {"key": "value"}, "ContentType": "application/json", "CacheControl": "no-cache"}
    s3.put_object(Bucket="orders", Key="source", Body=BODY, WebsiteRedirectLocation="/there", **given)
    copy(s3)
    head = s3.head_object(Bucket="orders", Key="target")
    assert {name: head[name] for name in given} == given
    assert "WebsiteRedirectLocation" not in head
    copy(s3, Metadata={"ignored": "yes"}, ContentType="ignored/too", WebsiteRedirectLocation="/here")
    head = s3.head_object(Bucket="orders", Key="target")
    assert {name: head[name] for name in given} == given
    assert head["WebsiteRedirectLocation"] == "/here"
    copy(s3, MetadataDirective="REPLACE", Metadata={"key2": "value2"})
    head = s3.head_object(Bucket="orders", Key="target")
    assert (head["Metadata"], head["ContentType"], "CacheControl" in head) == ({"key2": "value2"}, "binary/octet-stream", False)
    assert failure(copy, s3=s3, MetadataDirective="NONE")["Message"] == "Unknown metadata directive."


@pytest.mark.parametrize(
    ("directive", "first", "second"), [("COPY", "key1", "key1"), (None, "key1", "key1"), ("REPLACE", "key2", None)]
)
def test_tagging_directive(s3, directive, first, second):
    s3.put_object(Bucket="orders", Key="source", Body=BODY, Tagging="key1=value1")
    asked = {"TaggingDirective": directive} if directive else {}
    copy(s3, Tagging="key2=value2", **asked)
    assert [tag["Key"] for tag in s3.get_object_tagging(Bucket="orders", Key="target")["TagSet"]] == [first]
    copy(s3, **asked)
    assert [tag["Key"] for tag in s3.get_object_tagging(Bucket="orders", Key="target")["TagSet"]] == ([second] if second else [])


def test_storage_class_is_not_copied(s3):
    s3.put_object(Bucket="orders", Key="source", Body=BODY, StorageClass="STANDARD_IA")
    copy(s3)
    assert "StorageClass" not in s3.head_object(Bucket="orders", Key="target")
    copy(s3, StorageClass="ONEZONE_IA")
    assert s3.head_object(Bucket="orders", Key="target")["StorageClass"] == "ONEZONE_IA"


def test_onto_itself(s3):
    s3.put_object(Bucket="orders", Key="source", Body=BODY, Metadata={"key": "value"})
    told = {"Code": "InvalidRequest", "Message": ILLEGAL, "status": 400}
    assert failure(copy, s3=s3, target="source") == told
    assert failure(copy, s3=s3, target="source", ChecksumAlgorithm="SHA256") == told
    assert failure(copy, s3=s3, target="source", TaggingDirective="REPLACE", Tagging="a=b") == told
    for change in (
        {"MetadataDirective": "REPLACE"},
        {"StorageClass": "STANDARD"},
        {"WebsiteRedirectLocation": "/there"},
        {"ServerSideEncryption": "AES256"},
    ):
        copy(s3, target="source", **change)
        assert s3.get_object(Bucket="orders", Key="source")["Body"].read() == BODY


def test_a_large_one_onto_itself(s3):
    s3.put_object(Bucket="orders", Key="source", Body=b"x" * 100_000)
    for _ in range(2):
        copy(s3, target="source", MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert s3.get_object(Bucket="orders", Key="source")["Body"].read() == b"x" * 100_000


def test_onto_itself_in_a_suspended_bucket(s3):
    s3.put_object(Bucket="orders", Key="source", Body=BODY)
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Suspended"})
    for _ in range(2):
        answer = plain(copy(s3, target="source"))
        assert (answer["VersionId"], "CopySourceVersionId" in answer) == ("null", False)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("size", [16, 100_000])
def test_checksum_algorithms(s3, algorithm, size):
    body = (BODY * (size // 16))[:size]
    s3.put_object(Bucket="orders", Key="source", Body=body)
    s3.put_object(Bucket="orders", Key="expected", Body=body, ChecksumAlgorithm=algorithm)
    member = f"Checksum{algorithm}"
    expected = s3.head_object(Bucket="orders", Key="expected", ChecksumMode="ENABLED")[member]
    first = copy(s3, ChecksumAlgorithm=algorithm)["CopyObjectResult"]
    assert (first[member], first["ChecksumType"]) == (expected, "FULL_OBJECT")
    kept = copy(s3, "target", "target-2")["CopyObjectResult"]
    assert kept[member] == expected
    if algorithm == "SHA256":
        assert expected == base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_versions(s3):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="orders", Key="source", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="orders", Key="source", Body=b"2")["VersionId"]
    assert copy(s3)["CopySourceVersionId"] == second
    old = {"Bucket": "orders", "Key": "source", "VersionId": first}
    restored = copy(s3, old, "source")
    assert restored["CopySourceVersionId"] == first
    assert restored["VersionId"] not in (first, second)
    assert s3.get_object(Bucket="orders", Key="source")["Body"].read() == b"1"
    marker = s3.delete_object(Bucket="orders", Key="source")["VersionId"]
    assert failure(copy, s3=s3)["Code"] == "NoSuchKey"
    told = failure(copy, s3=s3, source={"Bucket": "orders", "Key": "source", "VersionId": marker})
    assert told["Message"] == "The source of a copy request may not specifically refer to a delete marker by version id."


def test_conditions_on_the_source(cloud, s3):
    s3.put_object(Bucket="orders", Key="source", Body=b"data")
    head = s3.head_object(Bucket="orders", Key="source")
    modified = head["LastModified"]
    cloud.advance("1h")
    past, future = modified.replace(year=2020), modified.replace(year=modified.year + 10)
    for condition, value in (
        ("If-Match", "nonsense"),
        ("If-Unmodified-Since", past),
        ("If-None-Match", head["ETag"].strip('"')),
        ("If-Modified-Since", modified),
    ):
        told = failure(copy, s3=s3, **{"CopySource" + condition.replace("-", ""): value})
        header = f"x-amz-copy-source-{condition}"
        assert told == {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": header, "status": 412}
    copy(s3, CopySourceIfModifiedSince=future)
    copy(s3, CopySourceIfMatch=head["ETag"], CopySourceIfUnmodifiedSince=past)
    told = failure(copy, s3=s3, CopySourceIfNoneMatch=head["ETag"], CopySourceIfModifiedSince=past)
    assert told["Condition"] == "x-amz-copy-source-If-None-Match"
    copy(s3, CopySourceIfMatch=head["ETag"], CopySourceIfNoneMatch="other", CopySourceIfUnmodifiedSince=modified)


def test_conditions_on_the_target(s3):
    s3.put_object(Bucket="orders", Key="source", Body=b"data")
    assert failure(copy, s3=s3, IfMatch='"abc"')["Code"] == "NoSuchKey"
    copy(s3, IfNoneMatch="*")
    told = {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": "If-None-Match", "status": 412}
    assert failure(copy, s3=s3, IfNoneMatch="*") == told
    assert failure(copy, s3=s3, IfMatch='"abc"') == told | {"Condition": "If-Match"}
    copy(s3, IfMatch=s3.head_object(Bucket="orders", Key="target")["ETag"])
