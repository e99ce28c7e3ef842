from __future__ import annotations

import pytest

from cloudlet.gateway.identity import UNSIGNED, Credential, Identities
from cloudlet.gateway.routing import Guess, guess, region_in
from cloudlet.wire.message import Request

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def _guess(method: str = "GET", path: str = "/", query: str = "", scope: str = "", **headers: str) -> Guess:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    credential = Credential("test", "20260101", "us-east-1", scope) if scope else UNSIGNED
    return guess(Request(method, path, query, fields), credential)


CASES = {
    "target": (
        _guess("POST", scope="sqs", x_amz_target="AmazonSQS.SendMessage", content_type="application/x-amz-json-1.0"),
        Guess("sqs", "SendMessage", "json-1.0", "AmazonSQS"),
    ),
    "target with dots in its prefix": (
        _guess("POST", scope="dynamodb", x_amz_target="DynamoDB_20120810.GetItem", content_type="application/x-amz-json-1.1"),
        Guess("dynamodb", "GetItem", "json", "DynamoDB_20120810"),
    ),
    "cbor target": (
        _guess("POST", scope="kinesis", x_amz_target="Kinesis_20131202.PutRecord", content_type="application/x-amz-cbor-1.1"),
        Guess("kinesis", "PutRecord", "amz-cbor-1.1", "Kinesis_20131202"),
    ),
    "smithy rpc": (
        _guess(
            "POST",
            "/service/GraniteServiceVersion20100801/operation/ListMetrics",
            scope="monitoring",
            smithy_protocol="rpc-v2-cbor",
        ),
        Guess("cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor", "GraniteServiceVersion20100801"),
    ),
    "a signed form": (_guess("POST", scope="sns", content_type=FORM), Guess("sns", None, "query")),
    "a signed path": (_guess("GET", "/bucket/key", scope="s3", host="localhost:4566"), Guess("s3", None, None)),
    "an unsigned form": (_guess("POST", "/000000000000/q", content_type=FORM, host="localhost:4566"), Guess(None, None, "query")),
    "an unsigned link": (_guess(query="Action=ListQueues", host="localhost:4566"), Guess(None, None, "query")),
    "an unsigned path": (_guess("GET", "/bucket/key", host="localhost:4566"), Guess("s3", None, None)),
    "a service's host": (_guess("POST", host="sqs.eu-west-1.amazonaws.com", content_type=FORM), Guess("sqs", None, "query")),
    "an old queue host": (
        _guess("POST", host="eu-west-1.queue.localhost.localstack.cloud:4566", content_type=FORM),
        Guess("sqs", None, "query"),
    ),
    "s3's own host": (_guess("GET", "/b/k", host="s3.us-east-1.amazonaws.com"), Guess("s3", None, None)),
    "a bucket's host": (_guess("GET", "/k", scope="s3", host="b.s3.amazonaws.com"), Guess("s3", None, None, bucket="b")),
    "a dotted bucket's host": (
        _guess("GET", "/k", host="a.b.s3.localhost.localstack.cloud:4566"),
        Guess("s3", None, None, bucket="a.b"),
    ),
    "a bucket in a region": (_guess("GET", "/k", host="b.s3.eu-west-1.amazonaws.com"), Guess("s3", None, None, bucket="b")),
    "no host at all": (_guess("GET", "/k"), Guess("s3", None, None)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_request_means(case: str) -> None:
    found, expected = CASES[case]
    assert found == expected


def test_regions_in_hosts() -> None:
    assert region_in(Request("GET", "/", "", {"host": "sqs.eu-west-1.amazonaws.com"})) == "eu-west-1"
    assert region_in(Request("GET", "/", "", {"host": "localhost:4566"})) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0",
            Credential("AKID", "20260101", "eu-west-1", "s3"),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/20260101/us-east-1/sqs/aws4_request,SignedHeaders=host",
            Credential("a/b", "20260101", "us-east-1", "sqs"),
        ),
        ("AWS AKID:c2lnbmF0dXJl", Credential(access_key="AKID", service="s3")),
        ("Bearer token", UNSIGNED),
        ("AWS4-HMAC-SHA256 Credential=", Credential()),
    ],
)
def test_credentials(header: str, expected: Credential) -> None:
    assert Identities().credential(Request("GET", "/", "", {"authorization": header})) == expected


def test_accounts() -> None:
    identities = Identities(lambda key: "222233334444" if key == "AKIAMADE" else None)
    assert [identities.account(key) for key in ("test", "111122223333", "AKIAMADE", "", "١٢٣٤٥٦٧٨٩٠١٢")] == [
        "000000000000",
        "111122223333",
        "222233334444",
        "000000000000",
        "000000000000",
    ]
