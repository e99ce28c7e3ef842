"""ListObjectVersions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]


@pytest.fixture
def s3(client: Client) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    return s3


@pytest.fixture
def shelf(s3: Any) -> dict[str, list[str]]:
    """Three keys, each with two versions and a delete marker: the marker is newest of test_2 alone. Ids by key, newest first."""
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    ids: dict[str, list[str]] = {f"test_{number}": [] for number in range(3)}
    for key in ids:
        ids[key].insert(0, s3.put_object(Bucket="shelf", Key=key, Body=b"version 1")["VersionId"])
    ids["test_2"].insert(0, s3.put_object(Bucket="shelf", Key="test_2", Body=b"version 2")["VersionId"])
    for key in ids:
        ids[key].insert(0, s3.delete_object(Bucket="shelf", Key=key)["VersionId"])
    for key in ("test_0", "test_1"):
        ids[key].insert(0, s3.put_object(Bucket="shelf", Key=key, Body=b"version 2")["VersionId"])
    return ids


def shown(answer: dict[str, Any]) -> list[tuple[str, str, bool, bool]]:
    """(key, id, newest, marker) of all that an answer shows, versions first."""
    found = [(e["Key"], e["VersionId"], e["IsLatest"], False) for e in answer.get("Versions", [])]
    return found + [(e["Key"], e["VersionId"], e["IsLatest"], True) for e in answer.get("DeleteMarkers", [])]


def test_all(s3: Any, shelf: dict[str, list[str]]) -> None:
    zero, one, two = shelf.values()
    answer = s3.list_object_versions(Bucket="shelf")
    assert shown(answer) == [
        ("test_0", zero[0], True, False),
        ("test_0", zero[2], False, False),
        ("test_1", one[0], True, False),
        ("test_1", one[2], False, False),
        ("test_2", two[1], False, False),
        ("test_2", two[2], False, False),
        ("test_0", zero[1], False, True),
        ("test_1", one[1], False, True),
        ("test_2", two[0], True, True),
    ]
    first = answer["Versions"][0]
    owner = s3.list_buckets()["Owner"]["ID"]
    assert first.pop("LastModified") and first == {
        "ChecksumAlgorithm": ["CRC32"],
        "ChecksumType": "FULL_OBJECT",
        "ETag": '"d4ca1ed7571e2e7b1f1c375bd50fa220"',
        "IsLatest": True,
        "Key": "test_0",
        "Owner": {"ID": owner},
        "Size": 9,
        "StorageClass": "STANDARD",
        "VersionId": zero[0],
    }
    marker = answer["DeleteMarkers"][0]
    assert marker.pop("LastModified") and marker == {
        "IsLatest": False,
        "Key": "test_0",
        "Owner": {"ID": owner},
        "VersionId": zero[1],
    }
    head = {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "Versions", "DeleteMarkers")}
    assert head == {
        "EncodingType": "url",
        "IsTruncated": False,
        "KeyMarker": "",
        "MaxKeys": 1000,
        "Name": "shelf",
        "Prefix": "",
        "VersionIdMarker": "",
    }


def test_markers(s3: Any, shelf: dict[str, list[str]]) -> None:
    _, one, two = shelf.values()
    page = s3.list_object_versions(Bucket="shelf", MaxKeys=5)
    assert (page["IsTruncated"], page["NextKeyMarker"], page["NextVersionIdMarker"]) == (True, "test_1", one[1])
    page = s3.list_object_versions(Bucket="shelf", MaxKeys=1, KeyMarker="test_1", VersionIdMarker=one[1])
    assert (shown(page), page["NextVersionIdMarker"]) == ([("test_1", one[2], False, False)], one[2])
    page = s3.list_object_versions(Bucket="shelf", MaxKeys=1, KeyMarker="test_1")
    assert (shown(page), page["NextKeyMarker"]) == ([("test_2", two[0], True, True)], "test_2")
    page = s3.list_object_versions(Bucket="shelf", MaxKeys=1, KeyMarker="test_2", VersionIdMarker=two[1])
    assert (shown(page), page["IsTruncated"]) == ([("test_2", two[2], False, False)], False)
    page = s3.list_object_versions(Bucket="shelf", MaxKeys=1, KeyMarker="test_2")
    assert (shown(page), page["IsTruncated"], "NextKeyMarker" in page) == ([], False, False)


def test_a_version_marker_needs_a_key_marker(s3: Any, shelf: dict[str, list[str]]) -> None:
    for request, message in (
        ({"VersionIdMarker": shelf["test_1"][1]}, "A version-id marker cannot be specified without a key marker."),
        ({"VersionIdMarker": "wrong", "KeyMarker": "test_1"}, "Invalid version id specified"),
    ):
        with pytest.raises(ClientError) as raised:
            s3.list_object_versions(Bucket="shelf", **request)
        found = raised.value.response["Error"]
        assert (found["Code"], found["Message"]) == ("InvalidArgument", message)
        assert (found["ArgumentName"], found["ArgumentValue"]) == ("version-id-marker", request["VersionIdMarker"])


def test_common_prefixes(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    ids = {}
    for key in ("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"):
        ids[key] = s3.put_object(Bucket="shelf", Key=key, Body=b"content 123")["VersionId"]
    s3.delete_object(Bucket="shelf", Key="folder/aSubfolder/subFile2")
    request = {"Bucket": "shelf", "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 1}
    first = s3.list_object_versions(**request)
    assert first["CommonPrefixes"] == [{"Prefix": "folder/aSubfolder/"}]
    assert (first["NextKeyMarker"], "NextVersionIdMarker" in first, shown(first)) == ("folder/aSubfolder/", False, [])
    second = s3.list_object_versions(**request, KeyMarker="folder/aSubfolder/")
    assert (shown(second), second["NextKeyMarker"]) == ([("folder/file1", ids["folder/file1"], True, False)], "folder/file1")
    assert second["NextVersionIdMarker"] == ids["folder/file1"]
    within = s3.list_object_versions(**request, KeyMarker="folder/aSubfolder/subFile1")
    assert shown(within) == shown(second)
    last = s3.list_object_versions(**request, KeyMarker="folder/file1")
    assert (shown(last), last["IsTruncated"]) == ([("folder/file2", ids["folder/file2"], True, False)], False)


def test_null_versions(s3: Any) -> None:
    s3.put_object(Bucket="shelf", Key="a", Body=b"before")
    assert shown(s3.list_object_versions(Bucket="shelf")) == [("a", "null", True, False)]
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    newer = s3.put_object(Bucket="shelf", Key="a", Body=b"after")["VersionId"]
    assert shown(s3.list_object_versions(Bucket="shelf")) == [("a", newer, True, False), ("a", "null", False, False)]
    assert shown(s3.list_object_versions(Bucket="shelf", KeyMarker="a", VersionIdMarker=newer)) == [("a", "null", False, False)]
    assert shown(s3.list_object_versions(Bucket="shelf", KeyMarker="a", VersionIdMarker="null")) == []
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="shelf", Key="a", Body=b"null again")
    assert shown(s3.list_object_versions(Bucket="shelf")) == [("a", "null", True, False), ("a", newer, False, False)]
    assert shown(s3.list_object_versions(Bucket="shelf", KeyMarker="a", VersionIdMarker="null")) == [("a", newer, False, False)]
