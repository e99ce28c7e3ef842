"""GetObjectAttributes."""

from __future__ import annotations

import pytest
from s3answers import NO_SUCH_KEY, failure, plain

ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


def test_all_and_some(s3):
    put = s3.put_object(Bucket="orders", Key="a", Body=b"12345", StorageClass="STANDARD_IA")
    modified = s3.head_object(Bucket="orders", Key="a")["LastModified"]
    assert plain(s3.get_object_attributes(Bucket="orders", Key="a", ObjectAttributes=ALL)) == {
        "LastModified": modified,
        "ETag": put["ETag"].strip('"'),
        "Checksum": {"ChecksumCRC32": put["ChecksumCRC32"], "ChecksumType": "FULL_OBJECT"},
        "StorageClass": "STANDARD_IA",
        "ObjectSize": 5,
    }
    assert plain(s3.get_object_attributes(Bucket="orders", Key="a", ObjectAttributes=["ObjectSize"])) == {
        "LastModified": modified,
        "ObjectSize": 5,
    }


def test_versions(s3):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="orders", Key="a", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="orders", Key="a", Body=b"22")["VersionId"]
    found = s3.get_object_attributes(Bucket="orders", Key="a", ObjectAttributes=ALL)
    assert (found["VersionId"], found["ObjectSize"]) == (second, 2)
    s3.delete_object(Bucket="orders", Key="a")
    gone = failure(s3.get_object_attributes, Bucket="orders", Key="a", ObjectAttributes=ALL)
    assert gone == {"Code": "NoSuchKey", "Message": NO_SUCH_KEY, "Key": "a", "status": 404}
    found = s3.get_object_attributes(Bucket="orders", Key="a", VersionId=first, ObjectAttributes=ALL)
    assert (found["VersionId"], found["ObjectSize"]) == (first, 1)


def test_unknown_attribute(s3):
    s3.put_object(Bucket="orders", Key="a")
    told = failure(s3.get_object_attributes, Bucket="orders", Key="a", ObjectAttributes=["Colour"])
    assert (told["Code"], told["ArgumentName"]) == ("InvalidArgument", "x-amz-object-attributes")
