"""Pages of any origin may ask, for answers and for errors alike."""

from __future__ import annotations

import json

import pytest

from cloudlet.testing.server import InProcessServer
from tests.gateway.raw import ask, request, scope, sqs

ORIGIN = "https://page.example"
PREFLIGHT = {"origin": ORIGIN, "access_control_request_method": "PUT"}


@pytest.mark.parametrize("target", ["/", "/bucket/key", "/_localstack/health", "/000000000000/q?Action=ListQueues"])
def test_preflight(cloud: InProcessServer, target: str) -> None:
    reply = ask(cloud, request("OPTIONS", target, **PREFLIGHT, access_control_request_headers="x-amz-target,authorization"))
    told = {name: value for name, value in reply.headers.items() if name.startswith("access-control-") or name == "vary"}
    assert (reply.status, reply.body, told) == (
        204,
        b"",
        {
            "access-control-allow-origin": ORIGIN,
            "access-control-allow-methods": "HEAD,GET,PUT,POST,DELETE,OPTIONS,PATCH",
            "access-control-allow-headers": "x-amz-target,authorization",
            "access-control-max-age": "600",
            "vary": "Origin",
        },
    )


def test_preflight_from_a_public_page(cloud: InProcessServer) -> None:
    reply = ask(cloud, request("OPTIONS", "/", **PREFLIGHT, access_control_request_private_network="true"))
    assert reply.headers["access-control-allow-private-network"] == "true"


def test_options_that_is_no_preflight_is_a_request(cloud: InProcessServer) -> None:
    assert ask(cloud, request("OPTIONS", "/bucket/key")).status == 405


def test_an_origin_cannot_write_headers(cloud: InProcessServer) -> None:
    for asked in (request("OPTIONS", "/", **PREFLIGHT | {"origin": "a\tb"}), sqs("ListQueues", b"{}", origin="a\tb")):
        reply = ask(cloud, asked)
        assert reply.headers["access-control-allow-origin"] == "a\tb"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (sqs("ListQueues", b"{}", origin=ORIGIN), 200),
        (sqs("ListQueues", b"[", origin=ORIGIN), 400),
        (sqs("Nonsense", b"{}", origin=ORIGIN), 400),
        (request("GET", "/no-bucket/key", origin=ORIGIN, authorization=scope("s3")), 404),
        (request("GET", "/", origin=ORIGIN, authorization=scope("lambda")), 501),
        (request("GET", "/_localstack/health", origin=ORIGIN), 200),
    ],
)
def test_answers_may_be_read(cloud: InProcessServer, asked: bytes, status: int) -> None:
    reply = ask(cloud, asked)
    assert (reply.status, reply.headers["access-control-allow-origin"], reply.headers["vary"]) == (status, ORIGIN, "Origin")
    assert "x-amzn-requestid" in reply.headers["access-control-expose-headers"]


def test_without_an_origin_nothing_is_said(cloud: InProcessServer) -> None:
    reply = ask(cloud, sqs("ListQueues", json.dumps({}).encode()))
    assert not any(name.startswith("access-control-") for name in reply.headers)
