"""Parts of multipart uploads: uploaded and listed. A part's number alone names it; uploading it again replaces it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cloudlet.kernel.context import Context, Conversation
from cloudlet.services.s3 import bodies, headers
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import COMPOSITE, Digester
from cloudlet.services.s3.faults import invalid_argument, invalid_request
from cloudlet.services.s3.owner import shown as owner
from cloudlet.services.s3.paging import integer, page_size, whole_seconds
from cloudlet.services.s3.rows import Part, Upload
from cloudlet.services.s3.unfinished import MOST_PARTS, effective_checksum, open_upload, parts_of, put_part
from cloudlet.services.s3.uploads import _initiator


async def upload_part(conversation: Conversation, req: dict[str, Any]) -> dict[str, Any]:
    """Take a part's body. It is hashed for the upload's checksum too where the client sends another one, or none."""
    number = _part_number(req)
    headers.refuse_customer_keys(req, "UploadPart")
    upload = await conversation.transact(lambda ctx: _upload_of(ctx, req))
    algorithm, _ = effective_checksum(upload)
    promises = bodies.Promises(req, default=algorithm)
    _check_algorithm(upload, promises)
    body = req["Body"]
    also = Digester(algorithm) if promises.algorithm != algorithm else None
    received = await bodies.receive(conversation, _Overheard(body, also) if also else body, promises)
    own = (algorithm, also.value()) if also else received.checksum

    def store(ctx: Context) -> str:
        still = _upload_of(ctx, req)
        etag = headers.etag_of(ctx, received.md5, still.like.sse)
        pieces = received.keep(ctx, ctx.ids.sequence())
        put_part(ctx, Part(still.id, number, received.size, etag, ctx.now, pieces, *own))
        return etag

    try:
        etag = await conversation.transact(store)
    except Exception:
        received.discard(conversation)
        raise
    shown = {f"Checksum{received.checksum[0]}": received.checksum[1]}
    return {"ETag": f'"{etag}"', **shown, **headers.shown_encryption(upload.like.sse)}


def list_parts(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A page of an upload's parts by number. Checksums are shown only where the upload was begun with an algorithm."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    limit = page_size(req, "MaxParts", "max-parts")
    after = integer(req, "PartNumberMarker", "part-number-marker", 0)
    upload = open_upload(ctx, bucket, req["Key"], req["UploadId"])
    found = parts_of(ctx, upload.id, after, limit + 1) if limit else []
    parts = found[:limit]
    return {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": parts[-1].number if parts else 0,
        "MaxParts": limit,
        "IsTruncated": len(found) > limit,
        "Parts": [_shown(part, upload) for part in parts],
        "Initiator": _initiator(upload),
        "Owner": owner(upload.account),
        "StorageClass": upload.like.storage_class,
        "ChecksumAlgorithm": upload.algorithm or None,
        "ChecksumType": upload.kind or None,
    }


def _shown(part: Part, upload: Upload) -> dict[str, Any]:
    entry = {"PartNumber": part.number, "LastModified": whole_seconds(part.modified), "ETag": f'"{part.etag}"', "Size": part.size}
    if upload.algorithm:
        entry[f"Checksum{part.algorithm}"] = part.checksum
    return entry


def _upload_of(ctx: Context, req: dict[str, Any]) -> Upload:
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    return open_upload(ctx, bucket, req["Key"], req["UploadId"])


def _part_number(req: dict[str, Any]) -> int:
    text = str(req["PartNumber"])
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_PARTS:
        raise invalid_argument("partNumber", text, f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive")
    return int(text)


def _check_algorithm(upload: Upload, promises: bodies.Promises) -> None:
    """A part's checksum is of the upload's algorithm. A composite one needs the client's; S3 computes a full object's itself."""
    if not upload.algorithm or (promises.given and promises.algorithm == upload.algorithm):
        return
    if promises.given or upload.kind == COMPOSITE:
        actual = promises.algorithm.lower() if promises.given else "null"
        expected = upload.algorithm.lower()
        raise invalid_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        )


class _Overheard:
    """A body whose bytes also go into a digest on their way."""

    def __init__(self, body: Any, digester: Digester):
        self._body = body
        self._digester = digester

    @property
    def decoded_length(self) -> int | None:
        length: int | None = self._body.decoded_length
        return length

    @property
    def trailers(self) -> dict[str, str]:
        trailers: dict[str, str] = self._body.trailers
        return trailers

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            self._digester.update(chunk)
            yield chunk
