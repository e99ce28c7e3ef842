"""Presigned URLs: their end, and the headers they carry."""

from __future__ import annotations

import http.client
import re
import time
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

EXPIRED = re.compile(
    rb"<Code>AccessDenied</Code><Message>Request has expired</Message>(<X-Amz-Expires>1</X-Amz-Expires>)?<Expires>"
)


@pytest.fixture(params=["s3v4", "s3"])
def s3(client, request):
    made = client("s3", config=Config(signature_version=request.param))
    made.create_bucket(Bucket="orders")
    return made


def send(method, url, body=b"", **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(method, f"{parts.path}?{parts.query}", body, {"Content-Type": "text/plain", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_an_expired_url(s3, monkeypatch):
    real = time.time()
    url = s3.generate_presigned_url("put_object", {"Bucket": "orders", "Key": "a"}, ExpiresIn=1)
    assert send("PUT", url, b"1")[0] == 200
    monkeypatch.setattr(time, "time", lambda: real + 3)
    status, body = send("PUT", url, b"2")
    assert status == 403
    assert EXPIRED.search(body), body


def test_a_missing_part(s3):
    url = s3.generate_presigned_url("get_object", {"Bucket": "orders", "Key": "a"})
    status, body = send("GET", re.sub(r"(X-Amz-)?Signature=[^&]*", "", url))
    assert status in (400, 403)
    assert b"uery-string authentication" in body


def test_headers_in_the_query(s3):
    if s3.meta.config.signature_version == "s3":
        pytest.skip("version 2 signs headers only")
    url = s3.generate_presigned_url("put_object", {"Bucket": "orders", "Key": "a"}) + "&x-amz-meta-colour=blue"
    assert send("PUT", url, b"1")[0] == 200
    assert s3.head_object(Bucket="orders", Key="a")["Metadata"] == {"colour": "blue"}
