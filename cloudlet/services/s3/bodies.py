"""Bodies on their way in: hashed, checked against what the request promised, and laid inline or into a blob."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cloudlet.kernel.blobs import INLINE_BYTES, BlobWriter
from cloudlet.kernel.context import Context, Conversation
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3.checksums import ALGORITHMS, Digester, is_valid
from cloudlet.services.s3.rows import BODIES, Piece

_LARGEST_BYTES = 5 * 1024**3
_UNSIGNED = ("", "UNSIGNED-PAYLOAD")
_NOT_DONE = ("ChecksumSHA512", "ChecksumMD5", "ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128")


class Received:
    """A body that has come whole and is what the request promised.

    data: the bytes of a small one; blob: the name of a large one's blob, which belongs to nobody until `keep` is called.
    checksum: (algorithm, base64). given: the client sent or asked for that checksum; otherwise it is S3's own CRC64NVME.
    """

    __slots__ = ("blob", "checksum", "data", "given", "md5", "size")

    def __init__(self, data: bytes | None, blob: str | None, size: int, md5: str, checksum: tuple[str, str], given: bool):
        self.data = data
        self.blob = blob
        self.size = size
        self.md5 = md5
        self.checksum = checksum
        self.given = given

    def keep(self, ctx: Context, sequence: int, number: int = 0) -> tuple[Piece, ...]:
        """Store the body in this transaction, as the piece `number` of what `sequence` names."""
        if not self.size:
            return ()
        if self.blob is None:
            ctx.tx.put(BODIES.key(sequence, number), self.data or b"")
            return (Piece(self.size, None, sequence, number),)
        ctx.blobs.keep(ctx.tx, self.blob)
        return (Piece(self.size, self.blob),)

    def discard(self, conversation: Conversation) -> None:
        """The request failed after all: the blob goes."""
        if self.blob is not None:
            conversation.blobs.discard(self.blob)


class Promises:
    """What a request says its body will be: Content-MD5, a checksum in a header or a trailer, the payload's hash, its length."""

    def __init__(self, req: dict[str, Any], *, default: str = "CRC64NVME"):
        self.md5: str | None = req.get("ContentMD5")
        self.sha256: str | None = req.get("ContentSHA256")
        given = [name for name in ALGORITHMS if req.get(f"Checksum{name}") is not None]
        asked = req.get("ChecksumAlgorithm")
        trailer = (req.get("Trailer") or "").lower().removeprefix("x-amz-checksum-").upper()
        if len(given) > 1:
            raise Fault("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
        if asked is not None and asked.upper() not in ALGORITHMS:
            text = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            raise Fault("InvalidRequest", text + "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        self.value: str | None = req[f"Checksum{given[0]}"] if given else None
        self.in_trailer = trailer in ALGORITHMS
        named = given[0] if given else trailer if self.in_trailer else asked.upper() if asked else None
        self.given = named is not None
        self.algorithm = named or default
        if self.value is not None and not is_valid(self.algorithm, self.value):
            raise Fault("InvalidRequest", f"Value for x-amz-checksum-{self.algorithm.lower()} header is invalid.")
        if self.md5 is not None and not _is_md5(self.md5):
            raise Fault("InvalidDigest", "The Content-MD5 you specified was invalid.", **{"Content-MD5": self.md5})
        if not req.keys().isdisjoint(_NOT_DONE):
            raise not_implemented("s3's checksums other than " + ", ".join(ALGORITHMS))

    def needs_sha256(self, verified: bool) -> bool:
        """Whether to check the payload's hash: it belongs to the signature, and costs as much as half of everything else. Where
        signatures are not checked, another checksum vouches for the body as well."""
        signed = self.sha256 not in (None, *_UNSIGNED) and not str(self.sha256).startswith("STREAMING-")
        vouched = self.value is not None or self.in_trailer or self.md5 is not None
        return signed and (verified or not vouched)


async def receive(conversation: Conversation, body: Any, promises: Promises) -> Received:
    """Read a body to its end. Raises Fault where it is not as promised, or breaks off; then nothing of it is left."""
    md5 = hashlib.md5(usedforsecurity=False)
    sha256 = hashlib.sha256() if promises.sha256 and promises.needs_sha256(conversation.caller.verified) else None
    digester = Digester(promises.algorithm)
    held: list[bytes] = []
    writer: BlobWriter | None = None
    size = 0
    expected: int | None = body.decoded_length
    if expected is not None and expected > _LARGEST_BYTES:
        raise too_large(expected)
    try:
        async for chunk in body:
            size += len(chunk)
            md5.update(chunk)
            digester.update(chunk)
            if sha256:
                sha256.update(chunk)
            if writer:
                writer.write(chunk)
                continue
            held.append(chunk)
            if size > INLINE_BYTES:
                writer = conversation.blobs.create()
                for piece in held:
                    writer.write(piece)
                held.clear()
        if size > _LARGEST_BYTES:
            raise too_large(size)
        _check(promises, body, size, md5.digest(), sha256, digester.value())
    except BaseException:
        if writer:
            writer.abort()
        raise
    checksum = (promises.algorithm, digester.value())
    if writer:
        return Received(None, writer.finish(), size, md5.hexdigest(), checksum, promises.given)
    return Received(b"".join(held), None, size, md5.hexdigest(), checksum, promises.given)


def check_held(promises: Promises, body: bytes) -> None:
    """The check of a body that was read with its request: a document, not an object. Raises BadDigest."""
    if promises.md5 is not None:
        _check_md5(promises, hashlib.md5(body, usedforsecurity=False).digest())
    if promises.value is not None:
        digester = Digester(promises.algorithm)
        digester.update(body)
        _check_value(promises, promises.value, digester.value())


def too_large(size: int) -> Fault:
    return Fault(
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
        MaxSizeAllowed=_LARGEST_BYTES,
        ProposedSize=size,
    )


def _check(promises: Promises, body: Any, size: int, md5: bytes, sha256: Any, computed: str) -> None:
    if body.decoded_length is not None and size != body.decoded_length:
        raise Fault("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
    if sha256 and sha256.hexdigest() != promises.sha256:
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        members = {"ClientComputedContentSHA256": promises.sha256, "S3ComputedContentSHA256": sha256.hexdigest()}
        raise Fault("XAmzContentSHA256Mismatch", text, **members)
    _check_md5(promises, md5)
    promised = promises.value
    if promises.in_trailer:
        promised = body.trailers.get(f"x-amz-checksum-{promises.algorithm.lower()}")
        if promised is None:
            raise Fault(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            )
        if not is_valid(promises.algorithm, promised):
            raise Fault("InvalidRequest", f"Value for x-amz-checksum-{promises.algorithm.lower()} trailing header is invalid.")
    _check_value(promises, promised, computed)


def _check_md5(promises: Promises, md5: bytes) -> None:
    if promises.md5 is not None and base64.b64decode(promises.md5) != md5:
        members: dict[str, Any] = {"ExpectedDigest": promises.md5, "CalculatedDigest": base64.b64encode(md5).decode()}
        raise Fault("BadDigest", "The Content-MD5 you specified did not match what we received.", **members)


def _check_value(promises: Promises, promised: str | None, computed: str) -> None:
    if promised is not None and promised != computed:
        raise Fault("BadDigest", f"The {promises.algorithm} you specified did not match the calculated checksum.")


def _is_md5(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except ValueError:
        return False
