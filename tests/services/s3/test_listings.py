"""ListObjects and ListObjectsV2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from cloudlet.testing.server import InProcessServer

Client = Callable[..., Any]
KEYS = ("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2")


@pytest.fixture
def s3(client: Client) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    return s3


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="shelf", Key=key, Body=b"content 123")


def error(raised: pytest.ExceptionInfo[ClientError]) -> dict[str, Any]:
    return {k: v for k, v in raised.value.response["Error"].items() if k not in ("HostId", "RequestId")}


def keys(answer: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in answer.get("Contents", [])]


def folders(answer: dict[str, Any]) -> list[str]:
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what each request has anew."""
    answer.pop("ResponseMetadata")
    for entry in answer.get("Contents", []):
        entry["LastModified"] = "datetime"
    return answer


def test_an_empty_bucket(s3: Any) -> None:
    expected = {"EncodingType": "url", "IsTruncated": False, "MaxKeys": 1000, "Name": "shelf", "Prefix": ""}
    assert plain(s3.list_objects(Bucket="shelf")) == expected | {"Marker": ""}
    assert plain(s3.list_objects_v2(Bucket="shelf")) == expected | {"KeyCount": 0}


def test_an_entry(s3: Any) -> None:
    put(s3, "a")
    entry = {
        "ChecksumAlgorithm": ["CRC32"],
        "ChecksumType": "FULL_OBJECT",
        "ETag": s3.head_object(Bucket="shelf", Key="a")["ETag"],
        "Key": "a",
        "LastModified": "datetime",
        "Size": 11,
        "StorageClass": "STANDARD",
    }
    owner = s3.list_buckets()["Owner"]["ID"]
    assert plain(s3.list_objects_v2(Bucket="shelf"))["Contents"] == [entry]
    assert plain(s3.list_objects_v2(Bucket="shelf", FetchOwner=True))["Contents"] == [entry | {"Owner": {"ID": owner}}]
    assert plain(s3.list_objects(Bucket="shelf"))["Contents"] == [entry | {"Owner": {"ID": owner}}]


def test_prefix_and_delimiter(s3: Any) -> None:
    put(s3, "test/foo/bar/123", "test/foo/bar/456", "test/bar/foo/123", "other")
    answer = s3.list_objects_v2(Bucket="shelf", Prefix="test/", Delimiter="/")
    assert (folders(answer), keys(answer), answer["KeyCount"]) == (["test/bar/", "test/foo/"], [], 2)
    answer = s3.list_objects_v2(Bucket="shelf", Prefix="test/foo", Delimiter="/")
    assert (folders(answer), answer["Delimiter"], answer["Prefix"]) == (["test/foo/"], "/", "test/foo")
    assert keys(s3.list_objects_v2(Bucket="shelf", Prefix="test/foo")) == ["test/foo/bar/123", "test/foo/bar/456"]
    answer = s3.list_objects_v2(Bucket="shelf", Delimiter="/f")
    assert (folders(answer), keys(answer)) == (["test/bar/f", "test/f"], ["other"])
    assert "Delimiter" not in s3.list_objects(Bucket="shelf", Delimiter="")


def test_a_delimiter_is_encoded_once(s3: Any) -> None:
    put(s3, "test/foo/bar/123")
    answer = s3.list_objects(Bucket="shelf", Prefix="test/", Delimiter="%2F", MaxKeys=1, EncodingType="url")
    assert (answer["Delimiter"], keys(answer)) == ("%252F", ["test/foo/bar/123"])


