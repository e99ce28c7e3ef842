"""Signatures made by botocore are taken; anything changed after signing is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudlet.gateway.identity import Identities
from cloudlet.gateway.signatures import Verifiers
from cloudlet.kernel.fault import Fault
from cloudlet.wire.message import Request

SECRETS = {"AKIDEXAMPLE": "wJalrXUtnFEMI"}
URL = "http://localhost:4566/bucket/a%20key%2Fwith%21odd~chars?partNumber=1&uploadId=a%2Bb"


def _signed(kind: type, service: str, url: str = URL, body: bytes = b"{}") -> Request:
    sent = AWSRequest("PUT", url, headers={"Content-Type": "application/json", "X-Amz-Meta-A": "two  spaces"}, data=body)
    kind(Credentials("AKIDEXAMPLE", SECRETS["AKIDEXAMPLE"]), service, "eu-west-1").add_auth(sent)
    prepared = sent.prepare()
    parts = urlsplit(prepared.url)
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in prepared.headers.items()}
    headers.setdefault("host", parts.netloc)
    return Request("PUT", parts.path, parts.query, headers, body)


def _check(request: Request) -> None:
    Verifiers(SECRETS.get).check(request, Identities().credential(request))


@pytest.mark.parametrize(("kind", "service"), [(SigV4Auth, "sqs"), (S3SigV4Auth, "s3"), (S3SigV4QueryAuth, "s3")])
def test_what_botocore_signs_is_taken(kind: type, service: str) -> None:
    _check(_signed(kind, service))


@pytest.mark.parametrize(
    "url", ["http://localhost:4566/", "http://localhost/q?Action=A&b=%E2%82%AC&a=1&a=0", "http://h/x//y/./z"]
)
@pytest.mark.parametrize(("kind", "service"), [(SigV4Auth, "sqs"), (S3SigV4Auth, "s3")])
def test_odd_urls(kind: type, service: str, url: str) -> None:
    if service == "sqs" and "//y" in url:
        pytest.skip("only S3 signs a path as it is")
    _check(_signed(kind, service, url))


@pytest.mark.parametrize("change", ["method", "path", "query_string", "body"])
def test_what_was_changed_is_refused(change: str) -> None:
    request = _signed(SigV4Auth, "sqs")
    setattr(request, change, b"[]" if change == "body" else "/other" if change == "path" else "OTHER=1")
    with pytest.raises(Fault, match="SignatureDoesNotMatch") as told:
        _check(request)
    assert told.value.status == 403


def test_an_unknown_key_is_refused() -> None:
    request = _signed(SigV4Auth, "sqs")
    with pytest.raises(Fault, match="InvalidClientTokenId"):
        Verifiers({}.get).check(request, Identities().credential(request))


def test_an_old_signature_is_refused() -> None:
    request = _signed(SigV4Auth, "sqs")
    request.headers["x-amz-date"] = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
    with pytest.raises(Fault, match="RequestTimeTooSkewed"):
        _check(request)
