"""Tags of buckets and objects."""

from __future__ import annotations

import pytest
from s3answers import MALFORMED_XML, NO_SUCH_KEY, failure, plain

TWO = [{"Key": "tag1", "Value": "tag1"}, {"Key": "tag2", "Value": ""}]


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


def test_bucket_tags(s3):
    none = {"Code": "NoSuchTagSet", "Message": "The TagSet does not exist", "BucketName": "orders", "status": 404}
    assert failure(s3.get_bucket_tagging, Bucket="orders") == none
    put = s3.put_bucket_tagging(Bucket="orders", Tagging={"TagSet": TWO})
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert plain(s3.get_bucket_tagging(Bucket="orders")) == {"TagSet": TWO}
    s3.put_bucket_tagging(Bucket="orders", Tagging={"TagSet": TWO[:1]})
    assert plain(s3.get_bucket_tagging(Bucket="orders")) == {"TagSet": TWO[:1]}
    s3.put_bucket_tagging(Bucket="orders", Tagging={"TagSet": []})
    assert failure(s3.get_bucket_tagging, Bucket="orders") == none
    assert s3.delete_bucket_tagging(Bucket="orders")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert failure(s3.get_bucket_tagging, Bucket="nowhere")["Code"] == "NoSuchBucket"


def test_tags_of_a_new_bucket(s3):
    s3.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": TWO})
    assert s3.get_bucket_tagging(Bucket="tagged")["TagSet"] == TWO
    reserved = [{"Key": "aws:x", "Value": "1"}]
    told = failure(s3.create_bucket, Bucket="tagged-2", CreateBucketConfiguration={"Tags": reserved})
    text = 'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. '
    assert told == {"Code": "InvalidTag", "Message": text + 'Remove "aws:" from your tag keys and try again.', "status": 400}


def test_object_tags(s3):
    s3.put_object(Bucket="orders", Key="a", Body=b"test-tagging")
    assert plain(s3.get_object_tagging(Bucket="orders", Key="a")) == {"TagSet": []}
    assert "TagCount" not in s3.head_object(Bucket="orders", Key="a")
    s3.put_object_tagging(Bucket="orders", Key="a", Tagging={"TagSet": TWO})
    assert plain(s3.get_object_tagging(Bucket="orders", Key="a")) == {"TagSet": TWO}
    assert s3.head_object(Bucket="orders", Key="a")["TagCount"] == 2
    assert s3.delete_object_tagging(Bucket="orders", Key="a")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert plain(s3.get_object_tagging(Bucket="orders", Key="a")) == {"TagSet": []}
    assert s3.get_object(Bucket="orders", Key="a")["Body"].read() == b"test-tagging"


def test_what_is_not_there(s3):
    gone = {"Code": "NoSuchKey", "Message": NO_SUCH_KEY, "status": 404}
    assert failure(s3.get_object_tagging, Bucket="orders", Key="nothing") == gone | {"Key": "orders/nothing"}
    assert failure(s3.delete_object_tagging, Bucket="orders", Key="nothing") == gone | {"Key": "nothing"}
    told = failure(s3.put_object_tagging, Bucket="orders", Key="nothing", Tagging={"TagSet": TWO})
    assert told == gone | {"Key": "nothing"}


def test_tags_of_versions(s3):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="orders", Key="a", Body=b"1", Tagging="n=1")["VersionId"]
    second = s3.put_object(Bucket="orders", Key="a", Body=b"2", Tagging="n=2")["VersionId"]
    assert plain(s3.get_object_tagging(Bucket="orders", Key="a", VersionId=first)) == {
        "TagSet": [{"Key": "n", "Value": "1"}],
        "VersionId": first,
    }
    s3.put_object_tagging(Bucket="orders", Key="a", VersionId=first, Tagging={"TagSet": TWO})
    assert s3.get_object_tagging(Bucket="orders", Key="a", VersionId=first)["TagSet"] == TWO
    assert plain(s3.get_object_tagging(Bucket="orders", Key="a")) == {"TagSet": [{"Key": "n", "Value": "2"}], "VersionId": second}


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("tag1=tag1&tag2=tag2&tag=", {"tag1": "tag1", "tag2": "tag2", "tag": ""}),
        ("wrongquery&wrongagain", {"wrongquery": "", "wrongagain": ""}),
        ("key1&&&key2", {"key1": "", "key2": ""}),
        ("a%20b=c%2Fd&e=%C3%BC", {"a b": "c/d", "e": "ü"}),
    ],
)
def test_tagging_header(s3, header, tags):
    s3.put_object(Bucket="orders", Key="a", Tagging=header)
    shown = s3.get_object_tagging(Bucket="orders", Key="a")["TagSet"]
    assert [(tag["Key"], tag["Value"]) for tag in shown] == sorted(tags.items())


