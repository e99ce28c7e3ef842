"""S3, whose requests live in paths, queries, headers and XML: wrong in every one of them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cloudlet.testing.server import InProcessServer
from tests.conftest import connect
from tests.gateway.raw import Reply, ask, connection, request, scope
from tests.gateway.s3documents import BROKEN_XML, DOCUMENTS, POSTED

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
fuzzed = settings(
    derandomize=True, database=None, deadline=None, max_examples=500, phases=PHASES, suppress_health_check=list(HealthCheck)
)
TEXTS = [
    "",
    " ",
    "%00",
    "%ff",
    "%",
    "a" * 3000,
    "..",
    "null",
    "-1",
    "99999999999999999999",
    "1e400",
    "NaN",
    "true",
    "0",
    "\xe9",
    "*",
    "a,b",
    '"',
    "STANDARD",
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "99999999999999",
    "Fri, 31 Dec 9999 23:59:59 GMT",
]
SUBRESOURCES = [
    "accelerate",
    "acl",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type=2",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select&select-type=2",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "x-id",
    "abac",
]
PARAMETERS = [
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partNumber",
    "uploadId",
    "versionId",
    "marker",
    "continuation-token",
    "start-after",
    "delimiter",
    "prefix",
    "encoding-type",
    "key-marker",
    "version-id-marker",
    "fetch-owner",
    "response-content-type",
    "response-expires",
    "X-Amz-Expires",
    "X-Amz-Date",
    "X-Amz-Signature",
    "Signature",
    "Expires",
    "AWSAccessKeyId",
    "id",
    "acl",
    "list-type",
]
HEADERS = [
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "content-md5",
    "content-encoding",
    "content-type",
    "x-amz-acl",
    "x-amz-grant-read",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-copy-source-if-match",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-metadata-directive",
    "x-amz-meta-a",
    "x-amz-meta-",
    "x-amz-storage-class",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-bypass-governance-retention",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-content-sha256",
    "x-amz-expected-bucket-owner",
    "x-amz-mfa",
    "x-amz-object-attributes",
    "x-amz-max-parts",
    "x-amz-part-number-marker",
    "x-amz-write-offset-bytes",
    "x-amz-mp-object-size",
    "x-amz-request-payer",
    "x-amz-date",
    "x-amz-optional-object-attributes",
    "expires",
    "cache-control",
    "origin",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-object-ownership",
    "x-amz-bucket-region",
]
PATHS = [
    "/",
    "/bucket",
    "/bucket/",
    "/bucket/key",
    "/bucket/none",
    "/none",
    "/none/key",
    "/bucket/%00",
    "/bucket/%ff",
    "/bucket/a%0d%0ab",
    "/Bu_cket",
    "/bucket/" + "k" * 1025,
    "//",
    "/bucket//",
]
VALUES = st.sampled_from(TEXTS) | st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[InProcessServer]:
    with InProcessServer() as own:
        client = connect(own.endpoint, "s3")
        client.create_bucket(Bucket="bucket", ObjectLockEnabledForBucket=False)
        client.put_object(Bucket="bucket", Key="key", Body=b"x" * 100_000)
        client.create_bucket(Bucket="public", ObjectOwnership="ObjectWriter")
        client.delete_public_access_block(Bucket="public")
        client.put_bucket_acl(Bucket="public", ACL="public-read-write")
        yield own
        assert ask(own, request("GET", "/_localstack/health")).status == 200


@pytest.fixture(scope="module")
def upload(cloud: InProcessServer) -> str:
    return connect(cloud.endpoint, "s3").create_multipart_upload(Bucket="bucket", Key="key")["UploadId"]


def _check(cloud: InProcessServer, method: str, data: bytes) -> Reply:
    reply = ask(cloud, data) if method != "HEAD" else _ask_head(cloud, data)
    assert reply.status < 500 or reply.status == 501, (reply, data[:2000])
    if reply.status >= 400 and reply.body:
        told = {part.tag: part.text for part in ElementTree.fromstring(reply.body).iter()}
        assert told.keys() >= {"Error", "Code", "RequestId", "HostId"}, (reply, data[:1000])
    return reply


def _ask_head(cloud: InProcessServer, data: bytes) -> Reply:
    with connection(cloud) as raw:
        raw.send(data)
        return raw.reply(head=True)


@fuzzed
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    st.sampled_from(PATHS),
    st.lists(st.sampled_from(SUBRESOURCES) | st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=3),
    st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=3),
    st.sampled_from([b"", b"x" * 100, b"<a/>", b"x" * 100_000, b"\xff"]),
)
def test_paths_queries_and_headers(
    cloud: InProcessServer, method: str, path: str, query: list[str | tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    parts = [part if isinstance(part, str) else f"{part[0]}={quote(part[1], safe='%', encoding='latin-1')}" for part in query]
    target = path + ("?" + "&".join(parts) if parts else "")
    fields = {name: value.strip() for name, value in headers.items()}
    _check(cloud, method, request(method, target, body, **{"authorization": scope("s3"), **fields}))


def _documented(upload: str, target: str, body: bytes) -> bytes:
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    method = "POST" if target in POSTED else "PUT"
    return request(method, target.format(upload=upload), body, authorization=scope("s3"), content_md5=digest)


@pytest.mark.parametrize("target", DOCUMENTS)
def test_bodies_that_are_no_xml(cloud: InProcessServer, upload: str, target: str) -> None:
    for body in BROKEN_XML:
        _check(cloud, "PUT", _documented(upload, target, body))


@pytest.mark.parametrize("target", DOCUMENTS)
def test_documents_cut_short(cloud: InProcessServer, upload: str, target: str) -> None:
    body = DOCUMENTS[target].encode()
    for end in range(1, len(body), 7):
        reply = _check(cloud, "PUT", _documented(upload, target, body[:end]))
        assert reply.status >= 400


@st.composite
def wrong_document(draw: st.DrawFn) -> tuple[str, bytes]:
    """A document with some elements emptied, removed, doubled, renamed, filled or nested."""
    target = draw(st.sampled_from(sorted(DOCUMENTS)))
    root = ElementTree.fromstring(DOCUMENTS[target])
    for _ in range(draw(st.integers(1, 3))):
        parents = [(parent, child) for parent in root.iter() for child in parent]
        if not parents:
            break
        parent, child = draw(st.sampled_from(parents))
        change = draw(st.sampled_from(["remove", "double", "rename", "fill", "fill", "fill", "empty", "nest"]))
        if change == "remove":
            parent.remove(child)
        elif change == "double":
            parent.append(child)
        elif change == "rename":
            child.tag = draw(st.sampled_from(["Other", "Key", "x"]))
        elif change == "fill":
            child.text = draw(st.sampled_from([*TEXTS, "<&>", "x" * 70_000, "\ufffd😀", "²", "٣", "1_000", " 1 "]))
        elif change == "empty":
            child.clear()
        else:
            child.append(ElementTree.Element(child.tag))
    return target, ElementTree.tostring(root)


@fuzzed
@given(wrong_document())
def test_wrong_documents(cloud: InProcessServer, upload: str, wrong: tuple[str, bytes]) -> None:
    _check(cloud, "PUT", _documented(upload, *wrong))


FORM_PARTS = [
    "key",
    "Key",
    "policy",
    "x-amz-meta-a",
    "x-amz-meta-a: b",
    "acl",
    "success_action_status",
    "success_action_redirect",
    "tagging",
    "Content-Type",
    "x-amz-signature",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "AWSAccessKeyId",
    "signature",
    "file",
    "",
]
FORM_TEXTS = [
    "",
    "${filename}",
    "\x00",
    "\xff",
    "a\r\nb",
    "e30=",
    "public-read",
    "201",
    "http://[",
    "<Tagging/>",
    "<Tagging><TagSet><Tag/></TagSet></Tagging>",
    "x" * 30_000,
    "AWS4-HMAC-SHA256",
    "99999999999999",
]


@fuzzed
@given(
    st.lists(st.tuples(st.sampled_from(FORM_PARTS), st.sampled_from(FORM_TEXTS)), max_size=5),
    st.sampled_from(["--b--\r\n", "--b", "", "--b--", "--c--\r\n"]),
    st.sampled_from(
        [
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\xff",
            "text/plain",
            'multipart/form-data; boundary="b"',
        ]
    ),
)
def test_wrong_forms(cloud: InProcessServer, parts: list[tuple[str, str]], end: str, kind: str) -> None:
    body = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts) + end
    _check(cloud, "POST", request("POST", "/public", body.encode("latin-1"), content_type=kind))
