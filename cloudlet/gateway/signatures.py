"""Signature version 4, checked against the secrets known: in the header, in a presigned URL, and chunk by chunk.

Source: the IAM User Guide, "Create a signed AWS API request"; the S3 API reference, "Authenticating requests".
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from urllib.parse import quote, unquote

from cloudlet.gateway.body import Verifier
from cloudlet.gateway.identity import Credential
from cloudlet.kernel.fault import Fault
from cloudlet.wire.message import Request

ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_LONGEST_SKEW_SECONDS = 15 * 60
_STAMP = re.compile(r"\d{8}T\d{6}Z")


class Verifiers:
    """Checks requests. `secret_of` finds an access key's secret, or None for a key that is not known."""

    def __init__(self, secret_of: Callable[[str], str | None]):
        self._secret_of = secret_of

    def check(self, request: Request, credential: Credential) -> ChunkVerifier | None:
        """Raises Fault. The result checks the chunks of a body that is signed chunk by chunk."""
        header = request.headers.get("authorization")
        if header is not None and not header.startswith(ALGORITHM):
            text = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
            raise Fault("InvalidRequest" if credential.service == "s3" else "IncompleteSignature", text, status=400)
        secret = self._secret_of(credential.access_key)
        if secret is None:
            text = "The AWS Access Key Id you provided does not exist in our records."
            raise Fault("InvalidAccessKeyId" if credential.service == "s3" else "InvalidClientTokenId", text, status=403)
        if header is not None:
            return self._check_header(request, credential, secret, header)
        self._check_query(request, credential, secret)
        return None

    def _check_header(self, request: Request, credential: Credential, secret: str, header: str) -> ChunkVerifier | None:
        fields = dict(part.strip().partition("=")[::2] for part in header.removeprefix(ALGORITHM).split(","))
        stamp = request.headers.get("x-amz-date", "")
        if not {"Credential", "SignedHeaders", "Signature"} <= set(fields):
            raise Fault(
                "IncompleteSignature", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders'.", status=403
            )
        signed_at = _instant(stamp)
        if abs(time.time() - signed_at) > _LONGEST_SKEW_SECONDS:
            text = "The difference between the request time and the current time is too large."
            raise Fault("RequestTimeTooSkewed", text, status=403)
        whole = hashlib.sha256(request.body).hexdigest() if isinstance(request.body, bytes) else None
        payload = request.headers.get("x-amz-content-sha256") or whole or _EMPTY_HASH
        key = signing_key(secret, credential)
        if not _matches(request, fields["SignedHeaders"].split(";"), payload, key, credential, stamp, fields["Signature"]):
            raise _mismatch()
        if payload.startswith("STREAMING-" + ALGORITHM):
            return ChunkVerifier(key, credential, stamp, fields["Signature"], trailer=payload.endswith("-TRAILER"))
        if whole is not None and payload != whole and len(payload) == len(whole):
            if credential.service != "s3":
                raise _mismatch()
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise Fault(
                "XAmzContentSHA256Mismatch",
                text,
                status=400,
                ClientComputedContentSHA256=payload,
                S3ComputedContentSHA256=whole,
            )
        return None

    def _check_query(self, request: Request, credential: Credential, secret: str) -> None:
        query = request.query
        stamp, given = query.get("X-Amz-Date", ""), query.get("X-Amz-Signature", "")
        if query.get("X-Amz-Algorithm") != ALGORITHM:
            raise Fault("AuthorizationQueryParametersError", f'X-Amz-Algorithm only supports "{ALGORITHM}"', status=400)
        signed = query.get("X-Amz-SignedHeaders", "host").split(";")
        payload = query.get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
        if not _matches(request, signed, payload, signing_key(secret, credential), credential, stamp, given):
            raise _mismatch()


class ChunkVerifier(Verifier):
    """Checks the chain of chunk signatures of one body. trailer: the head promised that the trailers are signed, too."""

    def __init__(self, key: bytes, credential: Credential, stamp: str, seed: str, *, trailer: bool = False):
        self._key = key
        self._scope = f"{credential.date}/{credential.region}/{credential.service}/aws4_request"
        self._stamp = stamp
        self._previous = seed
        self._trailer = trailer

    def chunk(self, signature: str, digest: str) -> None:
        self._match("\n".join((f"{ALGORITHM}-PAYLOAD", self._stamp, self._scope, self._previous, _EMPTY_HASH, digest)), signature)

    def trailer(self, trailers: dict[str, str]) -> None:
        if not self._trailer:
            return
        signature = trailers.get("x-amz-trailer-signature", "")
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()) if name != "x-amz-trailer-signature")
        digest = hashlib.sha256(lines.encode()).hexdigest()
        self._match("\n".join((f"{ALGORITHM}-TRAILER", self._stamp, self._scope, self._previous, digest)), signature)

    def _match(self, text: str, signature: str) -> None:
        expected = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise _mismatch()
        self._previous = signature


def _matches(
    request: Request, signed: list[str], payload_hash: str, key: bytes, credential: Credential, stamp: str, signature: str
) -> bool:
    """S3 takes the path as it was sent, or encoded in the one standard way; the other services encode it once more."""
    paths = [quote(request.path, safe="/~")]
    if credential.service == "s3":
        paths = [request.path, quote(unquote(request.path, "latin-1"), safe="/~-_.", encoding="latin-1")]
    texts = [canonical_request(request, path, signed, payload_hash) for path in paths]
    return any(hmac.compare_digest(sign(key, credential, stamp, text).encode(), signature.encode()) for text in texts)


def canonical_request(request: Request, path: str, signed: list[str], payload_hash: str) -> str:
    """The text that is signed."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in request.pairs if k != "X-Amz-Signature")
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed)
    return "\n".join((request.method, path or "/", query, headers, ";".join(signed), payload_hash))


def sign(key: bytes, credential: Credential, stamp: str, canonical: str) -> str:
    scope = f"{credential.date}/{credential.region}/{credential.service}/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def signing_key(secret: str, credential: Credential) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (credential.date, credential.region, credential.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _instant(stamp: str) -> int:
    if not _STAMP.fullmatch(stamp):
        raise Fault("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", status=403)
    try:
        return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Fault("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", status=403) from None


def _mismatch() -> Fault:
    text = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    return Fault("SignatureDoesNotMatch", text, status=403)
