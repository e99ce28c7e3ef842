"""Browsers' permission to ask: any origin may, as Cloudlet is a development server; services may say otherwise for their own."""

from __future__ import annotations

from cloudlet.wire.message import Request, Response

_METHODS = "HEAD,GET,PUT,POST,DELETE,OPTIONS,PATCH"
_EXPOSED = "etag,x-amz-version-id,x-amz-request-id,x-amzn-requestid,x-amz-id-2,x-amz-delete-marker,content-range,x-amzn-errortype"


def preflight(request: Request) -> Response | None:
    """The answer to a preflight request; None where it is none."""
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers or "origin" not in request.headers:
        return None
    wanted = request.headers.get("access-control-request-headers", "*")
    headers = [
        ("Access-Control-Allow-Origin", request.headers["origin"]),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", wanted),
        ("Access-Control-Max-Age", "600"),
        ("Vary", "Origin"),
    ]
    if request.headers.get("access-control-request-private-network") == "true":
        headers.append(("Access-Control-Allow-Private-Network", "true"))
    return Response(204, headers)


def allow(request: Request, response: Response) -> None:
    """Add what lets a page of another origin read the response."""
    origin = request.headers.get("origin")
    if origin and not any(name == "Access-Control-Allow-Origin" for name, _ in response.headers):
        response.headers += [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", _EXPOSED),
            ("Vary", "Origin"),
        ]
