"""Presigned URLs: their end, on real time, and the headers they carry in their query. Whether the signature is right is another
matter (`signatures`)."""

from __future__ import annotations

import calendar
import time
from typing import Any

from cloudlet.kernel.fault import Fault
from cloudlet.wire.message import Request
from cloudlet.wire.scalars import iso8601_short, whole_number

_LONGEST_SECONDS = 7 * 24 * 3600
_STAMP = "%Y%m%dT%H%M%SZ"
_OF_SIGNATURE = frozenset(
    f"x-amz-{name}" for name in ("algorithm", "credential", "date", "expires", "signature", "signedheaders", "security-token")
)
_VERSION_4 = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires")
_VERSION_2 = ("Signature", "Expires", "AWSAccessKeyId")


def accept(request: Request) -> None:
    """Raises Fault for a URL that has expired or lacks a part; takes its `x-amz-...` parameters as the headers they stand for."""
    query = request.query
    if any(name in query for name in ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm")):
        _check_version_4(query)
        for name, text in request.pairs:
            lowered = name.lower()
            if lowered.startswith("x-amz-") and lowered not in _OF_SIGNATURE:
                request.headers.setdefault(lowered, text)
    elif any(name in query for name in ("Signature", "AWSAccessKeyId")):
        _check_version_2(query)


def _check_version_4(query: dict[str, str]) -> None:
    expires = query.get("X-Amz-Expires", "")
    seconds = whole_number(expires)
    if any(name not in query for name in _VERSION_4) or seconds is None:
        text = f"Query-string authentication version 4 requires the {', '.join(_VERSION_4[:-1])}, and X-Amz-Expires parameters."
        raise Fault("AuthorizationQueryParametersError", text, status=400)
    if seconds > _LONGEST_SECONDS:
        text = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 "
        raise Fault("AuthorizationQueryParametersError", text + "seconds", status=400)
    try:
        signed = calendar.timegm(time.strptime(query["X-Amz-Date"], _STAMP))
    except ValueError:
        text = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise Fault("AuthorizationQueryParametersError", text, status=400) from None
    _check_end(signed + seconds, {"X-Amz-Expires": expires})


def _check_version_2(query: dict[str, str]) -> None:
    if any(name not in query for name in _VERSION_2):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise Fault("AccessDenied", text, status=403)
    end = whole_number(query["Expires"])
    if end is None:
        raise Fault("AccessDenied", f"Invalid date (should be seconds since epoch): {query['Expires']}", status=403)
    _check_end(end, {})


def _check_end(end: int, members: dict[str, Any]) -> None:
    now = int(time.time())
    if end < now:
        shown: dict[str, Any] = {"Expires": iso8601_short(end * 1000), "ServerTime": iso8601_short(now * 1000)}
        raise Fault("AccessDenied", "Request has expired", status=403, **members, **shown)
