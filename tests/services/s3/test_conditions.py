"""Conditional reads, writes and deletes."""

from __future__ import annotations

import pytest
from s3answers import NO_SUCH_KEY, PRECONDITION, failure, failure_headers

NOT_DONE_BY_S3 = "A header you provided implies functionality that is not implemented"


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_reads(cloud, s3, operation):
    put = s3.put_object(Bucket="orders", Key="a", Body=b"data")
    modified = s3.head_object(Bucket="orders", Key="a")["LastModified"]
    cloud.advance("1h")
    etag, past, future = put["ETag"], modified.replace(year=2020), modified.replace(year=modified.year + 10)

    def read(**conditions):
        return getattr(s3, operation)(Bucket="orders", Key="a", **conditions)

    for conditions, condition in (
        ({"IfMatch": "nonsense"}, "If-Match"),
        ({"IfUnmodifiedSince": past}, "If-Unmodified-Since"),
    ):
        told = failure(read, **conditions)
        if operation == "head_object":
            assert told == {"Code": "412", "Message": "Precondition Failed", "status": 412}
        else:
            assert told == {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": condition, "status": 412}
    for conditions in (
        {"IfNoneMatch": etag},
        {"IfNoneMatch": etag.strip('"')},
        {"IfNoneMatch": f'"other", W/{etag}'},
        {"IfNoneMatch": "*"},
        {"IfModifiedSince": modified},
        {"IfNoneMatch": etag, "IfModifiedSince": past},
    ):
        assert failure(read, **conditions) == {"Code": "304", "Message": "Not Modified", "status": 304}
    for conditions in (
        {"IfMatch": etag},
        {"IfMatch": etag.strip('"')},
        {"IfMatch": "*"},
        {"IfModifiedSince": future},
        {"IfModifiedSince": past},
        {"IfUnmodifiedSince": modified},
        {"IfMatch": etag, "IfUnmodifiedSince": past},
        {"IfNoneMatch": "other", "IfModifiedSince": modified},
        {"IfMatch": etag, "IfNoneMatch": "other", "IfModifiedSince": past, "IfUnmodifiedSince": modified},
    ):
        assert read(**conditions)["ETag"] == etag


@pytest.mark.parametrize("size", [1, 100_000])
def test_writes_if_none_match(s3, size):
    body = b"x" * size
    s3.put_object(Bucket="orders", Key="a", Body=body, IfNoneMatch="*")
    told = {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": "If-None-Match", "status": 412}
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=body, IfNoneMatch="*") == told
    s3.delete_object(Bucket="orders", Key="a")
    s3.put_object(Bucket="orders", Key="a", Body=body, IfNoneMatch="*")


@pytest.mark.parametrize("size", [1, 100_000])
def test_writes_if_match(s3, size):
    body = b"x" * size
    gone = {"Code": "NoSuchKey", "Message": NO_SUCH_KEY, "Key": "a", "status": 404}
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=body, IfMatch='"abc"') == gone
    etag = s3.put_object(Bucket="orders", Key="a", Body=b"first")["ETag"]
    told = {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": "If-Match", "status": 412}
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=body, IfMatch='"abc"') == told
    s3.put_object(Bucket="orders", Key="a", Body=body, IfMatch=etag)
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=body, IfMatch=etag) == told


def test_writes_over_a_delete_marker(s3):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    etag = s3.put_object(Bucket="orders", Key="a", Body=b"1", IfNoneMatch="*")["ETag"]
    s3.delete_object(Bucket="orders", Key="a")
    assert failure(s3.put_object, Bucket="orders", Key="a", Body=b"2", IfMatch=etag)["Code"] == "NoSuchKey"
    s3.put_object(Bucket="orders", Key="a", Body=b"2", IfNoneMatch="*")


def test_values_that_s3_does_not_take(s3):
    s3.put_object(Bucket="orders", Key="source", Body=b"1")
    for write in (s3.put_object, lambda **given: s3.copy_object(CopySource="orders/source", **given)):
        for conditions, header, more in (
            (
                {"IfNoneMatch": '"abc"'},
                "If-None-Match",
                "We don't accept the provided value of If-None-Match header for this API",
            ),
            ({"IfMatch": "*"}, "If-Match", "We don't accept the provided value of If-Match header for this API"),
            (
                {"IfMatch": '"abc"', "IfNoneMatch": "*"},
                "If-Match,If-None-Match",
                "Multiple conditional request headers present in the request",
            ),
        ):
            assert failure(write, Bucket="orders", Key="a", **conditions) == {
                "Code": "NotImplemented",
                "Message": NOT_DONE_BY_S3,
                "Header": header,
                "additionalMessage": more,
                "status": 501,
            }


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_not_modified_tells_what_it_goes_by(s3, operation):
    etag = s3.put_object(Bucket="orders", Key="a", Body=b"data")["ETag"]
    shown = s3.head_object(Bucket="orders", Key="a")["ResponseMetadata"]["HTTPHeaders"]
    told = failure_headers(getattr(s3, operation), "etag", "last-modified", Bucket="orders", Key="a", IfNoneMatch=etag)
    assert told == {"etag": etag, "last-modified": shown["last-modified"]}


def test_deletes(s3):
    etag = s3.put_object(Bucket="orders", Key="a", Body=b"1")["ETag"]
    told = {"Code": "PreconditionFailed", "Message": PRECONDITION, "Condition": "If-Match", "status": 412}
    assert failure(s3.delete_object, Bucket="orders", Key="a", IfMatch='"abc"') == told
    s3.delete_object(Bucket="orders", Key="a", IfMatch=etag)
    s3.put_object(Bucket="orders", Key="a", Body=b"1")
    s3.delete_object(Bucket="orders", Key="a", IfMatch="*")
    told = failure(s3.delete_object, Bucket="orders", Key="a", IfMatchSize=1)
    assert told == {"Code": "NotImplemented", "Message": NOT_DONE_BY_S3, "Header": "x-amz-if-match-size", "status": 501}