def test_a_marker_within_a_common_prefix_is_past_all_of_it(s3: Any) -> None:
    put(s3, *KEYS)
    request = {"Bucket": "shelf", "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 1}
    first = s3.list_objects(**request)
    assert (folders(first), first["NextMarker"], first["IsTruncated"]) == (["folder/aSubfolder/"], "folder/aSubfolder/", True)
    second = s3.list_objects(**request, Marker=first["NextMarker"])
    assert (keys(second), second["NextMarker"], second["IsTruncated"]) == (["folder/file1"], "folder/file1", True)
    last = s3.list_objects(**request, Marker=second["NextMarker"])
    assert (keys(last), "NextMarker" in last, last["IsTruncated"]) == (["folder/file2"], False, False)
    assert keys(s3.list_objects(**request, Marker="folder/aSubfolder/subFile1")) == ["folder/file1"]


def test_next_marker_needs_a_delimiter(s3: Any) -> None:
    put(s3, "a", "b", "c")
    answer = s3.list_objects(Bucket="shelf", MaxKeys=1)
    assert (answer["IsTruncated"], "NextMarker" in answer) == (True, False)
    assert keys(s3.list_objects(Bucket="shelf", Marker="a")) == ["b", "c"]
    assert s3.list_objects(Bucket="shelf", MaxKeys=1, Delimiter="/")["NextMarker"] == "a"


def test_continuation_tokens(s3: Any) -> None:
    put(s3, *(f"test_{number}" for number in range(12)))
    first = s3.list_objects_v2(Bucket="shelf", MaxKeys=5)
    assert keys(first) == ["test_0", "test_1", "test_10", "test_11", "test_2"]
    token = first["NextContinuationToken"]
    rest = s3.list_objects_v2(Bucket="shelf", ContinuationToken=token)
    assert (keys(rest)[0], rest["KeyCount"], rest["ContinuationToken"], rest["IsTruncated"]) == ("test_3", 7, token, False)
    both = s3.list_objects_v2(Bucket="shelf", ContinuationToken=token, StartAfter="test_7")
    assert ("StartAfter" in both, keys(both)) == (False, keys(rest))
    after = s3.list_objects_v2(Bucket="shelf", StartAfter="test_7", MaxKeys=2)
    assert (keys(after), after["StartAfter"], after["IsTruncated"]) == (["test_8", "test_9"], "test_7", False)
    for wrong in ("", "no token", token[:-1], "é"):
        with pytest.raises(ClientError) as raised:
            s3.list_objects_v2(Bucket="shelf", ContinuationToken=wrong)
        assert error(raised) == {
            "ArgumentName": "continuation-token",
            "Code": "InvalidArgument",
            "Message": "The continuation token provided is incorrect",
        }


def test_keys_of_any_kind(s3: Any) -> None:
    odd = ["a/😀/", "date=2026-01-01/", "test key//", "test%123", "test&<>\"'", "test+~*()", "test\tab", "test\x01", "é"]
    put(s3, *odd)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="shelf", PaginationConfig={"PageSize": 2})
    assert [key for page in pages for key in keys(page)] == sorted(odd, key=str.encode)
    pages = s3.get_paginator("list_objects").paginate(Bucket="shelf", PaginationConfig={"PageSize": 2})
    assert [key for page in pages for key in keys(page)] == sorted(odd, key=str.encode)
    raw = s3.list_objects_v2(Bucket="shelf", EncodingType="url", StartAfter="date=2026", Prefix="", Delimiter="=")
    assert (raw["StartAfter"], raw["Delimiter"], folders(raw)) == ("date%3D2026", "%3D", [])
    assert keys(raw) == [
        "test%01",
        "test%09ab",
        "test+key//",
        "test%25123",
        "test%26%3C%3E%22%27",
        "test%2B%7E*%28%29",
        "%C3%A9",
    ]


def test_max_keys(s3: Any) -> None:
    put(s3, "a", "b")
    for version in (s3.list_objects, s3.list_objects_v2):
        none = version(Bucket="shelf", MaxKeys=0)
        assert (keys(none), none["IsTruncated"], none["MaxKeys"]) == ([], False, 0)
        assert version(Bucket="shelf", MaxKeys=5000)["MaxKeys"] == 1000
        with pytest.raises(ClientError) as raised:
            version(Bucket="shelf", MaxKeys=-1)
        assert error(raised) == {
            "ArgumentName": "max-keys",
            "ArgumentValue": "-1",
            "Code": "InvalidArgument",
            "Message": "Argument max-keys must be an integer between 0 and 2147483647",
        }


def raw(cloud: InProcessServer, path: str) -> str:
    """What a request without a signature, and without what SDKs add, is answered."""
    try:
        with urlopen(cloud.endpoint + path) as answer:
            return answer.read().decode()
    except HTTPError as error:
        return error.read().decode()


def test_numbers_that_are_none(s3: Any, cloud: InProcessServer) -> None:
    s3.create_bucket(Bucket="shelf")
    put(s3, "a b", "c")
    for path in ("/shelf?max-keys=", "/shelf?list-type=2&max-keys="):
        assert "<MaxKeys>1000</MaxKeys>" in raw(cloud, path)
    told = "<Code>InvalidArgument</Code><Message>Provided max-keys not an integer or within integer range</Message>"
    assert told in raw(cloud, "/shelf?versions&max-keys=many")
    upload = s3.create_multipart_upload(Bucket="shelf", Key="k")["UploadId"]
    empty = raw(cloud, f"/shelf/k?uploadId={upload}&part-number-marker=&max-parts=")
    assert "<PartNumberMarker>0</PartNumberMarker>" in empty and "<MaxParts>1000</MaxParts>" in empty


def test_without_encoding_type(s3: Any, cloud: InProcessServer) -> None:
    s3.create_bucket(Bucket="shelf")
    put(s3, "a b/c", "d&e")
    answer = raw(cloud, "/shelf?delimiter=%2F&prefix=")
    assert answer.startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    )
    assert "<Prefix>a b/</Prefix>" in answer and "<Key>d&amp;e</Key>" in answer and "EncodingType" not in answer
    assert "<Prefix></Prefix>" in answer and "<Marker></Marker>" in answer and ".000Z</LastModified>" in answer


def test_encoding_type_is_url_or_nothing(s3: Any) -> None:
    with pytest.raises(ClientError) as raised:
        s3.list_objects(Bucket="shelf", EncodingType="xml")
    assert error(raised) == {
        "ArgumentName": "encoding-type",
        "ArgumentValue": "xml",
        "Code": "InvalidArgument",
        "Message": "Invalid Encoding Method specified in Request",
    }


def test_no_bucket(s3: Any) -> None:
    with pytest.raises(ClientError) as raised:
        s3.list_objects_v2(Bucket="nowhere")
    assert error(raised) == {
        "BucketName": "nowhere",
        "Code": "NoSuchBucket",
        "Message": "The specified bucket does not exist",
    }
