"""Who asks: account, region and principal, read from the request's credential scope, its host or, failing both, defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloudlet.wire.message import Request

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
_CACHED = 4096


class Credential(NamedTuple):
    """The credential scope of a signed request; empty fields for an unsigned one."""

    access_key: str = ""
    date: str = ""
    region: str = ""
    service: str = ""


UNSIGNED = Credential()


class Identities:
    """Reads credentials. `account_of` finds the account of an access key that IAM made, or None."""

    def __init__(self, account_of: Callable[[str], str | None] = lambda access_key: None):
        self._account_of = account_of
        self._parsed: dict[str, Credential] = {}

    def credential(self, request: Request) -> Credential:
        """Reads the Authorization header or a presigned URL's query; UNSIGNED where there is neither."""
        header = request.headers.get("authorization")
        if header is not None:
            return self._from_header(header)
        if "X-Amz-Credential" in request.query_string:
            return _scope(request.query.get("X-Amz-Credential", ""))
        if "AWSAccessKeyId" in request.query_string:
            return Credential(access_key=request.query.get("AWSAccessKeyId", ""), service="s3")
        return UNSIGNED

    def account(self, access_key: str) -> str:
        """12 digits are the account itself; a key that IAM made has its account; anything else is the default one's."""
        if len(access_key) == 12 and access_key.isascii() and access_key.isdigit():
            return access_key
        return (self._account_of(access_key) if access_key else None) or DEFAULT_ACCOUNT

    def _from_header(self, header: str) -> Credential:
        start = header.find("Credential=")
        if start < 0:
            if header.startswith("AWS "):  # signature version 2, which old S3 clients send
                return Credential(access_key=header[4:].partition(":")[0], service="s3")
            return UNSIGNED
        end = header.find(",", start)
        text = header[start + 11 : end if end > 0 else len(header)].strip()
        found = self._parsed.get(text)
        if found is None:
            found = _scope(text)
            if len(self._parsed) >= _CACHED:
                self._parsed.clear()
            self._parsed[text] = found
        return found


def _scope(text: str) -> Credential:
    """`AKID/20260301/us-east-1/s3/aws4_request`; an access key may hold slashes itself."""
    parts = text.rsplit("/", 4)
    if len(parts) == 5:
        return Credential(parts[0], parts[1], parts[2], parts[3])
    return Credential(access_key=parts[0])