@pytest.mark.parametrize("header", ["key1=val1&key1=val2", "key1=val1,key2=val2"])
def test_wrong_tagging_header(s3, header):
    assert failure(s3.put_object, Bucket="orders", Key="a", Tagging=header) == {
        "Code": "InvalidArgument",
        "Message": "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
        "without tag name duplicates.",
        "ArgumentName": "x-amz-tagging",
        "ArgumentValue": header,
        "status": 400,
    }


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (
            [{"Key": "Key1", "Value": "1"}, {"Key": "Key1", "Value": "2"}],
            {"Message": "Cannot provide multiple Tags with the same key", "TagKey": "Key1"},
        ),
        ([{"Key": "Key1,Key2", "Value": "1"}], {"Message": "The TagKey you have provided is invalid", "TagKey": "Key1,Key2"}),
        (
            [{"Key": "Key1", "Value": "Val1,Val2"}],
            {"Message": "The TagValue you have provided is invalid", "TagKey": "Key1", "TagValue": "Val1,Val2"},
        ),
        ([{"Key": "k" * 129, "Value": ""}], {"Message": "The TagKey you have provided is invalid", "TagKey": "k" * 129}),
    ],
)
def test_invalid_tags(s3, tags, told):
    s3.put_object(Bucket="orders", Key="a")
    told = {"Code": "InvalidTag", "status": 400} | told
    assert failure(s3.put_bucket_tagging, Bucket="orders", Tagging={"TagSet": tags}) == told
    assert failure(s3.put_object_tagging, Bucket="orders", Key="a", Tagging={"TagSet": tags}) == told


def test_reserved_keys(s3):
    s3.put_object(Bucket="orders", Key="a")
    tagging = {"TagSet": [{"Key": "aws:prefixed", "Value": "1"}]}
    told = {"Code": "InvalidTag", "TagKey": "aws:prefixed", "status": 400}
    of_bucket = failure(s3.put_bucket_tagging, Bucket="orders", Tagging=tagging)
    assert of_bucket == told | {"Message": "System tags cannot be added/updated by requester"}
    of_object = failure(s3.put_object_tagging, Bucket="orders", Key="a", Tagging=tagging)
    assert of_object == told | {"Message": "Your TagKey cannot be prefixed with aws:"}


def test_too_many(s3):
    s3.put_object(Bucket="orders", Key="a")
    tags = [{"Key": f"k{i}", "Value": ""} for i in range(11)]
    told = failure(s3.put_object_tagging, Bucket="orders", Key="a", Tagging={"TagSet": tags})
    assert told == {"Code": "BadRequest", "Message": "Object tags cannot be greater than 10", "status": 400}


def test_tag_without_a_value(s3):
    s3.meta.events.register("before-call.s3.PutBucketTagging", lambda params, **_: _without_value(params))
    told = failure(s3.put_bucket_tagging, Bucket="orders", Tagging={"TagSet": TWO})
    assert told == {"Code": "MalformedXML", "Message": MALFORMED_XML, "status": 400}


def _without_value(params):
    params["body"] = params["body"].replace(b"<Value>tag1</Value>", b"")
    for name in [name for name in params["headers"] if name.lower().startswith(("content-md5", "x-amz-checksum"))]:
        del params["headers"][name]
