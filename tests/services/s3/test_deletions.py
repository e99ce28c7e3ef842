"""DeleteObjects."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from s3answers import MALFORMED_XML

from cloudlet.testing.server import InProcessServer

Client = Callable[..., Any]
ONE = b"<Delete><Object><Key>a</Key></Object></Delete>"
WRONG = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"


@pytest.fixture
def s3(client: Client) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    return s3


def delete(s3: Any, *entries: Any, quiet: bool = False) -> dict[str, Any]:
    objects = [{"Key": entry} if isinstance(entry, str) else entry for entry in entries]
    answer = s3.delete_objects(Bucket="shelf", Delete={"Objects": objects, "Quiet": quiet})
    answer.pop("ResponseMetadata")
    return answer


def no_version(key: str, version_id: str = WRONG) -> dict[str, str]:
    return {"Code": "NoSuchVersion", "Key": key, "Message": "The specified version does not exist.", "VersionId": version_id}


def test_without_versioning(s3: Any) -> None:
    s3.put_object(Bucket="shelf", Key="there", Body=b"x")
    assert delete(s3, {"Key": "there", "VersionId": WRONG}) == {"Errors": [no_version("there")]}
    assert delete(s3, "a-missing", "there") == {"Deleted": [{"Key": "a-missing"}, {"Key": "there"}]}
    assert "Contents" not in s3.list_objects_v2(Bucket="shelf")


def test_with_versioning(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="shelf", Key="there", Body=b"x")["VersionId"]
    deleted = delete(s3, "there", "missing")["Deleted"]
    marker = deleted[0]["DeleteMarkerVersionId"]
    assert deleted == [
        {"DeleteMarker": True, "DeleteMarkerVersionId": marker, "Key": "there"},
        {"DeleteMarker": True, "DeleteMarkerVersionId": deleted[1]["DeleteMarkerVersionId"], "Key": "missing"},
    ]
    shown = {"DeleteMarker": True, "DeleteMarkerVersionId": marker, "Key": "there", "VersionId": marker}
    assert delete(s3, {"Key": "there", "VersionId": marker}) == {"Deleted": [shown]}
    assert s3.get_object(Bucket="shelf", Key="there")["Body"].read() == b"x"
    assert delete(s3, {"Key": "there", "VersionId": WRONG}, {"Key": "other", "VersionId": WRONG}) == {
        "Errors": [no_version("there"), no_version("other")]
    }
    for _ in "once", "again":
        assert delete(s3, {"Key": "there", "VersionId": version}) == {"Deleted": [{"Key": "there", "VersionId": version}]}


def test_quiet_shows_errors_alone(s3: Any) -> None:
    assert delete(s3, "a", {"Key": "b", "VersionId": WRONG}, quiet=True) == {"Errors": [no_version("b")]}
    assert delete(s3, "a", quiet=True) == {}


def test_entity_tags(s3: Any) -> None:
    etag = s3.put_object(Bucket="shelf", Key="there", Body=b"x")["ETag"]
    answer = delete(s3, {"Key": "there", "ETag": '"other"'})
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("there", "PreconditionFailed")]
    assert delete(s3, {"Key": "there", "ETag": etag}) == {"Deleted": [{"Key": "there"}]}


def test_what_only_directory_buckets_have(s3: Any) -> None:
    with pytest.raises(ClientError) as raised:
        delete(s3, {"Key": "a", "Size": 1})
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_thousand_keys_and_no_more(s3: Any) -> None:
    assert len(delete(s3, *(f"key-{number}" for number in range(1000)))["Deleted"]) == 1000
    for entries in ([], [f"key-{number}" for number in range(1001)]):
        with pytest.raises(ClientError) as raised:
            delete(s3, *entries)
        assert raised.value.response["Error"]["Code"] == "MalformedXML"


def test_locked_versions_stay(s3: Any) -> None:
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    held = s3.put_object(Bucket="locked", Key="held", Body=b"x", ObjectLockLegalHoldStatus="ON")["VersionId"]
    free = s3.put_object(Bucket="locked", Key="free", Body=b"x")["VersionId"]
    objects = [{"Key": "held", "VersionId": held}, {"Key": "free", "VersionId": free}]
    answer = s3.delete_objects(Bucket="locked", Delete={"Objects": objects})
    assert answer["Deleted"] == [{"Key": "free", "VersionId": free}]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("held", "AccessDenied")]


def test_a_digest_is_required(s3: Any, cloud: InProcessServer) -> None:
    told = b"<Message>Missing required header for this request: Content-MD5 OR x-amz-checksum-*</Message>"
    assert told in post(cloud, ONE, {})


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, b"BadDigest"),
        ({"Content-MD5": "nonsense"}, b"InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, b"BadDigest"),
        ({"x-amz-checksum-sha256": "AAAAAA=="}, b"InvalidRequest"),
    ],
)
def test_the_digest_is_of_the_body(s3: Any, cloud: InProcessServer, headers: dict[str, str], code: bytes) -> None:
    s3.put_object(Bucket="shelf", Key="a", Body=b"x")
    assert b"<Code>" + code + b"</Code>" in post(cloud, ONE, headers)
    assert s3.head_object(Bucket="shelf", Key="a")["ContentLength"] == 1
    md5 = base64.b64encode(hashlib.md5(ONE, usedforsecurity=False).digest()).decode()
    assert b"<Deleted><Key>a</Key></Deleted>" in post(cloud, ONE, {"Content-MD5": md5})


@pytest.mark.parametrize("body", [b"<Delete>", b"<Delete><Object><Key>a</Key><Size>big</Size></Object></Delete>"])
def test_a_body_that_cannot_be_read(s3: Any, cloud: InProcessServer, body: bytes) -> None:
    told = f"<Code>MalformedXML</Code><Message>{MALFORMED_XML}</Message>".encode()
    assert told in post(cloud, body, {"x-amz-checksum-crc32": "AAAAAA=="})


def test_a_header_that_cannot_be_read(s3: Any, cloud: InProcessServer) -> None:
    bad = {"x-amz-bypass-governance-retention": "perhaps", "x-amz-checksum-crc32": "AAAAAA=="}
    assert b"<Code>InvalidArgument</Code>" in post(cloud, ONE, bad)


def post(cloud: InProcessServer, body: bytes, headers: dict[str, str]) -> Any:
    """The body of the answer to a DeleteObjects, whatever its status."""
    sent = {"Content-Type": "application/xml", **headers}
    try:
        with urlopen(Request(f"{cloud.endpoint}/shelf?delete", body, sent, method="POST")) as answer:
            return answer.read()
    except HTTPError as error:
        return error.read()
