"""PostObject: uploads by HTML forms. Expected errors were recorded from AWS where not said otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from botocore.client import Config

from cloudlet.testing.server import InProcessServer

Client = Callable[..., Any]
Answer = tuple[int, dict[str, str], dict[str, str]]
SIGNED = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "x", "X-Amz-Date": "x", "X-Amz-Signature": "x"}
NAMED = [["starts-with", f"${name}", ""] for name in SIGNED if name != "X-Amz-Signature"]


@pytest.fixture
def s3(client: Client, cloud: InProcessServer) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    return s3


def encoded(fields: dict[str, str], file: bytes | None, filename: str, boundary: str = "x-boundary-x") -> bytes:
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    if file is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        parts.append(head.encode() + b"Content-Type: text/csv\r\n\r\n" + file + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def send(cloud: InProcessServer, body: Any, content_type: str = "multipart/form-data; boundary=x-boundary-x") -> Answer:
    """Status, headers in lower case, and the elements of the document that was answered."""
    connection = HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    connection.request("POST", "/shelf", body, {"Content-Type": content_type})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    found = {element.tag: element.text or "" for element in ElementTree.fromstring(text)} if text else {}
    for name in ("HostId", "RequestId"):
        found.pop(name, None)
    return response.status, {name.lower(): value for name, value in response.getheaders()}, found


def policy(*conditions: Any, expiration: str = "2099-01-01T00:00:00Z", key: str = "") -> str:
    named = [{"bucket": "shelf"}, ["starts-with", "$key", key], *NAMED, *conditions]
    return base64.b64encode(json.dumps({"expiration": expiration, "conditions": named}).encode()).decode()


def post(
    cloud: InProcessServer,
    fields: dict[str, str],
    *conditions: Any,
    file: bytes | None = b"content",
    filename: str = "a.txt",
    **more: Any,
) -> Answer:
    """Send a signed form, each of whose fields a condition allows."""
    allowed = [["starts-with", f"${name}", ""] for name in fields if name != "key"]
    whole = {"key": "posted", **fields, **SIGNED, "policy": policy(*allowed, *conditions, **more)}
    return send(cloud, encoded(whole, file, filename))


def get(s3: Any, key: str = "posted") -> dict[str, Any]:
    answer: dict[str, Any] = s3.get_object(Bucket="shelf", Key=key)
    answer["Body"] = answer["Body"].read()
    return answer


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_what_boto3_presigns(client: Client, cloud: InProcessServer, signature: str) -> None:
    s3 = client("s3", config=Config(signature_version=signature))
    s3.create_bucket(Bucket="shelf")
    form = s3.generate_presigned_post("shelf", "posted", {"x-amz-meta-a": "b"}, [{"x-amz-meta-a": "b"}], ExpiresIn=60)
    status, headers, found = send(cloud, encoded(form["fields"], b"content", "a.txt"))
    assert (status, found, headers["location"]) == (204, {}, f"{cloud.endpoint}/shelf/posted")
    got = get(s3)
    assert (got["Body"], got["Metadata"], got["ContentType"]) == (b"content", {"a": "b"}, "binary/octet-stream")
    assert headers["etag"] == got["ETag"]
    for field, message in (
        ("x-amz-signature", "X-Amz-Signature"),
        ("signature", "Signature"),
        ("AWSAccessKeyId", "AWSAccessKeyId"),
    ):
        without = dict(form["fields"])
        if without.pop(field, None) is None:
            continue
        status, _, found = send(cloud, encoded(without, b"content", "a.txt"))
        assert (status, found) == (
            400,
            {
                "ArgumentName": message,
                "ArgumentValue": "",
                "Code": "InvalidArgument",
                "Message": f"Bucket POST must contain a field named '{message}'.  "
                "If it is specified, please check the order of the fields.",
            },
        )


def test_answers(s3: Any, cloud: InProcessServer) -> None:
    status, headers, found = post(cloud, {"key": "a/b—c", "success_action_status": "201"})
    location = f"{cloud.endpoint}/shelf/a%2Fb%E2%80%94c"
    assert (status, headers["location"], headers["content-type"]) == (201, location, "application/xml")
    assert found == {"Bucket": "shelf", "ETag": headers["etag"], "Key": "a/b—c", "Location": location}
    assert [post(cloud, {"success_action_status": asked})[0] for asked in ("200", "204", "400")] == [200, 204, 204]


def test_redirect(s3: Any, cloud: InProcessServer) -> None:
    status, headers, _ = post(cloud, {"success_action_redirect": "https://example.com/done?x=1"})
    url = urlsplit(headers["location"])
    assert (status, url.netloc, url.path) == (303, "example.com", "/done")
    assert parse_qs(url.query) == {"x": ["1"], "bucket": ["shelf"], "key": ["posted"], "etag": [headers["etag"]]}
    assert post(cloud, {"success_action_redirect": "no url"})[0] == 204


def test_the_files_name(s3: Any, cloud: InProcessServer) -> None:
    assert post(cloud, {"key": "user/${filename}"}, filename="C:\\folder\\na%22me é.txt")[0] == 204
    assert get(s3, 'user/na"me é.txt')["Body"] == b"content"


def test_fields(s3: Any, cloud: InProcessServer) -> None:
    fields = {
        "Content-Type": "text/plain",
        "Cache-Control": "non-ascii-%E2%80%94_—_é_",
        "x-amz-meta-nonascii": "ÄMÄZÕÑ S3",
        "x-amz-meta-Plain": "text",
        "x-amz-storage-class": "STANDARD_IA",
        "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b &amp; c</Value></Tag></TagSet></Tagging>".replace(" &amp; ", "="),
    }
    assert post(cloud, fields)[0] == 204
    got = get(s3)
    assert (got["ContentType"], got["StorageClass"], got["CacheControl"]) == (
        "text/plain",
        "STANDARD_IA",
        "non-ascii-%E2%80%94_ _é_",
    )
    assert got["Metadata"] == {"nonascii": "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=", "plain": "text"}
    assert s3.get_object_tagging(Bucket="shelf", Key="posted")["TagSet"] == [{"Key": "a", "Value": "b=c"}]


def test_tags_that_are_no_xml(s3: Any, cloud: InProcessServer) -> None:
    status, _, found = post(cloud, {"tagging": "not-xml"})
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    assert (status, found) == (400, {"Code": "MalformedXML", "Message": text})
    assert post(cloud, {"tagging": "<InvalidXmlTagging></InvalidXmlTagging>"})[0] == 204
    assert s3.get_object_tagging(Bucket="shelf", Key="posted")["TagSet"] == []


def test_an_unknown_storage_class(s3: Any, cloud: InProcessServer) -> None:
    assert post(cloud, {"x-amz-storage-class": "FakeClass"})[2] == {
        "Code": "InvalidStorageClass",
        "Message": "The storage class you specified is not valid",
        "StorageClassRequested": "FakeClass",
    }


def test_sizes(s3: Any, cloud: InProcessServer) -> None:
    bounds = ["content-length-range", 5, 10]
    assert post(cloud, {}, bounds, file=b"a" * 12)[2] == {
        "Code": "EntityTooLarge",
        "MaxSizeAllowed": "10",
        "Message": "Your proposed upload exceeds the maximum allowed size",
        "ProposedSize": "12",
    }
    assert post(cloud, {}, bounds, file=b"a")[2] == {
        "Code": "EntityTooSmall",
        "Message": "Your proposed upload is smaller than the minimum allowed size",
        "MinSizeAllowed": "5",
        "ProposedSize": "1",
    }
    assert post(cloud, {}, ["content-length-range", "test", 10])[2] == {
        "Code": "AccessDenied",
        "Message": 'Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]',
    }
    assert "Contents" not in s3.list_objects_v2(Bucket="shelf")
    assert post(cloud, {}, bounds, file=b"a" * 10)[0] == 204


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"acl": "private"}, '["eq", "$acl", "private"]'),
        (["eq", "$key", "other"], '["eq", "$key", "other"]'),
        (["starts-with", "$key", "user/"], '["starts-with", "$key", "user/"]'),
        (["starts-with", "$Content-Type", "image/"], '["starts-with", "$Content-Type", "image/"]'),
    ],
)
def test_conditions_that_fail(s3: Any, cloud: InProcessServer, condition: Any, shown: str) -> None:
    status, _, found = post(cloud, {}, condition)
    message = f"Invalid according to Policy: Policy Condition failed: {shown}"
    assert (status, found) == (403, {"Code": "AccessDenied", "Message": message})


def test_fields_without_a_condition(s3: Any, cloud: InProcessServer) -> None:
    fields = {"key": "posted", "acl": "private", "x-ignore-this": "x", **SIGNED, "policy": policy()}
    _, _, found = send(cloud, encoded(fields, b"content", "a.txt"))
    assert found == {"Code": "AccessDenied", "Message": "Invalid according to Policy: Extra input fields: acl"}


def test_expiry_goes_by_the_signers_clock(s3: Any, cloud: InProcessServer) -> None:
    found = post(cloud, {}, expiration="2020-01-01T00:00:00.000Z")[2]
    assert found == {"Code": "AccessDenied", "Message": "Invalid according to Policy: Policy expired."}
    form = s3.generate_presigned_post("shelf", "posted", ExpiresIn=60)
    cloud.advance("7d")
    assert send(cloud, encoded(form["fields"], b"content", "a.txt"))[0] == 204


def test_policies_that_are_none(s3: Any, cloud: InProcessServer) -> None:
    fields = {"key": "posted", **SIGNED}
    for text in ("!", base64.b64encode(b"{").decode(), base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode()):
        status, _, found = send(cloud, encoded(fields | {"policy": text}, b"content", "a.txt"))
        assert (status, found["Code"]) == (400, "InvalidPolicyDocument")


def test_without_a_signature(s3: Any, cloud: InProcessServer) -> None:
    body = encoded({"key": "posted"}, b"content", "a.txt")
    status, _, found = send(cloud, body)
    assert (status, found) == (403, {"Code": "AccessDenied", "Message": "Access Denied"})
    s3.delete_public_access_block(Bucket="shelf")
    s3.put_bucket_ownership_controls(Bucket="shelf", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_acl(Bucket="shelf", ACL="public-read-write")
    assert send(cloud, body)[0] == 204
    assert get(s3)["Body"] == b"content"


def test_another_content_type(s3: Any, cloud: InProcessServer) -> None:
    for kind in ("text/html; charset=UTF-8", "multipart/form-data"):
        status, _, found = send(cloud, b"x", kind)
        assert (status, found) == (
            412,
            {
                "Code": "PreconditionFailed",
                "Condition": "Bucket POST must be of the enclosure-type multipart/form-data",
                "Message": "At least one of the pre-conditions you specified did not hold",
            },
        )


def test_forms_that_break_off(s3: Any, cloud: InProcessServer) -> None:
    whole = encoded({"key": "posted", **SIGNED, "policy": policy()}, b"content", "a.txt")
    for end in (10, 100, len(whole) - 30):
        assert send(cloud, whole[:end])[2]["Code"] == "MalformedPOSTRequest"
    assert send(cloud, encoded({"key": "x" * 21_000}, b"content", "a.txt"))[2]["Code"] == "MaxPostPreDataLengthExceeded"
    assert post(cloud, {}, file=None)[2] == {
        "ArgumentName": "file",
        "ArgumentValue": "0",
        "Code": "InvalidArgument",
        "Message": "POST requires exactly one file upload per request.",
    }
    assert "Contents" not in s3.list_objects_v2(Bucket="shelf")


def test_a_large_file_comes_in_pieces(s3: Any, cloud: InProcessServer) -> None:
    content = b"\r\n--x-boundary-\r\n" * 200_000
    whole = encoded({"key": "posted", **SIGNED, "policy": policy()}, content, "a.txt")

    def pieces() -> Any:
        for at in range(0, len(whole), 99_991):
            yield whole[at : at + 99_991]

    assert send(cloud, pieces())[0] == 204
    assert get(s3)["Body"] == content
